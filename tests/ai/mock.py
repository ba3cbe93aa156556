"""A server that speaks like Anthropic, Gemini and OpenAI, well and badly, for tests and tools/bench.

    with Mock() as mock:
        mock.script(answer(anthropic("Hello")), status(429, {"retry-after": "2"}))
        … two requests …
        mock.requests[0].headers["x-api-key"]

Each request takes the next behaviour of the script; when none is left, the last one again. A behaviour
is an async function of an Exchange. Python's standard library only; on loopback only.

As a program it answers every question after a latency, which it tells in the answer:

    mock.py --port 8900 --latency 2.0 --jitter 0.2
"""

import argparse
import asyncio
import contextlib
import gzip as gzip_module
import json
import random
import socket
import ssl
import struct
import threading
import time


class Request:
    """What came: method, path, headers with names in lower case, body, and when."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.at = time.monotonic()

    def json(self):
        return json.loads(self.body)


class Exchange:
    """One request and the ways to answer it."""

    def __init__(self, request, reader, writer):
        self.request, self.reader, self.writer = request, reader, writer
        self.is_kept = True

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status=200, headers=None, length=None):
        """Without a length the body is chunked."""
        headers = {"content-type": "application/json", **(headers or {})}
        if length is None:
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(length)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await self.send(f"HTTP/1.1 {status} Mock\r\n{lines}\r\n".encode())

    async def chunk(self, data):
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self):
        await self.send(b"0\r\n\r\n")

    async def whole(self, body, status=200, headers=None):
        await self.head(status, headers, len(body))
        await self.send(body)

    async def wait_closed(self):
        """Until the other side hangs up."""
        self.is_kept = False
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(4096):
                pass

    def reset(self):
        """Ends the connection with RST."""
        self.is_kept = False
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Mock:
    """The server, in a thread of its own. certificate: (cert.pem, key.pem) for TLS."""

    def __init__(self, certificate=None):
        self.requests, self.closed = [], threading.Event()
        self.behaviours, self.last = [], None
        self.certificate = certificate
        self.port = None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._start(), self.loop).result(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    @property
    def url(self):
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}"

    def script(self, *behaviours):
        """What the next requests meet; forgets the requests of before."""
        self.behaviours, self.last = list(behaviours), behaviours[-1]
        self.requests.clear()
        self.closed.clear()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))

    async def _start(self, port=0):
        context = None
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
        server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=context,
                                            backlog=4096)
        return server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = await read_request(reader)
                self.requests.append(request)
                behaviour = self.behaviours.pop(0) if self.behaviours else self.last
                exchange = Exchange(request, reader, writer)
                await behaviour(exchange)
                if not exchange.is_kept:
                    break
        self.closed.set()
        with contextlib.suppress(ConnectionError):
            writer.close()


async def read_request(reader):
    top = await reader.readuntil(b"\r\n\r\n")
    line, *fields = top.decode("latin-1").split("\r\n")
    method, path, _ = line.split(" ", 2)
    headers = {}
    for field in filter(None, fields):
        name, _, value = field.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(method, path, headers,
                   await reader.readexactly(int(headers.get("content-length", 0))))


# ---- documents of the vendors

def anthropic(text="", stop="end_turn", content=None, **more):
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-6",
            "content": [{"type": "text", "text": text}] if content is None else content,
            "stop_reason": stop, "stop_sequence": None,
            "usage": {"input_tokens": 377, "cache_read_input_tokens": 23, "output_tokens": 65}, **more}


def anthropic_events(text, stop="end_turn", size=7):
    """The events of a streamed answer, the text in parts of so many characters."""
    yield {"type": "message_start", "message": {**anthropic(content=[], stop=None),
                                                "usage": {"input_tokens": 11, "output_tokens": 1}}}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "ping"}
    for at in range(0, len(text), size):
        yield {"type": "content_block_delta", "index": 0,
               "delta": {"type": "text_delta", "text": text[at:at + size]}}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None},
           "usage": {"output_tokens": 6}}
    yield {"type": "message_stop"}


def gemini(text=None, finish="STOP", **more):
    candidate = {"finishReason": finish, "index": 0}
    if text is not None:
        candidate["content"] = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [candidate], "modelVersion": "gemini-3",
            "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 7, "totalTokenCount": 11},
            **more}


def gemini_error(code, status_name, *details):
    return {"error": {"code": code, "message": "mock", "status": status_name, "details": list(details)}}


def openai(content, finish="stop", **message):
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt",
            "choices": [{"index": 0, "finish_reason": finish,
                         "message": {"role": "assistant", "content": content, **message}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11}}


def openai_chunks(text, size=5):
    for at in range(0, len(text), size):
        yield {"object": "chat.completion.chunk",
               "choices": [{"index": 0, "delta": {"content": text[at:at + size]}, "finish_reason": None}]}
    yield {"object": "chat.completion.chunk",
           "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield {"object": "chat.completion.chunk", "choices": [],
           "usage": {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11}}


def encode(document):
    return json.dumps(document, ensure_ascii=False).encode()


def event(document, named=True):
    name = f"event: {document['type']}\n".encode() if named and "type" in document else b""
    return name + b"data: " + encode(document) + b"\n\n"


# ---- behaviours

SSE = {"content-type": "text/event-stream; charset=utf-8"}


def answer(document, code=200, headers=None):
    """A whole document."""
    return body(encode(document), code, headers)


def body(data, code=200, headers=None):
    async def behave(exchange):
        await exchange.whole(data, code, headers)
    return behave


def status(code, headers=None, data=b"{}"):
    return body(data, code, headers)


def stream(*parts, pause=0.0, then=None):
    """Bytes, one chunk each; then: a behaviour in the place of the end."""
    async def behave(exchange):
        await exchange.head(200, SSE)
        for part in parts:
            await exchange.chunk(part)
            if pause:
                await asyncio.sleep(pause)
        await (then(exchange) if then else exchange.end())
    return behave


def events(documents, **more):
    return stream(*(event(document) for document in documents), **more)


def gzip(document):
    return body(gzip_module.compress(encode(document)), 200, {"content-encoding": "gzip"})


async def reset(exchange):
    exchange.reset()


async def silence(exchange):
    await exchange.wait_closed()


def huge(megabytes):
    """A text that does not end before so much has been sent."""
    async def behave(exchange):
        piece = b"x" * 65536
        exchange.is_kept = False
        with contextlib.suppress(ConnectionError):
            await exchange.head(200)
            await exchange.chunk(b'{"type":"message","content":[{"type":"text","text":"')
            for _ in range(megabytes * 16):
                await exchange.chunk(piece)
            await exchange.end()
    return behave


async def slow_headers(exchange):
    """A head of which one header comes every tenth of a second."""
    exchange.is_kept = False
    with contextlib.suppress(ConnectionError):
        await exchange.send(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            await exchange.send(b"x-%d: y\r\n" % number)
            await asyncio.sleep(0.1)


def after(seconds, behaviour):
    async def behave(exchange):
        await asyncio.sleep(seconds)
        await behaviour(exchange)
    return behave


# ---- as a program

def main():
    parser = argparse.ArgumentParser(description="Answers every question after a latency.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=2.0, help="seconds")
    parser.add_argument("--jitter", type=float, default=0.0, help="seconds, to either side")
    arguments = parser.parse_args()

    async def behave(exchange):
        began = time.monotonic()
        await asyncio.sleep(arguments.latency + random.uniform(-1, 1) * arguments.jitter)
        told = f"latency {time.monotonic() - began:.6f}"
        if exchange.request.json().get("stream"):
            await exchange.head(200, SSE)
            await exchange.chunk(b"".join(map(event, anthropic_events(told, size=40))))
            await exchange.end()
        else:
            await exchange.whole(encode(anthropic(told)))

    async def run():
        mock = Mock()
        mock.script(behave)
        mock.requests = Uncollected()
        print(await mock._start(arguments.port), flush=True)
        await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


class Uncollected(list):
    """A list that keeps nothing: for a server that runs for long."""

    def append(self, item):
        pass


if __name__ == "__main__":
    main()
