"""FastCGI records made and read by hand, for tests that speak straight at a worker's socket.

Nothing here checks what it makes: the tests want malformed records too. Python's standard library only.
"""

import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = range(1, 10)
RECORD_MAX = 65528


def record(kind, content=b"", request=1, version=1):
    padding = -len(content) % 8
    return struct.pack("!BBHHBx", version, kind, request, len(content), padding) + content + bytes(padding)


def begin(role=1, keep=True, request=1):
    return record(BEGIN, struct.pack("!HB5x", role, 1 if keep else 0), request)


def pair(name, value):
    def size(text):
        return struct.pack("!B", len(text)) if len(text) < 128 else struct.pack("!I", len(text) | 1 << 31)
    return size(name) + size(value) + name + value


def stream(kind, content, request=1):
    """A stream's records with its end."""
    chunks = [content[i:i + RECORD_MAX] for i in range(0, len(content), RECORD_MAX)]
    return b"".join(record(kind, chunk, request) for chunk in chunks) + record(kind, b"", request)


def begin_with(values, role=1, keep=True, request=1):
    """Begin and parameters. A parameter that is None is left out."""
    params = b"".join(pair(name.encode(), value.encode())
                      for name, value in values.items() if value is not None)
    return begin(role, keep, request) + stream(PARAMS, params, request)


class Connection:
    """nginx's side of a worker's socket."""

    def __init__(self, path, timeout=15):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionResetError(f"closed after {len(data)} of {size} bytes")
            data += piece
        return data

    def next_record(self):
        """Kind, request, content."""
        _, kind, request, length, padding, _ = struct.unpack("!BBHHBB", self._exactly(8))
        return kind, request, self._exactly(length + padding)[:length]

    def output(self):
        """The standard output of the next whole request; ConnectionError when it is closed before."""
        out = b""
        while True:
            kind, _, content = self.next_record()
            if kind == STDOUT:
                out += content
            if kind == END:
                return out
