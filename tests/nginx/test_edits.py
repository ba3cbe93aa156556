"""The files an administrator edits: a number or a line is changed, nginx reloaded, and it acts.

Every test puts back the files that it changed.
"""

import contextlib
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import SOURCE, Stack, free_port, wait_until  # noqa: E402  (after the path is set)

LIVE = "/api/health/live"
SHOP, OTHER = "https://shop.example.com", "https://evil.example.com"
CORS_HEADERS = ("Access-Control-Allow-Origin", "Access-Control-Allow-Methods",
                "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Access-Control-Expose-Headers")
CLIENT_RATE = r"(zone=mamori_client:10m\s+rate=)\d+r/s"
CLIENT_BURST = r"(zone=mamori_client\s+burst=)\d+"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

STACK = None


def setUpModule():
    global STACK  # pylint: disable=global-statement
    STACK = unittest.enterModuleContext(Stack(unlimited=False))


class NginxTest(unittest.TestCase):
    def setUp(self):
        self.nginx = STACK.nginx
        self.edited = {}
        self.addCleanup(self.put_back)
        # Whatever an earlier test used up of the limits is given back.
        wait_until(lambda: STACK.request("GET", LIVE).status == 200, "the limits to allow a request")

    def edit(self, name, *edits):
        """Replaces patterns in a file; reload() makes it count."""
        self.edited.setdefault(name, (self.nginx.conf / name).read_text(encoding="utf-8"))
        for pattern, replacement in edits:
            self.nginx.edit(name, pattern, replacement)

    def edit_and_reload(self, name, *edits):
        self.edit(name, *edits)
        self.nginx.reload()

    def put_back(self):
        for name, text in self.edited.items():
            self.nginx.write(name, text)
        if self.edited:
            self.nginx.reload()

    def get(self, path=LIVE, **headers):
        return STACK.request("GET", path, None, {name.replace("_", "-"): value
                                                 for name, value in headers.items()})

    def preflight(self, origin, path="/api/chat"):
        return STACK.request("OPTIONS", path, None, {"Origin": origin, **PREFLIGHT})

    def assert_error(self, reply, status, code):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers.get_content_type(), "application/json", reply.body)
        body = reply.json()
        self.assertEqual(body["code"], code)
        self.assertTrue(body["error"])
        self.assertEqual(body["request_id"], reply.headers["X-Request-Id"])
        for name in ("X-Request-Id", "X-Content-Type-Options", "Cache-Control", "Vary"):
            self.assertEqual(len(reply.headers.get_all(name, [])), 1, name)
        if status in (429, 502, 503, 504):
            self.assertEqual(len(reply.headers.get_all("Retry-After", [])), 1)
            self.assertRegex(reply.headers["Retry-After"], r"^[1-9]\d*$")

    def set_rate(self, rate, burst):
        self.edit_and_reload("limits.conf", (CLIENT_RATE, rf"\g<1>{rate}r/s"),
                             (CLIENT_BURST, rf"\g<1>{burst}"))


def pipeline(count):
    """Statuses of requests sent all at once on one connection."""
    one = f"GET {LIVE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with socket.create_connection(("127.0.0.1", STACK.nginx.plain_port), timeout=30) as connection:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            sending = pool.submit(connection.sendall, one * (count - 1) + last)
            data = b""
            while piece := connection.recv(65536):
                data += piece
            sending.result()
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+) ", data)]


