"""What the HTTP tests share: a stack per module, checks of replies, raw HTTP and raw FastCGI.

Nothing here knows an endpoint's rules; those are in the tests.
"""

import contextlib
import email.parser
import json
import pathlib
import re
import socket
import sys
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
import fastcgi  # noqa: E402  (after the path is set)
from harness import SOURCE, Reply, Stack, wait_until  # noqa: E402,F401

ANALYZE, CHAT = "/api/analyze", "/api/chat"
GOOD = json.dumps({"message": "hello"}).encode()
JSON = {"Content-Type": "application/json"}
SPEC_CHAT = {"message": "商品が届きません。注文番号 ORD-12345 です。", "customer_name": "山田太郎", "history": []}
SPEC_ANALYZE = {"message": "ふざけるな！バカ！"}
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|Assertion .* failed")


def new_id():
    return str(uuid.uuid4())


def begin_stack(**options):
    """Starts a Stack that ends with the module; then no worker may have crashed or leaked."""
    stack = unittest.enterModuleContext(Stack(**options))

    def check():
        for workers in stack.workers.values():
            workers.stop()
            found = SANITIZER.search(workers.log.read_text(errors="replace"))
            if found:
                raise AssertionError(f"{workers.name}: {workers.log.read_text(errors='replace')}")
    unittest.addModuleCleanup(check)
    return stack


class ApiTest(unittest.TestCase):
    """A test against a running stack; subclasses set `stack` in setUpClass or setUp."""

    stack = None
    maxDiff = None

    def send(self, path, body, headers=None, status=200):
        """POSTs JSON, checks the status, returns the decoded reply."""
        reply = self.stack.request("POST", path, body, headers)
        self.assertEqual(reply.status, status, reply.body.decode(errors="replace"))
        self.assert_common_headers(reply)
        return reply.json()

    def chat(self, message, conversation=None, status=200, **fields):
        """One turn; conversation: the reply of an earlier turn."""
        if conversation:
            fields = {"conversation_id": conversation["conversation_id"],
                      "conversation_token": conversation["conversation_token"], **fields}
        return self.send("/api/chat", {"message": message, **fields}, status=status)

    def analyze(self, message, **fields):
        return self.send("/api/analyze", {"message": message, **fields})

    def health(self):
        return self.stack.request("GET", "/api/health")

    def sql(self, text):
        return self.stack.postgres.sql(text)

    def assert_common_headers(self, reply):
        """Exactly one of each, whoever answered."""
        for name in ("X-Request-Id", "X-Content-Type-Options", "Cache-Control", "Vary"):
            self.assertEqual(len(reply.headers.get_all(name, [])), 1, f"{name}: {reply.headers}")
        self.assertEqual(reply.headers["Cache-Control"], "no-store")
        self.assertEqual(reply.headers["X-Content-Type-Options"], "nosniff")

    def assert_error(self, reply, status, code=None, field=None):
        """Status and the JSON of an error; field None: no details."""
        self.assertEqual(reply.status, status, reply.body.decode(errors="replace"))
        self.assertEqual(reply.headers.get_content_type(), "application/json", reply.body)
        self.assert_common_headers(reply)
        body = reply.json()
        for key in ("error", "code", "request_id"):
            self.assertIsInstance(body.get(key), str, body)
            self.assertTrue(body[key].strip(), body)
        self.assertEqual(body["request_id"], reply.headers["X-Request-Id"])
        if code:
            self.assertEqual(body["code"], code, body)
        self.assertEqual((body.get("details") or {}).get("field"), field, body)
        if status in (429, 503):
            self.assertRegex(reply.headers["Retry-After"] or "", r"^[1-9]\d*$")
        return body


class AliveTest(ApiTest):
    """After every test the same worker processes serve good requests."""

    pids = None

    def tearDown(self):
        for name, workers in self.stack.workers.items():
            self.assertEqual(workers.pids(), self.pids[name], f"{name} was replaced")
        for path in (ANALYZE, CHAT):
            self.assertEqual(self.stack.request("POST", path, {"message": "hello"}).status, 200)
        self.assertEqual(self.health().status, 200)


def begin_alive_stack():
    """A stack for AliveTest, whose junk may hold up some of the worker's threads."""
    ApiTest.stack = begin_stack(settings={"server.threads": 16})
    AliveTest.pids = {name: workers.pids() for name, workers in ApiTest.stack.workers.items()}


# ---- raw HTTP, for what http.client refuses to send

def http(method="POST", path="/api/analyze", headers=None, body=b"", version="HTTP/1.1", length=True):
    """The bytes of a request. headers: {name: value} or [(name, value)], over usual ones."""
    lines = [("Host", "localhost"), ("Connection", "close")]
    if method == "POST":
        lines.append(("Content-Type", "application/json"))
    if length and (body or method == "POST"):
        lines.append(("Content-Length", str(len(body))))
    given = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
    names = {name.lower() for name, _ in given}
    lines = [line for line in lines if line[0].lower() not in names]
    lines += [line for line in given if line[1] is not None]
    head = f"{method} {path} {version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
    return head.encode("latin-1") + b"\r\n" + body


def read_all(connection):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return data


def parse_reply(data, has_body=True):
    """The last reply in data (an interim 100 stands before it); None when there is none."""
    while data.startswith(b"HTTP/1.1 100"):
        data = data.partition(b"\r\n\r\n")[2]
    if not data:
        return None
    top, _, body = data.partition(b"\r\n\r\n")
    line, _, fields = top.partition(b"\r\n")
    headers = email.parser.Parser().parsestr(fields.decode("latin-1"))
    if headers.get("Transfer-Encoding") == "chunked":
        body = b"".join(unchunk(body))
    return Reply(int(line.split()[1]), headers, body if has_body else b"")


def unchunk(data):
    while data:
        size, _, data = data.partition(b"\r\n")
        count = int(size, 16)
        yield data[:count]
        data = data[count + 2:]


def exchange(port, data, timeout=20):
    """Sends bytes as they are, reads until the other side closes; None: closed without a reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        return parse_reply(read_all(connection))


# ---- raw FastCGI

def head(body, path="/api/analyze", method="POST", request=1, role=1, keep=True, **more):
    """Begin and parameters. A parameter that is None is left out."""
    values = {"REQUEST_METHOD": method, "SCRIPT_NAME": path, "QUERY_STRING": "",
              "REQUEST_ID": "socket-test", "CONTENT_TYPE": "application/json",
              "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1", **more}
    return fastcgi.begin_with(values, role, keep, request)


def whole(body=GOOD, request=1, **more):
    return head(body, request=request, **more) + fastcgi.stream(fastcgi.STDIN, body, request)


class Peer(fastcgi.Connection):
    """A connection that reads replies."""

    def reply(self):
        """The next whole reply; None when the connection is closed before its end, status 0 when it
        has no head (libfcgi refuses the request itself)."""
        try:
            out = self.output()
        except ConnectionError:
            return None
        top, _, body = out.partition(b"\r\n\r\n")
        headers = email.parser.Parser().parsestr(top.decode("latin-1"))
        return Reply(int(headers.get("Status", "0").split()[0]), headers, body)

    def ask(self, data):
        """The reply to these bytes. None: closed, as is right for what is no FastCGI."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send(data)
        return self.reply()
