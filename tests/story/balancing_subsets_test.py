#!/usr/bin/env python3
"""Subsets: listeners, routes and the shares of a split that go to endpoints with certain metadata only, and what they
do when none of these can be used."""

from collections import Counter

from balanced import PEOPLE, Balanced
from harness import eventually, main, run_weir
from sockets import ask_once

CANARY = {"version": "canary"}
STABLE = {"version": "stable"}


class Subsets(Balanced):
    def setUp(self):
        self.cast = self.web("s1", "s2", "s3", "c1", "c2", answer="/status/200")
        self.endpoints = [origin.endpoint(metadata={"version": "canary" if origin.name[0] == "c" else "stable",
                                                    "rack": origin.name[1]}) for origin in self.cast]

    def config(self, routes=None, listener=None, upstream=None, workers=1):
        return self.http(self.endpoints, listener={**({"routes": routes} if routes else {}), **(listener or {})},
                         workers=workers, **(upstream or {}))


class OfARoute(Subsets):
    by_header = [{"match": {"headers": ["X-Canary"]}, "upstream": "app", "subset": CANARY}]

    def test_only_those_with_all_that_is_asked_for(self):
        weir = self.weir_with(self.config([
            *self.by_header,
            {"match": {"path": "/first"}, "upstream": "app", "subset": {"rack": "1"}},
            {"match": {"path": "/one"}, "upstream": "app", "subset": {"rack": 2, "version": "stable"}},
        ]))
        self.assertEqual(self.served(weir, 20, {"X-Canary": "yes"}), {"c1": 10, "c2": 10})
        self.assertEqual(self.served(weir, 20, target="/first"), {"s1": 10, "c1": 10})
        self.assertEqual(self.served(weir, 10, target="/one"), {"s2": 10})
        self.assertEqual(set(self.served(weir, 20)), {"s1", "s2", "s3", "c1", "c2"}, "all others have all")

    def test_endpoints_are_the_same_ones(self):
        """What is known of an endpoint, and counted, does not depend on which way a request has come."""
        weir = self.weir_with(self.config(self.by_header))
        self.served(weir, 10, {"X-Canary": "yes"})
        self.served(weir, 10)
        rows = self.upstream(weir)["endpoints"]
        self.assertEqual(len(weir.stat()["upstreams"]), 1)
        self.assertEqual({row["name"]: row["requests"] for row in rows},
                         {"s1": 2, "s2": 2, "s3": 2, "c1": 7, "c2": 7})
        self.assertEqual(rows[3]["metadata"], {"version": "canary", "rack": "1"})
        self.steer(weir, "set weight app/c1 3")
        self.assertEqual(self.served(weir, 20, {"X-Canary": "yes"}), {"c1": 15, "c2": 5})

    def test_none_of_them_can_be_used(self):
        for fallback, expected in (("none", None), ("any", {"s1", "s2", "s3"})):
            with self.subTest(fallback):
                weir = self.weir_with(self.config([{**self.by_header[0], "subset_fallback": fallback}]))
                self.steer(weir, "disable server app/c1")
                self.assertEqual(self.served(weir, 6, {"X-Canary": "yes"}), {"c2": 6})
                self.steer(weir, "set server app/c2 health down")
                if expected is None:
                    self.assertEqual(self.get(weir, "/", {"X-Canary": "yes"}).status, 503)
                    self.expect_ends(weir, done=6, no_endpoint=1)
                else:
                    self.assertEqual(set(self.served(weir, 12, {"X-Canary": "yes"})), expected)
                self.assertEqual(set(self.served(weir, 12)), {"s1", "s2", "s3"})
                self.steer(weir, "enable server app/c1", "set server app/c2 health up")
                self.assertEqual(self.served(weir, 6, {"X-Canary": "yes"}), {"c1": 3, "c2": 3})

    def test_they_refuse_connections(self):
        """Nobody has said that they are down: who is sent there goes on to others, or is told that nobody is there."""
        for origin in self.cast[3:]:
            origin.kill()
        for fallback in ("none", "any"):
            with self.subTest(fallback):
                weir = self.weir_with(self.config([{**self.by_header[0], "subset_fallback": fallback}]))
                answer = self.get(weir, "/", {"X-Canary": "yes"})
                self.assertEqual(answer.status, 503 if fallback == "none" else 200)

    def test_a_subset_that_a_reload_changes(self):
        weir = self.weir_with(self.config(self.by_header))
        self.endpoints[0]["metadata"] = CANARY
        weir.reload(self.config(self.by_header))
        self.assertEqual(self.served(weir, 15, {"X-Canary": "yes"}), {"s1": 5, "c1": 5, "c2": 5})
        weir.reload(self.config())
        self.assertEqual(len(self.served(weir, 15, {"X-Canary": "yes"})), 5)
        weir.reload(self.config(self.by_header))
        self.assertEqual(self.served(weir, 15, {"X-Canary": "yes"}), {"s1": 5, "c1": 5, "c2": 5})

    def test_with_every_algorithm(self):
        weir = self.weir_with(self.config(self.by_header))
        for balance in ("random", "least_connections", "two_choices", "least_time", "maglev", "ring_hash",
                        "rendezvous", "ip_hash", "resource_aware"):
            with self.subTest(balance):
                weir.reload(self.config(self.by_header, upstream={"balance": balance}))
                found = {self.owner(weir, source, {"X-Canary": "yes"}) for source in PEOPLE[:20]}
                self.assertLessEqual(found, {"c1", "c2"})

    def test_sessions_keep_to_it(self):
        """A cookie that leads to an endpoint outside of the subset is not followed."""
        weir = self.weir_with(self.config(self.by_header, upstream={"sticky": {"by": "cookie"}}))
        cookies = {}
        while len(cookies) < 5:
            answer = self.get(weir)
            cookies[answer.get("x-origin")] = answer.get("set-cookie").partition(";")[0]
        for name, cookie in cookies.items():
            self.assertEqual(self.served(weir, 3, {"Cookie": cookie}), {name: 3})
            expected = {name} if name[0] == "c" else {"c1", "c2"}
            self.assertLessEqual(set(self.served(weir, 4, {"Cookie": cookie, "X-Canary": "yes"})), expected)

    def test_tiers_within(self):
        self.endpoints[3]["tier"] = 1
        weir = self.weir_with(self.config(self.by_header))
        self.assertEqual(self.served(weir, 6, {"X-Canary": "yes"}), {"c2": 6})
        self.steer(weir, "disable server app/c2")
        self.assertEqual(self.served(weir, 6, {"X-Canary": "yes"}), {"c1": 6})
        self.assertEqual(set(self.served(weir, 12)), {"s1", "s2", "s3"})


