#!/usr/bin/env python3
"""Steering a running weir by its stats socket: weights, health, draining, maintenance; none of which breaks what is
under way."""

from collections import Counter

from balanced import PEOPLE, Balanced
from harness import eventually, main
from sockets import ask_once, exchange


class Weights(Balanced):
    def test_turns_follow_at_once_and_exactly(self):
        weir = self.weir_with(self.http([each.endpoint(weight=4) for each in self.web("a", "b", "c")]))
        steps = (
            ("set weight app/a 8", {"a": 8, "b": 4, "c": 4}),
            ("set weight app/b 50%", {"a": 8, "b": 2, "c": 4}),
            ("set server app/c weight 0", {"a": 8, "b": 2}),
            ("set weight app/a 25%", {"a": 1, "b": 2}),
            ("set server app/c weight 5", {"a": 1, "b": 2, "c": 5}),
            ("set weight app/a 100%", {"a": 4, "b": 2, "c": 5}),
        )
        for line, weights in steps:
            with self.subTest(line):
                self.steer(weir, line)
                turn = sum(weights.values())
                self.assertEqual(self.served(weir, 4 * turn), {name: 4 * each for name, each in weights.items()})

    def test_what_is_told_of_them(self):
        a, b = self.web("a", "b")
        weir = self.weir_with(self.http([a.endpoint(weight=10), b]))
        self.steer(weir, "set weight app/a 3")
        self.assertEqual(weir.ask("get weight app/a").strip(), "3 (initial 10)")
        self.assertEqual(weir.ask("get weight app/b").strip(), "1 (initial 1)")
        self.expect_row(weir, "a", weight=3, effective_weight=3, configured_weight=10)
        self.assertRegex(weir.ask("show balance app"), r"(?m)^ +a +no check +3 +3\.00 +1\.00 +0 ")
        for line in ("set weight app/a many", "set weight app/a 101%", "set weight app/a 65536", "set weight app/a -1",
                     "set weight app/z 1", "set weight other/a 1", "set weight a 1", "set server app/a state off",
                     "set server app/a health 1.1", "set server app/a health nan", "set server app/a score x"):
            with self.subTest(line):
                self.assertNotEqual(weir.ask(line).strip(), "")
        self.expect_row(weir, "a", weight=3, effective_weight=3)

    def test_they_survive_reloads_and_end_with_a_restart(self):
        origins = self.web("a", "b")
        config = self.http(origins)
        weir = self.weir_with(config)
        self.steer(weir, "set weight app/a 3")
        weir.reload(config)
        weir.reload(self.http(list(reversed(origins)), "random"))
        weir.reload(config)
        self.assertEqual(self.served(weir, 40), {"a": 30, "b": 10})
        self.assertEqual(self.served(self.weir_with(config), 40), {"a": 20, "b": 20})

    def test_no_weight_at_all(self):
        weir = self.weir_with(self.http(self.web("a", "b")))
        self.steer(weir, "set weight app/a 0", "set weight app/b 0")
        self.assertEqual(self.get(weir).status, 503)
        self.expect_ends(weir, no_endpoint=1)
        self.steer(weir, "set weight app/b 1")
        self.assertEqual(self.served(weir, 3), {"b": 3})


class Health(Balanced):
    # Algorithms whose shares can be seen of idle endpoints, and by how much they may be off; by 400 people.
    visible = (("round_robin", 0.003), ("random", 0.12), ("two_choices", 0.12), ("maglev", 0.12), ("ring_hash", 0.14),
               ("rendezvous", 0.12), ("ip_hash", 0.12), ("resource_aware", 0.12))

    def test_half_a_health_is_half_a_share(self):
        origins = self.named("a", "b")
        weir = self.weir_with(self.tcp(origins))
        for balance, within in self.visible:
            with self.subTest(balance):
                weir.reload(self.tcp(origins, balance))
                self.steer(weir, "set server app/a health 0.5")
                self.expect_parts(self.connected(weir, 240, PEOPLE), {"a": 1 / 3, "b": 2 / 3}, within)
                self.expect_row(weir, "a", health=0.5, effective_weight=0.5, state="ready")
                self.steer(weir, "set server app/a health 0")
                self.assertEqual(self.connected(weir, 20, PEOPLE), {"b": 20})
                self.expect_row(weir, "a", effective_weight=0, in_play=False, state="down")
                self.steer(weir, "set server app/a health 1")
                self.expect_parts(self.connected(weir, 240, PEOPLE), {"a": 1 / 2, "b": 1 / 2}, within)

    def test_open_connections_by_health(self):
        origins = [self.origin("--raw", "banner", name=name) for name in "ab"]
        weir = self.weir_with(self.tcp(origins, "least_connections"))
        self.steer(weir, "set server app/a health 0.25")
        self.assertEqual(Counter(name for _, name in self.hold_connections(weir, 50)), {"a": 10, "b": 40})

    def test_down_and_up(self):
        weir = self.weir_with(self.http(self.web("a", "b")))
        self.steer(weir, "set server app/a health down")
        self.assertEqual(self.served(weir, 6), {"b": 6})
        self.steer(weir, "set server app/a health up")
        self.assertEqual(self.served(weir, 6), {"a": 3, "b": 3})

    def test_what_was_set_survives_a_reload(self):
        config = self.http(self.web("a", "b", "c", "d"))
        weir = self.weir_with(config)
        self.steer(weir, "set server app/a health 0.5", "set server app/b state drain", "disable server app/c")
        weir.reload(config)
        self.assertEqual(self.served(weir, 30), {"a": 10, "d": 20})
        self.assertEqual(self.rows(weir, "state"), {"a": "ready", "b": "drain", "c": "maint", "d": "ready"})


