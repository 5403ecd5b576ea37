#!/usr/bin/env python3
"""Stopping: SIGTERM drains, the drain timeout ends what is left, a second signal ends at once."""

import contextlib
import signal
import time

from harness import PATIENCE, Story, eventually, main, scaled
from load import Load
from sockets import exchange, is_refused, receive_all


class Stopping(Story):
    def draining(self, weir):
        eventually(lambda: "draining" in weir.log(), what="weir says that it drains")

    def test_nothing_to_do(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            weir = self.weir([self.echo()], workers=2)
            weir.signal(number)
            self.assertEqual(weir.wait(within=2), 0)
            self.assertIn("stopped, every connection had ended", weir.log())

    def test_those_who_are_connected_finish_and_new_ones_are_refused(self):
        weir = self.weir([self.echo()], workers=2)
        address = weir.address()
        clients = [self.connect(address) for _ in range(20)]
        for client in clients:
            self.assertEqual(exchange(client, b"before"), b"before")
        weir.signal(signal.SIGTERM)
        eventually(lambda: is_refused(address), what="new ones are refused")
        self.assertTrue(weir.info()["draining"])
        for client in clients:
            self.assertEqual(exchange(client, b"and after"), b"and after")
            client.shutdown(1)
            self.assertEqual(receive_all(client), b"")
        self.assertEqual(weir.wait(within=5), 0)
        self.assertIn("every connection had ended", weir.log())

    def test_over_unix_sockets_too(self):
        weir = self.weir([self.echo()], listener={"address": f"unix:{self.path('front.sock')}"}, workers=2)
        address = weir.address()
        client = self.connect(address)
        self.assertEqual(exchange(client, b"before"), b"before")
        weir.signal(signal.SIGTERM)
        eventually(lambda: is_refused(address), what="new ones are refused")
        self.assertEqual(exchange(client, b"after"), b"after")
        client.close()
        self.assertEqual(weir.wait(within=5), 0)

    def test_under_load(self):
        weir = self.weir([self.echo()], workers=2)
        address = weir.address()
        held = [self.connect(address) for _ in range(scaled(100))]
        for client in held:
            self.assertEqual(exchange(client, b"before"), b"before")
        with Load(address, threads=6) as load:
            eventually(lambda: load.served > 100)
            weir.signal(signal.SIGTERM)
            eventually(lambda: any("refused" in failure for failure in load.failures))
        # Refused, or connected by the kernel in the moment in which its listener closed; never in the midst of a relay.
        allowed = ("connect: ConnectionRefusedError", "connect: ConnectionResetError", "exchange: ConnectionResetError")
        self.assertEqual([failure for failure in load.failures if not failure.startswith(allowed)], [])
        cut = [failure for failure in load.failures if not failure.startswith("connect: ConnectionRefusedError")]
        self.assertLessEqual(len(cut), 6, cut)
        for client in held:
            self.assertEqual(exchange(client, b"after"), b"after")
            client.close()
        self.assertEqual(weir.wait(within=5), 0)
        self.assertIn("every connection had ended", weir.log())

    def test_the_drain_timeout_ends_what_is_left(self):
        weir = self.weir([self.echo()], timeouts={"drain": "500ms"}, workers=2)
        clients = [self.connect(weir.address()) for _ in range(7)]
        for client in clients:
            self.assertEqual(exchange(client, b"x"), b"x")
        begun = time.monotonic()
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(within=5), 0)
        self.assertGreater(time.monotonic() - begun, 0.4)
        self.assertIn("stopped, connections were closed by force closed=7", weir.log())
        for client in clients:
            self.assertEqual(receive_all(client), b"")

    def test_a_drain_timeout_of_0_ends_at_once(self):
        weir = self.weir([self.echo()], timeouts={"drain": 0})
        client = self.connect(weir.address())
        self.assertEqual(exchange(client, b"x"), b"x")
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(within=2), 0)
        self.assertIn("closed=1", weir.log())

    def test_a_second_signal_ends_at_once(self):
        weir = self.weir([self.echo()], timeouts={"drain": "1h"}, workers=2)
        clients = [self.connect(weir.address()) for _ in range(5)]
        for client in clients:
            self.assertEqual(exchange(client, b"x"), b"x")
        weir.signal(signal.SIGTERM)
        self.draining(weir)
        self.assertTrue(weir.running)
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(within=2), 0)
        self.assertIn("closed=5", weir.log())
        for client in clients:
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(receive_all(client), b"")

    def test_with_clients_that_read_nothing(self):
        weir = self.weir([self.origin("--raw", "endless")], timeouts={"drain": "300ms"})
        for _ in range(10):
            self.connect(weir.address())
        eventually(lambda: weir.info()["connections"] == 10)
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(within=5), 0)
        self.assertIn("closed=10", weir.log())

    def test_with_origins_still_being_dialed(self):
        weir = self.weir([self.silence_at()], timeouts={"drain": "300ms", "connect": "1m"})
        for _ in range(3):
            self.connect(weir.address())
        eventually(lambda: weir.info()["connections"] == 3)
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(within=5), 0)
        self.assertIn("closed=3", weir.log())

    def test_at_a_limit_with_clients_waiting(self):
        weir = self.weir([self.echo()], limits={"connections": 2}, timeouts={"drain": "500ms"})
        clients = [self.connect(weir.address()) for _ in range(6)]
        self.assertEqual(exchange(clients[0], b"x"), b"x")
        eventually(lambda: weir.total("accept_paused_slots") > 0)
        weir.signal(signal.SIGTERM)
        self.assertEqual(weir.wait(within=5), 0)

    def test_a_hang_up_while_draining_changes_nothing(self):
        weir = self.weir([self.echo()], timeouts={"drain": "10s"})
        client = self.connect(weir.address())
        self.assertEqual(exchange(client, b"x"), b"x")
        weir.signal(signal.SIGTERM)
        self.draining(weir)
        weir.signal(signal.SIGHUP)
        eventually(lambda: "not reloading while draining" in weir.log())
        self.assertEqual(exchange(client, b"still"), b"still")
        client.close()
        self.assertEqual(weir.wait(within=5 * PATIENCE), 0)


if __name__ == "__main__":
    main()
