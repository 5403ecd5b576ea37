"""An origin of a known capacity, as a program: so many requests at a time, each of which takes so long; further ones
wait inside it, so that its latency grows with its load.

With --thrash it does not only get slower for each, it does less: when more than four times as many are there as it
works on at a time, each takes longer in proportion, as where memory or locks run out.

It says {"address": ...}, then serves for ever.
"""

import argparse
import heapq
import json
import select
import socket
import time
from collections import deque


class Capacity:
    def __init__(self, slots, service, thrash):
        self._slots = slots
        self._service = service
        self._thrash = thrash
        self._free = slots
        self._waiting = deque()  # connections
        self._working = []       # (when it is done, number, connection)
        self._number = 0
        self.present = 0

    def come(self, sock, now):
        self.present += 1
        self._waiting.append(sock)
        self._begin(now)

    def _begin(self, now):
        while self._free and self._waiting:
            self._free -= 1
            self._number += 1
            slower = max(1, self.present / (4 * self._slots)) if self._thrash else 1
            heapq.heappush(self._working, (now + self._service * slower, self._number, self._waiting.popleft()))

    def next_done(self):
        return self._working[0][0] if self._working else None

    def done(self, now):
        while self._working and self._working[0][0] <= now:
            # The next one begins when this one was to be done, not when that was noticed: the capacity is exact.
            when, _, sock = heapq.heappop(self._working)
            self.present -= 1
            self._free += 1
            self._begin(when)
            yield sock


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--service", type=float, required=True, help="seconds")
    parser.add_argument("--thrash", type=int, default=0)
    options = parser.parse_args()
    capacity = Capacity(options.slots, options.service, options.thrash)
    door = socket.create_server(("127.0.0.1", 0), backlog=4096)
    door.setblocking(False)
    print(json.dumps({"address": "127.0.0.1:%d" % door.getsockname()[1]}), flush=True)
    epoll = select.epoll()
    epoll.register(door.fileno(), select.EPOLLIN)
    sockets, partial = {}, {}
    answer = b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok"
    while True:
        now = time.monotonic()
        for sock in capacity.done(now):
            try:
                sock.send(answer)
            except OSError:
                pass  # who asked has left meanwhile; the work was done nevertheless
        soonest = capacity.next_done()
        wait = -1 if soonest is None else max(0, soonest - time.monotonic())
        for number, _ in epoll.poll(wait):
            if number == door.fileno():
                sock, _ = door.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sockets[sock.fileno()] = sock
                partial[sock.fileno()] = b""
                epoll.register(sock.fileno(), select.EPOLLIN)
                continue
            sock = sockets[number]
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if not data:
                del sockets[number], partial[number]
                epoll.unregister(number)
                sock.close()
                continue
            partial[number] += data
            while b"\r\n\r\n" in partial[number]:
                _, _, partial[number] = partial[number].partition(b"\r\n\r\n")
                capacity.come(sock, time.monotonic())


if __name__ == "__main__":
    main()