class Leave(Balanced):
    """Draining: nothing new, but sessions may go on. Maintenance: nothing at all."""
    algorithms = ("round_robin", "least_connections", "random", "two_choices", "least_time", "resource_aware",
                  "maglev", "ring_hash", "rendezvous", "ip_hash")

    def test_nobody_is_sent_there_and_what_is_under_way_goes_on(self):
        gate = self.gate()
        origins = [self.http_origin(gate, name) for name in "ab"]
        weir = self.weir_with(self.http(origins))
        ways = (("set server app/a state drain", "drain"), ("set server app/a state maint", "maint"),
                ("disable server app/a", "maint"))
        for balance in self.algorithms:
            for way, state in ways:
                with self.subTest(balance=balance, way=way):
                    gate.close()
                    weir.reload(self.http(origins, balance))
                    held = self.hold(weir, gate, 24, PEOPLE)
                    there = gate.now["a"]
                    self.assertGreater(there, 0)
                    self.steer(weir, way)
                    self.expect_row(weir, "a", state=state, effective_weight=0)
                    late = self.hold(weir, gate, 8, PEOPLE)
                    self.assertEqual(gate.now["a"], there)
                    gate.open()
                    self.assertEqual(self.answered(held), {"a": there, "b": 24 - there})
                    self.assertEqual(self.answered(late), {"b": 8})
                    self.steer(weir, "enable server app/a")
                    self.expect_row(weir, "a", state="ready", effective_weight=1)

    def test_connections_stay_open(self):
        origins = [self.echo(name) for name in "ab"]
        weir = self.weir_with(self.tcp(origins))
        clients = [self.connect(weir.address()) for _ in range(6)]
        for client in clients:
            self.assertEqual(exchange(client, b"here"), b"here")  # so all of them have an origin
        for line in ("set server app/a state drain", "set server app/a state maint", "set weight app/a 0",
                     "set server app/a health down"):
            self.steer(weir, line)
            for client in clients:
                self.assertEqual(exchange(client, b"alive"), b"alive", line)
        self.assertEqual(weir.endpoint("a")["connections"], 3)

    def test_sessions_may_end_while_it_drains(self):
        weir = self.weir_with(self.http(self.web("a", "b"), sticky={"by": "cookie"}))
        cookies = {}
        while len(cookies) < 2:
            answer = self.get(weir)
            cookies[answer.get("x-origin")] = {"Cookie": answer.get("set-cookie").partition(";")[0]}
        self.steer(weir, "set server app/a state drain")
        self.assertEqual(self.served(weir, 6, cookies["a"]), {"a": 6})
        self.assertEqual(self.served(weir, 6), {"b": 6})
        self.steer(weir, "set server app/a state maint")
        self.assertEqual(self.served(weir, 6, cookies["a"]), {"b": 6})
        self.steer(weir, "set server app/a state ready")
        self.assertEqual(self.served(weir, 6, cookies["a"]), {"a": 6})
        self.steer(weir, "set server app/a health down")
        self.assertEqual(self.served(weir, 6, cookies["a"]), {"b": 6}, "it is no use to go where nobody is well")

    def test_everybody_in_maintenance(self):
        weir = self.weir_with(self.tcp(self.named("a", "b")))
        self.steer(weir, "disable server app/a", "disable server app/b")
        self.assertEqual(ask_once(weir.address()), b"")
        eventually(lambda: weir.closed("no_endpoint") == 1)
        self.steer(weir, "enable server app/b")
        self.assertEqual(ask_once(weir.address()), b"b\n")


if __name__ == "__main__":
    main()
