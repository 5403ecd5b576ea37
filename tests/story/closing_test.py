#!/usr/bin/env python3
"""Ends are passed on as what they were: an end of one direction, or a reset."""

import errno
import socket

from harness import Story, eventually, main
from sockets import receive_all, receive_exactly, reset, send_until_full


class Ends(Story):
    def setUp(self):
        self.door = self.listen()
        self.weir_ = self.weir([self.door.address])

    def pair(self):
        """A client, and its connection as the origin sees it."""
        client = self.connect(self.weir_.address())
        return client, self.door.accept()

    def expect_closed(self, reason, count=1):
        eventually(lambda: self.weir_.closed(reason) == count, what=f"one more was closed for {reason}")
        self.assertEqual(sum(self.weir_.stat()["close_reasons"].values()), count)

    def expect_reset(self, sock):
        with self.assertRaises(ConnectionResetError):
            while sock.recv(65536):
                pass

    def test_client_ends_first_and_still_gets_its_answer(self):
        client, origin = self.pair()
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(origin), b"question")
        origin.sendall(b"answer")
        self.assertEqual(receive_exactly(client, 6), b"answer")
        origin.sendall(b", and more")
        origin.close()
        self.assertEqual(receive_all(client), b", and more")
        self.expect_closed("done")

    def test_origin_ends_first_and_still_gets_what_follows(self):
        client, origin = self.pair()
        origin.sendall(b"greeting")
        origin.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(client), b"greeting")
        client.sendall(b"late words")
        self.assertEqual(receive_exactly(origin, 10), b"late words")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(origin), b"")
        self.expect_closed("done")

    def test_half_closed_stays_open(self):
        client, origin = self.pair()
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(origin), b"")
        for _ in range(50):
            origin.sendall(b"drop")
            self.assertEqual(receive_exactly(client, 4), b"drop")
        self.assertEqual(self.weir_.info()["connections"], 1)

    def test_the_end_comes_after_a_megabyte_in_front_of_it(self):
        for towards in ("origin", "client"):
            with self.subTest(towards=towards):
                client, origin = self.pair()
                near, far = (client, origin) if towards == "origin" else (origin, client)
                near.settimeout(None)
                near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
                near.sendall(b"m" * (1 << 20))
                near.shutdown(socket.SHUT_WR)
                self.assertEqual(len(receive_all(far)), 1 << 20)

    def test_a_client_that_ends_at_once(self):
        client, origin = self.pair()
        client.close()
        self.assertEqual(receive_all(origin), b"")
        origin.close()
        self.expect_closed("done")

    def test_client_resets(self):
        client, origin = self.pair()
        client.sendall(b"hello")
        self.assertEqual(receive_exactly(origin, 5), b"hello")
        reset(client)
        self.expect_reset(origin)
        self.expect_closed("client_reset")

    def test_origin_resets(self):
        client, origin = self.pair()
        client.sendall(b"hello")
        self.assertEqual(receive_exactly(origin, 5), b"hello")
        reset(origin)
        self.expect_reset(client)
        self.expect_closed("origin_reset")
        self.assertEqual(self.weir_.endpoint(self.door.address)["resets"], 1)

    def test_resets_during_bulk(self):
        for breaker in ("client", "origin"):
            with self.subTest(breaker=breaker):
                client, origin = self.pair()
                client.settimeout(None)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
                client.sendall(b"b" * (4 << 20))
                receive_exactly(origin, 2 << 20)
                near, far = (client, origin) if breaker == "client" else (origin, client)
                reset(near)
                self.expect_reset(far)

    def test_client_resets_after_its_end(self):
        client, origin = self.pair()
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(origin), b"")
        reset(client)
        eventually(lambda: self.weir_.info()["connections"] == 0, what="the reset was noticed")
        # The origin has read the end; a reset after it is what its next bytes meet.
        error = eventually(lambda: origin.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), what="it was passed on")
        self.assertEqual(error, errno.EPIPE)

    def test_client_resets_while_its_origin_reads_nothing(self):
        """With its receive paused, weir has to hear of the reset in another way."""
        client, origin = self.pair()
        send_until_full(client)
        reset(client)
        eventually(lambda: self.weir_.info()["connections"] == 0, what="the reset was noticed")
        self.expect_reset(origin)

    def test_origin_resets_while_its_client_reads_nothing(self):
        client, origin = self.pair()
        send_until_full(origin)
        reset(origin)
        eventually(lambda: self.weir_.info()["connections"] == 0, what="the reset was noticed")
        self.expect_reset(client)


if __name__ == "__main__":
    main()
