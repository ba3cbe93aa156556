"""What holds for any turn holds for a streamed one: a retry gets the first answer, messages that come
while a model speaks are one turn with it, a notice is given."""

import asyncio
import pathlib
import tempfile
import unittest

import mock as m
from helper import QUESTION, REPLY, begin_stack, start_mock, variables, wait_until
from sse import Listener, said

FIRST, SECOND = REPLY, "まとめてお答えします。確認いたします。"
KEY = "0123456789abcdef-streamed"
LIMITS = {"*.first_token_timeout_ms": 15000, "*.idle_timeout_ms": 15000, "*.total_timeout_ms": 20000,
          "ai.deadline_ms": 25000, "knowledge.check_seconds": 1}
ARTICLE = "# 店舗での受け取り\n\n商品は店舗で受け取れます。お届けまで三日かかります。\n"
ABOUT_ARTICLE = "店舗での受け取りはできますか"
servers = {}


def setUpModule():
    folder = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory()))
    mock = servers["mock"] = start_mock()
    servers["stack"] = begin_stack(environment=variables("anthropic", mock.url, folder, **LIMITS))


def speak(text, pause=0.0):
    return m.events(m.anthropic_events(text), pause=pause)


def parts(text):
    return [m.event(document) for document in m.anthropic_events(text, size=7)]


