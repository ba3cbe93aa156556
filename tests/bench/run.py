"""The benchmark: one table of what each part of a request costs, as ratios within one run.

Every row is loaded in turn by wrk with the same messages over the same number of connections, round
after round, so that a machine whose speed drifts drifts for all rows; the table shows medians. CPU is
that of nginx, the workers and PostgreSQL together, without the load generator.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import fastcgi  # noqa: E402
import harness  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")

# row id, what it is, the program (None: nginx alone or the real worker), the path
ROWS = [
    ("a", "nginx alone, a constant", None, "/a"),
    ("b0", "a constant, libfcgi's classic loop", "bench_classic", "/b0"),
    ("b", "a constant, our serve()", "bench_constant", "/api/unread"),
    ("c", "analyze without storing", "bench_analyze", "/c/api/analyze"),
    ("d0", "one INSERT and commit a request", "bench_insert", "/d0"),
    ("d", "analyze, durable", None, "/api/analyze"),
    ("e", "chat, durable, built-in responder", None, "/api/chat"),
]
RATIOS = [("b", "b0"), ("c", "b"), ("d", "b"), ("d", "d0"), ("e", "b")]
TARGETS = {"b/b0": 1.2, "c/b": 0.85, "d/b": 0.45, "d/d0": 1.6, "e/b": 0.22}


def tree(pid):
    """A process and all its descendants."""
    found = [pid]
    for child in harness.children_of(pid):
        found += tree(child)
    return found


def cpu_seconds(pids):
    """User and system time of the processes, those that ended meanwhile not counted."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def rss_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def bench_variables(stack):
    """The environment of a bench program: it is in no folder that has the rules beside it."""
    return {**stack.variables("postgres"), "MAMORI_DETECT_RULES_DIR": str(harness.SOURCE / "rules"),
            "MAMORI_DETECT_MODEL_DIR": str(harness.BUILD / "model")}


class Bench:
    """The stack of the tests, with the bench programs beside the real workers."""

    def __init__(self, stack, options):
        self.stack, self.options = stack, options
        self.programs = {}
        self.messages = stack.folder / "messages"
        self.figures = {row[0]: [] for row in ROWS}

    def start(self):
        bodies = [json.dumps({"message": line}, ensure_ascii=False)
                  for line in (HERE / "messages.txt").read_text(encoding="utf-8").splitlines()]
        self.messages.write_text("\n".join(bodies) + "\n", encoding="utf-8")
        for row, _, program, _ in ROWS:
            if program:
                worker = harness.Workers(f"bench-{row}", harness.BUILD / "tests" / "bench" / program,
                                         self.stack.folder, bench_variables(self.stack))
                worker.start()
                harness.wait_until(worker.socket.exists, f"{program} to listen")
                self.programs[row] = worker
        self.add_locations()

    def add_locations(self):
        """nginx's way to the bench programs, in front of the project's own locations."""
        pools = "".join(f"upstream bench_{row} {{ server unix:{worker.socket}; keepalive 64; }}\n"
                        for row, worker in self.programs.items())
        nginx = self.stack.nginx
        nginx.edit("http.conf", r"\A", pools.replace("\\", r"\\"))
        parameters = (nginx.conf / "fastcgi.conf").read_text(encoding="utf-8")
        places = ['location = /a { default_type application/json; return 200 "{\\"status\\":\\"ok\\"}"; }']
        for row, _, program, path in ROWS:
            if program:
                script = path.removeprefix(f"/{row}") or path
                places.append(f"location = {path} {{ {parameters.replace('$uri', script)}\n"
                              f"fastcgi_pass bench_{row}; }}")
        text = (nginx.conf / "locations.conf").read_text(encoding="utf-8")
        nginx.write("locations.conf", "\n".join(places) + "\n" + text)
        nginx.reload()

    def pids(self, row):
        """Who works for a row: nginx, its worker, and PostgreSQL where it is used."""
        worker = self.programs.get(row[0])
        own = worker.process.pid if worker else None
        if not worker and row[0] != "a":
            own = self.stack.workers[row[3].rsplit("/", 1)[1]].process.pid
        pids = tree(self.stack.nginx.process.pid) + (tree(own) if own else [])
        if row[0] in ("d0", "d", "e"):
            postmaster = (self.stack.postgres.data / "postmaster.pid").read_text().split()[0]
            pids += tree(int(postmaster))
        return pids

    def load(self, row, seconds):
        url = f"http://127.0.0.1:{self.stack.nginx.plain_port}{row[3]}"
        pids = self.pids(row)
        before = cpu_seconds(pids)
        done = subprocess.run(["wrk", "-t1", f"-c{self.options.connections}", f"-d{seconds}s",
                               "--timeout", "20s", "-s", str(HERE / "post.lua"), url],
                              capture_output=True, text=True, check=True,
                              env={**os.environ, "BENCH_MESSAGES": str(self.messages)})
        cpu = cpu_seconds(pids) - before
        figures = json.loads(re.search(r"^FIGURES (.*)$", done.stdout, re.M)[1])
        requests = max(figures["requests"], 1)
        return {"rps": requests / figures["seconds"], "p50_ms": figures["p50_ms"],
                "p99_ms": figures["p99_ms"], "cpu_us": cpu / requests * 1e6,
                "failed": figures["failed"]}

    def run(self):
        for row in ROWS:
            self.load(row, 1)
        for number in range(self.options.rounds):
            for row in ROWS:
                self.figures[row[0]].append(self.load(row, self.options.seconds))
            print(f"round {number + 1} of {self.options.rounds} done", file=sys.stderr)

    def median(self, row):
        runs = self.figures[row]
        figures = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        figures["failed"] = sum(run["failed"] for run in runs)
        return figures

    def ratio(self, one, other):
        """The median of the rounds' own ratios: a drift between rounds does not count."""
        return statistics.median(a["rps"] / b["rps"]
                                 for a, b in zip(self.figures[one], self.figures[other]))

    def stop(self):
        for worker in self.programs.values():
            worker.stop()


