"""HTTP/1 as bytes, for clients and origins of stories: written to the letter, and read without mercy.

Whatever weir must never write (a bare line feed, two lengths, a length beside chunks, bytes behind an end) is Malformed
here, not read over. Nothing knows of weir or of stories; a Stream belongs to one thread.
"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})([ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
HEAD_MAX = 64 * 1024


class Malformed(Exception):
    """What came is no HTTP/1 message."""


class Fields(list):
    """(name, value) pairs, as they came."""

    def all(self, name):
        return [value for known, value in self if known.lower() == name.lower()]

    def get(self, name, otherwise=None):
        """Of a field that may be there once."""
        values = self.all(name)
        if len(values) > 1:
            raise Malformed(f"{name} came {len(values)} times: {values}")
        return values[0] if values else otherwise

    def has(self, name):
        return bool(self.all(name))

    def names(self):
        return [name.lower() for name, _ in self]


@dataclass
class Message:
    """A request or an answer. `framing` is none, length, chunked, or close."""

    version: str
    fields: Fields
    framing: str = "none"
    length: int = 0
    method: str = ""
    target: str = ""
    status: int = 0
    reason: str = ""
    body: bytes = b""
    trailers: Fields = field(default_factory=Fields)
    chunks: list = field(default_factory=list)      # their sizes
    extensions: list = field(default_factory=list)  # theirs, where there are any
    interims: list = field(default_factory=list)    # the 1xx that came before an answer

    def get(self, name, otherwise=None):
        return self.fields.get(name, otherwise)


def written_fields(fields):
    """`fields`: pairs, or a dict."""
    pairs = fields.items() if isinstance(fields, dict) else fields
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in pairs)


def written_chunk(data, extension=b""):
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def written_chunks(pieces, trailers=()):
    return b"".join(written_chunk(piece) for piece in pieces) + b"0\r\n" + written_fields(trailers) + b"\r\n"


def written_request(method="GET", target="/", fields=(), body=None, chunks=None, trailers=(), host="weir.test",
                    version="1.1"):
    """`body`: with a length. `chunks`: pieces, each to be one chunk. `host` None: no such field."""
    head = f"{method} {target} HTTP/{version}\r\n".encode("latin-1")
    if host is not None:
        head += written_fields([("Host", host)])
    return head + written_fields(fields) + written_body(body, chunks, trailers)


def written_answer(status=200, fields=(), body=None, chunks=None, trailers=(), version="1.1", reason="Fine"):
    """With neither `body` nor `chunks`: only the head."""
    head = f"HTTP/{version} {status} {reason}\r\n".encode("latin-1")
    return head + written_fields(fields) + written_body(body, chunks, trailers)


def written_body(body, chunks, trailers):
    if chunks is not None:
        return b"Transfer-Encoding: chunked\r\n\r\n" + written_chunks(chunks, trailers)
    if body is not None:
        return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    return b"\r\n"


class Stream:
    """Reads messages from a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.left = bytearray()  # received, and not read yet

    # --- bytes

    def fill(self):
        """More from the socket; False at its end."""
        piece = self.sock.recv(1 << 16)
        self.left += piece
        return bool(piece)

    def take(self, count):
        data = bytes(self.left[:count])
        del self.left[:count]
        return data

    def exactly(self, count):
        while len(self.left) < count:
            if not self.fill():
                raise EOFError(f"{len(self.left)} of {count} bytes, then the end")
        return self.take(count)

    def ended(self):
        """Whether nothing comes any more. A reset is no end."""
        return not self.left and not self.fill()

    def line(self):
        while (end := self.left.find(b"\n")) < 0:
            if len(self.left) > HEAD_MAX:
                raise Malformed(f"a line without an end: {bytes(self.left[:100])!r}")
            if not self.fill():
                raise EOFError(f"the end, in the middle of a line: {bytes(self.left)!r}")
        line = self.take(end + 1)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise Malformed(f"a line that does not end in CR LF: {line!r}")
        return line[:-2]

    # --- heads

    def fields(self):
        found = Fields()
        while line := self.line():
            name, colon, value = line.partition(b":")
            if not colon or not TOKEN.fullmatch(name):
                raise Malformed(f"no field: {line!r}")
            if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
                raise Malformed(f"a control character in a value: {line!r}")
            found.append((name.decode(), value.strip(b" \t").decode("latin-1")))
        return found

    def request(self, body=True):
        """None at the end of the connection. Without `body` that is left to pieces()."""
        if self.ended():
            return None
        line = self.line()
        match = REQUEST_LINE.fullmatch(line)
        if not match:
            raise Malformed(f"no request line: {line!r}")
        method, target, minor = (part.decode("latin-1") for part in match.groups())
        message = Message(version=f"1.{minor}", fields=self.fields(), method=method, target=target)
        if minor == "1" and len(message.fields.all("host")) != 1:
            raise Malformed(f"{len(message.fields.all('host'))} Host fields")
        find_framing(message, "none")
        return self.with_body(message) if body else message

    def answer_head(self, method="GET"):
        """One, be it an interim one."""
        line = self.line()
        match = STATUS_LINE.fullmatch(line)
        if not match:
            raise Malformed(f"no status line: {line!r}")
        minor, status, reason = (part.decode("latin-1") for part in match.groups())
        message = Message(version=f"1.{minor}", fields=self.fields(), status=int(status), reason=reason)
        if message.status < 200 or message.status == 204:
            for name in ("content-length", "transfer-encoding"):
                if message.fields.has(name):
                    raise Malformed(f"{name} in a {message.status}")
        elif method == "HEAD" or message.status == 304:
            check_lengths(message.fields)
        elif not (method == "CONNECT" and message.status < 300):
            find_framing(message, "close")
        return message

    def answer(self, method="GET", body=True):
        """The final one, with the interim ones before it. 101 is final."""
        interims = []
        while True:
            message = self.answer_head(method)
            if message.status >= 200 or message.status == 101:
                message.interims = interims
                return self.with_body(message) if body else message
            interims.append(message)

    # --- bodies

    def with_body(self, message):
        message.body = b"".join(self.pieces(message))
        return message

    def pieces(self, message):
        """The body, as it comes; fills in trailers and chunks."""
        if message.framing == "length":
            yield from self._counted(message.length)
        elif message.framing == "close":
            while self.left or self.fill():
                yield self.take(len(self.left))
        elif message.framing == "chunked":
            yield from self._chunked(message)

    def _counted(self, count):
        while count > 0:
            if not self.left and not self.fill():
                raise EOFError(f"{count} bytes of a body are missing")
            piece = self.take(min(count, len(self.left)))
            count -= len(piece)
            yield piece

    def _chunked(self, message):
        while True:
            line = self.line()
            match = CHUNK_LINE.fullmatch(line)
            if not match:
                raise Malformed(f"no size of a chunk: {line!r}")
            if match[2]:
                message.extensions.append(match[2])
            size = int(match[1], 16)
            if size == 0:
                message.trailers = self.fields()
                return
            message.chunks.append(size)
            yield from self._counted(size)
            if (end := self.exactly(2)) != b"\r\n":
                raise Malformed(f"behind a chunk: {end!r}")


def check_lengths(fields):
    lengths = fields.all("content-length")
    if len(lengths) > 1 or (lengths and not re.fullmatch("[0-9]+", lengths[0])):
        raise Malformed(f"Content-Length: {lengths}")
    return int(lengths[0]) if lengths else None


def find_framing(message, otherwise):
    length = check_lengths(message.fields)
    codings = message.fields.all("transfer-encoding")
    if codings and (codings != ["chunked"] or length is not None):
        raise Malformed(f"Transfer-Encoding: {codings}, Content-Length: {length}")
    if codings:
        message.framing = "chunked"
    elif length is not None:
        message.framing, message.length = "length", length
    else:
        message.framing = otherwise