class Rates(NginxTest):
    def test_rate_lowered__429_in_json__raised_again__200(self):
        self.set_rate(1, 1)
        wait_until(lambda: self.get().status == 200, "one request a second")
        refused = [reply for reply in (self.get() for _ in range(6)) if reply.status == 429]
        self.assertGreaterEqual(len(refused), 3)
        for reply in refused:
            self.assert_error(reply, 429, "rate_limited")
        self.set_rate(1000, 100)
        self.assertEqual({self.get().status for _ in range(50)}, {200})

    def test_defaults__burst_passes_and_a_flood_does_not(self):
        statuses = pipeline(1000)
        self.assertEqual(len(statuses), 1000)
        self.assertEqual(set(statuses), {200, 429})
        self.assertEqual(set(statuses[:50]), {200})

    def test_total_rate__limits_all_clients_together(self):
        self.edit("real-ip.conf", (r"#set_real_ip_from  192.0.2.10;", "set_real_ip_from 127.0.0.1;"),
                  (r"#real_ip_header", "real_ip_header"))
        self.edit_and_reload("limits.conf", (r"(zone=mamori_total:64k\s+rate=)\d+r/s", r"\g<1>1r/s"),
                             (r"(zone=mamori_total\s+burst=)\d+", r"\g<1>1"))
        statuses = [self.get(X_Forwarded_For=f"198.51.100.{number}").status for number in range(6)]
        self.assertIn(429, statuses)

    def test_connections__over_the_number_are_429(self):
        self.edit_and_reload("limits.conf", (r"(limit_conn mamori_client_conn )\d+", r"\g<1>1"))
        with concurrent.futures.ThreadPoolExecutor(1) as pool, stopped("analyze"):
            waiting = pool.submit(wait_until, self.is_let_in, "a connection of the only one")
            reply = wait_until(lambda: (found := self.get()).status == 429 and found,
                               "the second connection to be refused")
            self.assert_error(reply, 429, "rate_limited")
        self.assertEqual(waiting.result().status, 200)

    @staticmethod
    def is_let_in():
        """The reply, unless this was the connection too many."""
        reply = STACK.request("POST", "/api/analyze", {"message": "hello"})
        return reply.status != 429 and reply

    def test_preflight__costs_nothing_of_the_limit(self):
        self.set_rate(1, 1)
        self.assertEqual({self.preflight(SHOP).status for _ in range(10)}, {204})


@contextlib.contextmanager
def stopped(name):
    """The worker neither answers nor ends."""
    pids = wait_until(STACK.workers[name].pids, f"a worker of {name}")
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


class Origins(NginxTest):
    ALLOW = (r'(?m)^(\s*)#("https://shop\.example\.com")', r"\1\2")

    def assert_origin(self, reply, origin):
        self.assertEqual(reply.headers.get_all("Access-Control-Allow-Origin", []), [origin] if origin else [])
        self.assertEqual(reply.headers.get_all("Vary"), ["Origin"])
        self.assertIsNone(reply.headers["Access-Control-Allow-Credentials"])

    def test_no_origin_listed__nothing_is_allowed(self):
        for reply in (self.get(Origin=SHOP), self.preflight(SHOP)):
            self.assert_origin(reply, None)
            self.assertFalse(set(reply.headers) & set(CORS_HEADERS), reply.headers)

    def test_origin_added__allowed__removed__denied(self):
        before = (self.nginx.conf / "cors.conf").read_text(encoding="utf-8")
        self.edit_and_reload("cors.conf", self.ALLOW)
        for method, path in (("GET", LIVE), ("GET", "/none"), ("GET", "/api/chat"), ("POST", "/api/chat"),
                             ("OPTIONS", "/api/chat")):
            with self.subTest(method=method, path=path):
                reply = STACK.request(method, path, None, {"Origin": SHOP})
                self.assert_origin(reply, SHOP)
                self.assertEqual(reply.headers["Access-Control-Expose-Headers"], "X-Request-Id, Retry-After")
                self.assert_origin(STACK.request(method, path, None, {"Origin": OTHER}), None)
        self.nginx.write("cors.conf", before)
        self.nginx.reload()
        self.assert_origin(self.get(Origin=SHOP), None)

    def test_preflight__204_with_one_of_each(self):
        self.edit_and_reload("cors.conf", self.ALLOW)
        for path in ("/api/chat", "/api/analyze", LIVE):
            reply = self.preflight(SHOP, path)
            self.assertEqual((reply.status, reply.body), (204, b""))
            self.assert_origin(reply, SHOP)
            for name in CORS_HEADERS[1:4]:
                self.assertEqual(len(reply.headers.get_all(name, [])), 1, name)
            self.assertIn("POST", reply.headers["Access-Control-Allow-Methods"])
            allowed = reply.headers["Access-Control-Allow-Headers"].lower()
            self.assertIn("authorization", allowed)
            self.assertIn("content-type", allowed)
        denied = self.preflight(OTHER)
        self.assertEqual(denied.status, 204)
        self.assertFalse(set(denied.headers) & set(CORS_HEADERS), denied.headers)

    def test_similar_origins__are_denied(self):
        self.edit_and_reload("cors.conf", self.ALLOW)
        for origin in ("http://shop.example.com", SHOP + ":8443", SHOP + "/", SHOP + ".evil.org",
                       "https://xshop.example.com", "null", "", "*", SHOP + ", " + OTHER):
            with self.subTest(origin=origin):
                self.assert_origin(self.get(Origin=origin), None)

    def test_expression__allows_what_it_matches(self):
        self.edit_and_reload("cors.conf", (r'(?m)^\s*#"https://shop.*$',
                                           r'    "~^https://[a-z0-9-]+\\.example\\.com$" $http_origin;'))
        for origin, allowed in ((SHOP, SHOP), ("https://www.example.com", "https://www.example.com"),
                                ("https://www.example.com.evil.org", None), ("https://wwwxexample.com", None),
                                ("http://www.example.com", None)):
            with self.subTest(origin=origin):
                self.assert_origin(self.get(Origin=origin), allowed)

    def test_refused_for_the_rate__still_readable_by_the_page(self):
        self.edit("cors.conf", self.ALLOW)
        self.set_rate(1, 1)
        replies = [self.get(Origin=SHOP) for _ in range(6)]
        refused = [reply for reply in replies if reply.status == 429]
        self.assertTrue(refused)
        for reply in refused:
            self.assert_origin(reply, SHOP)


