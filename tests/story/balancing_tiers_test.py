#!/usr/bin/env python3
"""How shares change by themselves: who comes back starts slowly, backups stand in, and when too few are well, all are
used."""

import time

from balanced import PEOPLE, Balanced
from harness import PATIENCE, eventually, main


class SlowStart(Balanced):
    """A share of time: how much a newcomer gets is compared with what it should have by then."""

    def effective(self, weir, name):
        return weir.endpoint(name)["effective_weight"]

    def test_who_comes_back_begins_with_little(self):
        endpoints = [each.endpoint(weight=10) for each in self.web("a", "b")]
        weir = self.weir_with(self.http(endpoints, slow_start="2s", slow_start_from=10))
        self.assertEqual(self.served(weir, 20), {"a": 10, "b": 10}, "who is there at the start is warm")
        self.steer(weir, "disable server app/a")
        self.assertEqual(self.served(weir, 10), {"b": 10})
        back = time.monotonic()
        self.steer(weir, "enable server app/a")
        first = self.served(weir, 60)
        if time.monotonic() - back < 0.3:
            self.assertLess(first["a"], 20, dict(first))
        self.assertGreater(first["a"], 0)
        seen = []
        while time.monotonic() - back < 10 * PATIENCE and (not seen or seen[-1][1] < 10):
            seen.append((time.monotonic() - back, self.effective(weir, "a")))
        weights = [weight for _, weight in seen]
        self.assertEqual(weights[-1], 10)
        self.assertEqual(weights, sorted(weights), "it only grows")
        self.assertGreater(len(set(weights)), 5, "in steps that are small")
        for passed, weight in seen:
            self.assertLess(weight, 1 + 9 * min(passed / 2, 1) + 0.5, "never more than by the time that has passed")
        self.assertGreater(seen[-1][0], 1.8)
        self.assertEqual(self.served(weir, 20), {"a": 10, "b": 10})

    def test_a_new_endpoint(self):
        a, b, c = (each.endpoint(weight=10) for each in self.web("a", "b", "c"))
        weir = self.weir_with(self.http([a, b], slow_start="5s", slow_start_from=1))
        weir.reload(self.http([a, b, c], slow_start="5s", slow_start_from=1))
        weights = self.rows(weir, "effective_weight")
        self.assertEqual((weights["a"], weights["b"]), (10, 10))
        self.assertLess(weights["c"], 6)
        first = self.served(weir, 40)
        self.assertLess(first["c"], first["a"], dict(first))

    def test_it_does_not_begin_anew_by_a_reload(self):
        a, b = (each.endpoint(weight=10) for each in self.web("a", "b"))
        config = self.http([a, b], slow_start="1s")
        weir = self.weir_with(config)
        self.steer(weir, "disable server app/a", "enable server app/a")
        eventually(lambda: self.effective(weir, "a") >= 5)
        weir.reload(config)
        self.assertGreaterEqual(self.effective(weir, "a"), 5)
        eventually(lambda: self.effective(weir, "a") == 10, within=3)
        weir.reload(config)
        self.assertEqual(self.effective(weir, "a"), 10)

    def test_every_way_back(self):
        weir = self.weir_with(self.http([each.endpoint(weight=10) for each in self.web("a", "b")], slow_start="1m"))
        ways = (("set server app/a state drain", "set server app/a state ready"),
                ("set server app/a health down", "set server app/a health up"),
                ("set server app/a health 0", "set server app/a health 1"),
                ("set weight app/a 0", "set weight app/a 100%"))
        for away, back in ways:
            with self.subTest(back):
                self.steer(weir, away)
                self.assertEqual(self.effective(weir, "a"), 0)
                self.steer(weir, back)
                self.assertGreater(self.effective(weir, "a"), 0)
                self.assertLess(self.effective(weir, "a"), 4)

    def test_a_little_less_health_is_no_new_start(self):
        weir = self.weir_with(self.http([each.endpoint(weight=10) for each in self.web("a", "b")], slow_start="1m"))
        self.steer(weir, "set server app/a health 0.5", "set server app/a health 1", "set weight app/a 5",
                   "set weight app/a 10")
        self.assertEqual(self.effective(weir, "a"), 10)


