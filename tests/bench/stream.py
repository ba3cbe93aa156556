"""How long a streamed reply's words take from the model's socket to the client's, through nginx with TLS.

The mock model writes into each part of its reply when it sends it; the client, on the same machine and
so by the same clock, notes when it arrives. The first part of each reply counts by itself: before it
lie the reading of the head, the check of the text, and the first write of the stream.

    python3 tests/bench/stream.py [--turns 200] [--streams 20] [--parts 40] [--pause 0.02]
"""

import argparse
import asyncio
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "ai")]

# pylint: disable=wrong-import-position
import mock  # noqa: E402  (after the path is set)
from harness import Stack, end_process  # noqa: E402
from sse import Listener  # noqa: E402

TARGET_MS = 20
SENT = re.compile(r"sent ([\d.]+);")
MESSAGE = "When will my parcel arrive?"


async def speak(exchange, parts, pause):
    documents = list(mock.anthropic_events("x"))
    await exchange.head(200, mock.SSE)
    for document in documents[:2]:
        await exchange.chunk(mock.event(document))
    for _ in range(parts):
        await asyncio.sleep(pause)
        delta = {"type": "text_delta", "text": f"sent {time.monotonic():.6f}; "}
        await exchange.chunk(mock.event({"type": "content_block_delta", "index": 0, "delta": delta}))
    for document in documents[-3:]:
        await exchange.chunk(mock.event(document))
    await exchange.end()


def run_mock(options):
    """This program as the model, in a process of its own."""
    server = mock.Mock()
    server.script(lambda exchange: speak(exchange, options.parts, options.pause))
    server.requests = mock.Uncollected()

    async def run():
        print(await server._start(), flush=True)  # pylint: disable=protected-access
        await asyncio.Event().wait()
    asyncio.run(run())


def begin_mock(options):
    process = subprocess.Popen(
        [sys.executable, __file__, "--mock", "--parts", str(options.parts), "--pause",
         str(options.pause)], stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def settings(folder, port):
    key = folder / "mock.key"
    key.write_text("sk-mock-0123456789", encoding="ascii")
    key.chmod(0o600)
    return {"MAMORI_AI_CHAIN": "anthropic builtin", "MAMORI_ANTHROPIC_KEY_FILE": str(key),
            "MAMORI_ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"}


def listen(stack):
    """The delays of one turn's parts in milliseconds, the first part's first."""
    delays = []
    with Listener(stack, {"message": MESSAGE}) as listener:
        for event in listener:
            if event.name == "delta":
                delays += [(event.at - float(sent)) * 1000 for sent in SENT.findall(event.data["text"])]
            last = event
    if last.name != "done" or last.data["ai"]["provider"] != "anthropic":
        raise RuntimeError(last)
    return delays


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(stack, turns, streams):
    with concurrent.futures.ThreadPoolExecutor(streams) as pool:
        listed = list(pool.map(lambda _: listen(stack), range(turns)))
    firsts, others = [one[0] for one in listed], [delay for one in listed for delay in one[1:]]
    return {f"{name} {label} ms": round(percentile(values, share), 2)
            for name, values in (("first part", firsts), ("later parts", others))
            for label, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--streams", type=int, default=20, help="at once, in the second measurement")
    parser.add_argument("--parts", type=int, default=40, help="of a reply")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between two parts")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--mock", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.mock:
        run_mock(options)
        return
    process, port = begin_mock(options)
    try:
        stack = Stack()
        original = stack.variables
        stack.variables = lambda user: {**original(user), **settings(stack.folder, port)}
        with stack:
            listen(stack)
            report = {"one stream at a time": measure(stack, max(10, options.turns // 10), 1),
                      f"{options.streams} streams at once": measure(stack, options.turns, options.streams)}
    finally:
        end_process(process)
        process.stdout.close()
    for name, figures in report.items():
        print(name)
        for key, value in figures.items():
            print(f"    {key:22} {value}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1), encoding="utf-8")
    worst = max(figures["first part p99 ms"] for figures in report.values())
    print(f"first part within {TARGET_MS} ms: {'yes' if worst <= TARGET_MS else 'NO'} (p99 {worst})")


if __name__ == "__main__":
    main()