class Sizes(NginxTest):
    @staticmethod
    def post(size):
        body = json.dumps({"message": "hello"}).encode()
        return STACK.request("POST", "/api/analyze", body + b" " * (size - len(body)),
                             {"Content-Type": "application/json"})

    def test_body_size__lowered_and_raised(self):
        self.assertEqual(self.post(131072).status, 200)
        self.assert_error(self.post(131073), 413, "too_large")
        self.edit_and_reload("limits.conf", (r"client_max_body_size\s+\w+;", "client_max_body_size 1k;"))
        self.assertEqual(self.post(1024).status, 200)
        self.assert_error(self.post(1025), 413, "too_large")
        self.edit_and_reload("limits.conf", (r"client_max_body_size\s+\w+;", "client_max_body_size 100k;"))
        self.assertEqual(self.post(102400).status, 200)

    def test_body_size_over_the_workers__the_worker_says_413(self):
        self.edit_and_reload("limits.conf", (r"client_max_body_size\s+\w+;", "client_max_body_size 1m;"))
        self.assert_error(self.post(200000), 413, "too_large")


class Workers(NginxTest):
    def test_worker_stopped__502_in_json__started__200(self):
        workers = STACK.workers["analyze"]
        workers.stop()
        try:
            reply = STACK.request("POST", "/api/analyze", {"message": "hello"})
            self.assertIn((reply.status, reply.json()["code"]), ((502, "bad_gateway"), (503, "unavailable")))
            self.assert_error(reply, reply.status, reply.json()["code"])
            self.assertEqual(self.get().status, 200)
        finally:
            workers.start()
        wait_until(lambda: STACK.request("POST", "/api/analyze", {"message": "hello"}).status == 200,
                   "the worker to answer again")

    def test_worker_stuck__504_in_json(self):
        self.edit_and_reload("limits.conf", (r"fastcgi_read_timeout\s+\w+;", "fastcgi_read_timeout 1s;"))
        with stopped("analyze"):
            reply = STACK.request("POST", "/api/analyze", {"message": "hello"})
            self.assert_error(reply, 504, "timeout")
        self.assertEqual(STACK.request("POST", "/api/analyze", {"message": "hello"}).status, 200)


