"""A client of server-sent events that notes when each arrives, for tests and tools/bench.

    with Listener(stack, {"message": "…"}) as listener:
        for event in listener: …
"""

import collections
import contextlib
import json
import socket
import time

HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream"}

# at: monotonic seconds; a comment has the name ":"
Event = collections.namedtuple("Event", "name data at")


class Listener:
    """One POST /api/chat over a connection of its own. reply: status and headers."""

    def __init__(self, stack, body, headers=None, timeout=30, plain=False):
        self.connection = stack.connect(plain, timeout)
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.began = time.monotonic()
        try:
            self.connection.request("POST", "/api/chat", payload, {**HEADERS, **(headers or {})})
            self.reply = self.connection.getresponse()
        except BaseException:
            self.connection.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __iter__(self):
        name, data = None, []
        while line := self.reply.readline():
            text = line.rstrip(b"\r\n").decode()
            if text.startswith(":"):
                yield Event(":", text[1:], time.monotonic())
            elif text:
                field, _, value = text.partition(": ")
                name = value if field == "event" else name
                data += [value] if field == "data" else []
            elif data:
                yield Event(name, json.loads("\n".join(data)), time.monotonic())
                name, data = None, []

    def until(self, name):
        """The events up to and with the first of this name."""
        events = []
        for event in self:
            events.append(event)
            if event.name == name:
                return events
        raise AssertionError(f"the stream ended without {name}: {events}")

    def leave(self):
        """Hangs up, as a browser does whose page is left."""
        with contextlib.suppress(OSError):
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self):
        self.reply.close()
        self.connection.close()


def said(events):
    """What a client shows that follows the deltas: the texts of the last attempt."""
    deltas = [event.data for event in events if event.name == "delta"]
    last = max((delta["attempt"] for delta in deltas), default=1)
    return "".join(delta["text"] for delta in deltas if delta["attempt"] == last)