class Tiers(Balanced):
    def backed(self, *origins, first=2):
        """The first ones are in use, the others are backups."""
        return [origin.endpoint(tier=0 if i < first else 1) for i, origin in enumerate(origins)]

    def test_backups_are_idle_while_somebody_is_well(self):
        weir = self.weir_with(self.http(self.backed(*self.web("a", "b", "c", "d"))))
        self.assertEqual(self.served(weir, 20), {"a": 10, "b": 10})
        self.assertEqual(self.rows(weir, "in_play"), {"a": True, "b": True, "c": False, "d": False})
        self.steer(weir, "disable server app/a")
        self.assertEqual(self.served(weir, 20), {"b": 20})
        self.assertEqual(self.upstream(weir)["tiers_in_use"], 1)
        self.steer(weir, "disable server app/b")
        self.assertEqual(self.served(weir, 20), {"c": 10, "d": 10})
        self.assertEqual(self.upstream(weir)["tiers_in_use"], 2)
        self.assertIn("other tiers are in use", weir.log())
        self.steer(weir, "enable server app/a")
        self.assertEqual(self.served(weir, 20), {"a": 20})
        self.assertEqual(self.upstream(weir)["tiers_in_use"], 1)
        self.assertEqual(weir.log().count("other tiers are in use"), 2)

    def test_who_refuses_is_followed_by_a_backup(self):
        """Weir has not been told that they are down: it finds out with each request."""
        c, = self.web("c")
        dead = [{"name": name, "address": self.nobody_at()} for name in "ab"]
        weir = self.weir_with(self.http([*dead, c.endpoint(tier=1)], tries=3))
        self.assertEqual(self.served(weir, 10), {"c": 10})
        self.assertEqual(self.upstream(weir)["tiers_in_use"], 1)

    def test_and_connections(self):
        b, c = self.named("b", "c")
        dead = {"name": "a", "address": self.nobody_at()}
        for balance in ("round_robin", "least_connections", "maglev", "two_choices"):
            with self.subTest(balance):
                weir = self.weir_with(self.tcp([dead, b.endpoint(tier=1), c.endpoint(tier=2)], balance))
                self.assertEqual(self.connected(weir, 10, PEOPLE), {"b": 10})

    def test_who_is_full_is_followed_by_a_backup(self):
        gate = self.gate()
        a, b = (self.http_origin(gate, name) for name in "ab")
        weir = self.weir_with(self.http([a.endpoint(max_connections=2), b.endpoint(tier=1)]))
        clients = self.hold(weir, gate, 5)
        self.assertEqual(gate.now, {"a": 2, "b": 3})
        gate.open()
        self.assertEqual(self.answered(clients), {"a": 2, "b": 3})

    def test_a_threshold(self):
        origins = self.web("a", "b", "c", "d")
        weir = self.weir_with(self.http(self.backed(*origins, first=3), backup_threshold=50))
        self.steer(weir, "disable server app/a")
        self.assertEqual(self.served(weir, 20), {"b": 10, "c": 10}, "67 % are left")
        self.steer(weir, "disable server app/b")
        self.assertEqual(self.served(weir, 20), {"c": 10, "d": 10}, "33 % are left")
        self.assertEqual(self.upstream(weir)["tiers_in_use"], 2)
        self.steer(weir, "enable server app/b")
        self.assertEqual(self.served(weir, 20), {"b": 10, "c": 10})

    def test_backups_of_backups(self):
        a, b, c = self.web("a", "b", "c")
        weir = self.weir_with(self.http([a, b.endpoint(tier=2), c.endpoint(tier=9)]))
        for line, name in (("get weight app/a", "a"), ("disable server app/a", "b"), ("disable server app/b", "c"),
                           ("enable server app/a", "a")):
            weir.ask(line)
            self.assertEqual(self.served(weir, 5), {name: 5}, line)

    def test_keys_come_home_from_backups(self):
        weir = self.weir_with(self.http(self.backed(*self.web("a", "b", "c", "d")), "maglev",
                                        hash_by="header:X-User"))
        users = [{"X-User": f"user {i}"} for i in range(30)]
        before = [self.owner(weir, fields=user) for user in users]
        self.assertEqual(set(before), {"a", "b"})
        self.steer(weir, "set server app/a health down", "set server app/b health down")
        self.assertEqual({self.owner(weir, fields=user) for user in users}, {"c", "d"})
        self.steer(weir, "set server app/a health up", "set server app/b health up")
        self.assertEqual([self.owner(weir, fields=user) for user in users], before)


