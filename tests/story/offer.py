"""Requests at a given rate over many connections, as a program: whoever answers how slowly, the next ones come when it
is time for them, as those of people who know nothing of each other. A request for which no connection is idle is not
sent, and counted as `held_back`.

It connects, says {"ready": true}, begins at a line on its input, and says at the end what came of it: statuses, reasons
of refusals, and latencies in seconds of what was begun after --warm-up; all by --fields, where there are several.
"""

import argparse
import json
import re
import select
import socket
import sys
import time
from collections import Counter, deque

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
REASON = re.compile(rb'"reason":"([a-z_]+)"')


class Connection:
    def __init__(self, address):
        self.sock = socket.create_connection(address, timeout=30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.begun = 0.0
        self.received = b""

    def answer(self):
        """Status, reason, whether it stays open; None as long as it is not complete."""
        data = self.received
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return None
        match = LENGTH.search(data, 0, end + 4)
        length = int(match[1]) if match else 0
        if len(data) < end + 4 + length:
            return None
        self.received = data[end + 4 + length:]
        status = int(data[9:12])
        reason = REASON.search(data, end) if status != 200 else None
        return status, reason[1].decode() if reason else "", b"\r\nconnection: close" not in data[:end].lower()


class Offer:
    def __init__(self, options):
        host, port = options.address.rsplit(":", 1)
        self._address = (host, int(port))
        self._options = options
        self._request = (f"GET {options.target} HTTP/1.1\r\nHost: weir.test\r\n{options.fields}"
                         "\r\n").replace("|", "\r\n").encode()
        self._epoll = select.epoll()
        self._by_number = {}
        self._idle = deque()
        self.sent = self.held_back = self.broken = 0
        self.counted = Counter()
        self.latencies = {}
        for _ in range(options.connections):
            self._connect()

    def _connect(self):
        connection = Connection(self._address)
        self._by_number[connection.sock.fileno()] = connection
        self._epoll.register(connection.sock.fileno(), select.EPOLLIN)
        self._idle.append(connection)

    def run(self):
        begun = time.monotonic()
        warm = begun + self._options.warm_up
        ends = warm + self._options.seconds
        offered = 0
        while (now := time.monotonic()) < ends:
            due = int((now - begun) * self._options.rate) if self._options.rate else offered + len(self._idle)
            while offered < due:
                offered += 1
                if not self._idle:
                    self.held_back += now >= warm
                    continue
                connection = self._idle.popleft()
                connection.begun = now
                self.sent += now >= warm
                connection.sock.send(self._request)
            for number, _ in self._epoll.poll(0.001):
                self._receive(self._by_number[number], warm)
        return ends - warm

    def _receive(self, connection, warm):
        try:
            data = connection.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.broken += 1
            return self._replace(connection)
        connection.received += data
        answer = connection.answer()
        if answer is None:
            return None
        status, reason, stays = answer
        now = time.monotonic()
        if now >= warm:
            self.counted[f"{status} {reason}".strip()] += 1
            self.latencies.setdefault(status, []).append(now - connection.begun)
        return self._idle.append(connection) if stays else self._replace(connection)

    def _replace(self, connection):
        del self._by_number[connection.sock.fileno()]
        self._epoll.unregister(connection.sock.fileno())
        connection.sock.close()
        if connection in self._idle:
            self._idle.remove(connection)
        self._connect()


def summary(values):
    values.sort()
    return {"median": values[len(values) // 2], "p99": values[len(values) * 99 // 100], "max": values[-1]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0, help="requests per second; 0: one after the other")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--warm-up", type=float, default=0.3)
    parser.add_argument("--target", default="/")
    parser.add_argument("--fields", default="", help="each ends in |")
    offer = Offer(parser.parse_args())
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    lasted = offer.run()
    print(json.dumps({
        "per_second": {key: count / lasted for key, count in offer.counted.items()},
        "counted": offer.counted, "sent": offer.sent / lasted, "held_back": offer.held_back / lasted,
        "broken": offer.broken,
        "latency": {str(status): summary(values) for status, values in offer.latencies.items()},
    }), flush=True)


if __name__ == "__main__":
    main()
