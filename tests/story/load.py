"""Clients that keep weir busy while a story does something else."""

import threading
import time

from sockets import connect, exchange, receive_all


class Load:
    """Threads that talk to an echo behind `address`, one short connection after the other, until the `with` block ends.

    What went wrong is in `failures`, a text each; how many connections went well, in `served`.
    """

    def __init__(self, address, threads=4, timeout=10):
        self.failures = []
        self._address = address
        self._timeout = timeout
        self._ending = threading.Event()
        self._served = [0] * threads
        self._threads = [threading.Thread(target=self._work, args=(i,)) for i in range(threads)]

    @property
    def served(self):
        return sum(self._served)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _work(self, index):
        number = 0
        while not self._ending.is_set():
            number += 1
            data = b"%d/%d;" % (index, number) * (1 + number % 50)
            step = "connect"
            begun = time.monotonic()
            try:
                with connect(self._address, timeout=self._timeout) as client:
                    step = "exchange"
                    echoed = exchange(client, data)
                    client.shutdown(1)
                    step = "end"
                    rest = receive_all(client)
                if echoed != data or rest:
                    raise ValueError(f"other bytes came back: {echoed[:50]!r}, then {rest[:50]!r}")
                self._served[index] += 1
            except (OSError, EOFError, ValueError) as error:
                took = time.monotonic() - begun
                self.failures.append(f"{step}: {type(error).__name__}: {error} (after {took:.3f} s)")
