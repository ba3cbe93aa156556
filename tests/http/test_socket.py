"""Malformed requests straight at a worker's FastCGI socket, which nginx would never let through."""

import collections
import contextlib
import socket
import unittest

from client import (ANALYZE, GOOD, AliveTest, ApiTest, Peer, Stack, begin_alive_stack, head, wait_until,
                    whole)
from fastcgi import BEGIN, GET_VALUES, PARAMS, STDIN, begin, pair, record, stream

Row = collections.namedtuple("Row", "name request status code", defaults=(None,))


def setUpModule():
    begin_alive_stack()


JUNK = bytes(range(256)) * 8


def declared(text, body=GOOD):
    return whole(body, CONTENT_LENGTH=text)


SOCKET_ROWS = [
    *(Row(f"CONTENT_LENGTH {text!r}", declared(text), 400, "invalid_request")
      for text in ("-1", "-20", "abc", "20abc", " 20", "20 ", "+20", "0x14", "2e1", "20.0", "２０", "21", "100",
                   "131072")),
    *(Row(f"CONTENT_LENGTH {text!r}", declared(text), 413, "too_large")
      for text in ("131073", "2147483647", "2147483648", "4294967296", "4294967316", "9223372036854775807",
                   "9223372036854775808", "18446744073709551616", "18446744073709551636", "9" * 1000)),
    Row("CONTENT_LENGTH empty with a body", declared(""), 400, "invalid_json"),
    Row("CONTENT_LENGTH missing with a body", declared(None), 400, "invalid_json"),
    Row("CONTENT_LENGTH 0 with a body", declared("0"), 400, "invalid_json"),
    Row("CONTENT_LENGTH short", declared("10"), 400, "invalid_json"),
    Row("CONTENT_LENGTH without a body", declared("20", b""), 400, "invalid_request"),
    Row("REQUEST_METHOD missing", whole(REQUEST_METHOD=None), 400, "invalid_request"),
    Row("REQUEST_METHOD empty", whole(REQUEST_METHOD=""), 400, "invalid_request"),
    Row("REQUEST_METHOD long", whole(REQUEST_METHOD="A" * 9000), 405, "method_not_allowed"),
    Row("REQUEST_METHOD two words", whole(REQUEST_METHOD="POST, GET"), 405, "method_not_allowed"),
    Row("SCRIPT_NAME missing", whole(SCRIPT_NAME=None), 400, "invalid_request"),
    Row("SCRIPT_NAME of another worker", whole(SCRIPT_NAME="/api/chat"), 404, "not_found"),
    Row("SCRIPT_NAME long", whole(SCRIPT_NAME="/" + "a" * 20000), 404, "not_found"),
    Row("CONTENT_TYPE missing", whole(CONTENT_TYPE=None), 415, "unsupported_media_type"),
    Row("no parameters", begin() + stream(PARAMS, b"") + stream(STDIN, GOOD), 400, "invalid_request"),
    Row("body of 1 MiB declared as 20", whole(GOOD + b" " * (1 << 20), CONTENT_LENGTH="20"), 200),
    Row("body of 1 MiB declared", whole(GOOD + b" " * (1 << 20)), 413, "too_large"),
]
# Not FastCGI, or not what libfcgi serves: closed, or answered with whatever libfcgi says.
SOCKET_JUNK = {
    "nothing": b"", "one byte": b"\x01", "HTTP": b"POST /api/analyze HTTP/1.1\r\nHost: a\r\n\r\n",
    "every byte": JUNK, "TLS": b"\x16\x03\x01\x02\x00" + JUNK, "zeros": bytes(4096), "ones": b"\xff" * 4096,
    "version 2": record(BEGIN, b"\0\1\0\0\0\0\0\0", version=2), "version 0": record(BEGIN, b"\0" * 8, version=0),
    "half a header": b"\x01\x01\x00", "begin and nothing": begin(), "begin without its body": record(BEGIN),
    "begin with a short body": record(BEGIN, b"\0\1"), "begin twice": begin() + begin(),
    "begin twice with two ids": begin(request=1) + begin(request=2),
    "role 0": begin(role=0) + stream(PARAMS, b"") + record(STDIN),
    "role 99": begin(role=99) + stream(PARAMS, b"") + record(STDIN),
    "authorizer": begin(role=2) + stream(PARAMS, b"") + record(STDIN),
    "filter": begin(role=3) + stream(PARAMS, b"") + record(STDIN),
    "request 0": begin(request=0), "request 65535": whole(request=65535),
    "stdin before parameters": begin() + record(STDIN, GOOD) + record(STDIN),
    "parameters without an end": begin() + record(PARAMS, pair(b"REQUEST_METHOD", b"POST")),
    "parameters without begin": stream(PARAMS, pair(b"REQUEST_METHOD", b"POST")),
    "a name longer than the record": begin() + stream(PARAMS, b"\x7f\x01a"),
    "a name of 2 GiB": begin() + stream(PARAMS, b"\xff\xff\xff\xff\xff\xff\xff\xffa"),
    "a value of 2 GiB": begin() + stream(PARAMS, b"\x01\xff\xff\xff\xffaa"),
    "a length cut": begin() + stream(PARAMS, b"\x80\x00"),
    "empty names": begin() + stream(PARAMS, b"\0\0" * 5000) + record(STDIN),
    "a record cut": head(GOOD) + record(STDIN, GOOD)[:12],
    "stdin of another request": head(GOOD) + record(STDIN, GOOD, request=7) + record(STDIN, b"", request=7),
    "unknown type inside": head(GOOD) + record(77, b"abc") + stream(STDIN, GOOD),
    "data record inside": head(GOOD) + record(8, b"abc") + stream(STDIN, GOOD),
    "junk after the end": whole() + JUNK,
    "abort at once": begin() + record(2), "abort of nothing": record(2),
    "abort after parameters": head(GOOD) + record(2), "abort inside stdin": head(GOOD) + record(STDIN, GOOD[:5])
                                                                          + record(2),
    "stdin without an end": head(GOOD) + record(STDIN, GOOD[:5]),
}
# Only nginx may open the socket, and it sends nothing like these. libfcgi 2.4.2 adds the lengths up beyond
# an int and asserts (CVE-2025-23016, mended wholly in 2.4.7); each management record costs it 48 bytes.
LIBFCGI_JUNK = {
    "management record of no known type": record(77, b"abc", request=0) + whole(),
    "question for values": record(GET_VALUES, pair(b"FCGI_MAX_CONNS", b""), request=0) + whole(),
    "name of INT_MAX less one": begin() + stream(PARAMS, b"\xff\xff\xff\xfe\x01aa"),
    "name and value of INT_MAX together": begin() + stream(PARAMS, b"\xc0\0\0\0\xbf\xff\xff\xffaa"),
}


