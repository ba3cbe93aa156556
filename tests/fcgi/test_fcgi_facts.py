#!/usr/bin/env python3
"""What serve() needs to be true of libfcgi, spoken straight at the socket, without nginx.

Each test says which behaviour it guards. The program is tests/bench/bench_constant (a constant, an
echo, a slow answer, a held reply); its path is in MAMORI_BENCH_CONSTANT, default
build/tests/bench/bench_constant. Python's standard library only; what a test starts it ends by process
id.
"""

import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

# pylint: disable=wrong-import-position
from fastcgi import (ABORT, BEGIN, PARAMS, STDIN, Connection, begin, begin_with, record,  # noqa: E402
                     stream)  # (after the path is set)

PROGRAM = os.environ.get("MAMORI_BENCH_CONSTANT", ROOT / "build/tests/bench/bench_constant")
LIMIT = 131072
HELD_SECONDS = 3.0  # how long a test is patient before it calls something stuck


def head(path="/api/constant", method="GET", keep=True, length=None, **more):
    values = {"REQUEST_METHOD": method, "SCRIPT_NAME": path, "QUERY_STRING": "", "REQUEST_ID": "test",
              "CONTENT_LENGTH": "" if length is None else str(length),
              "CONTENT_TYPE": "application/json" if length else "", **more}
    return begin_with(values, keep=keep)


def whole(path="/api/constant", method="GET", body=b"", declared=None, **more):
    length = len(body) if declared is None and body else declared
    return head(path, method, length=length, **more) + stream(STDIN, body)


