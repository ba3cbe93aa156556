"""Nothing acknowledged is lost: 16 clients, while PostgreSQL crashes three times, workers of every kind
are killed three times and the spool's disk is full once.
"""

import threading
import unittest

from load import Clients, Disk, FaultTest, Stack, Window, can_mount, figures, wait_until

CLIENTS = 16
STEP = 250  # requests between two faults
LONG = "長い" * 4500
SPOOL_MAX_BYTES = 12 << 20  # where no file system can be mounted, this is the disk's size


class Watcher:
    """Asks for the health report all the time and keeps the most that it ever told."""

    def __init__(self, test):
        self.test, self.spooled, self.modes, self.statuses = test, 0, set(), set()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_stopping.set()
        self._thread.join(60)

    def _run(self):
        while not self._is_stopping.wait(0.1):
            reply = self.test.stack.request("GET", "/api/health", plain=True)
            self.statuses.add(reply.status)
            if reply.status in (200, 503):
                journal = reply.json()["checks"]["journal"]
                self.spooled = max(self.spooled, journal["spooled"])
                self.modes.add(journal["mode"])


class DurabilityTest(FaultTest):
    def setUp(self):
        self.disk = self.enterContext(Disk()) if can_mount() else None
        settings = {"database.retry_max_ms": 500}
        if self.disk:
            settings["journal.spool_dir"] = self.disk.path
        else:
            settings["journal.spool_max_bytes"] = SPOOL_MAX_BYTES
        self.stack = self.enterContext(Stack(settings=settings, processes=2))
        self.killed = {"chat": [], "analyze": [], "health": []}  # windows of each kind
        self.full = []

    def kill(self, name):
        window = Window()
        self.stack.workers[name].kill_one()
        self.stack.wait_ready(name)
        window.close()
        self.killed[name].append(window)

    def fill_disk(self):
        """Until a client is refused; without a disk of our own, by sending much."""
        window = Window()
        self.full.append(window)
        if self.disk:
            self.disk.fill()
        else:
            for kind in ("analyze", "chat"):
                wait_until(lambda kind=kind: self.post(kind, LONG).status == 503,
                           f"{kind}'s spool to be full", 60)
        return window

    def run_faults(self, clients):
        postgres = self.stack.postgres
        clients.wait_for(STEP)
        self.kill("chat")

        postgres.stop("immediate")  # once: workers die while it is down, with records in their spools
        clients.wait_for(STEP)
        for name in ("analyze", "chat", "health"):
            self.kill(name)
            clients.wait_for(STEP)
        postgres.start()
        clients.wait_for(STEP)
        self.kill("analyze")

        postgres.stop("immediate")  # twice: the disk is full as well
        clients.wait_for(STEP)
        window = self.fill_disk()
        wait_until(lambda: any(window.touches(outcome) for outcome in clients.refused()),
                   "a request to be refused")
        clients.wait_for(STEP)
        self.kill("health")
        if self.disk:
            self.disk.empty()
            window.close()
            clients.wait_for(STEP)
        postgres.start()
        self.kill("chat")  # while the spool is being emptied
        clients.wait_for(STEP)

        postgres.stop("immediate")  # three times: down and up at once
        postgres.start()
        self.kill("analyze")
        self.kill("health")
        clients.wait_for(STEP)
        if not self.disk:
            self.wait_drained()
            window.close()

    def assert_refusals(self, clients):
        """Only requests whose worker was killed under them, or when nothing could keep them."""
        for outcome in clients.refused():
            self.assert_refusal(outcome)
            allowed = {503: self.full, 502: self.killed[outcome.kind], 504: self.killed[outcome.kind]}
            windows = allowed.get(outcome.status, [])
            self.assertTrue(any(window.touches(outcome) for window in windows), outcome)

    def assert_spools_are_empty(self):
        for workers in self.stack.workers.values():
            workers.stop()
        folder = self.disk.path if self.disk else self.stack.folder / "spool"
        self.assertEqual([path.name for path in folder.glob("*.status")], [],
                         "a worker that stops with an empty spool removes its status")

    def test_load__with_every_fault__keeps_all_that_was_acknowledged(self):
        with Watcher(self) as watcher:
            with Clients(self.stack, CLIENTS) as clients:
                self.run_faults(clients)
            self.wait_drained()
        figures(f"durability: sent {len(clients.outcomes)}, acknowledged {len(clients.acknowledged())},"
                f" by status {clients.counts()}, spooled at most {watcher.spooled},"
                f" slowest {clients.slowest():.2f} s, modes {sorted(watcher.modes)},"
                f" disk {'tmpfs' if self.disk else 'limited by spool_max_bytes'}")
        self.assert_refusals(clients)
        self.assertIn(503, clients.counts(), "the full disk refused nothing")
        self.assertGreater(watcher.spooled, 0)
        self.assertLessEqual(watcher.statuses, {200, 502, 503})
        self.assert_kept(clients)
        self.assert_consistent()
        self.assert_spools_are_empty()


if __name__ == "__main__":
    unittest.main()
