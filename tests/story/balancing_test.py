#!/usr/bin/env python3
"""Who gets the next connection: round robin by weight, least connections, Maglev by client address."""

from collections import Counter

from harness import Story, eventually, main, simple_config
from sockets import ask_once, receive_line


class RoundRobin(Story):
    def shares(self, weir, connections):
        return Counter(ask_once(weir.address()).decode().strip() for _ in range(connections))

    def test_equal_shares_exactly(self):
        weir = self.weir(self.named("a", "b", "c"))
        self.assertEqual(self.shares(weir, 99), {"a": 33, "b": 33, "c": 33})

    def test_weights_exactly_over_each_cycle(self):
        a, b, c = self.named("a", "b", "c")
        weir = self.weir([a.endpoint(weight=5), b.endpoint(weight=2), c.endpoint(weight=1)])
        for _ in range(5):
            self.assertEqual(self.shares(weir, 8), {"a": 5, "b": 2, "c": 1})

    def test_smoothly(self):
        a, b = self.named("a", "b")
        weir = self.weir([a.endpoint(weight=3), b.endpoint(weight=1)])
        order = [ask_once(weir.address()).decode().strip() for _ in range(40)]
        self.assertEqual([order[i:i + 4].count("b") for i in range(37)], [1] * 37)

    def test_two_workers_are_each_exact(self):
        """So that all together are at most one connection per worker away from their share."""
        a, b, c = self.named("a", "b", "c")
        weir = self.weir([a.endpoint(weight=5), b.endpoint(weight=2), c.endpoint(weight=1)], workers=2)
        shares = self.shares(weir, 160)
        self.assertEqual([worker["accepted"] > 0 for worker in weir.info()["worker"]], [True, True])
        for name, share in (("a", 100), ("b", 40), ("c", 20)):
            self.assertAlmostEqual(shares[name], share, delta=2)

    def test_weight_0_gets_nothing(self):
        a, b = self.named("a", "b")
        weir = self.weir([a.endpoint(weight=0), b])
        self.assertEqual(self.shares(weir, 20), {"b": 20})

    def test_the_counters_say_the_same(self):
        a, b = self.named("a", "b")
        weir = self.weir([a.endpoint(weight=3), b.endpoint(weight=1)])
        self.shares(weir, 40)
        self.assertEqual([weir.endpoint(name)["connections_total"] for name in "ab"], [30, 10])
        self.assertEqual([weir.endpoint(name)["picked"] for name in "ab"], [30, 10])
        self.assertEqual(weir.listener()["connections_total"], 40)


class LeastConnections(Story):
    def banner(self, weir):
        client = self.connect(weir.address())
        return client, receive_line(client).removeprefix("banner ")

    def balanced(self, weights, workers=1):
        origins = [self.origin("--raw", "banner", name=name) for name in weights]
        endpoints = [origin.endpoint(weight=weights[origin.name]) for origin in origins]
        return self.weir(endpoints, upstream={"balance": "least_connections"}, workers=workers)

    def test_the_idle_one_is_preferred(self):
        weir = self.balanced({"a": 1, "b": 1})
        held = [self.banner(weir) for _ in range(10)]
        self.assertEqual(Counter(name for _, name in held), {"a": 5, "b": 5})
        for client, name in held:
            if name == "a":
                client.close()
        eventually(lambda: weir.endpoint("a")["connections"] == 0)
        self.assertEqual([self.banner(weir)[1] for _ in range(4)], ["a"] * 4)
        self.assertEqual([weir.endpoint(name)["connections"] for name in "ab"], [4, 5])

    def test_by_weight(self):
        weir = self.balanced({"a": 1, "b": 3})
        held = Counter(self.banner(weir)[1] for _ in range(40))
        self.assertEqual(held, {"a": 10, "b": 30})

    def test_counts_are_those_of_all_workers(self):
        weir = self.balanced({"a": 1, "b": 1, "c": 1}, workers=2)
        held = Counter(self.banner(weir)[1] for _ in range(30))
        self.assertEqual([worker["connections"] > 0 for worker in weir.info()["worker"]], [True, True])
        self.assertEqual(held, {"a": 10, "b": 10, "c": 10})


class Maglev(Story):
    """Clients are 127.0.0.x: the whole block is this machine."""
    sources = [f"127.0.0.{i}" for i in range(2, 62)]

    def setUp(self):
        self.origins = self.named("a", "b", "c", "d")

    def owners(self, weir):
        return {source: ask_once(weir.address(), source=source).decode().strip() for source in self.sources}

    def config(self, origins, **more):
        return simple_config(origins, upstream={"balance": "maglev"}, **more)

    def test_a_client_keeps_its_origin_and_all_get_some(self):
        weir = self.weir_with(self.config(self.origins, workers=2))
        first = self.owners(weir)
        for _ in range(3):
            self.assertEqual(self.owners(weir), first)
        self.assertEqual(set(first.values()), {"a", "b", "c", "d"})

    def test_also_over_a_reload_and_a_restart(self):
        weir = self.weir_with(self.config(self.origins))
        first = self.owners(weir)
        weir.reload(self.config(list(reversed(self.origins))))
        self.assertEqual(self.owners(weir), first)
        other = self.weir_with(self.config(self.origins))
        self.assertEqual(self.owners(other), first)

    def test_a_removed_endpoint_moves_its_own_clients_only(self):
        weir = self.weir_with(self.config(self.origins))
        before = self.owners(weir)
        weir.reload(self.config(self.origins[:3]))
        after = self.owners(weir)
        moved = [s for s in self.sources if before[s] != "d" and before[s] != after[s]]
        self.assertLessEqual(len(moved), 3, f"moved besides d's: {moved}")
        self.assertNotIn("d", after.values())
        weir.reload(self.config(self.origins))
        self.assertEqual(self.owners(weir), before)

    def test_clients_of_a_dead_endpoint_are_spread_and_stay_where_they_are_sent(self):
        weir = self.weir_with(self.config(self.origins))
        before = self.owners(weir)
        self.origins[3].kill()
        after = self.owners(weir)
        others = [source for source in self.sources if before[source] != "d"]
        self.assertEqual([after[source] for source in others], [before[source] for source in others])
        self.assertGreater(len({after[s] for s in self.sources if before[s] == "d"}), 1)
        self.assertEqual(self.owners(weir), after)
        self.origins[3].again()
        eventually(lambda: self.owners(weir) == before, what="its clients come back after its rest")


if __name__ == "__main__":
    main()
