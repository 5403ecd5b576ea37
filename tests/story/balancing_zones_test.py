#!/usr/bin/env python3
"""zone_aware: clients are served near to where they are, as told by blocks of addresses or a MaxMind file, and
elsewhere as far as what is near is too little. All of 127.0.0.0/8 is this machine, so clients come from many places."""

from collections import Counter

import mmdb
from balanced import Balanced
from harness import eventually, main, run_weir

EAST = [f"127.1.0.{i}" for i in range(1, 201)]
WEST = [f"127.2.0.{i}" for i in range(1, 201)]
NOWHERE = [f"127.3.0.{i}" for i in range(1, 61)]
NETWORKS = {"zones": {"networks": [{"zone": "east", "networks": ["127.1.0.0/16"]},
                                   {"zone": "west", "networks": ["127.2.0.0/16", "10.0.0.0/8"]}]}}


class Zones(Balanced):
    def setUp(self):
        self.cast = {name: self.named(name)[0] for name in ("e1", "e2", "e3", "e4", "w1", "w2")}

    def zoned(self, *names, **more):
        zones = {"e": "east", "w": "west", "n": "north"}
        return [self.cast[name].endpoint(zone=zones[name[0]], **more) for name in names]

    def config(self, names=("e1", "e2", "w1", "w2"), sections=None, **upstream):
        return self.tcp(self.zoned(*names), "zone_aware", sections=sections or NETWORKS, **upstream)

    def expect_near(self, weir):
        self.assertEqual(self.connected(weir, 10, EAST), {"e1": 5, "e2": 5})
        self.assertEqual(self.connected(weir, 10, WEST), {"w1": 5, "w2": 5})

    def by_zone(self, counts):
        zones = Counter()
        for name, count in counts.items():
            zones[name[0]] += count
        return zones


class Near(Zones):
    def test_by_blocks_of_addresses(self):
        weir = self.weir_with(self.config())
        self.expect_near(weir)
        self.expect_parts(self.by_zone(self.connected(weir, 180, NOWHERE)), {"e": 0.5, "w": 0.5}, 0.18)

    def test_the_smallest_block_counts(self):
        zones = {"networks": [{"zone": "west", "networks": ["127.1.0.128/25"]},
                              {"zone": "east", "networks": ["127.0.0.0/8"]},
                              {"zone": "west", "networks": ["127.2.0.0/16"]}]}
        weir = self.weir_with(self.config(sections={"zones": zones}))
        self.assertEqual(self.by_zone(self.connected(weir, 10, [f"127.1.0.{i}" for i in range(120, 128)])), {"e": 10})
        self.assertEqual(self.by_zone(self.connected(weir, 10, [f"127.1.0.{i}" for i in range(128, 138)])), {"w": 10})
        self.assertEqual(self.by_zone(self.connected(weir, 10, WEST)), {"w": 10})

    def test_by_a_maxmind_file(self):
        path = self.path("zones.mmdb")
        mmdb.write(path, {"127.1.0.0/16": {"country": {"iso_code": "east"}},
                          "127.2.0.0/16": {"country": {"iso_code": "west"}, "city": {"names": {"en": "X"}}},
                          "127.3.0.0/16": {"country": {"iso_code": "unheard-of"}}})
        weir = self.weir_with(self.config(sections={"zones": {"maxmind": path}}))
        self.expect_near(weir)
        self.assertEqual(len(self.by_zone(self.connected(weir, 60, NOWHERE))), 2)
        mmdb.write(path, {"127.2.0.0/16": {"continent": {"code": "east"}},
                          "127.1.0.0/16": {"continent": {"code": "west"}}})
        weir.reload(self.config(sections={"zones": {"maxmind": path, "field": "continent.code"}}))
        self.assertEqual(self.by_zone(self.connected(weir, 10, EAST)), {"w": 10})
        self.assertEqual(self.by_zone(self.connected(weir, 10, WEST)), {"e": 10})

    def test_blocks_come_before_the_file_and_the_rest_after_both(self):
        path = self.path("zones.mmdb")
        mmdb.write(path, {"127.0.0.0/8": {"country": {"iso_code": "east"}}})
        zones = {"maxmind": path, "networks": [{"zone": "west", "networks": "127.2.0.0/16"}], "otherwise": "west"}
        weir = self.weir_with(self.config(sections={"zones": zones}))
        self.expect_near(weir)
        self.assertEqual(self.by_zone(self.connected(weir, 10, NOWHERE)), {"e": 10})
        mmdb.write(path, {"127.1.0.0/16": {"country": {"iso_code": "east"}}})
        weir.reload(self.config(sections={"zones": zones}))
        self.assertEqual(self.by_zone(self.connected(weir, 10, NOWHERE)), {"w": 10})
        self.expect_near(weir)

    def test_requests_of_whom_a_trusted_proxy_speaks(self):
        origins = self.web("e1", "w1")
        endpoints = [origins[0].endpoint(zone="east"), origins[1].endpoint(zone="west")]
        weir = self.weir_with(self.http(endpoints, "zone_aware", {"trusted_proxies": ["127.0.0.0/8"]},
                                        sections=NETWORKS))
        self.assertEqual(self.served(weir, 6, {"X-Forwarded-For": "127.1.0.9"}), {"e1": 6})
        self.assertEqual(self.served(weir, 6, {"X-Forwarded-For": "10.9.9.9"}), {"w1": 6})

    def test_mistakes(self):
        broken = self.path("broken.mmdb")
        with open(broken, "wb") as file:
            file.write(b"no such thing" * 100)
        mistakes = (({"zones": {"maxmind": broken}}, "broken.mmdb"),
                    ({"zones": {"maxmind": self.path("none.mmdb")}}, "none.mmdb"),
                    ({"zones": {"otherwise": "east", "field": "a.b"}}, "maxmind"),
                    ({"zones": {"networks": [{"zone": "east", "networks": ["nonsense"]}]}}, "nonsense"),
                    ({"log": {}}, "not told where clients are"))
        weir = self.weir_with(self.config())
        for sections, reason in mistakes:
            with self.subTest(reason):
                weir.write(self.config(sections=sections))
                report = run_weir("check", "-c", weir.config_path)
                self.assertEqual(report.returncode, 3)
                self.assertIn(reason, report.stderr)
                self.assertEqual(weir.hang_up(), "reloads_refused")
                self.expect_near(weir)


