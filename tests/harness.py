"""The whole of Mamori in a temporary folder, for tests that need it running.

    with Stack() as stack:
        reply = stack.request("POST", "/api/analyze", {"message": "こんにちは"})
        assert reply.status == 200

A Stack makes a private PostgreSQL cluster (unix socket only), migrates it, starts the workers through
spawn-fcgi and multiwatch, and nginx with the project's own snippets on loopback ports. Everything is
ended by process id and the folder is removed. Python's standard library only.

Environment: MAMORI_BUILD (build folder, default build/), MAMORI_SOURCE (default: the folder above
this file), MAMORI_KEEP=1 keeps the folder, MAMORI_TEST_TMP says where to make it.
"""

import collections
import contextlib
import glob
import http.client
import json
import os
import pathlib
import pwd
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

SOURCE = pathlib.Path(os.environ.get("MAMORI_SOURCE", pathlib.Path(__file__).resolve().parent.parent))
BUILD = pathlib.Path(os.environ.get("MAMORI_BUILD", SOURCE / "build")).resolve()
APPS = ("chat", "analyze", "conversations", "health")
READY_SECONDS = 30
TICK_SECONDS = 0.01

Reply = collections.namedtuple("Reply", "status headers body")
Reply.json = lambda reply: json.loads(reply.body)


def wait_until(condition, what, seconds=READY_SECONDS):
    """Polls until condition() is true and returns its value; an error that names `what` otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(TICK_SECONDS)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def postgres_tool(name):
    """The path of a PostgreSQL server program; Debian keeps them out of PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"),
                   key=lambda path: int(path.split("/")[4]))
    return found[-1] if found else shutil.which(name) or name


