#!/usr/bin/env python3
"""Limits of connections are exact; who does not fit waits, unharmed, and is served when somebody leaves."""

import time

from harness import PATIENCE, Story, eventually, main, simple_config
from sockets import exchange, receive_exactly


class Limits(Story):
    def fill(self, weir, limit, listener="web"):
        """Connects `limit` clients that are served, and as many more that have to wait."""
        inside = [self.connect(weir.address(listener)) for _ in range(limit)]
        for client in inside:
            self.assertEqual(exchange(client, b"in"), b"in")
        outside = [self.connect(weir.address(listener)) for _ in range(limit)]
        for client in outside:
            client.sendall(b"waiting")
        return inside, outside

    def waits(self, weir, limit, pauses):
        eventually(lambda: weir.total(pauses) > 0, what="accepting paused")
        self.assertEqual(weir.info()["connections"], limit)
        self.assertEqual(weir.endpoint("echo")["connections"], limit)

    def is_let_in_one_by_one(self, weir, inside, outside, limit):
        for leaving in inside:
            leaving.close()
            eventually(lambda: weir.info()["connections"] <= limit)
        for client in outside:
            self.assertEqual(receive_exactly(client, 7), b"waiting")
        self.assertEqual(weir.info()["connections"], limit)

    def test_in_total(self):
        weir = self.weir([self.echo()], limits={"connections": 10})
        inside, outside = self.fill(weir, 10)
        self.waits(weir, 10, "accept_paused_slots")
        self.is_let_in_one_by_one(weir, inside, outside, 10)
        self.assertEqual(weir.total("connections_peak"), 10)
        self.assertEqual(weir.listener()["connections_total"], 20)

    def test_in_total_over_two_workers(self):
        weir = self.weir([self.echo()], limits={"connections": 10}, workers=2)
        first = [self.connect(weir.address()) for _ in range(20)]
        for client in first:
            client.sendall(b"hello")
        eventually(lambda: weir.info()["connections"] == 10)
        eventually(lambda: weir.total("accept_paused_slots") > 0)
        self.assertEqual(weir.endpoint("echo")["connections"], 10)
        served = set()
        for client in first:  # in any order: who is in is the kernel's choice
            client.settimeout(0.05)
        while len(served) < 20:
            self.assertLessEqual(weir.info()["connections"], 10)
            for client in first:
                try:
                    if client not in served and receive_exactly(client, 5) == b"hello":
                        served.add(client)
                        client.close()
                except TimeoutError:
                    pass
        self.assertEqual(weir.listener()["connections_total"], 20)

    def test_per_worker(self):
        weir = self.weir([self.echo()], limits={"connections_per_worker": 5})
        inside, outside = self.fill(weir, 5)
        self.waits(weir, 5, "accept_paused_slots")
        self.is_let_in_one_by_one(weir, inside, outside, 5)
        self.assertEqual(weir.total("connections_peak"), 5)

    def test_per_listener(self):
        origin = self.echo()
        weir = self.weir_with({
            "workers": 1,
            "listeners": [{"name": "narrow", "address": "127.0.0.1:0", "upstream": "app", "max_connections": 3},
                          {"name": "web", "address": "127.0.0.1:0", "upstream": "app"}],
            "upstreams": [{"name": "app", "endpoints": [origin.endpoint()]}],
        })
        inside, outside = self.fill(weir, 3, "narrow")
        self.waits(weir, 3, "accept_paused_listener")
        self.assertGreater(weir.listener("narrow")["paused"], 0)
        self.assertEqual(weir.listener("narrow")["connections"], 3)
        other = self.connect(weir.address())
        self.assertEqual(exchange(other, b"not my limit"), b"not my limit")
        other.close()
        eventually(lambda: weir.info()["connections"] == 3)
        self.is_let_in_one_by_one(weir, inside, outside, 3)

    def test_a_listeners_limit_holds_over_two_workers(self):
        weir = self.weir([self.echo()], listener={"max_connections": 4}, workers=2)
        clients = [self.connect(weir.address()) for _ in range(12)]
        for client in clients:
            client.sendall(b"hello")
        eventually(lambda: weir.listener()["connections"] == 4)
        eventually(lambda: weir.total("accept_paused_listener") > 0)
        self.assertEqual(weir.listener()["connections"], 4)
        self.assertEqual(weir.endpoint("echo")["connections"], 4)

    def test_one_connection_at_a_time(self):
        weir = self.weir([self.echo()], limits={"connections": 1})
        clients = [self.connect(weir.address()) for _ in range(10)]
        for client in clients:
            client.sendall(b"turn")
        for client in clients:
            self.assertEqual(receive_exactly(client, 4), b"turn")
            client.close()
        self.assertEqual(weir.total("connections_peak"), 1)

    def test_waiting_costs_nothing(self):
        """No spinning: with clients waiting outside, weir uses next to no CPU."""
        weir = self.weir([self.echo()], limits={"connections": 2}, workers=2)
        _, outside = self.fill(weir, 2)
        eventually(lambda: weir.total("accept_paused_slots") > 0)
        before, begun = weir.cpu_seconds(), time.monotonic()
        outside[0].settimeout(1)
        with self.assertRaises(TimeoutError):  # a second in which nothing happens
            outside[0].recv(1)
        share = (weir.cpu_seconds() - before) / (time.monotonic() - begun)
        self.assertLess(share, 0.1 * PATIENCE)

    def test_who_gave_up_waiting_is_no_harm(self):
        weir = self.weir([self.echo()], limits={"connections": 2})
        inside, outside = self.fill(weir, 2)
        for client in outside:
            client.close()
        last = self.connect(weir.address())
        last.sendall(b"me")
        for client in inside:
            client.close()
        self.assertEqual(receive_exactly(last, 2), b"me")

    def test_a_reload_raises_the_limit(self):
        origin = self.echo()
        weir = self.weir_with(simple_config([origin], limits={"connections": 2}))
        _, outside = self.fill(weir, 2)
        weir.reload(simple_config([origin], limits={"connections": 4}))
        for client in outside:
            self.assertEqual(receive_exactly(client, 7), b"waiting")
        self.assertEqual(weir.info()["max_connections"], 4)


if __name__ == "__main__":
    main()
