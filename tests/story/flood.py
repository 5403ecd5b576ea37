"""HTTP clients that keep weir busier than threads could: many connections on one thread, and answers only counted."""

import re
import selectors
import threading
from collections import Counter

from sockets import connect

REQUEST = b"GET / HTTP/1.1\r\nHost: weir.test\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class Flood:
    """Connections of one thread, each of which asks again as soon as it has its answer, `requests` times in all, or
    until the `with` block ends.

    Statuses are counted; so are connections that ended before they should (`broken`), and were replaced.
    """

    def __init__(self, address, connections=16, request=REQUEST, requests=None, timeout=30):
        self.statuses = Counter()
        self.broken = 0
        self._address = address
        self._request = request
        self._requests = requests or 1 << 40
        self._timeout = timeout
        self._selector = selectors.DefaultSelector()
        self._ending = threading.Event()
        self._thread = None
        self._trouble = None
        for _ in range(connections):
            self._open()

    @property
    def answered(self):
        return sum(self.statuses.values())

    def _open(self):
        sock = connect(self._address, timeout=self._timeout)
        self._selector.register(sock, selectors.EVENT_READ, bytearray())
        return sock

    def run(self):
        """Back when all that were sent are answered."""
        left = self._requests
        waiting = 0
        for sock in self._sockets()[:left]:
            sock.sendall(self._request)
            waiting += 1
            left -= 1
        while waiting:
            events = self._selector.select(self._timeout)
            if not events:
                raise TimeoutError(f"{waiting} requests have no answer after {self._timeout} s")
            for key, _ in events:
                over, sock = self._read(key.fileobj, key.data)
                if not over:
                    continue
                waiting -= 1
                if left > 0 and not self._ending.is_set():
                    sock.sendall(self._request)
                    waiting += 1
                    left -= 1

    def _read(self, sock, data):
        """Whether an answer, or its connection, is over; and the socket on which to go on."""
        try:
            piece = sock.recv(1 << 16)
        except OSError:
            piece = b""
        if not piece:
            self.broken += 1
            self._selector.unregister(sock)
            sock.close()
            return True, self._open()
        data += piece
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return False, sock
        length = LENGTH.search(data, 0, end + 2)
        if len(data) < end + 4 + (int(length[1]) if length else 0):
            return False, sock
        self.statuses[int(data[9:12])] += 1
        closes = b"\r\nconnection: close" in bytes(data[:end]).lower()
        data.clear()
        if closes:
            self._selector.unregister(sock)
            sock.close()
            return True, self._open()
        return True, sock

    def _sockets(self):
        return [key.fileobj for key in list(self._selector.get_map().values())]

    # --- in the background: `with Flood(address) as flood`

    def __enter__(self):
        self._thread = threading.Thread(target=self._run_guarded)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self.finish()
        self.close()

    def finish(self):
        """Until all requests are answered."""
        self._thread.join()
        if self._trouble:
            raise self._trouble

    def _run_guarded(self):
        try:
            self.run()
        except Exception as trouble:
            self._trouble = trouble

    def close(self):
        for sock in self._sockets():
            sock.close()
        self._selector.close()
