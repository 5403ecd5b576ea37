#!/usr/bin/env python3
"""Many endpoints: beyond 64 some algorithms compare a sample only, and yet all that is promised has to hold. One origin
at all addresses of 127.0.0.0/8 plays all of them; weir says who got what."""

from balanced import PEOPLE, Balanced
from harness import eventually, main
from sockets import ask_once, port_of, receive_line

ALGORITHMS = ("round_robin", "random", "least_connections", "two_choices", "least_time", "resource_aware", "first_fit",
              "maglev", "ring_hash", "rendezvous", "ip_hash", "zone_aware", "adaptive")
MANY = 100


class Many(Balanced):
    def setUp(self):
        self.port = port_of(self.origin("--raw", "banner", name="all", listen=":0").address)

    def crowd(self, count=MANY, **more):
        return [{"name": f"o{i}", "address": f"127.9.{i // 250}.{i % 250 + 1}:{self.port}", **more}
                for i in range(count)]

    def config(self, balance, endpoints, **more):
        if balance == "zone_aware":
            endpoints = [{**each, "zone": f"z{i % 3}"} for i, each in enumerate(endpoints)]
            more["sections"] = {"zones": {"otherwise": "z0"}}
        return self.tcp(endpoints, balance, **more)

    def for_each(self, story, endpoints, algorithms=ALGORITHMS, **more):
        weir = None
        for balance in algorithms:
            with self.subTest(balance):
                config = self.config(balance, endpoints, **more)
                if weir is None:
                    weir = self.weir_with(config)
                else:
                    weir.reload(config)
                story(weir)
                for sock in self.clients:
                    sock.close()
                self.wait_until_over(weir)

    def hold_some(self, weir, count):
        address = weir.address()
        self.clients = [self.connect(address, PEOPLE[i]) for i in range(count)]
        for sock in self.clients:
            self.assertEqual(receive_line(sock), "banner all")
        return [row["connections"] for row in self.upstream(weir)["endpoints"]]

    def test_every_place_can_be_taken(self):
        """Each of them has room for one: the last connection finds the last place."""
        def story(weir):
            self.assertEqual(self.hold_some(weir, MANY), [1] * MANY)
            full = weir.closed("endpoints_full")
            self.assertEqual(ask_once(weir.address()), b"")
            eventually(lambda: weir.closed("endpoints_full") == full + 1)
        self.for_each(story, self.crowd(max_connections=1))

    def test_the_only_one_that_lives_is_found(self):
        """All others are known to be down, or in maintenance."""
        weir = self.weir_with(self.config("round_robin", self.crowd(80)))
        self.steer(weir, *(f"set server app/o{i} health down" for i in range(80) if i != 41))
        for balance in ALGORITHMS:
            if balance == "first_fit":
                continue
            with self.subTest(balance):
                weir.reload(self.config(balance, self.crowd(80)))
                before = weir.endpoint("o41")["connections_total"]
                for source in PEOPLE[:5]:
                    self.assertEqual(ask_once(weir.address(), source=source), b"banner all\n")
                self.assertEqual(weir.endpoint("o41")["connections_total"], before + 5)

    def test_least_connections_are_nearly_even(self):
        def story(weir):
            held = self.hold_some(weir, 3 * MANY)
            self.assertEqual(sum(held), 3 * MANY)
            self.assertLessEqual(max(held), 6)
            self.assertGreaterEqual(min(held), 1)
        self.for_each(story, self.crowd(), ("least_connections",))

    def test_bounded_load(self):
        def story(weir):
            address = weir.address()
            self.clients = [self.connect(address, "127.0.0.9") for _ in range(2 * MANY)]
            for sock in self.clients:
                receive_line(sock)
            held = [row["connections"] for row in self.upstream(weir)["endpoints"]]
            self.assertLessEqual(max(held), 3)  # 1.25 times 2, rounded up
            self.assertGreaterEqual(sum(count > 0 for count in held), 67)
        self.for_each(story, self.crowd(), ("maglev", "ring_hash", "rendezvous"), bounded_load=1.25)

    def test_weights(self):
        endpoints = [{**each, "weight": 9 if i < 10 else 1} for i, each in enumerate(self.crowd())]

        def story(weir):
            held = self.hold_some(weir, 360)
            self.assertAlmostEqual(sum(held[:10]) / 360, 0.5, delta=0.15)
        self.for_each(story, endpoints, ("round_robin", "random", "least_connections", "two_choices", "maglev",
                                         "ring_hash", "rendezvous", "ip_hash", "resource_aware"))

    def test_a_thousand_come_and_go_by_reloads(self):
        weir = self.weir_with(self.config("maglev", self.crowd(10)))
        for balance, count in (("maglev", 1000), ("least_connections", 3), ("ring_hash", 1000), ("random", 10),
                               ("rendezvous", 1000), ("two_choices", 1000), ("round_robin", 1)):
            weir.reload(self.config(balance, self.crowd(count)))
            for source in PEOPLE[:10]:
                self.assertEqual(ask_once(weir.address(), source=source), b"banner all\n")
            self.assertEqual(len(self.upstream(weir)["endpoints"]), count)


class OverUnixSockets(Balanced):
    def test_clients_without_an_address(self):
        path = self.path("web.sock")
        listener = {"address": f"unix:{path}"}
        a, b = self.named("a", "b")
        endpoints = [{**each.endpoint(), "zone": "here", "max_connections": 100} for each in (a, b)]
        weir = self.weir_with(self.tcp(endpoints, listener=listener))
        zones = {"zones": {"networks": [{"zone": "here", "networks": ["127.0.0.0/8"]}]}}
        for balance in ALGORITHMS:
            with self.subTest(balance):
                weir.reload(self.tcp(endpoints, balance, listener=listener, sections=zones))
                counts = self.connected(weir, 12)
                self.assertEqual(counts["a"] + counts["b"], 12)


if __name__ == "__main__":
    main()
