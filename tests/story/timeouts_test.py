#!/usr/bin/env python3
"""What may not last for ever: sessions in which nothing moves, and, if so configured, sessions at all."""

import time

from harness import PATIENCE, Story, eventually, main
from sockets import exchange, receive_all, receive_exactly


class Timeouts(Story):
    def ends_after(self, client, seconds):
        """It is closed, by an end and not a reset, not before its time and not long after it."""
        begun = time.monotonic()
        self.assertEqual(receive_all(client), b"")
        lasted = time.monotonic() - begun
        self.assertGreater(lasted, seconds * 0.9)
        self.assertLess(lasted, seconds + 1 * PATIENCE)

    def test_idle(self):
        door = self.listen()
        weir = self.weir([door.address], timeouts={"idle": "400ms"})
        client = self.connect(weir.address())
        client.sendall(b"hello")
        origin = door.accept()
        self.assertEqual(receive_exactly(origin, 5), b"hello")
        self.ends_after(client, 0.4)
        self.assertEqual(receive_all(origin), b"")
        self.assertEqual(weir.closed("idle_timeout"), 1)

    def test_whoever_talks_is_not_idle(self):
        weir = self.weir([self.echo()], timeouts={"idle": "400ms"})
        client = self.connect(weir.address())
        begun = time.monotonic()
        while time.monotonic() - begun < 1.2:
            self.assertEqual(exchange(client, b"x"), b"x")
        self.ends_after(client, 0.4)

    def test_one_direction_is_enough_to_be_alive(self):
        weir = self.weir([self.origin()], timeouts={"idle": "400ms"})
        client = self.connect(weir.address())
        client.sendall(b"GET /dribble?bytes=15&every=80 HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n")
        body = receive_all(client).partition(b"\r\n\r\n")[2]
        self.assertIn(b"000000000000000", body)
        self.assertEqual(weir.closed("idle_timeout"), 0)

    def test_half_closed_and_silent_is_idle(self):
        door = self.listen()
        weir = self.weir([door.address], timeouts={"idle": "400ms"})
        client = self.connect(weir.address())
        client.shutdown(1)
        self.assertEqual(receive_all(door.accept()), b"")
        self.ends_after(client, 0.4)
        self.assertEqual(weir.closed("idle_timeout"), 1)

    def test_lifetime_ends_even_the_busy(self):
        weir = self.weir([self.echo()], timeouts={"lifetime": "600ms"})
        client = self.connect(weir.address())
        begun = time.monotonic()
        with self.assertRaises((EOFError, ConnectionError)):
            while time.monotonic() - begun < 10 * PATIENCE:
                exchange(client, b"x")
        lasted = time.monotonic() - begun
        self.assertGreater(lasted, 0.5)
        self.assertLess(lasted, 0.6 + 1 * PATIENCE)
        eventually(lambda: weir.closed("lifetime") == 1)

    def test_lifetime_ends_a_stuck_download(self):
        weir = self.weir([self.origin("--raw", "endless")], timeouts={"lifetime": "600ms"})
        self.connect(weir.address())
        eventually(lambda: weir.closed("lifetime") == 1)
        self.assertEqual(weir.info()["connections"], 0)

    def test_a_stuck_download_is_idle(self):
        weir = self.weir([self.origin("--raw", "endless")], timeouts={"idle": "400ms"})
        self.connect(weir.address())
        eventually(lambda: weir.closed("idle_timeout") == 1)


if __name__ == "__main__":
    main()
