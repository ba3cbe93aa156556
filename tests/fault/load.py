"""What the fault tests share: clients that note what was acknowledged, the check that it was kept, and
a disk that can be filled.

Nothing here knows which fault is made; those are in the tests.
"""

import collections
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import SOURCE, Stack, end_process, wait_until  # noqa: E402  (after the path is set)

__all__ = ["SOURCE", "Clients", "Disk", "FaultTest", "Stack", "Window", "begin_stack", "can_mount",
           "end_process", "figures", "wait_until"]

MESSAGES = ("商品が届きません。注文番号 ORD-12345 です。", "ふざけるな！バカ！", "ありがとうございました。",
            "返品したいです。", "担当者に代わってください。", "Where is my order?")
TURNS = 6  # of one conversation

# What a client saw of one request. kind: chat or analyze; text: no other request has it; id: of the
# message or the analysis; verdict: what was found in the message; begun, ended: monotonic seconds; reason:
# the error's code, or what went wrong below HTTP when status is 0.
Outcome = collections.namedtuple(
    "Outcome", "kind text status id verdict begun ended retry_after is_json reason")

TABLES = {"chat": ("mamori.messages", "role = 'customer'"), "analyze": ("mamori.analysis_logs", "true")}


def figures(text):
    """Shown though unittest holds back what tests print."""
    print(f"# {text}", file=sys.__stdout__, flush=True)


def begin_stack(**options):
    """A Stack that ends with the module."""
    return unittest.enterModuleContext(Stack(**options))


class Window:
    """A stretch of time in which requests may be refused; open until closed."""

    def __init__(self):
        self.begun, self.ended = time.monotonic(), float("inf")

    def close(self):
        self.ended = time.monotonic()

    def touches(self, outcome):
        return outcome.begun <= self.ended and outcome.ended >= self.begun


