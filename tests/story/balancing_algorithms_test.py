#!/usr/bin/env python3
"""What holds for every balancing algorithm, whatever it is good for: all are reached, weights count, nobody is sent to
the dead, weight 0 is nothing; for connections and for requests."""

import os
from collections import Counter
from dataclasses import dataclass, field

from balanced import PEOPLE, Balanced
from harness import eventually, main
from shared_objects import EXAMPLE, compile_file


@dataclass
class Algorithm:
    """`weighted`: what weights mean for held work. exactly; by_chance; roughly: the heavier one has more, because what
    was measured counts too."""
    balance: str
    upstream: dict = field(default_factory=dict)
    sections: dict = field(default_factory=dict)
    endpoint: dict = field(default_factory=dict)
    weighted: str = "by_chance"
    name: str = ""

    def __post_init__(self):
        self.name = self.name or self.balance


HERE = {"zones": {"otherwise": "here"}}
# These origins answer within microseconds, so that one hiccup makes one of them look a hundred times as slow.
FORGETFUL = {"latency_decay": "5ms"}
ALGORITHMS = (
    Algorithm("round_robin", weighted="exactly"),
    Algorithm("random"),
    Algorithm("least_connections", weighted="exactly"),
    Algorithm("two_choices"),
    Algorithm("two_choices", {"two_choices": {"load": "latency", "choices": 3}, **FORGETFUL}, weighted="roughly",
              name="two_choices by latency"),
    Algorithm("least_time", FORGETFUL, weighted="roughly"),
    Algorithm("ip_hash"),
    Algorithm("maglev"),
    Algorithm("maglev", {"bounded_load": 1.5}, name="maglev with bounded load"),
    Algorithm("ring_hash"),
    Algorithm("rendezvous"),
    Algorithm("resource_aware"),
    Algorithm("zone_aware", sections=HERE, endpoint={"zone": "here"}, weighted="exactly"),
    Algorithm("zone_aware", {"zone_aware": {"inside": "maglev"}}, HERE, {"zone": "here"},
              name="zone_aware with maglev inside"),
    Algorithm("adaptive"),
    Algorithm("plugin", FORGETFUL, weighted="roughly"),
)


class EveryAlgorithm(Balanced):
    def compiled_example(self):
        path = self.path("example.so")
        return path if os.path.exists(path) else compile_file(EXAMPLE, path)

    def for_each(self, make, endpoints, story):
        """Calls story(algorithm, weir) with each in turn, reached by reloads."""
        weir = None
        for algorithm in ALGORITHMS:
            upstream = dict(algorithm.upstream)
            if algorithm.balance == "plugin":
                upstream["plugin"] = {"path": self.compiled_example()}
            plain = [{**self.as_endpoint(each), **algorithm.endpoint} for each in endpoints]
            config = make(plain, algorithm.balance, sections=algorithm.sections, **upstream)
            with self.subTest(algorithm.name):
                if weir is None:
                    weir = self.weir_with(config)
                else:
                    weir.reload(config)
                self.assertEqual(self.upstream(weir)["balance"], algorithm.balance)
                story(algorithm, weir)

    def expect_weighted(self, algorithm, take):
        """Weights 1 and 3, of what `take()` counts."""
        counts = take()
        for _ in range(4):  # where latency has a say, the lighter one may be quicker by chance, but not always
            if algorithm.weighted != "roughly" or counts["b"] > 1.3 * counts["a"]:
                break
            counts = take()
        total = counts["a"] + counts["b"]
        self.assertEqual(set(counts), {"a", "b"})
        if algorithm.weighted == "exactly":
            self.assertAlmostEqual(counts["b"], total * 3 / 4, delta=1)
        elif algorithm.weighted == "by_chance":
            self.expect_parts(counts, {"a": 0.25, "b": 0.75}, 0.14)
        else:
            self.assertGreater(counts["b"], 1.3 * counts["a"])

    def expect_avoided(self, algorithm, weir, ask):
        """What `ask()` counts of 60 picks is by a and b, who are alive."""
        proposed = self.proposals(weir)
        counts = ask()
        self.assertEqual(counts["a"] + counts["b"], 60, dict(counts))
        if algorithm.weighted != "roughly":  # with nothing else to do, the quicker one may have all
            self.assertGreater(min(counts["a"], counts["b"]), 10, dict(counts))
            self.assertGreater(self.proposals(weir), proposed, "it was proposed")

    def proposals(self, weir):
        """How often the dead one was tried, or would have been, did it not rest."""
        dead = weir.endpoint("dead")
        return dead["connect_errors"] + dead["refused_by_gate"]