class Inside(Zones):
    def test_another_algorithm(self):
        weir = self.weir_with(self.config())
        for inside in ("random", "least_connections", "two_choices", "least_time", "maglev", "ring_hash", "rendezvous",
                       "ip_hash", "resource_aware"):
            with self.subTest(inside):
                weir.reload(self.config(zone_aware={"inside": inside}))
                self.assertEqual(self.by_zone(self.connected(weir, 20, EAST)), {"e": 20})
                self.assertEqual(self.by_zone(self.connected(weir, 20, WEST)), {"w": 20})
                if inside in ("maglev", "ring_hash", "rendezvous", "ip_hash"):
                    for source in EAST[:10]:
                        self.assertEqual(len(self.connected(weir, 4, [source])), 1)
                    self.assertEqual(len(self.connected(weir, 40, EAST)), 2)

    def test_a_key_other_than_the_client(self):
        """Which zone, is the client's affair; who in it, the key's."""
        cast = self.web("e1", "e2", "w1", "w2")
        endpoints = [each.endpoint(zone="east" if each.name[0] == "e" else "west") for each in cast]
        weir = self.weir_with(self.http(endpoints, "zone_aware", sections=NETWORKS, zone_aware={"inside": "maglev"},
                                        hash_by="header:X-User"))
        for sources, zone in ((EAST, "e"), (WEST, "w")):
            owners = set()
            for number in range(12):
                found = {self.owner(weir, source, {"X-User": f"user {number}"}) for source in sources[:4]}
                self.assertEqual(len(found), 1)
                owners |= found
            self.assertEqual(owners, {f"{zone}1", f"{zone}2"})

    def test_bounded_load_is_that_of_a_zone(self):
        cast = {name: self.origin("--raw", "banner", name=name) for name in ("e1", "e2", "w1", "w2")}
        endpoints = [each.endpoint(zone="east" if name[0] == "e" else "west") for name, each in cast.items()]
        weir = self.weir_with(self.tcp(endpoints, "zone_aware", sections=NETWORKS, zone_aware={"inside": "ring_hash"},
                                       bounded_load=1.2))
        west = Counter(name for _, name in self.hold_connections(weir, 20, WEST))
        east = Counter(name for _, name in self.hold_connections(weir, 20, EAST[:1]))
        self.assertEqual(set(west) | set(east), set(cast))
        for held in (west, east):
            self.assertLessEqual(max(held.values()), 12, dict(held))

    def test_which_do_not_work_inside(self):
        weir = self.weir_with(self.config())
        for inside in ("zone_aware", "adaptive", "plugin", "nonsense"):
            with self.subTest(inside):
                weir.write(self.config(zone_aware={"inside": inside}))
                self.assertEqual(weir.hang_up(), "reloads_refused")