class StreamedTurn(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.mock, self.stack = servers["mock"], servers["stack"]
        self.key = f"{KEY}-{self.id().rpartition('.')[2]}"

    def listen(self, *script, message=QUESTION, key=None, **fields):
        if script:
            self.mock.script(*script)
        listener = Listener(self.stack, {"message": message, **fields},
                            {"Idempotency-Key": key} if key else None)
        self.addCleanup(listener.close)
        return listener

    def post(self, message=QUESTION, key=None, **fields):
        headers = {"Idempotency-Key": key} if key else {}
        return self.stack.request("POST", "/api/chat", {"message": message, **fields}, headers)

    def stored(self, conversation):
        return self.stack.postgres.sql("SELECT role, text FROM mamori.messages WHERE conversation_id ="
                                       f" '{conversation}' ORDER BY id")

    def wait_free(self, key_holder):
        wait_until(lambda: self.stack.postgres.sql("SELECT count(*) FROM mamori.turn_leases")
                   == [["0"]], key_holder)


class Retry(StreamedTurn):
    def assert_replay(self, events, meta, done):
        self.assertEqual([event.name for event in events], ["meta", "delta", "done"])
        self.assertEqual(events[0].data, meta)
        self.assertEqual(events[2].data, done)
        self.assertEqual(said(events), done["response"])

    def test_same_key__the_same_events_and_the_same_document(self):
        events = list(self.listen(speak(FIRST), key=self.key))
        meta, done = events[0].data, events[-1].data
        self.assertEqual(done["response"], FIRST)
        for _ in range(2):
            self.assert_replay(list(self.listen(key=self.key)), meta, done)
        reply = self.post(key=self.key)
        self.assertEqual((reply.status, reply.json()), (200, done))
        self.assertEqual(reply.headers["Idempotent-Replayed"], "true")
        self.assertEqual(len(self.mock.requests), 1)
        self.assertEqual(self.stored(done["conversation_id"]), [["customer", QUESTION], ["bot", FIRST]])

    def test_first_answer_was_a_document__is_streamed(self):
        self.mock.script(speak(FIRST))
        first = self.post(key=self.key).json()
        events = list(self.listen(key=self.key))
        self.assert_replay(events, {name: first[name] for name in events[0].data}, first)
        self.assertIn("harassment", events[0].data)

    def test_under_way__is_409_before_any_event(self):
        with self.listen(m.stream(*parts(FIRST)[:-3], then=m.silence), key=self.key) as first:
            first.until("delta")
            with self.listen(key=self.key) as again:
                self.assertEqual(again.reply.status, 409)
                self.assertEqual(again.reply.headers["Retry-After"], "1")
                self.assertEqual(again.reply.headers["Content-Type"], "application/json")

    def test_broken_off__is_answered_anew(self):
        for before in ("meta", "delta"):
            with self.subTest(before):
                key = f"{self.key}-{before}"
                behaviour = m.silence if before == "meta" else m.stream(*parts(FIRST)[:-3], then=m.silence)
                listener = self.listen(behaviour, key=key)
                listener.until(before)
                listener.leave()
                self.wait_free("the turn to end")
                wait_until(lambda key=key: self.stack.postgres.sql(
                    "SELECT count(*) FROM mamori.turn_keys WHERE answer IS NULL") == [["0"]],
                    "its claim to be given up")
                done = list(self.listen(speak(SECOND), key=key))[-1].data
                self.assertEqual(done["response"], SECOND)
                self.assertNotIn("degraded", done)


class Burst(StreamedTurn):
    def test_message_while_a_new_conversation_is_answered__joins(self):
        gate = m.stream(*parts(FIRST)[:-3], then=self.go_on)
        listener = self.listen(gate, speak(SECOND))
        meta = listener.until("delta")[0].data
        identity = {key: meta[key] for key in ("conversation_id", "conversation_token")}
        with self.listen(message="追伸です。", **identity) as other:
            joined = list(other)
        self.assertEqual([event.name for event in joined], ["meta", "done"])
        self.assertIsNone(joined[1].data["response"])
        self.assertEqual(joined[1].data["answered_with"], meta["message_id"])
        self.is_open = True
        rest = list(listener)
        done = rest[-1].data
        self.assertEqual(done["answers"], [meta["message_id"], joined[0].data["message_id"]])
        self.assertEqual((done["response"], said(rest)), (SECOND, SECOND))
        self.assertEqual({event.data["attempt"] for event in rest if event.name == "delta"} - {1}, {2})
        self.assertEqual(self.stored(meta["conversation_id"]),
                         [["customer", QUESTION], ["customer", "追伸です。"], ["bot", SECOND]])
        self.assertEqual(self.mock.requests[1].json()["messages"][-1]["content"],
                         f"{QUESTION}\n追伸です。")
        self.wait_free("the lease to end")

    is_open = False

    async def go_on(self, exchange):
        while not self.is_open:
            await asyncio.sleep(0.01)
        for part in parts(FIRST)[-3:]:
            await exchange.chunk(part)
        await exchange.end()

    def test_parts_that_say_it_together__are_care(self):
        listener = self.listen(m.stream(*parts(FIRST)[:-3], then=self.go_on), message="もう死に")
        meta = listener.until("delta")[0].data
        identity = {key: meta[key] for key in ("conversation_id", "conversation_token")}
        self.assertIn("answered_with", self.post("たいです。", **identity).json())
        self.is_open = True
        rest = list(listener)
        done = rest[-1].data
        self.assertEqual(done["handoff"]["reason"], "self_harm")
        self.assertIn("0120-279-338", done["response"])
        self.assertEqual(said(rest), done["response"])
        self.assertEqual(self.stored(meta["conversation_id"])[-1][1].split("\\n")[0],
                         done["response"].split("\n")[0])


class Sources(StreamedTurn):
    @classmethod
    def setUpClass(cls):
        stack = servers["stack"]
        path = stack.folder / "article.md"
        path.write_text(ARTICLE, encoding="utf-8")
        done = stack.mamori("kb", "import", str(path), user="mamori_admin")
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        wait_until(lambda: "1 articles are in use" in stack.workers["chat"].log.read_text(), "the article")

    def test_marks__are_in_no_delta_however_they_are_cut(self):
        marked = "はい。[#1] 店舗で受け取れます 【#１】。三日かかります[注]。"
        clean = "はい。 店舗で受け取れます。三日かかります[注]。"
        for size in (1, 2, 3, 50):
            with self.subTest(size):
                documents = [m.event(document) for document in m.anthropic_events(marked, size=size)]
                events = list(self.listen(m.stream(*documents, pause=0.002), message=ABOUT_ARTICLE))
                done = events[-1].data
                self.assertEqual((done["response"], said(events)), (clean, clean))
                self.assertEqual({event.data["attempt"] for event in events if event.name == "delta"}, {1})
                self.assertEqual([(source["title"], source["is_cited"]) for source in done["sources"]],
                                 [("店舗での受け取り", True)])
                self.assertEqual(self.stored(done["conversation_id"])[-1], ["bot", clean])


class Notice(StreamedTurn):
    def test_medium__is_answered_and_noticed_once(self):
        events = list(self.listen(speak(FIRST), message="誠意を見せろ"))
        done = events[-1].data
        self.assertTrue(done["response"].startswith(FIRST))
        self.assertIn("お控えくださいます", done["response"])
        self.assertEqual(said(events), done["response"])
        identity = {key: done[key] for key in ("conversation_id", "conversation_token")}
        again = list(self.listen(speak(FIRST), message="誠意を見せろ", **identity))[-1].data
        self.assertEqual(again["response"], FIRST)


if __name__ == "__main__":
    unittest.main()