class RealAddress(NginxTest):
    def statuses(self, *addresses):
        return [self.get(X_Forwarded_For=address).status for address in addresses]

    def trust(self, *networks):
        lines = "".join(f"set_real_ip_from {network};\n" for network in networks)
        self.edit("real-ip.conf", (r"#set_real_ip_from  192.0.2.10;", lines),
                  (r"#(real_ip_header|real_ip_recursive)", r"\1"))

    def test_nobody_trusted__the_header_changes_nothing(self):
        self.set_rate(1, 1)
        statuses = self.statuses(*(f"198.51.100.{number}" for number in range(6)))
        self.assertGreaterEqual(statuses.count(429), 3)

    def test_proxy_trusted__each_address_has_its_own_limit(self):
        self.trust("127.0.0.1")
        self.set_rate(1, 1)
        self.assertEqual(self.statuses(*(f"198.51.100.{number}" for number in range(10))), [200] * 10)
        self.assertIn(429, self.statuses(*["203.0.113.7"] * 6))

    def test_claimed_address_in_front_of_the_proxys__is_not_believed(self):
        self.trust("127.0.0.1", "192.0.2.0/24")
        self.set_rate(1, 1)
        chains = [f"198.51.100.{number}, 203.0.113.9, 192.0.2.1" for number in range(6)]
        self.assertGreaterEqual(self.statuses(*chains).count(429), 3)

    def test_ipv6__one_network_of_64_bits_is_one_client(self):
        self.trust("127.0.0.1")
        self.set_rate(1, 1)
        same = self.statuses(*(f"2001:db8:1:2::{number:x}" for number in range(6)))
        self.assertGreaterEqual(same.count(429), 3)
        self.assertEqual(self.statuses(*(f"2001:db8:9:{number:x}::1" for number in range(6))), [200] * 6)


