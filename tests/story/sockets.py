"""Sockets as stories need them: addresses as weir writes them, reading to an end, resets, ports nobody answers on."""

import contextlib
import socket
import struct


def split_address(text):
    """`127.0.0.1:80`, `[::1]:80` or `unix:/path`: the family, and the address as Python has it."""
    if text.startswith("unix:"):
        return socket.AF_UNIX, text.removeprefix("unix:")
    host, port = text.rsplit(":", 1)
    if host.startswith("["):
        return socket.AF_INET6, (host[1:-1], int(port))
    return socket.AF_INET, (host, int(port))


def join_address(sock):
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if sock.family == socket.AF_INET6 else f"{name[0]}:{name[1]}"


def port_of(address):
    return split_address(address)[1][1]


def connect(address, source=None, timeout=10, receive_buffer=None):
    """`source`: an IP address of this machine to come from."""
    family, peer = split_address(address)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            sock.bind((source, 0))
        sock.connect(peer)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    except BaseException:
        sock.close()
        raise


def receive_all(sock):
    """Everything up to the other side's end."""
    pieces = []
    while piece := sock.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def receive_exactly(sock, count):
    data = bytearray()
    while len(data) < count:
        piece = sock.recv(min(count - len(data), 1 << 16))
        if not piece:
            raise EOFError(f"{len(data)} of {count} bytes, then the end: {bytes(data[-100:])!r}")
        data += piece
    return bytes(data)


def receive_line(sock):
    line = bytearray()
    while not line.endswith(b"\n"):
        line += receive_exactly(sock, 1)
    return line[:-1].decode()


def exchange(sock, data):
    """Sends to something that echoes, and returns what comes back."""
    sock.sendall(data)
    return receive_exactly(sock, len(data))


def ask_once(address, data=b"", source=None, timeout=10):
    """A whole short connection: says `data` and its end, returns all that comes."""
    with connect(address, source, timeout) as sock:
        with contextlib.suppress(OSError):  # it may have been closed at once; what counts is what it said
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        return receive_all(sock)


def is_refused(address):
    try:
        connect(address).close()
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    return False


def reset(sock):
    """Closes so that the other side sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def send_until_full(sock, piece=b"x" * 65536, quiet_after=0.5):
    """Sends until the other side takes no more for a while. How much went."""
    before = sock.gettimeout()
    sock.settimeout(quiet_after)
    sent = 0
    try:
        while True:
            sent += sock.send(piece)
    except TimeoutError:
        return sent
    finally:
        sock.settimeout(before)


class Listening:
    """A listening socket of the story's own, and the connections it has accepted."""

    def __init__(self, address="127.0.0.1:0", timeout=10, backlog=128):
        family, name = split_address(address)
        self._timeout = timeout
        self._accepted = []
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._socket.bind(name)
        if backlog is not None:
            self._socket.listen(backlog)
        self.address = join_address(self._socket)

    def accept(self):
        sock, _ = self._socket.accept()
        sock.settimeout(self._timeout)
        self._accepted.append(sock)
        return sock

    def close(self):
        for each in (*self._accepted, self._socket):
            each.close()


def refusing_socket():
    """Bound, so that nobody else gets the port, but not listening."""
    return Listening(backlog=None)


def full_listener():
    """A listener whose queue is full: the kernel drops every further attempt to connect. And what fills it."""
    silent = Listening(backlog=0)
    fillers = []
    while True:
        filler = socket.socket()
        fillers.append(filler)
        filler.settimeout(0.2)
        try:
            filler.connect(split_address(silent.address)[1])
        except TimeoutError:
            return silent, *fillers