def idle_connection(path):
    """A kept connection that has had its first answer."""
    connection = fastcgi.Connection(path, timeout=20)
    connection.send(fastcgi.begin_with({"REQUEST_METHOD": "OPTIONS", "SCRIPT_NAME": "/api/analyze"})
                    + fastcgi.stream(fastcgi.STDIN, b""))
    connection.output()
    return connection


def fresh_request_ms(stack, count=64):
    """How long a new request takes while kept connections idle at its worker."""
    idle = [idle_connection(stack.workers["analyze"].socket) for _ in range(count)]
    times = []
    for _ in range(20):
        began = time.monotonic()
        reply = stack.request("POST", "/api/analyze", {"message": "注文した商品が届きません"}, plain=True)
        times.append((time.monotonic() - began) * 1000)
        if reply.status != 200:
            raise RuntimeError(f"a fresh request got {reply.status}")
    for connection in idle:
        connection.socket.close()
    return statistics.median(times)


def detect_us(stack):
    """Microseconds that detection takes for 100 characters, from the program that measures it."""
    done = subprocess.run([str(harness.BUILD / "tests" / "bench" / "bench_detect"),
                           str(harness.SOURCE / "rules"), str(harness.BUILD / "model")], capture_output=True, text=True,
                          check=True, env=stack.variables("postgres"))
    return float(re.search(r"100 characters:.*median ([\d.]+) us", done.stdout)[1])


def print_table(report, names):
    print(f"{'':4}{'':36}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}{'failed':>8}")
    for row in report["rows"]:
        print(f"{row['id']:4}{names[row['id']]:36}{row['rps']:9.0f}{row['p50_ms']:9.2f}"
              f"{row['p99_ms']:9.2f}{row['cpu_us']:9.1f}{row['failed']:8}")
    print()
    for name, value in report["ratios"].items():
        print(f"{name:6}{value:6.2f}   target {TARGETS[name]}")
    print(f"\na fresh request beside 64 idle connections: {report['fresh_ms']:.1f} ms (target 50)")
    print("memory, MiB: " + ", ".join(f"{name} {value:.1f}"
                                      for name, value in report["rss_mib"].items())
          + " (target 24 each)")
    print(f"detection of 100 characters: {report['detect_us_100ch']:.2f} µs (target 10)")


def measure(options):
    with harness.Stack() as stack:
        bench = Bench(stack, options)
        try:
            bench.start()
            bench.run()
            rows = [{"id": row[0], **{key: round(value, 3) for key, value in bench.median(row[0]).items()}}
                    for row in ROWS]
            return {"rows": rows,
                    "ratios": {f"{a}/{b}": round(bench.ratio(a, b), 3) for a, b in RATIOS},
                    "fresh_ms": round(fresh_request_ms(stack), 2),
                    "rss_mib": {name: round(max(rss_mib(pid) for pid in worker.pids()), 1)
                                for name, worker in stack.workers.items()},
                    "detect_us_100ch": detect_us(stack)}
        finally:
            bench.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    report = measure(options)
    print_table(report, {row[0]: row[1] for row in ROWS})
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
