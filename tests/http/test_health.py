"""GET /api/health and /api/health/live: healthy, degraded, unhealthy; and that asking costs nothing."""

import os
import pathlib
import unittest

from client import SOURCE, ApiTest, begin_stack, wait_until

SPOOL_BYTES = 65536  # the least that the setting allows: full after a few long messages


def setUpModule():
    ApiTest.stack = begin_stack(settings={"journal.spool_max_bytes": SPOOL_BYTES,
                                          "database.retry_max_ms": 200})


def network_sockets(pid):
    """Inodes of the process's TCP and UDP sockets."""
    inodes = set()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            inodes.add(f"socket:[{line.split()[9]}]")
    return {os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir()} & inodes


class HealthTest(ApiTest):
    def setUp(self):
        self.addCleanup(self.wait_status, 200, "healthy")

    def wait_status(self, status, verdict):
        """Polls until the report says so; returns it."""
        def matches():
            reply = self.health()
            self.assert_common_headers(reply)
            return reply.status == status and reply.json()["status"] == verdict and reply
        return wait_until(matches, f"health to be {status} {verdict}").json()

    def stop_database(self):
        self.stack.postgres.stop("immediate")
        self.addCleanup(self.stack.postgres.start)

    def test_all_well__is_healthy_and_complete(self):
        report = self.wait_status(200, "healthy")
        newest = max(int(path.name[:3]) for path in (SOURCE / "sql").glob("[0-9]*.sql"))
        database, journal = report["checks"]["database"], report["checks"]["journal"]
        self.assertEqual(database["status"], "up")
        self.assertGreater(database["round_trip_ms"], 0)
        self.assertRegex(database["version"], r"^1\d")
        self.assertEqual(database["migrations"], {"applied": newest, "newest": newest, "up_to_date": True})
        self.assertEqual((journal["mode"], journal["spooled"], journal["oldest_seconds"]),
                         ("direct", 0, None))
        self.assertEqual(journal["workers"], 2)
        self.assertEqual(report["checks"]["ai"], [{"provider": "builtin", "breaker": "closed"}])
        self.assertGreaterEqual(report["uptime_seconds"], 0)
        self.assertRegex(report["version"], r"^\d+\.\d+")

    def test_database_down__is_degraded_and_tells_the_spool(self):
        self.wait_status(200, "healthy")
        self.stop_database()
        self.analyze("こんにちは")
        self.chat("こんにちは")

        def is_told():
            report = self.health()
            self.assertEqual(report.status, 200, report.body)
            checks = report.json()["checks"]
            return (checks["database"]["status"] == "down" and checks["journal"]["spooled"] == 2
                    and report.json())
        report = wait_until(is_told, "the spooled records to be reported")
        self.assertEqual(report["status"], "degraded")
        self.assertEqual(report["checks"]["journal"]["mode"], "spooling")
        self.assertGreaterEqual(report["checks"]["journal"]["oldest_seconds"], 0)
        self.assertNotIn(str(self.stack.folder), str(report))

    def test_database_back__is_healthy_with_an_empty_spool(self):
        self.stack.postgres.stop("fast")
        self.analyze("こんにちは")
        self.wait_status(200, "degraded")
        self.stack.postgres.start()
        report = self.wait_status(200, "healthy")
        self.assertEqual(report["checks"]["journal"]["spooled"], 0)

    def test_neither_database_nor_spool__is_503(self):
        self.wait_status(200, "healthy")
        self.stop_database()
        answers = {}
        for number in range(100):
            text = f"{number:04} " + "長い" * 4000
            reply = self.stack.request("POST", "/api/analyze", {"message": text})
            answers[text] = reply.status
            if reply.status != 200:
                break
        self.assert_error(reply, 503, "unavailable")
        self.assertIn(200, answers.values())
        unhealthy = self.wait_status(503, "unhealthy")
        self.assertEqual(unhealthy["checks"]["journal"]["mode"], "failing")
        self.assertRegex(self.health().headers["Retry-After"], r"^[1-9]\d*$")
        self.assertEqual(self.stack.request("GET", "/api/health/live").status, 200)
        self.doCleanups()
        kept = {row[0] for row in self.sql("SELECT text FROM mamori.analysis_logs")}
        for text, status in answers.items():
            self.assertEqual(text in kept, status == 200, f"{text[:5]} was answered {status}")

    def test_migration_missing__is_degraded(self):
        self.sql("UPDATE mamori.migrations SET number = -number WHERE number ="
                 " (SELECT max(number) FROM mamori.migrations)")
        self.addCleanup(self.sql, "UPDATE mamori.migrations SET number = -number WHERE number < 0")
        report = self.wait_status(200, "degraded")
        self.assertIs(report["checks"]["database"]["migrations"]["up_to_date"], False)

    def test_worker_gone__is_told(self):
        self.wait_status(200, "healthy")
        self.stack.workers["chat"].stop()
        self.addCleanup(self.stack.workers["chat"].start)
        wait_until(lambda: self.health().json()["checks"]["journal"]["workers"] == 1,
                   "the stopped worker to be missed")

    def test_live__answers_without_the_database(self):
        self.stop_database()
        reply = self.stack.request("GET", "/api/health/live")
        self.assertEqual((reply.status, reply.json()["status"]), (200, "alive"))
        self.assert_common_headers(reply)

    def test_asking_often__opens_no_connection_to_anybody(self):
        for _ in range(50):
            self.assertEqual(self.health().status, 200)
        for workers in self.stack.workers.values():
            for pid in workers.pids():
                self.assertEqual(network_sockets(pid), set(), workers.name)


if __name__ == "__main__":
    unittest.main()
