"""An origin of HTTP/1 that a story plays itself: it writes down what it got, and answers as told.

    def answers(call):
        if call.request.target == "/slow":
            release.wait(10)
        call.answer(200, {"X-Seen": "yes"}, b"body")

    origin = self.http_origin(answers)          # of HttpStory
    ...
    self.assertEqual(origin.requests[0].body, b"what was sent")

Each connection has a thread. The handler is called with the head of a request; the body is read when it says so
(call.body()), or behind its back after it has answered, so that the next request can be read. What weir should not have
sent, and what the handler did wrong, is in `troubles`; HttpStory looks there at the end.
"""

import contextlib
import socket
import threading

from http_message import Stream, written_answer
from sockets import join_address, reset, split_address


class Call:
    """One request, and the way to answer it. Belongs to its connection's thread."""

    def __init__(self, origin, connection, number, stream, request):
        self.origin = origin
        self.connection = connection  # which one of the origin, from 0
        self.number = number          # which request on it, from 0
        self.stream = stream
        self.sock = stream.sock
        self.request = request
        self.over = False             # the connection
        self._read = False

    def body(self):
        """All of it, read once."""
        if not self._read:
            self._read = True
            self.stream.with_body(self.request)
        return self.request.body

    def pieces(self):
        """For a body that is too large to keep."""
        self._read = True
        return self.stream.pieces(self.request)

    def send(self, data):
        self.sock.sendall(data)

    def answer(self, status=200, fields=(), body=b"", **more):
        """See written_answer(): body, chunks, trailers, version, reason."""
        if "chunks" in more or status == 204 or status == 304:
            body = None
        if self.request.method == "HEAD" and body is not None:
            pairs = list(fields.items() if isinstance(fields, dict) else fields)
            fields, body = [*pairs, ("Content-Length", str(len(body)))], None
        self.send(written_answer(status, fields, body, **more))

    def close(self):
        """After what was sent."""
        self.over = True
        self.sock.close()

    def reset(self):
        self.over = True
        reset(self.sock)


def say_hello(call):
    call.body()
    call.answer(200, {"X-Origin": call.origin.name}, b"hello")


class HttpOrigin:
    def __init__(self, handler=say_hello, name="origin", address="127.0.0.1:0", timeout=30, receive_buffer=None):
        self.name = name
        self.handler = handler     # may be changed at any time
        self.requests = []         # as their heads came; read from any thread
        self.connections = 0       # accepted
        self.troubles = []
        self._timeout = timeout
        self._lock = threading.Lock()
        self._open = {}            # connections and their threads
        family, name_of_socket = split_address(address)
        self._door = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if family != socket.AF_UNIX:
            self._door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._door.bind(name_of_socket)
        self._door.listen(512)
        self._door.settimeout(None)
        self.address = join_address(self._door)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def endpoint(self, **more):
        return {"name": self.name, "address": self.address, **more}

    def targets(self):
        return [request.target for request in self.requests]

    @property
    def open(self):
        """Connections that are open now."""
        with self._lock:
            return len(self._open)

    def close_connections(self):
        """Those that are there, in whatever state they are; new ones are taken."""
        with self._lock:
            threads = list(self._open.values())
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(self._timeout)

    def close(self):
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)  # accept() returns
        self._acceptor.join(self._timeout)
        self._door.close()
        self.close_connections()

    # --- its threads

    def _accept(self):
        while True:
            try:
                sock, _ = self._door.accept()
            except OSError:
                return
            sock.settimeout(self._timeout)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True)
            with self._lock:
                self._open[sock] = thread
            self.connections += 1
            thread.start()

    def _serve(self, sock, connection):
        try:
            self._serve_requests(sock, connection)
        except (OSError, EOFError):
            pass  # weir, or the story, has closed the connection
        except Exception as error:  # Malformed, or a handler's: the story must hear of it
            self.troubles.append(f"{self.name}, connection {connection}: {type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._open.pop(sock)
            sock.close()

    def _serve_requests(self, sock, connection):
        stream = Stream(sock)
        number = 0
        while (request := stream.request(body=False)) is not None:
            call = Call(self, connection, number, stream, request)
            number += 1
            self.requests.append(request)
            self.handler(call)
            if call.over or request.get("connection", "").lower() == "close":
                return
            call.body()
