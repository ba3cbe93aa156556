"""The spool: who owns which file, what a start finds in it, what is set aside, and every way in which a
database can be there and yet take nothing.
"""

import contextlib
import os
import pathlib
import re
import sqlite3
import unittest

from load import Clients, Disk, FaultTest, Stack, can_mount, figures, wait_until

QUICK = {"database.retry_max_ms": 200}
LONG = "長い" * 4500
FAST_SECONDS = 1.0  # an answer while the spool is in use, on a busy machine
# What one turn may cost while tables are locked: reading the history (1 s), then the statement's timeout
# and its grace (2.5 s) for the batch that finds the lock, both once more for who waits behind it.
BOUND_SECONDS = 7.0
SLOT = re.compile(r"/(\w+-\d+)\.lock$")


def slots_of(pid):
    """The spool slots that a process holds."""
    found = []
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if match := SLOT.search(os.readlink(link)):
                found.append(match[1])
    return found


def has_a_slot_each(pids):
    slots = [slots_of(pid) for pid in pids]
    return len(pids) == 4 and all(len(own) == 1 for own in slots) \
        and len({own[0] for own in slots}) == 4


class SpoolTest(FaultTest):
    """Tests with a stack each: the spool of one would be in the way of another."""

    def begin(self, processes=1, apps=("chat", "analyze", "health"), **settings):
        self.stack = self.enterContext(Stack(settings={**QUICK, **settings}, processes=processes,
                                             apps=apps))
        self.spool = self.stack.folder / "spool"

    def run_clients(self, limit, **options):
        """Sends so many requests at once and returns what became of them."""
        with Clients(self.stack, count=8, limit=limit, **options) as clients:
            clients.join()
        return clients

    def assert_all_acknowledged(self, clients):
        self.assertEqual(list(clients.counts()), [200], clients.refused()[:3])

    def kill_all(self, name):
        for _ in range(self.stack.workers[name].processes):
            self.stack.workers[name].kill_one()
        self.stack.wait_ready(name)

    def records(self):
        """(id, reason) of all that is in the spool's files, when no worker has them open."""
        found = []
        for path in self.spool.glob("*.db"):
            with contextlib.closing(sqlite3.connect(path)) as file:
                found += file.execute("SELECT CAST(json AS TEXT), reason FROM records").fetchall()
        return found


class Starts(SpoolTest):
    def test_kill_with_a_full_spool__the_next_start_drains(self):
        self.begin(processes=2, **{"journal.spool_max_bytes": 65536})
        self.stack.postgres.stop("immediate")
        clients = self.run_clients(400)
        self.assertIn(503, clients.counts(), "the spool did not fill up")
        for outcome in clients.refused():
            self.assertEqual(outcome.status, 503, outcome)
            self.assert_refusal(outcome)
        kept = len(clients.acknowledged())
        self.wait_journal("failing", lambda report: report["mode"] == "failing"
                          and report["spooled"] == kept)
        for name in ("chat", "analyze"):
            self.kill_all(name)
        self.wait_journal("as full as before", lambda report: report["spooled"] == kept
                          and report["workers"] == 4)
        self.stack.postgres.start()
        self.wait_drained()
        self.assert_kept(clients)
        self.assert_consistent()

    def test_stop_and_start__with_the_database_down__keeps_the_spool(self):
        self.begin()
        self.stack.postgres.stop("immediate")
        clients = self.run_clients(60)
        self.assert_all_acknowledged(clients)
        for name in ("chat", "analyze"):
            self.stack.workers[name].stop()
        self.assertEqual(len(self.records()), 60)
        self.stack.postgres.start()
        for name in ("chat", "analyze"):
            self.stack.workers[name].start()
            self.stack.wait_ready(name)
        self.wait_drained()
        self.assert_kept(clients)

    def test_workers_of_a_kind__never_share_a_slot(self):
        self.begin(processes=4)
        for _ in range(3):
            for name in ("chat", "analyze"):
                workers = self.stack.workers[name]
                # A worker looks at the slots of others for a moment when it starts.
                wait_until(lambda workers=workers: has_a_slot_each(workers.pids()),
                           "every worker to have a slot of its own")
                workers.kill_one()

    def test_orphan__is_adopted_by_the_next_start(self):
        self.begin(processes=3)
        self.stack.postgres.stop("immediate")
        clients = self.run_clients(240)
        self.assert_all_acknowledged(clients)
        for name in ("chat", "analyze"):
            workers = self.stack.workers[name]
            workers.stop()
            workers.processes = 1
        files = [path.name for path in self.spool.glob("*.db")]
        self.assertGreater(len(files), 2, "the load reached one worker of each kind only")
        for name in ("chat", "analyze"):
            self.stack.workers[name].start()
            self.stack.wait_ready(name)
        self.wait_journal("adopted", lambda report: report["spooled"] == 240
                          and report["workers"] == 2)
        self.assertEqual(sorted(path.name for path in self.spool.glob("*.db")),
                         ["analyze-0.db", "chat-0.db"])
        self.stack.postgres.start()
        self.wait_drained()
        self.assert_kept(clients)
        self.assert_consistent()


