#!/usr/bin/env python3
"""Balancing by a key: what the key may be, that the same one meets the same endpoint, what moves when an endpoint goes,
and that bounded load keeps a hot key from having an endpoint to itself."""

import math
from collections import Counter

from balanced import PEOPLE, Balanced
from harness import eventually, main, run_weir
from sockets import ask_once

HASHING = ("maglev", "ring_hash", "rendezvous")
WORDS = [f"word-{i}" for i in range(80)]
# What `hash_by` says, and the (target, fields) that carry a word there.
PLACES = (
    ("header:X-User", lambda word: ("/", {"X-User": word})),
    ("cookie:user", lambda word: ("/", {"Cookie": f"theme=dark; user={word}; n=1"})),
    ("path", lambda word: (f"/{word}?noise={len(word)}", ())),
    ("query:user", lambda word: (f"/?a=1&user={word}", ())),
)


class Keys(Balanced):
    def owners(self, weir, place, words=WORDS):
        """Who serves each word; all on one connection."""
        client = self.client(weir)
        found = {}
        for word in words:
            target, fields = place(word)
            answer = client.get(target, fields)
            self.assertEqual(answer.status, 200, answer.body)
            found[word] = answer.get("x-origin")
        client.close()
        return found

    def moved(self, before, after):
        return [word for word in before if before[word] != after[word]]


class WhatDecides(Keys):
    def setUp(self):
        self.endpoints = self.web("a", "b", "c", "d", answer="/status/200")

    def test_the_same_word_meets_the_same_endpoint_on_every_weir(self):
        weir = self.weir_with(self.http(self.endpoints))
        other = self.weir_with(self.http(self.endpoints))
        for balance in HASHING:
            for hash_by, place in PLACES:
                with self.subTest(balance=balance, hash_by=hash_by):
                    weir.reload(self.http(self.endpoints, balance, hash_by=hash_by))
                    other.reload(self.http(list(reversed(self.endpoints)), balance, hash_by=hash_by))
                    first = self.owners(weir, place)
                    self.assertEqual(self.owners(weir, place), first)
                    self.assertEqual(self.owners(other, place), first)
                    self.assertEqual(set(first.values()), set("abcd"))

    def test_who_has_none_is_balanced_by_chance(self):
        weir = self.weir_with(self.http(self.endpoints))
        for balance in HASHING:
            for hash_by in ("header:X-User", "cookie:user", "query:user"):
                with self.subTest(balance=balance, hash_by=hash_by):
                    weir.reload(self.http(self.endpoints, balance, hash_by=hash_by))
                    counts = self.served(weir, 80, target="/?b=2", fields={"Cookie": "theme=dark"})
                    self.assertEqual(set(counts), set("abcd"))
                    self.assertLess(max(counts.values()), 40, dict(counts))

    def test_only_the_key_counts(self):
        weir = self.weir_with(self.http(self.endpoints, "maglev", hash_by="header:X-User", workers=2))
        owners = {self.owner(weir, source, {"X-User": "same", "X-Other": source}, f"/{source}")
                  for source in PEOPLE[:30]}
        self.assertEqual(len(owners), 1)

    def test_the_client(self):
        weir = self.weir_with(self.http(self.endpoints, workers=2))
        for balance in (*HASHING, "ip_hash"):
            with self.subTest(balance):
                weir.reload(self.http(self.endpoints, balance, workers=2))
                first = {source: self.owner(weir, source) for source in PEOPLE[:40]}
                self.assertEqual({source: self.owner(weir, source) for source in PEOPLE[:40]}, first)
                self.assertEqual(set(first.values()), set("abcd"))

    def test_tcp_cannot_see_requests(self):
        config = self.tcp(self.endpoints, "maglev", hash_by="header:X-User")
        weir = self.weir_with(self.tcp(self.endpoints))
        weir.write(config)
        report = run_weir("check", "-c", weir.config_path)
        self.assertEqual(report.returncode, 3)
        self.assertIn("sees no requests", report.stderr)