class Socket(AliveTest):
    def peer(self):
        return Peer(self.stack.folder / "analyze.sock")

    def test_socket_rows(self):
        for row in SOCKET_ROWS:
            with self.subTest(row.name), self.peer() as peer:
                reply = peer.ask(row.request)
                self.assertIsNotNone(reply, "closed without a reply")
                self.assertEqual(reply.status, row.status, reply.body)
                if row.status != 200:
                    body = reply.json()
                    self.assertEqual(body["code"], row.code, body)
                    self.assertEqual(body["request_id"], reply.headers["X-Request-Id"])
                    self.assertEqual(int(reply.headers["Content-Length"]), len(reply.body))

    def test_socket_rows__one_after_the_other_on_one_connection(self):
        """A refused request leaves nothing behind in a kept connection."""
        peer = self.peer()
        try:
            for row in SOCKET_ROWS:
                reply = peer.ask(row.request)
                self.assertEqual(reply.status, row.status, row.name)
                answer = self.ask_again(peer)
                if answer is None:
                    peer.socket.close()
                    peer = self.peer()
                    answer = self.ask_again(peer)
                self.assertEqual(answer.status, 200, row.name)
        finally:
            peer.socket.close()

    @staticmethod
    def ask_again(peer):
        """None: the worker closed the connection, as it may after a body that it did not read."""
        return peer.ask(whole())

    def test_junk__harms_nobody(self):
        for name, data in SOCKET_JUNK.items():
            with self.subTest(name), self.peer() as peer:
                with contextlib.suppress(ConnectionError):
                    peer.send(data)
                    peer.socket.shutdown(socket.SHUT_WR)
                reply = peer.reply()
                if reply:
                    self.assertIn(reply.status, (0, 200, 400, 404, 405), reply.body)

    def test_junk_that_stays_open__holds_up_nobody(self):
        """Fewer than the worker's threads wait for the rest of their request."""
        with contextlib.ExitStack() as stack:
            for data in list(SOCKET_JUNK.values())[-12:]:
                peer = stack.enter_context(self.peer())
                with contextlib.suppress(ConnectionError):
                    peer.send(data)
            self.assertEqual(self.stack.request("POST", ANALYZE, {"message": "hello"}).status, 200)

    def test_gone_clients__harm_nobody(self):
        for data in (b"", head(GOOD), head(GOOD) + record(STDIN, GOOD[:5]), whole()):
            for _ in range(20):
                with self.peer() as peer:
                    peer.send(data)

    def test_request_ids__malformed_ones_are_replaced(self):
        for text in ("a\r\nX-Evil: 1", "a b", "", "a" * 65, "<x>", None, "あ"):
            with self.subTest(text=text), self.peer() as peer:
                reply = peer.ask(whole(b"{", REQUEST_ID=text))
                self.assertRegex(reply.headers["X-Request-Id"], r"^[0-9a-f-]{36}$")
                self.assertIsNone(reply.headers["X-Evil"])
        for text in ("a", "a" * 64, "0aZ-9"):
            with self.peer() as peer:
                self.assertEqual(peer.ask(whole(REQUEST_ID=text)).headers["X-Request-Id"], text)

    def test_pieces__one_byte_at_a_time(self):
        with self.peer() as peer:
            for byte in whole():
                peer.send(bytes((byte,)))
            self.assertEqual(peer.reply().status, 200)

    def test_kept_connection__other_request_numbers(self):
        with self.peer() as peer:
            for number in (1, 2, 65535, 1):
                reply = peer.ask(whole(request=number, REQUEST_ID=f"number-{number}"))
                self.assertEqual((reply.status, reply.headers["X-Request-Id"]), (200, f"number-{number}"))


class LibfcgiEdges(ApiTest):
    def test_what_libfcgi_stumbles_over__leaves_a_service_that_answers(self):
        with Stack(apps=("analyze",)) as stack:
            for name, data in LIBFCGI_JUNK.items():
                with self.subTest(name), Peer(stack.folder / "analyze.sock") as peer:
                    with contextlib.suppress(ConnectionError):
                        peer.send(data)
                        peer.socket.shutdown(socket.SHUT_WR)
                    peer.reply()
                    wait_until(lambda: stack.request("POST", ANALYZE, {"message": "hello"}).status == 200,
                               "a worker to answer")


if __name__ == "__main__":
    unittest.main()
