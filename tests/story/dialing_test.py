#!/usr/bin/env python3
"""Reaching an origin: who refuses or stays silent costs one try, then the next is asked; if all failed, the client sees
a clean close."""

import socket
import time

from harness import PATIENCE, Story, eventually, main, simple_config
from sockets import ask_once, exchange, receive_all, reset


class Dialing(Story):
    def test_refused_goes_to_the_next(self):
        dead = self.nobody_at()
        weir = self.weir([{"name": "dead", "address": dead}, self.echo()])
        for _ in range(10):
            self.assertEqual(ask_once(weir.address(), b"hello"), b"hello")
        dead = weir.endpoint("dead")
        # It rests after the first time, so that hardly anybody else finds out.
        self.assertTrue(1 <= dead["connect_errors"] <= 5, dead["connect_errors"])
        self.assertEqual(dead["retries"], dead["connect_errors"])
        self.assertEqual(weir.total("connect_retries"), dead["connect_errors"])
        self.assertEqual((dead["connections_total"], weir.endpoint("echo")["connections_total"]), (0, 10))

    def test_refused_over_ipv6_and_unix(self):
        dead = [f"unix:{self.path('nothing.sock')}", f"[::1]:{self.nobody_at().rsplit(':', 1)[1]}"]
        weir = self.weir([*dead, self.echo()])
        for _ in range(6):
            self.assertEqual(ask_once(weir.address(), b"hello"), b"hello")
        self.assertEqual([weir.endpoint(address)["connect_errors"] > 0 for address in dead], [True, True])

    def test_silent_is_given_up_and_the_next_asked(self):
        weir = self.weir([{"name": "silent", "address": self.silence_at()}, self.echo()],
                         upstream={"timeouts": {"connect": "300ms"}})
        clients = [self.connect(weir.address()) for _ in range(4)]
        begun = time.monotonic()
        for client in clients:
            self.assertEqual(exchange(client, b"hello"), b"hello")
        self.assertGreater(time.monotonic() - begun, 0.2)
        silent = weir.endpoint("silent")
        self.assertGreaterEqual(silent["connect_timeouts"], 2)
        self.assertEqual((silent["retries"], silent["connect_errors"]), (silent["connect_timeouts"], 0))

    def test_the_global_connect_timeout_counts_too(self):
        weir = self.weir([self.silence_at()], upstream={"tries": 1}, timeouts={"connect": "200ms"})
        self.assertEqual(receive_all(self.connect(weir.address())), b"")
        self.assertEqual(weir.closed("connect_failed"), 1)

    def test_a_unix_origin_with_a_full_backlog(self):
        path = self.path("full.sock")
        full = socket.socket(socket.AF_UNIX)
        self._kept(full)
        full.bind(path)
        full.listen(0)
        for _ in range(10):
            filler = self._kept(socket.socket(socket.AF_UNIX))
            filler.setblocking(False)
            try:
                filler.connect(path)
            except BlockingIOError:
                break
        weir = self.weir([{"name": "full", "address": f"unix:{path}"}, self.echo()], timeouts={"connect": "300ms"})
        for _ in range(4):
            self.assertEqual(ask_once(weir.address(), b"hello"), b"hello")
        asked = weir.endpoint("full")
        self.assertGreaterEqual(asked["connect_errors"] + asked["connect_timeouts"], 1)

    def closes_cleanly(self, weir, count=1):
        """The client sees an end, no reset, and the reason is counted."""
        client = self.connect(weir.address())
        client.sendall(b"is anybody there?")
        self.assertEqual(receive_all(client), b"")
        eventually(lambda: weir.closed("connect_failed") == count)
        self.assertEqual(weir.listener()["connect_failed"], count)

    def test_all_refuse(self):
        addresses = [self.nobody_at() for _ in range(3)]
        weir = self.weir(addresses)
        self.closes_cleanly(weir)
        self.assertEqual([weir.endpoint(address)["connect_errors"] for address in addresses], [1, 1, 1])

    def test_the_only_one_refuses(self):
        address = self.nobody_at()
        weir = self.weir([address])
        self.closes_cleanly(weir)
        only = weir.endpoint(address)
        self.assertEqual((only["connect_errors"], only["picked"]), (1, 1))
        self.assertEqual(only["retries"], 0, "there was none to go on to")

    def test_tries_are_bounded(self):
        addresses = [self.nobody_at() for _ in range(5)]
        weir = self.weir(addresses, upstream={"tries": 2})
        self.closes_cleanly(weir)
        self.assertEqual(sum(weir.endpoint(address)["connect_errors"] for address in addresses), 2)
        self.assertEqual(weir.total("connect_retries"), 1)

    def test_an_upstream_that_is_removed_during_the_last_possible_try(self):
        """With as many tries as there can be, the last one fails when there is no upstream any more to ask."""
        config = simple_config([self.silence_at() for _ in range(8)],
                               upstream={"tries": 8, "timeouts": {"connect": "300ms"}})
        weir = self.weir_with(config)
        client = self.connect(weir.address())
        eventually(lambda: weir.total("connect_retries") == 7, what="the eighth is being asked")
        config["upstreams"][0]["name"] = config["listeners"][0]["upstream"] = "other"
        weir.reload(config)
        self.assertEqual(receive_all(client), b"")
        eventually(lambda: weir.closed("no_upstream") == 1, what="the reason is counted")

    def test_one_try_is_one_try(self):
        weir = self.weir([self.nobody_at(), self.echo()], upstream={"tries": 1})
        outcomes = [ask_once(weir.address(), b"hello") for _ in range(10)]
        self.assertEqual(set(outcomes), {b"", b"hello"})
        self.assertTrue(1 <= outcomes.count(b"") <= 5, outcomes)

    def test_a_large_request_is_no_reason_for_a_reset(self):
        """Closing with unread bytes would be a reset; the client is to see an end all the same."""
        weir = self.weir([self.silence_at()], timeouts={"connect": "300ms"})
        client = self.connect(weir.address())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        client.setblocking(False)
        try:
            while client.send(b"x" * 65536):
                pass
        except BlockingIOError:
            pass
        client.settimeout(10 * PATIENCE)
        self.assertEqual(receive_all(client), b"")

    def test_a_client_that_leaves_while_its_origin_is_dialed(self):
        weir = self.weir([self.silence_at()], timeouts={"connect": "30s"})
        client = self.connect(weir.address())
        client.sendall(b"hello")
        eventually(lambda: weir.listener()["bytes_in"] == 5)
        reset(client)
        eventually(lambda: weir.closed("client_left_dialing") == 1)
        self.assertEqual(weir.info()["connections"], 0)

    def test_an_upstream_whose_origins_come_back(self):
        origin = self.echo()
        weir = self.weir([origin])
        origin.kill()
        self.closes_cleanly(weir)
        origin.again()
        self.assertEqual(ask_once(weir.address(), b"back"), b"back")


if __name__ == "__main__":
    main()
