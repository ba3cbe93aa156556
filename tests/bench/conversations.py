"""Many conversations at once against a model that takes its time: what Mamori adds to it.

Each conversation sends a message, waits for the reply, and sends the next. The mock model says in its
answer how long it took; what the customer waited beyond that is the overhead. Meanwhile some messages
are analyzed, as they were before while nothing else ran.

    python3 tests/bench/conversations.py [--conversations 500] [--latency 2.0] [--seconds 20]
"""

import argparse
import asyncio
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

# pylint: disable=wrong-import-position
from harness import Stack, end_process  # noqa: E402  (after the path is set)

ANALYZE_PER_SECOND = 25
MESSAGES = ("When will my parcel arrive?", "I would like to return what I bought.",
            "The invoice of last month seems to be wrong.")


class Connection:
    """One kept connection to nginx."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    async def post(self, path, document):
        """Status, decoded answer, seconds."""
        if not self.writer:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = json.dumps(document).encode()
        head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        began = time.monotonic()
        self.writer.write(head.encode() + body)
        top = await self.reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", top)[1])
        answer = await self.reader.readexactly(length)
        return int(top.split()[1]), json.loads(answer), time.monotonic() - began


class Load:
    def __init__(self, port, options):
        self.port, self.options = port, options
        self.overheads, self.analyses, self.failures = [], [], []
        self.under_way = self.most_under_way = 0
        self.is_ending = False

    async def converse(self, number):
        """Starts spread over one latency, so that they do not run in step."""
        await asyncio.sleep(number / self.options.conversations * self.options.latency)
        connection, fields = Connection(self.port), {}
        while not self.is_ending:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            status, turn, seconds = await connection.post(
                "/api/chat", {"message": MESSAGES[number % len(MESSAGES)], **fields})
            self.under_way -= 1
            told = re.fullmatch(r"latency ([\d.]+)", turn.get("response") or "")
            if status != 200 or not told:
                self.failures.append((status, turn))
                fields = {}
                continue
            self.overheads.append(seconds - float(told[1]))
            if self.options.keep:
                fields = {key: turn[key] for key in ("conversation_id", "conversation_token")}

    async def analyze(self):
        connection = Connection(self.port)
        while not self.is_ending:
            status, _, seconds = await connection.post("/api/analyze", {"message": MESSAGES[0]})
            if status != 200:
                self.failures.append((status, "analyze"))
            self.analyses.append(seconds)
            await asyncio.sleep(1 / ANALYZE_PER_SECOND)

    async def run(self, conversations):
        tasks = [asyncio.create_task(self.analyze())]
        tasks += [asyncio.create_task(self.converse(number)) for number in range(conversations)]
        await asyncio.sleep(self.options.latency * 2)  # everything is warm and in its stride
        self.overheads.clear()
        self.analyses.clear()
        await asyncio.sleep(self.options.seconds)
        self.is_ending = True
        await asyncio.gather(*tasks)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000


def status_kib(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"{key}:\s+(\d+) kB", text)[1])


def begin_mock(options):
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "ai" / "mock.py"), "--latency", str(options.latency),
         "--jitter", str(options.latency / 10)], stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def settings(options, folder, port):
    key = folder / "mock.key"
    key.write_text("sk-mock-0123456789", encoding="ascii")
    key.chmod(0o600)
    return {"MAMORI_AI_CHAIN": "anthropic builtin", "MAMORI_ANTHROPIC_KEY_FILE": str(key),
            "MAMORI_ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
            "MAMORI_ANTHROPIC_STREAM": "yes" if options.stream else "no",
            "MAMORI_SERVER_THREADS": str(options.threads)}


def measure(options, stack):
    port = stack.nginx.plain_port
    idle, busy = Load(port, options), Load(port, options)
    asyncio.run(idle.run(0))
    asyncio.run(busy.run(options.conversations))
    pids = stack.workers["chat"].pids()
    return {
        "conversations": options.conversations, "under way at most": busy.most_under_way,
        "turns": len(busy.overheads), "failures": len(busy.failures),
        "turns per second": round(len(busy.overheads) / options.seconds, 1),
        "overhead p50 ms": round(percentile(busy.overheads, 0.5), 1),
        "overhead p99 ms": round(percentile(busy.overheads, 0.99), 1),
        "overhead max ms": round(max(busy.overheads) * 1000, 1),
        "chat processes": len(pids),
        "chat MiB, most": round(max(status_kib(pid, "VmHWM") for pid in pids) / 1024, 1),
        "analyze p50 ms, alone": round(statistics.median(idle.analyses) * 1000, 2),
        "analyze p99 ms, alone": round(percentile(idle.analyses, 0.99), 2),
        "analyze p99 ms, meanwhile": round(percentile(busy.analyses, 0.99), 2),
    }, busy.failures[:3]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=500)
    parser.add_argument("--latency", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--threads", type=int, default=1024)
    parser.add_argument("--stream", action="store_true", help="answers are streamed by the model")
    parser.add_argument("--keep", action="store_true", help="conversations go on, with their history")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    process, port = begin_mock(options)
    try:
        stack = Stack()
        original = stack.variables
        stack.variables = lambda user: {**original(user), **settings(options, stack.folder, port)}
        with stack:
            report, failures = measure(options, stack)
    finally:
        end_process(process)
        process.stdout.close()
    for name, value in report.items():
        print(f"{name:28} {value}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1), encoding="utf-8")
    if failures:
        sys.exit(f"failures: {failures}")


if __name__ == "__main__":
    main()
