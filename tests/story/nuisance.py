"""Clients that cost something and give nothing, as a program: some send the heads of their requests byte by byte, some
are connected and silent, one sends a body without end. Who is thrown out comes again.

It says {"ready": true}. At the line `on` on its input they come, at `off` they leave; each is confirmed by a line, that
of `off` says how many bytes of bodies they have sent and how often one of them was thrown out.
"""

import argparse
import json
import select
import socket
import sys
import time

SLOW_PAUSE = 0.02  # seconds between two bytes of a head
BODY_PIECE = b"10000\r\n" + b"x" * 65536 + b"\r\n"
BODY_PAUSE = 0.005


class Nuisance:
    def __init__(self, options):
        host, port = options.address.rsplit(":", 1)
        self._address = (host, int(port))
        self._options = options
        self._slow, self._idle, self._body = [], [], []
        self.body_bytes = 0
        self.thrown_out = 0

    def _connect(self):
        sock = socket.create_connection(self._address, timeout=30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        return sock

    def come(self):
        self._slow = [(self._connect(), 0) for _ in range(self._options.slow)]
        self._idle = [self._connect() for _ in range(self._options.idle)]
        self._body = [self._new_body() for _ in range(self._options.bodies)]

    def leave(self):
        for sock in (*(sock for sock, _ in self._slow), *self._idle, *(body[0] for body in self._body)):
            sock.close()
        self._slow, self._idle, self._body = [], [], []

    def _new_body(self):
        return [self._connect(), b"POST /upload HTTP/1.1\r\nHost: weir.test\r\nTransfer-Encoding: chunked\r\n\r\n"]

    def annoy(self):
        """A bit of everything."""
        self._slow = [self._one_byte(sock, sent) for sock, sent in self._slow]

    def send_bodies(self):
        for number, body in enumerate(self._body):
            sock, left = body
            try:
                sent = sock.send(left or BODY_PIECE)
                body[1] = (left or BODY_PIECE)[sent:]
                self.body_bytes += sent
            except BlockingIOError:
                pass
            except OSError:
                sock.close()
                self.thrown_out += 1
                self._body[number] = self._new_body()

    def _one_byte(self, sock, sent):
        head = b"GET / HTTP/1.1\r\nHost: weir.test\r\nX-Slow: "
        try:
            sock.send(head[sent:sent + 1] or b"z")
            if sent % 8 == 7 and not sock.recv(4096):
                raise ConnectionError
        except BlockingIOError:
            pass
        except OSError:
            sock.close()
            self.thrown_out += 1
            return self._connect(), 0
        return sock, sent + 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--slow", type=int, default=0)
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--bodies", type=int, default=0)
    nuisance = Nuisance(parser.parse_args())
    print(json.dumps({"ready": True}), flush=True)
    on = False
    next_byte = 0.0
    while True:
        if select.select([sys.stdin], (), (), BODY_PAUSE if on else None)[0]:
            word = sys.stdin.readline().strip()
            if not word:
                return
            on = word == "on"
            nuisance.come() if on else nuisance.leave()
            print(json.dumps({"body_bytes": nuisance.body_bytes, "thrown_out": nuisance.thrown_out}), flush=True)
        if on:
            nuisance.send_bodies()
            if (now := time.monotonic()) >= next_byte:
                next_byte = now + SLOW_PAUSE
                nuisance.annoy()


if __name__ == "__main__":
    main()