def children_of(pid):
    try:
        return [int(child) for child in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def end_process(process, number=signal.SIGTERM, seconds=20):
    """Ends one process that we started; SIGKILL when it does not go. Returns its exit code."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


class Postgres:
    """A cluster of its own; as root it runs as an unprivileged user."""

    def __init__(self, folder, settings=None):
        self.data, self.sockets, self.log = folder / "pgdata", folder / "pg", folder / "postgres.log"
        self.settings = settings or {}
        self.user = self._unprivileged()
        for path in (self.data, self.sockets):
            path.mkdir(mode=0o700)
            if self.user:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        self.log.touch()
        if self.user:
            os.chown(self.log, self.user.pw_uid, self.user.pw_gid)

    @staticmethod
    def _unprivileged():
        if os.getuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name)
        raise RuntimeError("no unprivileged user for PostgreSQL")

    def _run(self, *command, check=True):
        identity = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} \
            if self.user else {}
        return subprocess.run([str(part) for part in command], check=check, cwd="/",
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **identity)

    def create(self):
        self._run(postgres_tool("initdb"), "-D", self.data, "-U", "postgres", "--no-sync",
                  "-E", "UTF8", "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject")
        lines = {"listen_addresses": "''", "unix_socket_directories": f"'{self.sockets}'",
                 "max_connections": "100", "log_min_messages": "warning", **self.settings}
        with open(self.data / "postgresql.auto.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{key} = {value}\n" for key, value in lines.items())
        self.start()
        self.sql("CREATE DATABASE mamori", database="postgres")

    def start(self):
        self._run(postgres_tool("pg_ctl"), "-D", self.data, "-l", self.log, "-w", "-t", "60", "start")

    def stop(self, mode="fast"):
        """mode: smart, fast or immediate (as a crash)."""
        self._run(postgres_tool("pg_ctl"), "-D", self.data, "-m", mode, "-w", "stop", check=False)

    def dsn(self, user):
        return (f"host={self.sockets} dbname=mamori user={user} "
                "target_session_attrs=read-write connect_timeout=2")

    def sql(self, text, user="postgres", database="mamori"):
        """Runs SQL; returns the rows as lists of strings."""
        done = subprocess.run(["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h",
                               str(self.sockets), "-U", user, "-d", database, "-c", text],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    @contextlib.contextmanager
    def locked(self, *tables):
        """Nobody else reads or writes these tables meanwhile."""
        session = subprocess.Popen(["psql", "-XqAt", "-h", str(self.sockets), "-U", "postgres", "-d",
                                    "mamori"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            session.stdin.write(f"BEGIN; LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE;"
                                " SELECT 'held';\n")
            session.stdin.flush()
            if session.stdout.readline() != "held\n":
                raise RuntimeError(f"{tables} could not be locked")
            yield
            session.communicate("ROLLBACK;\n", timeout=20)
        finally:
            end_process(session)
            session.stdin.close()
            session.stdout.close()


class Workers:
    """One endpoint's processes: multiwatch under spawn-fcgi holds the socket and starts them again."""

    def __init__(self, name, program, folder, environment, processes=1):
        self.name, self.program, self.processes = name, program, processes
        self.socket, self.log = folder / f"{name}.sock", folder / f"{name}.log"
        self.environment = environment
        self.process = None

    def start(self):
        log = open(self.log, "ab")
        self.process = subprocess.Popen(
            ["spawn-fcgi", "-n", "-s", str(self.socket), "-M", "0666", "--",
             shutil.which("multiwatch"), "-f", str(self.processes), "-r", "1000000", "--",
             str(self.program)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        log.close()

    def pids(self):
        """None once it has ended: its own id may be somebody else's by then."""
        is_there = self.process and self.process.poll() is None
        return children_of(self.process.pid) if is_there else []

    def kill_one(self, number=signal.SIGKILL):
        """Sends a signal to one worker and waits until another process has its place."""
        before = wait_until(self.pids, f"a worker of {self.name}")
        os.kill(before[0], number)
        wait_until(lambda: before[0] not in self.pids() and len(self.pids()) == self.processes,
                   f"{self.name} to be started again")

    def stop(self):
        pids = self.pids()
        code = end_process(self.process) if self.process else 0
        # multiwatch does not wait for workers that take their time to drain.
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids),
                   f"the workers of {self.name} to end")
        return code


class Nginx:
    """The project's snippets, a certificate of its own, one port for HTTPS and one for HTTP."""

    def __init__(self, folder, sockets, unlimited):
        self.folder, self.conf = folder / "nginx", folder / "nginx" / "mamori"
        self.port, self.plain_port = free_port(), free_port()
        self.process = None
        shutil.copytree(SOURCE / "nginx", self.conf)
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chmod(path, 0o755 if path.is_dir() else 0o644)
        self.write("upstreams.conf", "".join(
            f"upstream mamori_{name} {{ server unix:{path}; keepalive 64; }}\n"
            for name, path in sockets.items()))
        if unlimited:
            self.edit("limits.conf", r"rate=\d+r/s", "rate=1000000r/s")
            self.edit("limits.conf", r"burst=\d+ ", "burst=100000 ")
            self.edit("limits.conf", r"_conn \d+;", "_conn 60000;")
        self._certificate()
        self._main()

    def write(self, name, text):
        (self.conf / name).write_text(text, encoding="utf-8")

    def edit(self, name, pattern, replacement):
        """Replaces a pattern in a snippet, as an administrator would; it has to occur."""
        text = (self.conf / name).read_text(encoding="utf-8")
        text, count = re.subn(pattern, replacement, text)
        if count == 0:
            raise ValueError(f"{pattern} is not in {name}")
        self.write(name, text)

    def _certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", "key.pem", "-out", "cert.pem"], cwd=self.folder, check=True,
                       capture_output=True)

    def _main(self):
        version = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
        has_directive = tuple(map(int, re.search(r"/([\d.]+)", version)[1].split("."))) >= (1, 25, 1)
        listen = f"127.0.0.1:{self.port} ssl" + ("; http2 on" if has_directive else " http2")
        temporary = "\n".join(f"    {kind}_temp_path {self.folder}/{kind};" for kind in
                              ("client_body", "fastcgi", "proxy", "uwsgi", "scgi"))
        user = f"user {pwd.getpwuid(0).pw_name};" if os.getuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(f"""
{user}
daemon off;
worker_processes auto;
pid {self.folder}/nginx.pid;
error_log {self.folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000;
{temporary}
    include mamori/http.conf;
    server {{
        listen {listen};
        listen 127.0.0.1:{self.plain_port};
        ssl_certificate {self.folder}/cert.pem;
        ssl_certificate_key {self.folder}/key.pem;
        include mamori/tls.conf;
        include mamori/site.conf;
    }}
}}
""", encoding="utf-8")

    def _command(self, *more):
        return ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"),
                "-e", str(self.folder / "error.log"), *more]

    def check(self):
        """What `nginx -t` says; empty of warnings when all is well."""
        return subprocess.run(self._command("-t"), capture_output=True, text=True, check=False).stderr

    def start(self):
        self.process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL)
        wait_until(self._is_up, "nginx")

    def _is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError((self.folder / "error.log").read_text(encoding="utf-8"))
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def reload(self):
        """Loads the edited files, and returns when every request meets them."""
        before = set(children_of(self.process.pid))
        self.process.send_signal(signal.SIGHUP)

        def is_replaced():
            now = set(children_of(self.process.pid))
            return now and not now & before
        wait_until(is_replaced, "nginx to reload")

    def stop(self):
        return end_process(self.process, signal.SIGQUIT) if self.process else 0


