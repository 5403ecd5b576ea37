"""A client of HTTP/1 as stories need it: one connection, exact bytes, no help of a library.

Belongs to one thread. Reading may raise Malformed (weir wrote no HTTP), EOFError (it ended too early) or an OSError.
"""

import contextlib
import socket

from http_message import Stream, written_request
from sockets import reset


class HttpClient:
    def __init__(self, sock):
        self.sock = sock
        self.stream = Stream(sock)

    # --- asking

    def send(self, data):
        self.sock.sendall(data)

    def request(self, method="GET", target="/", fields=(), **more):
        """See written_request(): body, chunks, trailers, host, version."""
        self.send(written_request(method, target, fields, **more))

    def answer(self, method="GET", body=True):
        """The next final one. Without `body` only its head is read."""
        return self.stream.answer(method, body)

    def head(self, method="GET"):
        """The next head, be it an interim one; no body."""
        return self.stream.answer_head(method)

    def ask(self, method="GET", target="/", fields=(), **more):
        self.request(method, target, fields, **more)
        return self.answer(method)

    def get(self, target="/", fields=(), **more):
        return self.ask("GET", target, fields, **more)

    # --- leaving

    def ended(self):
        """Whether the other side closes without a further byte."""
        return self.stream.ended()

    def gone(self):
        """As ended(), where a reset is as good."""
        with contextlib.suppress(ConnectionError):
            return self.ended()
        return True

    def end(self):
        """Ends our side; answers still come."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        reset(self.sock)

    def close(self):
        self.sock.close()