class Peer(Connection):
    """A connection that asks and reads replies."""

    def reply(self):
        """One reply: status, head, body."""
        top, _, body = self.output().partition(b"\r\n\r\n")
        return int(top.split(b"\r\n")[0].split()[1]), top.decode(), body

    def ask(self, *arguments, **named):
        self.send(whole(*arguments, **named))
        return self.reply()

    def is_closed(self):
        """Whether the other side closes without another byte."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


class Server:
    """A program with a listening socket as descriptor 0."""

    def __init__(self, threads=4, limits=None, **environment):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mamori-fcgi-"))
        self.path = self.folder / "socket"
        (self.folder / "mamori.conf").write_text(f"[server]\nthreads = {threads}\n"
                                                 "drain_seconds = 5\n[log]\nlevel = info\n")
        self.log = self.folder / "log"
        variables = {**os.environ, "MAMORI_CONF": str(self.folder / "mamori.conf"), **environment}
        with socket.socket(socket.AF_UNIX) as listener, open(self.log, "wb") as log:
            listener.bind(str(self.path))
            listener.listen(256)
            self.process = subprocess.Popen([str(PROGRAM)], stdin=listener, stderr=log, env=variables,
                                            preexec_fn=limits)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def peer(self, timeout=10):
        return Peer(self.path, timeout)

    def end(self, number=signal.SIGTERM):
        """Sends the signal; returns the exit code and how long it took."""
        start = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(20), time.monotonic() - start

    def text(self):
        return self.log.read_text(errors="replace")

    def children(self, what):
        return len(os.listdir(f"/proc/{self.process.pid}/{what}"))


class Facts(unittest.TestCase):
    def assert_serves(self, server):
        with server.peer() as peer:
            self.assertEqual(peer.ask()[0], 200)

    # --- kept connections -------------------------------------------------------------------------

    def test_kept_connection__many_requests__each_answered_in_order(self):
        with Server() as server, server.peer() as peer:
            for number in range(200):
                body = str(number).encode()
                self.assertEqual(peer.ask("/api/echo", "POST", body)[2], body)

    def test_keep_flag_off__is_closed_after_the_reply(self):
        with Server() as server, server.peer() as peer:
            self.assertEqual(peer.ask(keep=False)[0], 200)
            self.assertTrue(peer.is_closed())

    def test_idle_kept_connections__hold_no_thread(self):
        with Server(threads=1) as server:
            idle = [server.peer() for _ in range(64)]
            for peer in idle:
                self.assertEqual(peer.ask()[0], 200)
            start = time.monotonic()
            self.assert_serves(server)
            self.assertLess(time.monotonic() - start, 0.05)
            for peer in idle:
                self.assertEqual(peer.ask()[0], 200)
                peer.socket.close()

    def test_silent_connections__hold_no_thread(self):
        with Server(threads=1) as server:
            silent = [server.peer() for _ in range(16)]
            start = time.monotonic()
            self.assert_serves(server)
            self.assertLess(time.monotonic() - start, 1)
            for peer in silent:
                peer.socket.close()

    def test_unread_body__does_not_lose_the_next_request(self):
        with Server() as server, server.peer() as peer:
            for size in (1, 8000, 8192, 100000, 900000):
                self.assertEqual(peer.ask("/api/unread", "POST", b"x" * size)[0], 200, size)
                self.assertEqual(peer.ask("/api/echo", "POST", b"next")[2], b"next", size)

    def test_end_of_body_that_comes_late__does_not_lose_the_next_request(self):
        with Server() as server, server.peer() as peer:
            peer.send(head())
            time.sleep(0.05)  # so that the end of STDIN is a read of its own
            peer.send(record(STDIN))
            self.assertEqual(peer.reply()[0], 200)
            self.assertEqual(peer.ask()[0], 200)

    def test_huge_unread_body__closes_the_connection_and_nothing_else(self):
        with Server() as server:
            with server.peer() as peer:
                try:
                    peer.send(whole("/api/unread", "POST", b"x" * 3000000))
                except OSError:
                    pass
            self.assert_serves(server)

    def test_bytewise_request__is_answered(self):
        with Server() as server, server.peer() as peer:
            for byte in whole("/api/echo", "POST", b"slow"):
                peer.send(bytes([byte]))
            self.assertEqual(peer.reply()[2], b"slow")

    # --- bodies -----------------------------------------------------------------------------------

    def test_body__short_with_a_proper_end__is_400(self):
        with Server() as server, server.peer() as peer:
            status, _, body = peer.ask("/api/echo", "POST", b"x" * 1000, declared=5000)
            self.assertEqual(status, 400)
            self.assertIn(b"invalid_request", body)
            self.assertEqual(peer.ask()[0], 200)

    def test_body__declared_length__decides(self):
        rows = [("-1", 400), ("+4", 400), ("4 ", 400), ("0x4", 400), ("4,4", 400), ("1e3", 400),
                (str(LIMIT + 1), 413), ("9" * 40, 413), ("0004", 200), ("4", 200)]
        with Server() as server, server.peer() as peer:
            for declared, want in rows:
                got = peer.ask("/api/echo", "POST", b"body", declared=declared)[0]
                self.assertEqual(got, want, declared)

    def test_body__of_the_limit__is_whole(self):
        body = os.urandom(LIMIT // 2).hex().encode()
        with Server() as server, server.peer() as peer:
            self.assertEqual(peer.ask("/api/echo", "POST", body)[2], body)

    def test_reply__larger_than_libfcgis_buffer__is_whole(self):
        with Server() as server, server.peer() as peer:
            for size in (8100, 8184, 8192, 8193, 16384, 65536, 100001):
                body = b"y" * size
                self.assertEqual(peer.ask("/api/echo", "POST", body)[2], body, size)

    # --- peers that misbehave ---------------------------------------------------------------------

    def test_garbage__costs_the_peer_its_connection_only(self):
        rows = [b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\0" * 64, b"\xff" * 64,
                record(STDIN, b"body before begin"), record(PARAMS, b"\xff\xff\xff\xff" * 4),
                begin() + record(PARAMS, b"\x7f\x7fshort") + record(PARAMS),
                record(BEGIN, struct.pack("!HB5x", 99, 1)), record(ABORT)]
        with Server(threads=2) as server:
            for number, data in enumerate(rows):
                with server.peer() as peer:
                    peer.send(data)
                    peer.socket.shutdown(socket.SHUT_WR)
                    try:
                        while peer.socket.recv(65536):
                            pass
                    except ConnectionResetError:
                        pass
                self.assertIsNone(server.process.poll(), number)
                self.assert_serves(server)

    def test_half_a_record__is_given_up_after_seconds_and_does_not_block_others(self):
        with Server(threads=2) as server, server.peer() as stalled:
            self.assert_serves(server)
            time.sleep(0.05)  # one thread polls, the other is parked
            stalled.send(head()[:20])
            start = time.monotonic()
            self.assert_serves(server)
            self.assertLess(time.monotonic() - start, 1)
            self.assertTrue(stalled.is_closed())
            self.assertLess(time.monotonic() - start, 8)

    def test_as_many_stalled_peers_as_threads__end_by_themselves(self):
        with Server(threads=2) as server:
            stalled = [server.peer() for _ in range(2)]
            for peer in stalled:
                peer.send(whole()[:40])
            with server.peer() as peer:
                start = time.monotonic()
                self.assertEqual(peer.ask()[0], 200)
                self.assertLess(time.monotonic() - start, 8)
            for peer in stalled:
                peer.socket.close()

    def test_peer_gone_before_the_reply__is_survived(self):
        with Server() as server:
            for _ in range(20):
                with server.peer() as peer:
                    peer.send(whole("/api/slow", QUERY_STRING="20"))
            time.sleep(0.1)  # the replies meet closed sockets meanwhile
            self.assertIsNone(server.process.poll())
            self.assert_serves(server)

    def test_sigpipe__is_ignored_after_init(self):
        with Server() as server:
            self.assert_serves(server)
            status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
            ignored = int(status.split("SigIgn:")[1].split()[0], 16)
            self.assertTrue(ignored & 1 << (signal.SIGPIPE - 1))

    def test_abort_record__is_harmless(self):
        with Server() as server, server.peer() as peer:
            peer.send(head("/api/slow", QUERY_STRING="50") + record(STDIN) + record(ABORT))
            peer.reply()
            self.assert_serves(server)

    def test_peer_that_stays__does_not_delay_the_close(self):
        with Server(threads=1) as server, server.peer() as peer:
            peer.ask(keep=False)
            start = time.monotonic()
            self.assert_serves(server)
            self.assertLess(time.monotonic() - start, 0.5)

    def test_many_parameters_and_long_ones__are_read(self):
        more = {f"HTTP_X_{number}": "v" * 200 for number in range(300)}
        with Server() as server, server.peer() as peer:
            self.assertEqual(peer.ask(HTTP_LONG="x" * 60000, **more)[0], 200)

    # --- threads ----------------------------------------------------------------------------------

    def test_slow_handlers__do_not_block_a_quick_one(self):
        with Server(threads=8) as server:
            self.assert_serves(server)
            slow = [server.peer() for _ in range(7)]
            for peer in slow:
                peer.send(whole("/api/slow", QUERY_STRING="500"))
            start = time.monotonic()
            self.assert_serves(server)
            self.assertLess(time.monotonic() - start, 0.2)
            for peer in slow:
                self.assertEqual(peer.reply()[0], 200)
                peer.socket.close()
            self.assertLess(time.monotonic() - start, 1.5)

    def test_held_replies__more_than_threads__all_leave(self):
        with Server(threads=1) as server:
            peers = [server.peer() for _ in range(100)]
            for _ in range(5):
                for peer in peers:
                    peer.send(whole("/api/held"))
                for peer in peers:
                    self.assertEqual(peer.reply()[0], 200)
            for peer in peers:
                peer.socket.close()

    def test_held_reply__of_a_peer_that_is_gone__is_survived(self):
        with Server(threads=1) as server:
            for _ in range(50):
                with server.peer() as peer:
                    peer.send(whole("/api/held"))
            self.assert_serves(server)

    def test_load__from_many_connections__every_reply_is_its_own(self):
        failures = []

        def run(server, number):
            try:
                with server.peer() as peer:
                    for turn in range(60):
                        body = f"{number}:{turn}".encode()
                        if peer.ask("/api/echo", "POST", body)[2] != body:
                            failures.append(body)
                        if turn % 5 == 0 and peer.ask("/api/commit")[0] != 200:
                            failures.append("commit")
                        if turn % 7 == 0 and peer.ask("/api/held")[0] != 200:
                            failures.append("held")
            except OSError as error:
                failures.append(error)
        with Server(threads=8) as server:
            threads = [threading.Thread(target=run, args=(server, number)) for number in range(32)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])

    # --- descriptors ------------------------------------------------------------------------------

    def test_out_of_descriptors__backs_off_and_recovers(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
        with Server(limits=few) as server:
            many = [server.peer() for _ in range(40)]
            self.assertEqual(many[0].ask()[0], 200)
            deadline = time.monotonic() + HELD_SECONDS
            while "next try" not in server.text() and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertIn("next try", server.text())
            self.assertEqual(many[1].ask()[0], 200)
            for peer in many:
                peer.socket.close()
            self.assert_serves(server)

    def test_closed_connections__leak_nothing(self):
        with Server() as server:
            self.assert_serves(server)
            before = server.children("fd")
            for number in range(200):
                with server.peer() as peer:
                    peer.ask(keep=number % 2 == 0)
            self.assert_serves(server)
            deadline = time.monotonic() + HELD_SECONDS
            while server.children("fd") > before + 1 and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertLessEqual(server.children("fd"), before + 1)

    # --- the end ----------------------------------------------------------------------------------

    def test_each_stop_signal__ends_an_idle_process_at_once_with_0(self):
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            with self.subTest(number), Server() as server:
                self.assert_serves(server)
                with server.peer() as idle:
                    idle.ask()
                    code, seconds = server.end(number)
                self.assertEqual(code, 0, server.text())
                self.assertLess(seconds, 2)

    def test_stop__finishes_the_request_under_way(self):
        with Server() as server, server.peer() as peer:
            peer.ask()
            peer.send(whole("/api/slow", QUERY_STRING="700"))
            time.sleep(0.1)  # it is under way
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(peer.reply()[0], 200)
            self.assertTrue(peer.is_closed())
            self.assertEqual(server.process.wait(10), 0)

    def test_stop__answers_a_request_that_was_sent_but_not_read(self):
        with Server(threads=1) as server, server.peer() as busy, server.peer() as waiting:
            busy.ask()
            waiting.ask()
            busy.send(whole("/api/slow", QUERY_STRING="400"))
            time.sleep(0.1)  # the only thread is busy
            waiting.send(whole())
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(busy.reply()[0], 200)
            self.assertEqual(waiting.reply()[0], 200)
            self.assertEqual(server.process.wait(10), 0)

    def test_stop__request_longer_than_the_drain_time__exits_1_in_time(self):
        with Server(MAMORI_SERVER_DRAIN_SECONDS="1") as server, server.peer() as peer:
            peer.send(whole("/api/slow", QUERY_STRING="30000"))
            time.sleep(0.1)  # it is under way
            code, seconds = server.end()
            self.assertEqual(code, 1)
            self.assertLess(seconds, 4)

    def test_hangup__reloads_while_requests_are_served(self):
        with Server() as server:
            self.assert_serves(server)
            for count in range(1, 4):
                server.process.send_signal(signal.SIGHUP)
                deadline = time.monotonic() + HELD_SECONDS
                while server.text().count("reloaded") < count and time.monotonic() < deadline:
                    time.sleep(0.01)
                self.assertEqual(server.text().count("reloaded"), count)
                self.assert_serves(server)
            self.assertEqual(server.end()[0], 0)

    def test_start__without_a_listening_socket__exits_2_and_says_so(self):
        done = subprocess.run([str(PROGRAM)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=10, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("listening socket", done.stderr)

    def test_start__with_a_wrong_setting__exits_2_and_names_it(self):
        with Server(MAMORI_SERVER_THREADS="none") as server:
            self.assertEqual(server.process.wait(10), 2)
            self.assertIn("MAMORI_SERVER_THREADS", server.text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