class SetAside(SpoolTest):
    MESSAGES = ("こんにちは", "こんにちは", "拒否", "こんにちは")

    def setUp(self):
        self.begin()
        for table in ("messages", "analysis_logs"):
            self.sql(f"ALTER TABLE mamori.{table} ADD CONSTRAINT refuses CHECK (text NOT LIKE '拒否%')"
                     " NOT VALID")

    def check(self, clients):
        """What the database refuses is set aside, and the rest is there."""
        self.assert_all_acknowledged(clients)
        refused = [outcome for outcome in clients.outcomes if outcome.text.startswith("拒否")]
        self.assertGreater(len(refused), 10)
        self.wait_drained(set_aside=len(refused))
        clients.outcomes = [outcome for outcome in clients.outcomes if outcome not in refused]
        self.assert_kept(clients)
        self.assertEqual(self.stack.request("GET", "/api/health").json()["status"], "degraded")
        for name in ("chat", "analyze"):
            self.stack.workers[name].stop()
        records = self.records()
        for outcome in refused:
            reasons = [reason for text, reason in records if outcome.text in text]
            self.assertEqual(len(reasons), 1, outcome)
            self.assertIn("refuses", reasons[0])
            self.assertIn("23514", reasons[0])

    def test_refused_record__is_set_aside_with_its_reason(self):
        self.check(self.run_clients(80, messages=self.MESSAGES))

    def test_refused_record__from_the_spool__blocks_nobody(self):
        self.stack.postgres.stop("immediate")
        clients = self.run_clients(80, messages=self.MESSAGES)
        self.stack.postgres.start()
        self.check(clients)

    def test_retry__after_the_cause_was_mended__applies_them(self):
        clients = self.run_clients(80, messages=self.MESSAGES)
        refused = sum(outcome.text.startswith("拒否") for outcome in clients.outcomes)
        self.wait_drained(set_aside=refused)
        listed = self.spool_command("list").splitlines()
        self.assertEqual(listed[-1], f"{refused} set aside")
        self.assertEqual(len(listed), refused + 1)
        for line in listed[:-1]:
            self.assertRegex(line, r"^[0-9a-f-]{36}  20\d\d-\S+Z  (chat|analyze)-0  (turn|analysis)  "
                             r"\d+ bytes  .*23514.*refuses")
            self.assertNotIn("拒否", line)
        self.spool_command("retry", "--all")
        self.wait_journal("set aside again", lambda report: report["mode"] == "direct"
                          and report["set_aside"] == refused)
        for table in ("messages", "analysis_logs"):
            self.sql(f"ALTER TABLE mamori.{table} DROP CONSTRAINT refuses")
        one = listed[0].split()[0]
        self.assertEqual(self.spool_command("retry", one), "1 are tried again\n")
        self.wait_drained(set_aside=refused - 1)
        failed = self.stack.mamori("spool", "retry", one)
        self.assertEqual((failed.returncode, failed.stdout), (1, "0 are tried again\n"))
        self.assertIn("not all of these ids", failed.stderr)
        self.assertEqual(self.spool_command("retry", "--all"), f"{refused - 1} are tried again\n")
        self.wait_drained()
        self.assert_kept(clients)
        self.assert_consistent()
        self.assertEqual(self.spool_command("list"), "0 set aside\n")
        self.assertEqual(self.stack.request("GET", "/api/health").json()["status"], "healthy")

    def test_retry__of_a_worker_that_is_gone__says_what_to_do(self):
        self.run_clients(8, messages=("拒否",), kind="chat")
        self.wait_drained(set_aside=8)
        self.stack.workers["chat"].stop()
        failed = self.stack.mamori("spool", "retry", "--all")
        self.assertEqual((failed.returncode, failed.stdout), (1, "0 are tried again\n"))
        self.assertIn("start a worker of chat", failed.stderr)
        self.assertEqual(len(self.spool_command("list").splitlines()), 9)
        self.assertEqual([path.name for path in self.spool.glob("*.retry")], [])

    def test_wrong_usage__is_2(self):
        for arguments in ((), ("list", "x"), ("retry",), ("retry", "x"), ("retry", "--all", "x"),
                          ("drop",)):
            with self.subTest(arguments):
                self.assertEqual(self.stack.mamori("spool", *arguments).returncode, 2)

    def spool_command(self, *arguments):
        done = self.stack.mamori("spool", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_too_many_set_aside__are_503(self):
        for name in ("chat", "analyze"):
            self.stack.workers[name].stop()
        self.stack.settings["journal.set_aside_max"] = 3
        self.stack.configure()
        for name in ("chat", "analyze"):
            self.stack.workers[name].start()
            self.stack.wait_ready(name)
        clients = self.run_clients(80, messages=self.MESSAGES)
        for outcome in clients.refused():
            self.assertTrue(outcome.text.startswith("拒否"), outcome)
            self.assertEqual(outcome.status, 503, outcome)
            self.assert_refusal(outcome)
        self.assertIn(503, clients.counts())
        self.wait_drained(set_aside=6)


class NotTaking(SpoolTest):
    """The database answers but does not take: all is spooled, answered in time, and drained after."""

    def check(self, break_it, mend_it):
        self.begin()
        whole = self.run_clients(60)
        break_it()
        clients = self.run_clients(200)
        self.assert_all_acknowledged(clients)
        self.wait_journal("spooling", lambda report: report["spooled"] > 0)
        mend_it()
        self.wait_drained()
        for each in (whole, clients):
            self.assert_kept(each)
        self.assert_consistent()
        return clients

    def test_read_only__spools_and_drains(self):
        def set_read_only(value):
            self.sql(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            self.sql("SELECT pg_reload_conf()")
            wait_until(lambda: self.sql("SHOW default_transaction_read_only") == [[value]],
                       "the reload")
        self.check(lambda: set_read_only("on"), lambda: set_read_only("off"))

    def test_no_right_to_execute__spools_and_drains(self):
        grants = {"mamori_chat": "mamori.apply_turns(json)",
                  "mamori_analyze": "mamori.apply_analyses(json)"}
        self.check(
            lambda: [self.sql(f"REVOKE EXECUTE ON FUNCTION {name} FROM {role}")
                     for role, name in grants.items()],
            lambda: [self.sql(f"GRANT EXECUTE ON FUNCTION {name} TO {role}")
                     for role, name in grants.items()])

    def test_function_missing__spools_and_drains(self):
        names = ("apply_turns", "apply_analyses")
        self.check(
            lambda: [self.sql(f"ALTER FUNCTION mamori.{name} RENAME TO {name}_away") for name in names],
            lambda: [self.sql(f"ALTER FUNCTION mamori.{name}_away RENAME TO {name}") for name in names])

    def test_role_may_not_log_in__spools_and_drains(self):
        roles = ("mamori_chat", "mamori_analyze")

        def refuse():
            for role in roles:
                self.sql(f"ALTER ROLE {role} NOLOGIN")
            self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE usename IN ('mamori_chat', 'mamori_analyze')")
        self.check(refuse, lambda: [self.sql(f"ALTER ROLE {role} LOGIN") for role in roles])

    def test_tables_locked__answers_in_time(self):
        locks = contextlib.ExitStack()
        self.addCleanup(locks.close)
        clients = self.check(
            lambda: locks.enter_context(self.stack.postgres.locked(
                "mamori.conversations", "mamori.messages", "mamori.analysis_logs")), locks.close)
        figures(f"spool: tables locked, slowest answer {clients.slowest():.2f} s")
        self.assertLess(clients.slowest(), BOUND_SECONDS)

    def test_server_stopped_with_sigstop__answers_in_time(self):
        """Connections stay up and nothing answers: the worst way to be down."""
        pids = []

        def freeze():
            pids[:] = [int(row[0]) for row in self.sql(
                "SELECT pid FROM pg_stat_activity WHERE usename LIKE 'mamori_%'")]
            pids.append(int((self.stack.postgres.data / "postmaster.pid").read_text().split()[0]))
            self.addCleanup(thaw)
            for pid in pids:
                os.kill(pid, 19)

        def thaw():
            while pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pids.pop(), 18)
        clients = self.check(freeze, thaw)
        figures(f"spool: PostgreSQL frozen, slowest answer {clients.slowest():.2f} s")
        self.assertLess(clients.slowest(), BOUND_SECONDS)

    def test_database_down__answers_at_once(self):
        clients = self.check(lambda: self.stack.postgres.stop("immediate"),
                             lambda: self.stack.postgres.start())
        self.assertLess(clients.slowest(), FAST_SECONDS)


class FullDisk(SpoolTest):
    """As root the spool is on a disk of its own; else the spool's own limit stands for it."""

    def begin_on_disk(self):
        self.disk = self.enterContext(Disk()) if can_mount() else None
        if self.disk:
            self.begin(**{"journal.spool_dir": self.disk.path})
        else:
            self.begin(**{"journal.spool_max_bytes": 262144})

    def fill(self):
        if self.disk:
            self.disk.fill()
        for kind in ("chat", "analyze"):
            wait_until(lambda kind=kind: self.post(kind, LONG).status == 503, f"{kind} to be refused")

    def test_database_back_while_the_disk_is_full__answers_200_and_drains(self):
        self.begin_on_disk()
        self.stack.postgres.stop("immediate")
        clients = self.run_clients(100)
        self.assert_all_acknowledged(clients)
        self.fill()
        refused = self.run_clients(40, messages=(LONG,))
        self.assertEqual(list(refused.counts()), [503])
        for outcome in refused.outcomes:
            self.assert_refusal(outcome)
        self.wait_journal("failing", lambda report: report["mode"] == "failing")
        self.stack.postgres.start()
        self.wait_drained()
        again = self.run_clients(100)
        self.assert_all_acknowledged(again)
        for each in (clients, refused, again):
            self.assert_kept(each)
        self.wait_drained()

    def test_disk_full_while_the_database_is_up__nobody_notices(self):
        self.begin_on_disk()
        if self.disk:
            self.disk.fill()
        clients = self.run_clients(100)
        self.assert_all_acknowledged(clients)
        for name in ("chat", "analyze"):
            self.kill_all(name)
        again = self.run_clients(100)
        self.assert_all_acknowledged(again)
        for each in (clients, again):
            self.assert_kept(each)

    def test_disk_freed_while_the_database_is_down__spools_again(self):
        self.begin_on_disk()
        self.stack.postgres.stop("immediate")
        self.fill()
        if not self.disk:
            self.stack.postgres.start()
            self.wait_drained()
            self.stack.postgres.stop("immediate")
        else:
            self.disk.empty()
        for kind in ("chat", "analyze"):
            wait_until(lambda kind=kind: self.post(kind, "こんにちは").status == 200,
                       f"{kind} to be spooled again")
        clients = self.run_clients(100)
        self.assert_all_acknowledged(clients)
        self.stack.postgres.start()
        self.wait_drained()
        self.assert_kept(clients)


if __name__ == "__main__":
    unittest.main()