class Addresses(Keys):
    def test_an_address_with_its_port_is_another_key_each_time(self):
        weir = self.weir_with(self.tcp(self.named("a", "b", "c")))
        for balance in HASHING:
            with self.subTest(balance):
                weir.reload(self.tcp(self.named("a", "b", "c"), balance))
                self.assertEqual(len(self.connected(weir, 20, ["127.0.0.7"])), 1)
                weir.reload(self.tcp(self.named("a", "b", "c"), balance, hash_by="client_address"))
                self.assertEqual(len(self.connected(weir, 60, ["127.0.0.7"])), 3)

    def test_connections_on_two_weirs_with_the_endpoints_in_another_order(self):
        origins = self.named("a", "b", "c", "d")
        one, other = (self.weir_with(self.tcp(each)) for each in (origins, origins[::-1]))
        for balance in HASHING:
            with self.subTest(balance):
                one.reload(self.tcp(origins, balance))
                other.reload(self.tcp(origins[::-1], balance))
                found = [{source: ask_once(weir.address(), source=source) for source in PEOPLE[:40]}
                         for weir in (one, other, one)]
                self.assertEqual(found[0], found[1])
                self.assertEqual(found[0], found[2])
                self.assertEqual(len(set(found[0].values())), 4)


class SomebodyGoes(Keys):
    def place(self, word):
        return "/", {"X-User": word}

    def test_a_dead_endpoint_moves_its_own_keys_only_and_they_come_back(self):
        origins = self.web("a", "b", "c", "d")
        weir = self.weir_with(self.http(origins))
        for balance in HASHING:
            with self.subTest(balance):
                weir.reload(self.http(origins, balance, hash_by="header:X-User"))
                before = self.owners(weir, self.place)
                origins[3].kill()
                after = self.owners(weir, self.place)
                self.assertEqual(self.moved(before, after), [word for word in WORDS if before[word] == "d"])
                self.assertEqual({after[word] for word in WORDS if before[word] == "d"}, set("abc"), "spread over all")
                self.assertEqual(self.owners(weir, self.place), after, "and they stay there")
                origins[3] = origins[3].again()
                eventually(lambda: self.owners(weir, self.place) == before, what="the keys come back after its rest")

    def test_one_in_maintenance(self):
        """A table is made anew, so with Maglev a few others may move as well."""
        origins = self.web("a", "b", "c", "d")
        weir = self.weir_with(self.http(origins))
        for balance in HASHING:
            with self.subTest(balance):
                weir.reload(self.http(origins, balance, hash_by="header:X-User"))
                before = self.owners(weir, self.place)
                self.steer(weir, "disable server app/d")
                after = self.owners(weir, self.place)
                others = [word for word in self.moved(before, after) if before[word] != "d"]
                self.assertLessEqual(len(others), 6 if balance == "maglev" else 0, others)
                self.assertNotIn("d", after.values())
                self.steer(weir, "enable server app/d")
                self.assertEqual(self.owners(weir, self.place), before)

    def test_half_the_weight_moves_no_keys_but_its_own(self):
        origins = self.web("a", "b", "c", "d")
        weir = self.weir_with(self.http(origins))
        for balance in ("ring_hash", "rendezvous"):
            with self.subTest(balance):
                weir.reload(self.http([each.endpoint(weight=10) for each in origins], balance,
                                      hash_by="header:X-User"))
                before = self.owners(weir, self.place)
                self.steer(weir, "set weight app/d 50%")
                after = self.owners(weir, self.place)
                moved = self.moved(before, after)
                self.assertEqual({before[word] for word in moved}, {"d"})
                self.assertIn("d", after.values())
                self.steer(weir, "set weight app/d 100%")
                self.assertEqual(self.owners(weir, self.place), before)

    def test_more_points_or_slots(self):
        origins = self.web("a", "b", "c")
        weir = self.weir_with(self.http(origins))
        for balance, more in (("maglev", {"maglev_table_size": 10007}), ("ring_hash", {"ring_points": 2000})):
            with self.subTest(balance):
                weir.reload(self.http(origins, balance, hash_by="header:X-User", **more))
                counts = Counter(self.owners(weir, self.place, [f"key {i}" for i in range(600)]).values())
                self.expect_parts(counts, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, 0.09)


