"""POST /api/chat answered in events, through nginx with TLS: their order and shapes, what is held back,
faults in the middle, clients that leave, and the end of the process."""

import asyncio
import concurrent.futures
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import mock as m
from helper import QUESTION, REPLY, begin_stack, start_mock, variables, wait_until

# pylint: disable=wrong-import-position
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from sse import HEADERS, Listener, said  # noqa: E402  (after the path is set)

ABUSE = "ふざけるな！バカ！"
PHONE = "090-1234-5678"
DRAIN_SECONDS = 4
LONG = REPLY * 8
servers = {}


def setUpModule():
    folder = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory()))
    mock = servers["mock"] = start_mock()
    limits = {"*.first_token_timeout_ms": 15000, "*.idle_timeout_ms": 15000, "*.total_timeout_ms": 20000,
              "ai.deadline_ms": 25000, "server.drain_seconds": DRAIN_SECONDS}
    servers["stack"] = begin_stack(environment=variables("anthropic", mock.url, folder, **limits))


def parts(text, size=7):
    return [m.event(document) for document in m.anthropic_events(text, size=size)]


def stalled(text, then=m.silence):
    """The beginning of an answer, then nothing."""
    return m.stream(*parts(text)[:-3], then=then)


class StreamTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.mock, self.stack = servers["mock"], servers["stack"]
        # A fault of another test is not held against the provider.
        path = self.stack.folder / "spool" / "chat.ai"
        if path.exists():
            with open(path, "r+b") as file:
                size = file.seek(0, 2)
                file.seek(16)
                file.write(bytes(size - 16))

    def listen(self, *script, message=QUESTION, **fields):
        if script:
            self.mock.script(*script)
        listener = Listener(self.stack, {"message": message, **fields})
        self.addCleanup(listener.close)
        return listener

    def events(self, *script, **fields):
        """All events of one turn."""
        with self.listen(*script, **fields) as listener:
            self.assertEqual(listener.reply.status, 200)
            return list(listener)

    def names(self, events):
        return [event.name for event in events]

    def assert_whole(self, events, provider="anthropic"):
        """The order of a turn that ended well; returns what `done` says."""
        names = self.names(events)
        self.assertEqual((names[0], names[-1]), ("meta", "done"), events[-1])
        self.assertEqual(set(names[1:-1]) - {":"}, {"delta"}, names)
        meta, done = events[0].data, events[-1].data
        for key in ("conversation_id", "conversation_token", "message_id", "sentiment", "harassment"):
            self.assertEqual(meta[key], done[key])
        self.assertEqual(said(events), done["response"])
        self.assertEqual((done["ai"] or {}).get("provider"), provider)
        return done

    def stored(self, conversation):
        """Role and text of each message."""
        return self.stack.postgres.sql("SELECT role, text FROM mamori.messages WHERE conversation_id ="
                                       f" '{conversation}' ORDER BY id")


