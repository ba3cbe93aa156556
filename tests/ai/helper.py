"""What the tests of the AI layer share: chat workers over a mock server, and the driver `ask`."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "http"))

# pylint: disable=wrong-import-position
from client import SANITIZER, Peer, begin_stack, whole  # noqa: E402,F401  (after the path is set)
from harness import BUILD, SOURCE, Workers, wait_until  # noqa: E402
from mock import Mock  # noqa: E402

KEY = "sk-mock-0123456789abcdef"
QUESTION = "荷物はいつ届きますか。"
REPLY = "お問い合わせありがとうございます。配送状況を確認いたします。"
# Short enough for tests, long enough for a machine that is busy.
LIMITS = {"connect_timeout_ms": 1000, "first_token_timeout_ms": 1000, "idle_timeout_ms": 1000,
          "total_timeout_ms": 4000}


def vendor_url(vendor, mock_url):
    return mock_url + ("/v1" if vendor == "openai" else "")


def variables(chain, mock_url, folder, **settings):
    """The environment for a chain over the mock; settings: {"anthropic.stream": "no", …}, with "*"
    for every vendor of the chain."""
    key = folder / "mock.key"
    if not key.exists():
        key.write_text(KEY, encoding="ascii")
        key.chmod(0o600)
    values = {"ai.chain": chain, "ai.deadline_ms": 8000, "ai.breaker_failures": 1000,
              "ai.breaker_pause_ms": 3600000}
    for vendor in (name for name in chain.split() if name != "builtin"):
        of_all = {f"{vendor}.{name[2:]}": value for name, value in settings.items() if name[:2] == "*."}
        values |= {f"{vendor}.{name}": value for name, value in LIMITS.items()}
        values |= {f"{vendor}.base_url": vendor_url(vendor, mock_url), f"{vendor}.key_file": key, **of_all}
    values |= {name: value for name, value in settings.items() if name[:2] != "*."}
    return {"MAMORI_" + name.replace(".", "_").upper(): str(value) for name, value in values.items()}


class Chat:
    """A chat worker of its own, with its own spool: its breakers are nobody else's."""

    def __init__(self, stack, name, environment):
        self.folder = stack.folder / name
        self.folder.mkdir()
        self.spool = self.folder / "spool"
        self.spool.mkdir()
        self.workers = Workers("chat", BUILD / "cgi-bin" / "chat.fcgi", self.folder,
                               {**stack.variables("mamori_chat"), **environment,
                                "MAMORI_JOURNAL_SPOOL_DIR": str(self.spool)})
        self.workers.start()
        unittest.addModuleCleanup(self.stop)

    def ask(self, message=QUESTION, timeout=15, **fields):
        """One turn, straight at the worker's socket; returns status and decoded answer."""
        body = json.dumps({"message": message, **fields}).encode()
        with Peer(self.workers.socket, timeout) as peer:
            reply = peer.ask(whole(body, path="/api/chat"))
        return reply.status or 200, json.loads(reply.body)

    def stop(self):
        self.workers.stop()
        found = SANITIZER.search(self.log())
        if found:
            raise AssertionError(self.log())

    def wait_ready(self):
        wait_until(self._is_ready, "a chat worker")

    def _is_ready(self):
        if self.workers.process.poll() is not None:
            raise RuntimeError(self.log())
        return (self.spool / "chat.ai").exists() and "ready" in self.log()

    def forget(self):
        """Closes the breakers, as time would."""
        with open(self.spool / "chat.ai", "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(16)
            file.write(bytes(size - 16))

    def log(self):
        return self.workers.log.read_text(errors="replace")

    def memory_kib(self, key="VmRSS"):
        text = pathlib.Path(f"/proc/{self.workers.pids()[0]}/status").read_text(encoding="ascii")
        return int(re.search(rf"{key}:\s+(\d+) kB", text)[1])


class AiTest(unittest.TestCase):
    """A test whose `chat` worker asks `mock`."""

    maxDiff = None
    mock = chat = None

    def turn(self, *script, message=QUESTION, **fields):
        """One turn whose questions to the provider meet the script; it is always answered."""
        self.mock.script(*script)
        self.chat.forget()
        status, turn = self.chat.ask(message, **fields)
        self.assertEqual(status, 200, turn)
        self.assertNotIn(KEY, self.chat.log())
        return turn

    def assert_answered(self, turn, text=REPLY, provider="anthropic", requests=1):
        self.assertEqual(turn["response"], text, turn)
        self.assertEqual(turn["ai"]["provider"], provider)
        self.assertEqual(turn["ai"]["outcome"], "answered")
        self.assertNotIn("degraded", turn)
        self.assertNotIn("degraded", turn["ai"])
        self.assertEqual(len(self.mock.requests), requests)

    def assert_degraded(self, turn, reason, provider="anthropic", requests=1):
        """The built-in responder answers, and it is said why. requests None: however many."""
        self.assertTrue(turn["response"])
        self.assertEqual(turn["ai"]["provider"], "builtin")
        self.assertEqual(turn["ai"]["degraded"], [{"provider": provider, "reason": reason}])
        self.assertEqual(turn["degraded"], ["ai"])
        if requests is not None:
            self.assertEqual(len(self.mock.requests), requests)

    def assert_handed_over(self, turn, outcome, provider="anthropic"):
        """No error: a person takes over, and the customer is told so."""
        self.assertTrue(turn["needs_handoff"], turn)
        self.assertEqual(turn["owner"], "human")
        self.assertIn("担当者", turn["response"])
        self.assertEqual((turn["ai"]["provider"], turn["ai"]["outcome"]), (provider, outcome))
        self.assertNotIn("degraded", turn)


def start_mock(**options):
    return unittest.enterModuleContext(Mock(**options))


def run_ask(environment, *arguments):
    """The driver's lines, decoded."""
    data = {"MAMORI_AI_REPLIES_FILE": str(SOURCE / "conf" / "replies.conf"),
            "MAMORI_AI_PROMPT_FILE": str(SOURCE / "conf" / "prompt.txt")}
    done = subprocess.run([str(BUILD / "tests" / "ai" / "ask"), *arguments], capture_output=True,
                          text=True, check=False, timeout=60, env={**environment, **data})
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]