class BoundedLoad(Keys):
    """One key that everybody wants."""
    hot = {"X-User": "hot"}

    def test_a_hot_key_flows_over(self):
        gate = self.gate()
        origins = [self.http_origin(gate, name) for name in "abcd"]
        weir = self.weir_with(self.http(origins))
        for balance in HASHING:
            for factor in (1.25, 2):
                with self.subTest(balance=balance, factor=factor):
                    weir.reload(self.http(origins, balance, hash_by="header:X-User", bounded_load=factor))
                    gate.close()
                    home = self.owner_of_one(weir, gate)
                    clients = self.hold(weir, gate, 40, fields=self.hot)
                    now = {name: gate.now[name] for name in "abcd"}
                    self.assertLessEqual(max(now.values()), math.ceil(factor * 40 / 4), now)
                    self.assertEqual(max(now, key=now.get), home, now)
                    gate.open()
                    self.answered(clients)

    def owner_of_one(self, weir, gate):
        client, = self.hold(weir, gate, 1, fields=self.hot)
        gate.open()
        answer = client.answer()
        client.close()
        gate.close()
        return answer.get("x-origin")

    def test_without_it_one_endpoint_has_all(self):
        gate = self.gate()
        origins = [self.http_origin(gate, name) for name in "abcd"]
        weir = self.weir_with(self.http(origins, "maglev", hash_by="header:X-User"))
        clients = self.hold(weir, gate, 40, fields=self.hot)
        self.assertEqual(sorted(gate.now[name] for name in "abcd"), [0, 0, 0, 40])
        gate.open()
        self.answered(clients)

    def test_by_weight(self):
        gate = self.gate()
        endpoints = [self.http_origin(gate, name).endpoint(weight=weight) for name, weight in zip("abc", (1, 2, 5))]
        weir = self.weir_with(self.http(endpoints, "rendezvous", hash_by="header:X-User", bounded_load=1.25))
        clients = self.hold(weir, gate, 40, fields=self.hot)
        for name, weight in zip("abc", (1, 2, 5)):
            self.assertLessEqual(gate.now[name], math.ceil(1.25 * 40 * weight / 8), dict(gate.now))
        gate.open()
        self.answered(clients)

    def test_two_workers_and_all_at_once(self):
        """Each may be above its bound by what the other worker picks at the same instant."""
        gate = self.gate()
        origins = [self.http_origin(gate, name) for name in "abcd"]
        weir = self.weir_with(self.http(origins, "maglev", hash_by="header:X-User", bounded_load=1.25, workers=2))
        clients = [self.client(weir) for _ in range(80)]
        for client in clients:
            client.request("GET", "/", self.hot)
        self.assertTrue(gate.wait_for(80))
        self.assertLessEqual(max(gate.now.values()), math.ceil(1.25 * 80 / 4) + 1, dict(gate.now))
        gate.open()
        self.assertEqual(sum(self.answered(clients).values()), 80)

    def test_connections(self):
        origins = [self.origin("--raw", "banner", name=name) for name in "abcd"]
        weir = self.weir_with(self.tcp(origins, "ring_hash", bounded_load=1.5))
        counts = Counter(name for _, name in self.hold_connections(weir, 40))
        self.assertEqual(sum(counts.values()), 40)
        self.assertLessEqual(max(counts.values()), 15, dict(counts))

    def test_it_goes_home_when_there_is_room_again(self):
        gate = self.gate()
        weir = self.weir_with(self.http([self.http_origin(gate, name) for name in "ab"], "maglev",
                                        hash_by="header:X-User", bounded_load=1.1))
        home = self.owner_of_one(weir, gate)
        clients = self.hold(weir, gate, 20, fields=self.hot)
        self.assertEqual({name: gate.now[name] for name in "ab"}, {home: 11, ({"a", "b"} - {home}).pop(): 9})
        gate.open()
        self.answered(clients)
        self.assertEqual({self.owner(weir, fields=self.hot) for _ in range(10)}, {home})


if __name__ == "__main__":
    main()