class Events(StreamTest):
    def test_turn__is_meta_deltas_done_and_is_stored(self):
        events = self.events(m.events(m.anthropic_events(REPLY), pause=0.01))
        done = self.assert_whole(events)
        self.assertEqual(done["response"], REPLY)
        self.assertGreater(len(events), 4)
        self.assertEqual(done["usage"], {"input_tokens": 11, "output_tokens": 6})
        self.assertEqual({event.data["attempt"] for event in events[1:-1]}, {1})
        self.assertEqual(self.stored(done["conversation_id"]), [["customer", QUESTION], ["bot", REPLY]])

    def test_head__forbids_buffering_storing_and_transforming(self):
        with self.listen(m.events(m.anthropic_events(REPLY))) as listener:
            headers = listener.reply.headers
            self.assertEqual(headers["Content-Type"], "text/event-stream")
            self.assertEqual(headers["Cache-Control"], "no-store, no-transform")
            self.assertEqual(len(headers.get_all("X-Request-Id")), 1)
            self.assertIsNone(headers["Content-Length"])
            self.assertIsNone(headers["Content-Encoding"])

    def test_message__is_stored_before_meta_leaves(self):
        listener = self.listen(stalled("", then=m.silence))
        meta = listener.until("meta")[0].data
        self.assertEqual(self.stored(meta["conversation_id"]), [["customer", QUESTION]])

    def test_deltas__arrive_while_the_model_still_speaks(self):
        finished = []

        async def finish(exchange):
            finished.append(time.monotonic())
            await exchange.end()
        events = self.events(m.stream(*parts(LONG), pause=0.02, then=finish))
        self.assert_whole(events)
        self.assertLess(events[1].at, finished[0] - 0.1)

    def test_second_turn__has_the_first_in_its_history(self):
        first = self.assert_whole(self.events(m.events(m.anthropic_events(REPLY))))
        second = self.assert_whole(self.events(
            m.events(m.anthropic_events(REPLY)), conversation_id=first["conversation_id"],
            conversation_token=first["conversation_token"]))
        self.assertEqual(second["conversation_id"], first["conversation_id"])
        sent = self.mock.requests[0].json()["messages"]
        self.assertEqual([message["role"] for message in sent], ["user", "assistant", "user"])
        self.assertEqual(len(self.stored(first["conversation_id"])), 4)

    def test_characters_cut_between_reads__arrive_whole(self):
        data = b"".join(parts("荷物は😀配送中です。", size=1))
        events = self.events(m.stream(*(bytes([byte]) for byte in data)))
        self.assertEqual(self.assert_whole(events)["response"], "荷物は😀配送中です。")

    def test_fifty_streams__each_gets_its_own(self):
        self.mock.script(m.events(m.anthropic_events(LONG), pause=0.05))
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            turns = list(pool.map(lambda _: self.events(), range(50)))
        conversations = {self.assert_whole(events)["conversation_id"] for events in turns}
        self.assertEqual(len(conversations), 50)
        firsts = [events[1].at for events in turns]
        self.assertLess(max(firsts), min(events[-1].at for events in turns), "one after the other")

    def test_errors_before_the_stream__are_json(self):
        for body, headers, status in ((b"{", {}, 400), ({"message": ""}, {}, 400),
                                      (b"{}", {"Content-Type": "text/plain"}, 415)):
            with Listener(self.stack, body, headers) as listener:
                self.assertEqual(listener.reply.status, status)
                self.assertEqual(listener.reply.headers.get_content_type(), "application/json")

    def test_strangers_conversation__is_403_in_json(self):
        turn = self.assert_whole(self.events(m.events(m.anthropic_events(REPLY))))
        with self.listen(conversation_id=turn["conversation_id"]) as listener:
            self.assertEqual(listener.reply.status, 403)

    def test_silence__is_broken_by_a_comment(self):
        events = self.events(m.after(11, m.events(m.anthropic_events(REPLY))))
        self.assert_whole(events)
        beats = [event.at for event in events if event.name == ":"]
        self.assertEqual(len(beats), 1)
        self.assertAlmostEqual(beats[0] - events[0].at, 10, delta=1)


class Accept(StreamTest):
    def is_streamed(self, accept):
        self.mock.script(m.events(m.anthropic_events(REPLY)))
        reply = self.stack.request("POST", "/api/chat", {"message": QUESTION},
                                   {"Accept": accept} if accept is not None else None)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.headers.get_content_type() == "text/event-stream"

    def test_accept__decides(self):
        for accept, wanted in ((None, False), ("*/*", False), ("application/json", False),
                               ("text/event-stream", True), ("TEXT/Event-Stream;q=0.5", True),
                               ("text/event-stream;q=0.5, application/json", False),
                               ("text/event-stream, */*;q=0.1", True)):
            with self.subTest(accept):
                self.assertIs(self.is_streamed(accept), wanted)

    def test_http2__streams_as_well(self):
        curl = shutil.which("curl")
        if not curl or "HTTP2" not in subprocess.run([curl, "-V"], capture_output=True, text=True,
                                                     check=True).stdout:
            self.skipTest("no curl with HTTP/2")
        self.mock.script(m.stream(*parts(LONG), pause=0.03))
        headers = [part for name, value in HEADERS.items() for part in ("-H", f"{name}: {value}")]
        began = time.monotonic()
        with subprocess.Popen([curl, "-sSN", "--http2", "--cacert", str(self.stack.nginx.folder / "cert.pem"),
                               "-w", "version %{http_version}", *headers, "-d", f'{{"message":"{QUESTION}"}}',
                               f"https://localhost:{self.stack.nginx.port}/api/chat"],
                              stdout=subprocess.PIPE, text=True) as process:
            lines = [(line, time.monotonic() - began) for line in process.stdout]
        names = [line.split()[1] for line, _ in lines if line.startswith("event:")]
        self.assertEqual((names[0], names[1], names[-1]), ("meta", "delta", "done"))
        self.assertEqual(lines[-1][0], "version 2")
        first = next(at for line, at in lines if line == "event: delta\n")
        self.assertGreater(lines[-1][1] - first, 0.3, "all at once")