class Configuration(NginxTest):
    def test_test_stacks_files__are_clean(self):
        output = self.nginx.check()
        self.assertIn("test is successful", output)
        self.assertNotRegex(output, r"\[(warn|error|crit|alert|emerg)\]")

    def test_production_file__is_clean_with_its_listen_file(self):
        """mamori.conf as it is installed, but for ports and certificate."""
        version = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
        number = tuple(map(int, re.search(r"/([\d.]+)", version)[1].split(".")))
        listen = "listen-1.25.conf" if number >= (1, 25, 1) else "listen-1.22.conf"
        with tempfile.TemporaryDirectory(prefix="mamori-nginx-") as name:
            folder = pathlib.Path(name)
            shutil.copytree(SOURCE / "nginx", folder / "mamori")
            secure, plain = free_port(), free_port()
            text = (folder / "mamori" / listen).read_text(encoding="utf-8")
            (folder / "mamori" / "listen.conf").write_text(text.replace("443", str(secure)), encoding="utf-8")
            main = (folder / "mamori" / "mamori.conf").read_text(encoding="utf-8")
            main = re.sub(r"(listen +(\[::\]:)?)80;", rf"\g<1>{plain};", main)
            main = main.replace("/etc/ssl/certs/ssl-cert-snakeoil.pem", f"{self.nginx.folder}/cert.pem")
            main = main.replace("/etc/ssl/private/ssl-cert-snakeoil.key", f"{self.nginx.folder}/key.pem")
            (folder / "mamori" / "mamori.conf").write_text(main, encoding="utf-8")
            (folder / "nginx.conf").write_text(f"pid {folder}/pid;\nevents {{}}\nhttp {{\n"
                                               "    include mamori/mamori.conf;\n}\n", encoding="utf-8")
            done = subprocess.run(["nginx", "-t", "-p", name, "-c", f"{name}/nginx.conf", "-e", f"{name}/log"],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotRegex(done.stderr, r"\[(warn|error|crit|alert|emerg)\]")

    def test_wrong_edit__keeps_the_running_configuration(self):
        self.edit("limits.conf", (r"limit_req_status 429;", "limit_req_status many;"))
        self.assertIn("[emerg]", self.nginx.check())
        self.nginx.process.send_signal(signal.SIGHUP)
        log = self.nginx.folder / "error.log"
        wait_until(lambda: "limit_req_status" in log.read_text(errors="replace"), "the refusal in the log")
        self.assertEqual(self.get().status, 200)

    def test_every_error_location__is_internal(self):
        self.assert_error(self.get("/_err"), 404, "not_found")


class Tls(NginxTest):
    def handshake(self, lowest, highest, alpn=None, ciphers=None):
        """The version agreed on and the protocol; ssl.SSLError when refused."""
        context = ssl.create_default_context(cafile=str(self.nginx.folder / "cert.pem"))
        context.set_ciphers(ciphers or "DEFAULT:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = lowest, highest
        if alpn:
            context.set_alpn_protocols(alpn)
        with socket.create_connection(("127.0.0.1", self.nginx.port), timeout=20) as connection:
            with context.wrap_socket(connection, server_hostname="localhost") as secure:
                return secure.version(), secure.selected_alpn_protocol()

    def test_versions__12_and_13_are_accepted(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            self.assertEqual(self.handshake(version, version)[0], name)

    def test_versions__10_and_11_are_refused_by_the_server(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version=version), self.assertRaises(ssl.SSLError) as caught:
                self.handshake(version, version)
            self.assertIn("ALERT_PROTOCOL_VERSION", str(caught.exception))

    def test_ciphers__without_forward_secrecy_are_refused(self):
        with self.assertRaises(ssl.SSLError) as caught:
            self.handshake(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, ciphers="kRSA:@SECLEVEL=0")
        self.assertIn("ALERT_HANDSHAKE_FAILURE", str(caught.exception))

    def test_alpn__http2_is_preferred_and_http1_is_possible(self):
        both = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
        self.assertEqual(self.handshake(*both, alpn=["h2", "http/1.1"])[1], "h2")
        self.assertEqual(self.handshake(*both, alpn=["http/1.1"])[1], "http/1.1")

    def test_http2__carries_a_request(self):
        context = ssl.create_default_context(cafile=str(self.nginx.folder / "cert.pem"))
        context.set_alpn_protocols(["h2"])
        with socket.create_connection(("127.0.0.1", self.nginx.port), timeout=20) as connection:
            with context.wrap_socket(connection, server_hostname="localhost") as secure:
                status, body = http2_get(secure, LIVE)
        self.assertEqual((status, json.loads(body)["status"]), (200, "alive"))

    def test_hsts__is_opt_in(self):
        self.assertIsNone(self.get().headers["Strict-Transport-Security"])


def http2_get(secure, path):
    """One GET by RFC 9113 and RFC 7541, without Huffman coding: status and body."""
    def frame(kind, flags, stream, payload=b""):
        return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload

    def exactly(size):
        data = b""
        while len(data) < size:
            piece = secure.recv(size - len(data))
            if not piece:
                raise ConnectionError("closed")
            data += piece
        return data
    headers, settings, data, end = 1, 4, 0, 1
    fields = b"\x82\x87" + b"\x04" + bytes([len(path)]) + path.encode() + b"\x01\x09localhost"
    secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(settings, 0, 0) + frame(headers, 5, 1, fields))
    status, body = None, b""
    while True:
        size, kind, flags, stream = struct.unpack("!IBBI", b"\0" + exactly(9))
        payload = exactly(size)
        if stream == 1 and kind == headers:
            # nginx writes :status first; 0x88 is the static table's ":status: 200".
            status = 200 if payload.lstrip(b"\x20\x3f\xe1\x1f")[:1] == b"\x88" else 0
        if stream == 1 and kind == data:
            body += payload
        if stream == 1 and flags & end:
            return status, body


if __name__ == "__main__":
    unittest.main()
