"""Rules that are read again while requests go on: by SIGHUP, by SIGUSR2, and with a mistake in them."""

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import signal
import tempfile
import threading
import unittest

from client import ANALYZE, CHAT, ApiTest, begin_stack, wait_until

CLIENTS = 4
LOADED, KEPT = "rules and models are loaded again", "the rules stay as they were"


def setUpModule():
    rules = tempfile.mkdtemp(prefix="mamori-rules-", dir=os.environ.get("MAMORI_TEST_TMP"))
    os.chmod(rules, 0o755)
    unittest.addModuleCleanup(shutil.rmtree, rules)
    Reload.rules = pathlib.Path(rules)
    ApiTest.stack = begin_stack(settings={"detect.site_rules_dir": rules})


def rule(word, name="word"):
    return (f"[site.{name}]\nkind = harassment\nseverity = high\ncategory = verbal_abuse\n"
            f"reason = {word}という侮辱です。\npattern = {word}\n")


class Reload(ApiTest):
    rules = None

    def setUp(self):
        self.addCleanup(self.leave_no_rules)

    def leave_no_rules(self):
        for file in self.rules.iterdir():
            file.unlink()
        for name in ("analyze", "chat"):
            self.signal(name, signal.SIGHUP, LOADED)

    def log(self, name):
        return self.stack.workers[name].log.read_text(errors="replace")

    def signal(self, name, number, wanted):
        """Sends the worker a signal, and waits until its log says what came of it. Returns the line."""
        before = self.log(name).count(wanted)
        for pid in self.stack.workers[name].pids():
            os.kill(pid, number)
        wait_until(lambda: self.log(name).count(wanted) > before, f"{name} to log: {wanted}")
        return [line for line in self.log(name).splitlines() if wanted in line][-1]

    def found(self, path, message):
        return self.send(path, {"message": message})["harassment"]["matched_patterns"]

    @contextlib.contextmanager
    def traffic(self):
        """Requests without a break; every one has to be answered, and by the same worker."""
        is_over = threading.Event()
        pids = {name: workers.pids() for name, workers in self.stack.workers.items()}

        def ask(number):
            statuses = []
            while not is_over.is_set():
                path = (ANALYZE, CHAT)[number % 2]
                statuses.append(self.stack.request("POST", path, {"message": "バカ、" * 20}).status)
            return statuses
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(ask, number) for number in range(CLIENTS)]
            try:
                yield
            finally:
                is_over.set()
            statuses = [status for client in clients for status in client.result()]
        self.assertEqual(set(statuses), {200})
        self.assertGreater(len(statuses), CLIENTS)
        self.assertEqual({name: workers.pids() for name, workers in self.stack.workers.items()}, pids)

    def test_rule_of_the_site__acts_after_the_signal_and_no_request_fails(self):
        words = {signal.SIGUSR2: "ポンコツ丸", signal.SIGHUP: "へっぽこ丸"}
        with self.traffic():
            for number, word in words.items():
                (self.rules / "site.rules").write_text(rule(word), encoding="utf-8")
                for name, path in (("analyze", ANALYZE), ("chat", CHAT)):
                    with self.subTest(number=number, name=name):
                        self.assertNotIn("site.word", self.found(path, f"この{word}"))
                        self.signal(name, number, LOADED)
                        self.assertIn("site.word", self.found(path, f"この{word}"))

    def test_rule_removed__acts_no_more(self):
        (self.rules / "site.rules").write_text(rule("ポンコツ丸"), encoding="utf-8")
        self.signal("analyze", signal.SIGHUP, LOADED)
        self.assertIn("site.word", self.found(ANALYZE, "このポンコツ丸"))
        (self.rules / "site.rules").unlink()
        self.signal("analyze", signal.SIGHUP, LOADED)
        self.assertNotIn("site.word", self.found(ANALYZE, "このポンコツ丸"))

    def test_signal_to_multiwatch__reaches_every_worker(self):
        (self.rules / "site.rules").write_text(rule("ポンコツ丸"), encoding="utf-8")
        before = self.log("analyze").count(LOADED)
        self.stack.workers["analyze"].process.send_signal(signal.SIGUSR2)
        wait_until(lambda: self.log("analyze").count(LOADED) > before, "the worker to load the rules")
        self.assertIn("site.word", self.found(ANALYZE, "このポンコツ丸"))

    def test_mistake__leaves_the_rules_and_is_told_with_file_and_line(self):
        good = rule("ポンコツ丸")
        (self.rules / "site.rules").write_text(good, encoding="utf-8")
        self.signal("analyze", signal.SIGUSR2, LOADED)
        broken = {
            "kind": ("[site.new]\nkind = wish\n", 2),
            "pattern": (rule("(あほ", "new"), 6),
            "key": (rule("あほ", "new") + "colour = red\n", 7),
        }
        with self.traffic():
            for name, (text, line) in broken.items():
                with self.subTest(name):
                    (self.rules / "zz-broken.rules").write_text(text, encoding="utf-8")
                    told = self.signal("analyze", signal.SIGUSR2, KEPT)
                    self.assertIn(f"zz-broken.rules:{line}: ", told)
                    self.assertIn(" error ", told)
                    self.assertIn("site.word", self.found(ANALYZE, "このポンコツ丸"))
        (self.rules / "zz-broken.rules").write_text(rule("へっぽこ丸", "new"), encoding="utf-8")
        self.signal("analyze", signal.SIGUSR2, LOADED)
        self.assertIn("site.new", self.found(ANALYZE, "このへっぽこ丸"))


if __name__ == "__main__":
    unittest.main()