class HeldBack(StreamTest):
    """What must not leave, or not yet."""

    def test_severe_message__never_reaches_a_model(self):
        self.mock.script(m.events(m.anthropic_events(REPLY)))
        done = self.assert_whole(self.events(message=ABUSE), provider=None)
        self.assertEqual(len(self.mock.requests), 0)
        self.assertEqual(done["handoff"]["reason"], "severity")
        self.assertEqual(self.stored(done["conversation_id"]),
                         [["customer", ABUSE], ["bot", done["response"]]])

    def test_conversation_of_a_person__has_no_deltas(self):
        first = self.assert_whole(self.events(message=ABUSE), provider=None)
        events = self.events(conversation_id=first["conversation_id"],
                             conversation_token=first["conversation_token"])
        self.assertEqual(self.names(events), ["meta", "done"])
        self.assertIsNone(events[-1].data["response"])

    def test_placeholder_in_parts__comes_back_as_the_value(self):
        text = "確認のため [PHONE_1] へ折り返しお電話いたします。[担当より]"
        events = self.events(m.events(m.anthropic_events(text, size=2), pause=0.002),
                             message=f"電話は {PHONE} です。荷物はいつ届きますか。")
        self.assertEqual(self.assert_whole(events)["response"], text.replace("[PHONE_1]", PHONE))
        for event in events[1:-1]:
            self.assertNotRegex(event.data["text"], r"\[P|PHONE|_1\]")

    def test_forbidden_sentence__never_leaves_complete(self):
        text = "ご迷惑をおかけしました。全額返金いたします。よろしくお願いいたします。"
        events = self.events(m.events(m.anthropic_events(text, size=2), pause=0.002))
        done = self.assert_whole(events, provider="builtin")
        first = "".join(event.data["text"] for event in events[1:-1] if event.data["attempt"] == 1)
        self.assertTrue(first.startswith("ご迷惑をおかけしました。"), first)
        self.assertNotIn("返金いたします", first)
        self.assertEqual(done["ai"]["degraded"], [{"provider": "anthropic", "reason": "unaccepted"}])
        self.assertEqual(self.stored(done["conversation_id"])[1:], [["bot", done["response"]]])

    def test_condition_at_the_end__lets_the_sentence_go(self):
        text = "返金できます場合は、ご案内いたします。"
        events = self.events(m.events(m.anthropic_events(text, size=1), pause=0.002))
        self.assertEqual(self.assert_whole(events)["response"], text)

    def test_reply_in_parts_that_is_cut__ends_with_its_last_sentence(self):
        events = self.events(m.events(m.anthropic_events(REPLY + "なお、", stop="max_tokens")))
        done = self.assert_whole(events)
        self.assertEqual((done["response"], done["ai"]["is_cut"]), (REPLY, True))


class Faults(StreamTest):
    def test_fault_in_the_middle__begins_again(self):
        events = self.events(m.stream(*parts(REPLY)[:6], pause=0.02))
        done = self.assert_whole(events, provider="builtin")
        attempts = [event.data["attempt"] for event in events[1:-1]]
        self.assertEqual((attempts[0], attempts[-1], sorted(attempts)), (1, 2, attempts))
        self.assertEqual(done["ai"]["degraded"], [{"provider": "anthropic", "reason": "cut"}])
        self.assertEqual(done["degraded"], ["ai"])
        self.assertEqual(self.stored(done["conversation_id"])[1:], [["bot", done["response"]]])

    def test_fault_before_the_first_word__is_the_same_attempt(self):
        events = self.events(m.status(500))
        self.assert_whole(events, provider="builtin")
        self.assertEqual({event.data["attempt"] for event in events[1:-1]}, {1})

    def test_refusal_in_the_middle__ends_with_the_handoff(self):
        refusal = m.anthropic_events("それは", stop="refusal")
        events = self.events(m.events(refusal, pause=0.02))
        done = self.assert_whole(events)
        self.assertTrue(done["needs_handoff"])
        self.assertIn("担当者", done["response"])
        self.assertEqual([row[0] for row in self.stored(done["conversation_id"])], ["customer", "bot"])
        owner = self.stack.postgres.sql("SELECT owner FROM mamori.conversations WHERE id ="
                                        f" '{done['conversation_id']}'")
        self.assertEqual(owner, [["human"]])