class Panic(Balanced):
    def test_when_too_few_are_well_nobody_is_believed_to_be_ill(self):
        weir = self.weir_with(self.http(self.web("a", "b", "c", "d"), panic_threshold=50))
        self.steer(weir, "set server app/a health down", "set server app/b health down")
        self.assertEqual(self.served(weir, 20), {"c": 10, "d": 10}, "half of them is enough")
        self.assertFalse(self.upstream(weir)["panic"])
        self.steer(weir, "set server app/c health down")
        self.assertEqual(self.served(weir, 20), {"a": 5, "b": 5, "c": 5, "d": 5})
        row = self.upstream(weir)
        self.assertEqual((row["panic"], row["panics"]), (True, 1))
        self.assertIn("panic: ", weir.log())
        self.assertIn("PANIC", weir.ask("show balance"))
        self.steer(weir, "set server app/b health up")
        self.assertEqual(self.served(weir, 20), {"b": 10, "d": 10})
        row = self.upstream(weir)
        self.assertEqual((row["panic"], row["panics"]), (False, 1))
        self.assertIn("the panic is over", weir.log())
        self.steer(weir, "set server app/b health down")
        self.assertEqual(self.upstream(weir)["panics"], 2)

    def test_who_is_in_maintenance_stays_there(self):
        weir = self.weir_with(self.http(self.web("a", "b", "c", "d"), panic_threshold=60))
        self.steer(weir, "disable server app/a", "set server app/b state drain", "set server app/c health down")
        self.assertTrue(self.upstream(weir)["panic"])
        self.assertEqual(self.served(weir, 20), {"c": 10, "d": 10})

    def test_without_a_threshold(self):
        weir = self.weir_with(self.http(self.web("a", "b")))
        self.steer(weir, "set server app/a health down", "set server app/b health down")
        self.assertEqual(self.get(weir).status, 503)
        self.assertEqual(self.upstream(weir)["panics"], 0)

    def test_by_weight(self):
        a, b = self.web("a", "b")
        weir = self.weir_with(self.http([a.endpoint(weight=3), b], panic_threshold=50))
        self.steer(weir, "set server app/b health down")
        self.assertFalse(self.upstream(weir)["panic"])
        self.steer(weir, "set server app/b health up", "set server app/a health down")
        self.assertTrue(self.upstream(weir)["panic"])
        self.assertEqual(self.served(weir, 20), {"a": 15, "b": 5})

    def test_it_survives_a_reload(self):
        config = self.http(self.web("a", "b", "c"), panic_threshold=50)
        weir = self.weir_with(config)
        self.steer(weir, "set server app/a health down", "set server app/b health down")
        weir.reload(config)
        row = self.upstream(weir)
        self.assertEqual((row["panic"], row["panics"]), (True, 1))
        self.assertEqual(self.served(weir, 9), {"a": 3, "b": 3, "c": 3})


if __name__ == "__main__":
    main()