class SpillOver(Zones):
    """Four endpoints in the east, two in the west."""
    names = ("e1", "e2", "e3", "e4", "w1", "w2")

    def east(self, weir, times=300):
        return self.by_zone(self.connected(weir, times, EAST))

    def test_what_is_left_serves_140_percent_of_its_part(self):
        weir = self.weir_with(self.config(self.names))
        self.assertEqual(self.east(weir), {"e": 300})
        self.steer(weir, "disable server app/e1")
        self.assertEqual(self.east(weir), {"e": 300}, "75 % of it are left")
        self.steer(weir, "disable server app/e2")
        self.expect_parts(self.east(weir), {"e": 0.7, "w": 0.3}, 0.12)
        self.assertEqual(self.by_zone(self.connected(weir, 100, WEST)), {"w": 100}, "theirs is whole")
        self.steer(weir, "disable server app/e3")
        self.expect_parts(self.east(weir), {"e": 0.35, "w": 0.65}, 0.12)
        self.steer(weir, "disable server app/e4")
        self.assertEqual(self.east(weir, 40), {"w": 40})
        self.steer(weir, *(f"enable server app/e{i}" for i in (1, 2, 3, 4)))
        self.assertEqual(self.east(weir), {"e": 300})

    def test_without_overprovision(self):
        weir = self.weir_with(self.config(self.names, zone_aware={"overprovision": 100}))
        self.steer(weir, "disable server app/e1", "disable server app/e2")
        self.expect_parts(self.east(weir), {"e": 0.5, "w": 0.5}, 0.12)

    def test_by_health_and_weight(self):
        weir = self.weir_with(self.config(self.names, zone_aware={"overprovision": 100}))
        self.steer(weir, *(f"set server app/e{i} health 0.5" for i in (1, 2, 3, 4)))
        self.expect_parts(self.east(weir), {"e": 0.5, "w": 0.5}, 0.12)

    def test_keys_stay_where_they_are_sent(self):
        weir = self.weir_with(self.config(self.names, zone_aware={"inside": "maglev"}))
        self.steer(weir, "disable server app/e1", "disable server app/e2")
        owners = {source: set(self.connected(weir, 4, [source])) for source in EAST[:60]}
        self.assertEqual({len(names) for names in owners.values()}, {1})
        parts = Counter(min(names)[0] for names in owners.values())
        self.expect_parts(parts, {"e": 0.7, "w": 0.3}, 0.25)

    def test_who_refuses_is_followed_by_others_elsewhere_at_last(self):
        weir = self.weir_with(self.config(("e1", "w1", "w2"), tries=3))
        self.cast["e1"].kill()
        self.assertEqual(self.by_zone(self.connected(weir, 20, EAST)), {"w": 20})

    def test_a_full_zone(self):
        cast = {name: self.origin("--raw", "banner", name=name) for name in ("e1", "w1")}
        weir = self.weir_with(self.tcp([cast["e1"].endpoint(zone="east", max_connections=3),
                                        cast["w1"].endpoint(zone="west")], "zone_aware", sections=NETWORKS))
        held = Counter(name for _, name in self.hold_connections(weir, 8, EAST))
        self.assertEqual(held, {"e1": 3, "w1": 5})
        eventually(lambda: weir.endpoint("w1")["connections"] == 5)


if __name__ == "__main__":
    main()