class Leaving(StreamTest):
    def leave_when(self, behaviour, name):
        """Leaves after the first event of this name; returns the events and how long the mock's
        connection lived on."""
        listener = self.listen(behaviour)
        events = listener.until(name)
        time.sleep(0.1)
        self.assertFalse(self.mock.closed.is_set())
        began = time.monotonic()
        listener.leave()
        self.assertTrue(self.mock.closed.wait(10), "the model goes on speaking")
        return events, time.monotonic() - began

    def wait_stored(self, conversation, count):
        return wait_until(lambda: (rows := self.stored(conversation)) and len(rows) == count and rows,
                          f"{count} messages to be stored")

    def test_client_leaves_between_deltas__stops_the_model_and_is_stored(self):
        events, seconds = self.leave_when(m.stream(*parts(LONG * 9), pause=0.05), "delta")
        self.assertLess(seconds, 1)
        rows = self.wait_stored(events[0].data["conversation_id"], 2)
        self.assertTrue(LONG.startswith(rows[1][1][:8]))
        self.assertTrue(rows[1][1].startswith(said(events)))
        self.assertLess(len(rows[1][1]), len(LONG))

    def test_client_leaves_in_silence__stops_the_model_and_is_stored(self):
        events, seconds = self.leave_when(stalled(REPLY), "delta")
        self.assertLess(seconds, 1)
        rows = self.wait_stored(events[0].data["conversation_id"], 2)
        self.assertEqual(rows[1], ["bot", REPLY])

    def test_client_leaves_before_the_first_word__stops_the_model(self):
        events, seconds = self.leave_when(m.silence, "meta")
        self.assertLess(seconds, 1)
        time.sleep(0.3)
        self.assertEqual(self.stored(events[0].data["conversation_id"]), [["customer", QUESTION]])

    def test_clients_that_leave__do_not_hurt_the_next(self):
        for _ in range(5):
            self.leave_when(stalled(REPLY), "meta")
        self.assert_whole(self.events(m.events(m.anthropic_events(REPLY))))

    def test_clients_that_do_not_read__are_no_burden(self):
        text = LONG * 8
        self.mock.script(m.events(m.anthropic_events(text, size=1)))
        idle = [self.listen() for _ in range(8)]
        self.assert_whole(self.events(m.events(m.anthropic_events(REPLY))))
        for listener in idle:
            listener.leave()
        self.assert_whole(self.events())


class Stopping(StreamTest):
    """SIGTERM: multiwatch starts another worker; the old one ends its streams."""

    def stop_worker(self):
        self.stack.workers["chat"].kill_one(signal.SIGTERM)
        self.stack.wait_ready("chat")

    def test_stream_that_ends_in_time__ends_as_usual(self):
        released = asyncio.Event()

        async def wait(exchange):
            await released.wait()
            for part in parts(LONG)[-3:]:
                await exchange.chunk(part)
            await exchange.end()
        listener = self.listen(stalled(LONG, then=wait))
        events = listener.until("delta")
        pids = self.stack.workers["chat"].pids()
        signal_worker(pids[0])
        self.mock.loop.call_soon_threadsafe(released.set)
        self.assertEqual(self.assert_whole(events + list(listener))["response"], LONG)
        self.wait_replaced(pids)

    def test_stream_that_does_not__ends_with_an_error_and_is_stored(self):
        listener = self.listen(stalled(REPLY))
        events = listener.until("delta")
        pids = self.stack.workers["chat"].pids()
        began = time.monotonic()
        signal_worker(pids[0])
        events += list(listener)
        self.assertLess(time.monotonic() - began, DRAIN_SECONDS)
        error = events[-1]
        self.assertEqual((error.name, error.data["code"]), ("error", "stopping"), events)
        self.assertTrue(error.data["request_id"])
        self.assertEqual(self.stored(events[0].data["conversation_id"])[1], ["bot", REPLY])
        self.wait_replaced(pids)

    def wait_replaced(self, before):
        workers = self.stack.workers["chat"]
        wait_until(lambda: workers.pids() and not set(before) & set(workers.pids()), "another worker")
        self.stack.wait_ready("chat")


def signal_worker(pid):
    import os  # pylint: disable=import-outside-toplevel
    os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
