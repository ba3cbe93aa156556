"""Through PgBouncer in transaction mode: everything of a turn works, and no setting of ours stays behind
on a server connection that another client will get.
"""

import contextlib
import shutil
import subprocess
import unittest

from load import Clients, FaultTest, Stack, end_process, wait_until

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
PORT = 6432  # of a unix socket's name
SETTINGS = ("statement_timeout", "lock_timeout", "synchronous_commit", "search_path",
            "default_transaction_isolation", "client_encoding", "role")


class Bouncer:
    """A PgBouncer in front of a cluster: unix socket only, one server connection a user."""

    def __init__(self, folder, postgres):
        self.sockets, self.user, self.process = folder / "bouncer", postgres.user, None
        self.sockets.mkdir(mode=0o700)
        self.users, self.ini = self.sockets / "users.txt", self.sockets / "bouncer.ini"
        self.users.write_text("".join(f'"{name}" ""\n' for name in (
            "postgres", "mamori_chat", "mamori_analyze", "mamori_conversations", "mamori_health",
            "mamori_admin")))
        self.ini.write_text(f"""[databases]
mamori = host={postgres.sockets} dbname=mamori
[pgbouncer]
unix_socket_dir = {self.sockets}
listen_port = {PORT}
auth_type = trust
auth_file = {self.users}
pool_mode = transaction
default_pool_size = 1
server_login_retry = 1
logfile = {self.sockets}/log
""")
        if self.user:
            for path in (self.sockets, self.users, self.ini):
                shutil.chown(path, self.user.pw_uid, self.user.pw_gid)

    def start(self):
        identity = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} \
            if self.user else {}
        self.process = subprocess.Popen([PROGRAM, "-q", str(self.ini)], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd="/", **identity)
        wait_until(self._answers, "PgBouncer")

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError((self.sockets / "log").read_text(errors="replace"))
        with contextlib.suppress(RuntimeError):
            return self.sql("SELECT 1")
        return None

    def stop(self):
        if self.process:
            end_process(self.process)

    def dsn(self, user):
        return (f"host={self.sockets} port={PORT} dbname=mamori user={user}"
                " target_session_attrs=read-write connect_timeout=2")

    def sql(self, text, user="postgres"):
        done = subprocess.run(["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.dsn(user), "-c",
                               text], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]


class BouncerStack(Stack):
    """The workers connect through PgBouncer; migrations do not, as the manual says."""

    bouncer = None

    def migrate(self):
        super().migrate()
        self.bouncer = Bouncer(self.folder, self.postgres)
        self.bouncer.start()

    def variables(self, user):
        variables = super().variables(user)
        if self.bouncer and user != "postgres":
            variables["MAMORI_DATABASE_DSN"] = self.bouncer.dsn(user)
        return variables

    def stop(self):
        for workers in self.workers.values():
            workers.stop()
        if self.bouncer:
            self.bouncer.stop()
        super().stop()


class PgBouncerTest(FaultTest):
    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(BouncerStack(settings={"database.retry_max_ms": 200},
                                                       processes=2))
        cls.bouncer = cls.stack.bouncer

    def setUp(self):
        self.wait_drained()

    def chat(self, text, conversation=None):
        fields = {key: conversation[key] for key in ("conversation_id", "conversation_token")} \
            if conversation else {}
        reply = self.post("chat", text, **fields)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def backends(self, user):
        return self.sql(f"SELECT pid FROM pg_stat_activity WHERE usename = '{user}'")

    def test_turns__are_kept_and_remembered(self):
        first = self.chat("注文番号は ORD-555 です。")
        second = self.chat("商品が届きません。", first)
        self.assertNotIn("degraded", second)
        self.assertIn("ORD-555", second["response"])
        third = self.chat("担当者に代わってください。", second)
        self.assertTrue(third["needs_handoff"])
        fourth = self.chat("もしもし", third)
        self.assertIsNone(fourth["response"])
        rows = self.sql("SELECT owner, status, customer_message_count FROM mamori.conversations"
                        f" WHERE id = '{first['conversation_id']}'")
        self.assertEqual(rows, [["human", "waiting", "4"]])
        reply = self.post("chat", "他人です", conversation_id=first["conversation_id"])
        self.assertEqual(reply.status, 403)

    def test_batch__is_kept(self):
        texts = [f"一括 {number}" for number in range(100)]
        reply = self.stack.request("POST", "/api/analyze", {"messages": texts})
        self.assertEqual(reply.status, 200)
        self.assertEqual(self.sql("SELECT count(*) FROM mamori.analysis_logs WHERE text LIKE '一括 %'"),
                         [["100"]])

    def test_health__is_healthy(self):
        def is_healthy():
            return self.stack.request("GET", "/api/health").json()["status"] == "healthy"
        wait_until(is_healthy, "health to be healthy")

    def test_many_clients__share_one_connection_without_a_loss(self):
        with Clients(self.stack, limit=600) as clients:
            clients.join()
        self.assertEqual(list(clients.counts()), [200], clients.refused()[:3])
        self.wait_drained()
        self.assert_kept(clients)
        self.assert_consistent()
        for user in ("mamori_chat", "mamori_analyze"):
            self.assertEqual(len(self.backends(user)), 1, user)

    def test_settings__do_not_leak_to_the_next_client(self):
        for user in ("mamori_chat", "mamori_analyze", "mamori_health"):
            with self.subTest(user):
                self.chat("こんにちは")
                self.post("analyze", "こんにちは")
                self.stack.request("GET", "/api/health")
                asked = "SELECT " + ", ".join(f"current_setting('{name}')" for name in SETTINGS)
                wait_until(lambda user=user: self.backends(user), f"a connection of {user}")
                before = self.backends(user)
                leaked = self.bouncer.sql(asked, user)
                prepared = self.bouncer.sql("SELECT count(*) FROM pg_prepared_statements", user)
                self.assertEqual(self.backends(user), before, "it was another connection")
                self.assertEqual(leaked, self.stack.postgres.sql(asked, user))
                self.assertEqual(prepared, [["0"]])

    def test_session_settings_of_others__do_not_weaken_a_commit(self):
        """PgBouncer leaks what another client set; an asynchronous commit would be a lie to ours."""
        self.post("analyze", "こんにちは")
        self.addCleanup(self.bouncer.sql, "RESET ALL", "mamori_analyze")
        self.bouncer.sql("SET synchronous_commit = off; SET statement_timeout = 50; SET lock_timeout = 50",
                         "mamori_analyze")
        with Clients(self.stack, count=4, limit=40, kind="analyze") as clients:
            clients.join()
        self.assertEqual(list(clients.counts()), [200])
        self.wait_drained()
        self.assert_kept(clients)

    def test_bouncer_restarted__spools_and_drains(self):
        with Clients(self.stack) as clients:
            clients.wait_for(100)
            self.bouncer.stop()
            clients.wait_for(200)
            self.bouncer.start()
            clients.wait_for(100)
        self.assertEqual(list(clients.counts()), [200], clients.refused()[:3])
        self.wait_drained()
        self.assert_kept(clients)
        self.assert_consistent()

    def test_database_down_behind_the_bouncer__spools_and_drains(self):
        with Clients(self.stack) as clients:
            clients.wait_for(100)
            self.stack.postgres.stop("immediate")
            clients.wait_for(200)
            self.stack.postgres.start()
            clients.wait_for(100)
        self.assertEqual(list(clients.counts()), [200], clients.refused()[:3])
        self.assertLess(clients.slowest(), 7.0)
        self.wait_drained()
        self.assert_kept(clients)


if __name__ == "__main__":
    unittest.main()