class Connections(EveryAlgorithm):
    def held(self, weir, times):
        """Who has how many of so many connections at a time."""
        held = self.hold_connections(weir, times, PEOPLE)
        for sock, _ in held:
            sock.close()
        self.wait_until_over(weir)
        return Counter(name for _, name in held)

    def test_weights(self):
        a, b = (self.origin("--raw", "banner", name=name) for name in "ab")

        def story(algorithm, weir):
            self.expect_weighted(algorithm, lambda: self.held(weir, 160))
        self.for_each(self.tcp, [a.endpoint(weight=1), b.endpoint(weight=3)], story)

    def test_all_are_reached(self):
        def story(_, weir):
            self.assertEqual(set(self.held(weir, 100)), set("abcde"))
        self.for_each(self.tcp, [self.origin("--raw", "banner", name=name) for name in "abcde"], story)

    def test_a_dead_endpoint_and_one_of_weight_0(self):
        a, b, c = self.named("a", "b", "c")
        dead = {"name": "dead", "address": self.nobody_at()}

        def story(algorithm, weir):
            self.expect_avoided(algorithm, weir, lambda: self.connected(weir, 60, PEOPLE))
        self.for_each(self.tcp, [a, dead, b, c.endpoint(weight=0)], story)


class Requests(EveryAlgorithm):
    def test_weights(self):
        gate = self.gate()
        a, b = (self.http_origin(gate, name) for name in "ab")

        def story(algorithm, weir):
            def take():
                gate.close()
                clients = self.hold(weir, gate, 100, PEOPLE)
                gate.open()
                return self.answered(clients)
            self.expect_weighted(algorithm, take)
        self.for_each(self.http, [a.endpoint(weight=1), b.endpoint(weight=3)], story)

    def test_all_are_reached(self):
        gate = self.gate()

        def story(_, weir):
            gate.close()
            clients = self.hold(weir, gate, 50, PEOPLE)
            gate.open()
            self.assertEqual(set(self.answered(clients)), set("abcd"))
        self.for_each(self.http, [self.http_origin(gate, name) for name in "abcd"], story)

    def test_a_dead_endpoint_and_one_of_weight_0(self):
        a, b, c = self.web("a", "b", "c")
        dead = {"name": "dead", "address": self.nobody_at()}

        def story(algorithm, weir):
            self.expect_avoided(algorithm, weir, lambda: Counter(self.owner(weir, source) for source in PEOPLE[:60]))
        self.for_each(self.http, [a, dead, b, c.endpoint(weight=0)], story)


class FirstFit(Balanced):
    def test_one_is_filled_after_the_other(self):
        origins = [self.origin("--raw", "banner", name=name) for name in "abc"]
        weir = self.weir_with(self.tcp([each.endpoint(max_connections=4) for each in origins], "first_fit"))
        held = self.hold_connections(weir, 9)
        self.assertEqual([name for _, name in held], list("aaaabbbbc"))
        held[1][0].close()
        eventually(lambda: weir.endpoint("a")["connections"] == 3)
        self.assertEqual(self.hold_connections(weir, 2)[0][1], "a")
        self.assertEqual(weir.endpoint("c")["connections"], 2)

    def test_requests_and_a_first_one_that_is_dead(self):
        gate = self.gate()
        b, c = (self.http_origin(gate, name) for name in "bc")
        dead = {"name": "dead", "address": self.nobody_at(), "max_connections": 2}
        weir = self.weir_with(self.http([dead, b.endpoint(max_connections=3), c], "first_fit"))
        clients = self.hold(weir, gate, 5)
        self.assertEqual(gate.now, {"b": 3, "c": 2})
        gate.open()
        self.assertEqual(self.answered(clients), {"b": 3, "c": 2})

    def test_who_has_no_limit_must_be_the_last(self):
        a, b = self.web("a", "b")
        weir = self.weir_with(self.http([a, b]))
        weir.write(self.http([a, b], "first_fit"))
        self.assertEqual(weir.hang_up(), "reloads_refused")
        self.assertIn("never get anything", weir.log())
        self.assertEqual(self.served(weir, 4), {"a": 2, "b": 2})


class Together(Balanced):
    """Workers do not speak with each other, and yet what they do together is what was asked for."""

    def test_two_workers_in_turn_are_even(self):
        names = [f"o{i}" for i in range(5)]
        weir = self.weir_with(self.tcp(self.named(*names), workers=2))
        counts = self.connected(weir, 300)
        self.assertEqual([worker["accepted"] > 20 for worker in weir.info()["worker"]], [True, True])
        for name in names:
            self.assertAlmostEqual(counts[name], 60, delta=2)

    def test_and_for_requests_with_weights(self):
        a, b, c = self.web("a", "b", "c")
        weir = self.weir_with(self.http([a.endpoint(weight=5), b.endpoint(weight=2), c], workers=2))
        clients = [self.client(weir) for _ in range(16)]
        counts = Counter()
        for _ in range(25):
            for client in clients:
                counts.update(self.served(weir, 1, client=client))
        self.assertEqual([worker["accepted"] > 0 for worker in weir.info()["worker"]], [True, True])
        for name, fair in (("a", 250), ("b", 100), ("c", 50)):
            self.assertAlmostEqual(counts[name], fair, delta=2)


if __name__ == "__main__":
    main()
