#!/usr/bin/env python3
"""Probes of many endpoints: spread over the interval, never many at once."""

import contextlib
import selectors
import socket
import threading
import time

from failing import Failing
from freezing import frozen
from harness import PATIENCE, eventually, main


class Crowd:
    """Four origins that take connections at any address of this machine, and know when."""

    def __init__(self):
        self.times = []
        self._selector = selectors.DefaultSelector()
        self._doors = [socket.create_server(("0.0.0.0", 0), backlog=1024) for _ in range(4)]
        for door in self._doors:
            door.setblocking(False)
            self._selector.register(door, selectors.EVENT_READ)
        self._bell, bell = socket.socketpair()
        self._doors.append(bell)
        self._selector.register(bell, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def endpoints(self, count):
        ports = [door.getsockname()[1] for door in self._doors[:4]]
        return [{"name": f"e{i}", "address": f"127.0.{1 + i // 250}.{1 + i % 250}:{ports[i % 4]}"}
                for i in range(count)]

    def close(self):
        self._bell.close()
        self._thread.join()
        for door in self._doors:
            door.close()

    def _accept(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._doors[4]:
                    return
                with contextlib.suppress(BlockingIOError):
                    while True:
                        sock, _ = key.fileobj.accept()
                        self.times.append(time.monotonic())
                        sock.close()


def most_within(times, seconds):
    """How many came in the fullest stretch of so many seconds."""
    most = first = 0
    for last, when in enumerate(times):
        while times[first] <= when - seconds:
            first += 1
        most = max(most, last + 1 - first)
    return most


class Many(Failing):
    def test_they_do_not_come_in_bursts(self):
        """500 in 1 s are 25 in 50 ms. They may be some more, but not a heap, neither at first nor later, nor after
        weir stood still for a while."""
        crowd = self._kept(Crowd())
        endpoints = crowd.endpoints(500)
        interval = 1.0
        health = {"interval": "1s", "timeout": "1s"}
        weir = self.weir_with(self.http(endpoints, health=health))
        eventually(lambda: len(crowd.times) >= 2 * len(endpoints))
        self.assertLessEqual(most_within(crowd.times, 0.05), 80 * PATIENCE)
        self.assertGreaterEqual(crowd.times[-1] - crowd.times[0], 1.5 * interval, "two rounds")
        with frozen(weir):
            threading.Event().wait(1.2 * interval)  # nobody sets it: weir stands still for so long
        before = len(crowd.times)
        gone_on = time.monotonic()
        eventually(lambda: len(crowd.times) >= before + len(endpoints))
        self.assertLessEqual(most_within(crowd.times[before:], 0.05), 120 * PATIENCE)
        self.assertGreaterEqual(time.monotonic() - gone_on, 0.4 * interval, "not faster than twice as fast")
        eventually(lambda: min(row["resilience"]["probes"]["rounds"] for row in self.upstream(weir)["endpoints"]) >= 3,
                   what="nobody is forgotten")
        failed = sum(row["resilience"]["probes"]["rounds_failed"] for row in self.upstream(weir)["endpoints"])
        self.assertLessEqual(failed, 5, "but those that were under way when it stood still")


if __name__ == "__main__":
    main()
