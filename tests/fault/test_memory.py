"""One allocation of a worker fails, at many places: it answers 200 or 503, or it dies and another takes
its place; no answer is wrong and nothing acknowledged is lost.
"""

import collections
import mmap
import pathlib
import struct
import subprocess
import tempfile
import unittest

from load import Clients, FaultTest, Stack, figures

REQUESTS = 24
UNLIMITED = 1 << 40
ANY = (0, UNLIMITED)
SMALL, MIDDLE, LARGE = (0, 255), (256, 4095), (4096, UNLIMITED)
# worker, function that the thread began with ("": any), sizes
CASES = [
    ("chat", "", ANY), ("chat", "", SMALL), ("chat", "", MIDDLE), ("chat", "", LARGE),
    ("chat", "mm_journal_writer", ANY), ("analyze", "", ANY), ("analyze", "", MIDDLE),
    ("analyze", "", LARGE), ("analyze", "mm_journal_writer", ANY),
]
DRAIN_CASES = [("chat", "mm_journal_drainer", ANY), ("analyze", "mm_journal_drainer", ANY)]


class Plan:
    """Which allocation of a worker fails; the memory is shared with that worker, see fail_malloc.c."""

    LAYOUT = struct.Struct("qqqq64s")

    def __init__(self, path):
        with open(path, "w+b") as file:
            file.truncate(self.LAYOUT.size)
            self.memory = mmap.mmap(file.fileno(), self.LAYOUT.size)

    def arm(self, number, thread="", sizes=ANY):
        """The number-th allocation from now on fails. `left` is written last."""
        self.disarm()
        struct.pack_into("qqq64s", self.memory, 8, 0, *sizes, thread.encode())
        struct.pack_into("q", self.memory, 0, number)

    def disarm(self):
        struct.pack_into("q", self.memory, 0, 0)

    def left(self):
        return struct.unpack_from("q", self.memory, 0)[0]

    def has_failed(self):
        return struct.unpack_from("q", self.memory, 8)[0] > 0


def spread(most, count):
    """Up to so many numbers from 1 to most: close at the beginning, where each is another place."""
    numbers = {round(most ** (step / (count - 1))) for step in range(count)}
    numbers |= {max(1, round(most * step / count)) for step in range(1, count + 1)}
    return sorted(number for number in numbers if number <= most)


class MemoryTest(FaultTest):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="mamori-plan-")))
        library = folder / "fail_malloc.so"
        subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-o", library,
                        pathlib.Path(__file__).with_name("fail_malloc.c"), "-ldl"], check=True)
        cls.plans = {name: Plan(folder / name) for name in ("chat", "analyze")}
        cls.stack = cls.enterClassContext(Stack(
            settings={"database.retry_max_ms": 100, "server.threads": 8},
            environment={"LD_PRELOAD": str(library), "MAMORI_FAIL_MALLOC": str(folder)}))
        cls.clients, cls.verdicts = [], {}
        cls.tally = collections.Counter()

    def setUp(self):
        for kind in self.plans:
            if kind not in self.verdicts:
                self.verdicts[kind] = self.learn(kind)

    def run_clients(self, kind):
        with Clients(self.stack, count=4, limit=REQUESTS, kind=kind) as clients:
            clients.join()
        self.clients.append(clients)
        return clients

    def learn(self, kind):
        """The verdict on each message when nothing fails."""
        clients = self.run_clients(kind)
        self.assertEqual(list(clients.counts()), [200])
        return {outcome.text.rpartition(" ")[0]: outcome.verdict for outcome in clients.outcomes}

    def count_allocations(self, kind, thread, sizes, step):
        self.plans[kind].arm(UNLIMITED, thread, sizes)
        step(kind)
        return UNLIMITED - self.plans[kind].left()

    def check_answers(self, clients, kind, is_dead):
        """200 and right, 503 with Retry-After, or nginx's 502 for those whose worker died."""
        for outcome in clients.outcomes:
            self.tally[outcome.status] += 1
            if outcome.status == 200:
                self.assertEqual(outcome.verdict, self.verdicts[kind][outcome.text.rpartition(" ")[0]],
                                 outcome)
                continue
            self.assertIn(outcome.status, (502, 503) if is_dead else (503,), outcome)
            self.assert_refusal(outcome)

    def fail_one(self, number, kind, thread, sizes, step):
        workers, plan = self.stack.workers[kind], self.plans[kind]
        before = workers.pids()
        plan.arm(number, thread, sizes)
        clients = step(kind)
        plan.disarm()
        self.stack.wait_ready(kind)
        is_dead = workers.pids() != before
        self.tally["failed"] += plan.has_failed()
        self.tally["died"] += is_dead
        self.check_answers(clients, kind, is_dead)
        self.assertEqual(self.post(kind, "こんにちは").status, 200)

    def check(self, cases, step, count):
        for kind, thread, sizes in cases:
            most = self.count_allocations(kind, thread, sizes, step)
            figures(f"memory: {kind} {thread or 'any thread'} {sizes[0]} bytes and more:"
                    f" {most} allocations for {REQUESTS} requests")
            for number in spread(most, count) if most else []:
                with self.subTest(worker=kind, thread=thread, sizes=sizes, number=number):
                    self.fail_one(number, kind, thread, sizes, step)
        self.wait_drained()
        for clients in self.clients:
            self.assert_kept(clients)
        self.assert_consistent()
        figures(f"memory: {self.tally['failed']} allocations failed, {self.tally['died']} workers died,"
                f" answers {dict((key, self.tally[key]) for key in self.tally if isinstance(key, int))}")

    def test_allocation_fails__with_the_database_up(self):
        self.check(CASES, self.run_clients, 5)

    def test_allocation_fails__while_the_spool_is_written(self):
        self.stack.postgres.stop("immediate")
        cases = [case for case in CASES if case[2] == ANY]
        try:
            self.check_spooling(cases)
        finally:
            self.stack.postgres.start()
        self.check([], None, 0)

    def check_spooling(self, cases):
        for kind, thread, sizes in cases:
            most = self.count_allocations(kind, thread, sizes, self.run_clients)
            for number in spread(most, 8):
                with self.subTest(worker=kind, thread=thread, sizes=sizes, number=number):
                    self.fail_one(number, kind, thread, sizes, self.run_clients)

    def test_allocation_fails__while_the_spool_is_emptied(self):
        def drain(kind):
            self.stack.postgres.stop("immediate")
            clients = self.run_clients(kind)
            self.stack.postgres.start()
            self.wait_drained()
            return clients
        self.check(DRAIN_CASES, drain, 2)


if __name__ == "__main__":
    unittest.main()