class OfASplit(Subsets):
    def test_80_to_20(self):
        shares = [{"upstream": "app", "subset": STABLE, "weight": 80},
                  {"upstream": "app", "subset": CANARY, "weight": 20}]
        weir = self.weir_with(self.config([{"split": shares}]))
        counts = self.served(weir, 500)
        kinds = Counter()
        for name, count in counts.items():
            kinds[name[0]] += count
        self.expect_parts(kinds, {"s": 0.8, "c": 0.2}, 0.09)
        for name in ("s1", "s2", "s3"):
            self.assertAlmostEqual(counts[name], kinds["s"] / 3, delta=1)
        self.assertAlmostEqual(counts["c1"], counts["c2"], delta=1)

    def test_everybody_keeps_their_version(self):
        shares = [{"upstream": "app", "subset": STABLE}, {"upstream": "app", "subset": CANARY}]
        weir = self.weir_with(self.config([{"split": shares, "split_by": "header:X-User"}]))
        kinds = Counter()
        for number in range(20):
            found = {name[0] for name in self.served(weir, 6, {"X-User": f"user {number}"})}
            self.assertEqual(len(found), 1)
            kinds[found.pop()] += 1
        self.assertEqual(set(kinds), {"s", "c"})


class OfAListener(Subsets):
    def test_http(self):
        config = self.config()
        config["listeners"].append({"name": "canary", "address": "127.0.0.1:0", "mode": "http", "upstream": "app",
                                    "subset": CANARY})
        weir = self.weir_with(config)
        self.assertEqual(self.served(weir, 10, listener="canary"), {"c1": 5, "c2": 5})
        self.assertEqual(len(self.served(weir, 10)), 5)

    def test_tcp(self):
        a, b, c = self.named("a", "b", "c")
        endpoints = [a.endpoint(metadata=CANARY), b.endpoint(metadata=CANARY), c.endpoint(metadata=STABLE)]
        for fallback in ("none", "any"):
            with self.subTest(fallback):
                weir = self.weir_with(self.tcp(endpoints, listener={"subset": CANARY, "subset_fallback": fallback}))
                self.assertEqual(self.connected(weir, 10), {"a": 5, "b": 5})
                self.steer(weir, "disable server app/a", "disable server app/b")
                if fallback == "any":
                    self.assertEqual(self.connected(weir, 4), {"c": 4})
                else:
                    self.assertEqual(ask_once(weir.address()), b"")
                    eventually(lambda w=weir: w.closed("no_endpoint") == 1)

    def test_limits_count_once(self):
        """An endpoint that is reached by two ways has as many places as by one."""
        a, = (self.origin("--raw", "banner", name=name) for name in "a")
        config = self.tcp([a.endpoint(metadata=CANARY, max_connections=3)])
        config["listeners"].append({"name": "canary", "address": "127.0.0.1:0", "upstream": "app", "subset": CANARY})
        weir = self.weir_with(config)
        self.hold_connections(weir, 2)
        last = self.connect(weir.address("canary"))
        self.assertEqual(last.recv(100), b"banner a\n")
        self.assertEqual(ask_once(weir.address("canary")), b"")
        eventually(lambda: weir.closed("endpoints_full") == 1)


class Mistakes(Subsets):
    def test_what_is_refused(self):
        mistakes = (
            (self.config(listener={"subset": {"version": "beta"}}), "no endpoint of `app` with a weight has"),
            (self.config([{"upstream": "app", "subset": {"version": "canary", "rack": "3"}}]),
             "`version: canary`|rack: 3, version: canary"),
            (self.config([{"split": [{"upstream": "app", "subset": {"verson": "canary"}}]}]), "verson: canary"),
            (self.config(listener={"subset_fallback": "none"}), "without `subset`"),
            (self.config(listener={"subset": CANARY, "subset_fallback": "some"}), "some"),
            (self.config([{"upstream": "app", "subset": {"": "x"}}]), "a name cannot be empty"),
            (self.config([{"answer": {"status": 200}, "subset": CANARY}]), "subset"),
        )
        weir = self.weir_with(self.config())
        for config, reason in mistakes:
            with self.subTest(reason):
                weir.write(config)
                report = run_weir("check", "-c", weir.config_path)
                self.assertEqual(report.returncode, 3, report.stderr)
                self.assertRegex(report.stderr, reason)


if __name__ == "__main__":
    main()