class Clients:
    """Clients that send one request after the other until they are stopped, or `limit` were sent.

    The even ones chat, the odd ones analyse; or all do the one kind that is given. Every message is
    its own, so that a row in the database tells which request made it.
    """

    def __init__(self, stack, count=16, limit=1_000_000, kind=None, messages=MESSAGES):
        self.stack, self.limit, self.messages = stack, limit, messages
        self.outcomes = []
        self._numbers = itertools.count()
        self._is_stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True,
                                          args=(kind or ("chat", "analyze")[number % 2],))
                         for number in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._is_stopping.set()
        self.join()

    def join(self, seconds=60):
        """Waits until all have ended by themselves."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError("a client hangs")

    def wait_for(self, more, seconds=60):
        """Until so many more requests were answered."""
        goal = min(len(self.outcomes) + more, self.limit)
        wait_until(lambda: len(self.outcomes) >= goal, f"{more} requests to be answered", seconds)

    def _run(self, kind):
        with contextlib.ExitStack() as connections:
            self._ask(kind, connections)

    def _ask(self, kind, connections):
        connection, conversation, turns = None, {}, 0
        while not self._is_stopping.is_set() and (number := next(self._numbers)) < self.limit:
            text = f"{self.messages[number % len(self.messages)]} {uuid.uuid4()}"
            if turns % TURNS == 0:
                conversation = {}
            turns += 1
            connection = connection or connections.enter_context(
                contextlib.closing(self.stack.connect(plain=True)))
            body = {"message": text, **conversation} if kind == "chat" else {"message": text}
            outcome, answer, is_open = send(connection, kind, text, body)
            self.outcomes.append(outcome)
            if answer and kind == "chat":
                conversation = {key: answer[key] for key in ("conversation_id", "conversation_token")}
            if not is_open:
                connections.close()
                connection = None

    def acknowledged(self):
        return [outcome for outcome in self.outcomes if outcome.status == 200]

    def refused(self):
        return [outcome for outcome in self.outcomes if outcome.status != 200]

    def counts(self):
        """Requests by status."""
        return dict(sorted(collections.Counter(outcome.status for outcome in self.outcomes).items()))

    def slowest(self):
        return max((outcome.ended - outcome.begun for outcome in self.outcomes), default=0)


def verdict_of(answer):
    """What may not depend on anything but the message; None when there is no verdict."""
    if "harassment" not in answer:
        return None
    harassment = answer["harassment"]
    return (harassment["severity"], tuple(harassment["categories"]),
            tuple(harassment["matched_patterns"]), answer["sentiment"]["sentiment"])


def send(connection, kind, text, body):
    """One request: its outcome, the decoded answer when it is a 200, whether the connection lives."""
    begun = time.monotonic()
    try:
        connection.request("POST", f"/api/{kind}", json.dumps(body).encode(),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
    except (OSError, http.client.HTTPException) as error:
        outcome = Outcome(kind, text, 0, None, None, begun, time.monotonic(), None, False, repr(error))
        return outcome, None, False
    ended = time.monotonic()
    answer, is_json = {}, False
    with contextlib.suppress(ValueError):
        answer, is_json = json.loads(data), True
    made = answer.get("message_id" if kind == "chat" else "analysis_id")
    outcome = Outcome(kind, text, response.status, made, verdict_of(answer), begun, ended,
                      response.headers["Retry-After"], is_json, answer.get("code"))
    return outcome, answer if response.status == 200 else None, not response.will_close


def can_mount():
    """Whether this process may mount a file system: root in most containers, nobody else."""
    if os.getuid() != 0:
        return False
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "mamori-try", folder],
                                 capture_output=True, check=False).returncode == 0
        if mounted:
            subprocess.run(["umount", folder], check=True)
        return mounted


class Disk:
    """A small file system of its own, to be filled up."""

    def __init__(self, size="128m"):
        self.size = size
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="mamori-disk-"))
        self.ballast = self.path / "ballast"

    def __enter__(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size},mode=0777", "mamori-disk",
                        str(self.path)], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.path)], check=True)
        self.path.rmdir()

    def fill(self):
        """To the last byte."""
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size):
                        pass

    def is_full(self):
        free = os.statvfs(self.path)
        return free.f_bavail == 0

    def empty(self):
        self.ballast.unlink()


class FaultTest(unittest.TestCase):
    """A test with a stack that it may harm."""

    stack = None
    maxDiff = None

    def sql(self, text):
        return self.stack.postgres.sql(text)

    def journal(self, stack=None):
        """The journal's part of the health report; None while the health worker is away."""
        reply = (stack or self.stack).request("GET", "/api/health", plain=True)
        return reply.json()["checks"]["journal"] if reply.status in (200, 503) else None

    def wait_journal(self, what, condition, seconds=30):
        """Until the condition holds for the journal's report; returns that report."""
        report = None

        def matches():
            nonlocal report
            report = self.journal()
            return report and condition(report)
        try:
            wait_until(matches, f"the journal to be {what}", seconds)
        except TimeoutError as error:
            raise AssertionError(f"{error}: {report}") from error
        return report

    def wait_drained(self, set_aside=0):
        return self.wait_journal("drained", lambda report: report["mode"] == "direct"
                                 and report["spooled"] == 0 and report["set_aside"] == set_aside)

    def post(self, kind, text, **fields):
        """One request; returns the reply."""
        return self.stack.request("POST", f"/api/{kind}", {"message": text, **fields}, plain=True)

    def assert_refusal(self, outcome):
        """A 503 says in JSON when to try again."""
        self.assertTrue(outcome.is_json, outcome)
        self.assertRegex(outcome.retry_after or "", r"^[1-9]\d*$", outcome)

    def assert_kept(self, clients):
        """Every acknowledged id is in the database once, with its text, and nothing is there twice."""
        for kind, (table, where) in TABLES.items():
            rows = self.sql(f"SELECT id, text FROM {table} WHERE {where}")
            ids = collections.defaultdict(list)
            for row in rows:
                ids[row[1]].append(row[0])
            asked = [outcome for outcome in clients.outcomes if outcome.kind == kind]
            lost = [outcome for outcome in asked if outcome.status == 200 and not ids[outcome.text]]
            self.assertEqual(lost[:3], [], f"{len(lost)} of {kind} were acknowledged and are lost")
            twice = [outcome for outcome in asked if len(ids[outcome.text]) > 1]
            self.assertEqual(twice[:3], [], f"{len(twice)} of {kind} are there more than once")
            other = [outcome for outcome in asked
                     if outcome.status == 200 and ids[outcome.text] != [outcome.id]]
            self.assertEqual(other[:3], [], f"{len(other)} of {kind} have another id")

    def assert_consistent(self):
        """What a turn stores together is there together, and the counters are those of the rows."""
        wrong = self.sql("""
            SELECT c.id, c.message_count, c.customer_message_count, c.harassment_count,
                   m.all_of_them, m.of_customer, coalesce(e.events, 0)
            FROM mamori.conversations AS c
            LEFT JOIN (SELECT conversation_id, count(*) AS all_of_them,
                              count(*) FILTER (WHERE role = 'customer') AS of_customer
                       FROM mamori.messages GROUP BY 1) AS m ON m.conversation_id = c.id
            LEFT JOIN (SELECT conversation_id, count(*) AS events FROM mamori.harassment_events
                       GROUP BY 1) AS e ON e.conversation_id = c.id
            WHERE (c.message_count, c.customer_message_count, c.harassment_count)
                  IS DISTINCT FROM (m.all_of_them, m.of_customer, coalesce(e.events, 0))""")
        self.assertEqual(wrong, [], "counters differ from the rows")
        orphans = self.sql("SELECT id FROM mamori.messages AS b WHERE role = 'bot' AND NOT EXISTS"
                           " (SELECT FROM mamori.messages AS c WHERE c.id = b.reply_to)")
        self.assertEqual(orphans, [], "answers without their question")