class Stack:
    """Everything together. settings: {"server.threads": 16, …} for mamori.conf; unlimited: without
    nginx's limits; processes: of each endpoint; postgres: more settings for the cluster; environment:
    more variables for the workers (sanitizers' options, faults)."""

    def __init__(self, settings=None, unlimited=True, processes=1, postgres=None, environment=None,
                 apps=APPS, nginx=True):
        self.settings, self.unlimited, self.processes = settings or {}, unlimited, processes
        self.postgres_settings, self.environment = postgres, environment or {}
        self.apps, self.has_nginx = apps, nginx
        self.folder = self.postgres = self.nginx = None
        self.workers = {}

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mamori-",
                                                    dir=os.environ.get("MAMORI_TEST_TMP")))
        os.chmod(self.folder, 0o755)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _start(self):
        self.postgres = Postgres(self.folder, self.postgres_settings)
        self.postgres.create()
        self.configure()
        self.migrate()
        for name in self.apps:
            self.workers[name] = Workers(name, BUILD / "cgi-bin" / f"{name}.fcgi", self.folder,
                                         self.variables(f"mamori_{name}"), self.processes)
            self.workers[name].start()
        if self.has_nginx:
            sockets = {name: self.folder / f"{name}.sock" for name in APPS}
            self.nginx = Nginx(self.folder, sockets, self.unlimited)
            self.nginx.start()
            for name in self.apps:
                self.wait_ready(name)

    def configure(self):
        """Writes mamori.conf and the token's secret."""
        spool, cache, secret = (self.folder / part for part in ("spool", "cache", "token.secret"))
        spool.mkdir(exist_ok=True)
        cache.mkdir(exist_ok=True)
        if not secret.exists():
            secret.write_text(secrets.token_hex(32), encoding="ascii")
            secret.chmod(0o600)
        values = {"journal.spool_dir": spool, "conversation.token_secret_file": secret,
                  "detect.site_rules_dir": "", "detect.cache_dir": cache, **self.settings}
        sections = collections.defaultdict(list)
        for key, value in values.items():
            section, name = key.split(".", 1)
            sections[section].append(f"{name} = {value}\n")
        (self.folder / "mamori.conf").write_text("".join(
            f"[{section}]\n{''.join(lines)}\n" for section, lines in sections.items()),
            encoding="utf-8")

    def variables(self, user):
        """The environment of a program that connects as this database user."""
        return {**os.environ, "MAMORI_CONF": str(self.folder / "mamori.conf"),
                "MAMORI_DATABASE_DSN": self.postgres.dsn(user), **self.environment}

    def mamori(self, *arguments, user="postgres", **more):
        """Runs bin/mamori; returns the finished process."""
        return subprocess.run([str(BUILD / "bin" / "mamori"), *arguments], env=self.variables(user),
                              capture_output=True, text=True, check=False, **more)

    def migrate(self):
        done = self.mamori("migrate")
        if done.returncode != 0:
            raise RuntimeError(f"mamori migrate: {done.stderr}{done.stdout}")

    def wait_ready(self, name):
        """Until the worker answers, with whatever status but nginx's own errors for a dead one."""
        path = {"health": "/api/health/live",
                "conversations": "/api/conversations/x/messages"}.get(name, f"/api/{name}")

        def answers():
            if self.workers[name].process.poll() is not None:
                raise RuntimeError(self.workers[name].log.read_text(errors="replace"))
            return self.request("OPTIONS", path).status not in (502, 504)
        wait_until(answers, f"{name} to answer")

    def request(self, method, path, body=None, headers=None, plain=False, timeout=30):
        """One request on a connection of its own. A dict or list goes out as JSON."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body, ensure_ascii=False).encode()
            headers.setdefault("Content-Type", "application/json")
        with contextlib.closing(self.connect(plain, timeout)) as connection:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())

    def connect(self, plain=False, timeout=30):
        if plain:
            return http.client.HTTPConnection("127.0.0.1", self.nginx.plain_port, timeout=timeout)
        context = ssl.create_default_context(cafile=str(self.nginx.folder / "cert.pem"))
        return http.client.HTTPSConnection("localhost", self.nginx.port, timeout=timeout,
                                           context=context)

    def stop(self):
        """Ends everything that was started, in the order of a graceful stop."""
        if self.nginx:
            self.nginx.stop()
        for workers in self.workers.values():
            workers.stop()
        if self.postgres:
            self.postgres.stop("immediate")
        if self.folder and not os.environ.get("MAMORI_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        self.workers, self.nginx, self.postgres = {}, None, None
