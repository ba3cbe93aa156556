"""The rules of turns: a retry gets the first answer, a burst is one turn, the steps from a notice to the
end, how long the bot goes on. Two chat processes, a model that takes its time, and the built-in
responder in a worker of its own."""

import asyncio
import concurrent.futures
import json
import pathlib
import sys
import tempfile
import threading
import unittest

from client import ApiTest, begin_stack, new_id, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "ai"))

# pylint: disable=wrong-import-position
import mock as m  # noqa: E402  (after the path is set)

ANSWER = "お問い合わせありがとうございます。確認いたします。"
JOINED = "まとめてお答えします。確認いたします。"
ENGLISH = "Thank you for writing to us. We are looking into it."
MEDIUM = {"ja": "誠意を見せろ", "en": "I will expose you on Twitter."}
HIGH = {"ja": "ふざけるな！バカ！", "en": "You are a stupid idiot."}
CRITICAL = {"ja": "お前を殺すぞ", "en": "I will kill you"}
NOTICE = {"ja": "お控えくださいます", "en": "May we ask you to do without pressure"}
END = {"ja": "自動応答を終了いたします", "en": "automatic replies in this chat end here"}
CARE = {"ja": ("もう死にたいです。", "0120-279-338"), "en": ("I want to kill myself.", "03-5774-0992")}
servers = {}


def setUpModule():
    mock = servers["mock"] = unittest.enterModuleContext(m.Mock())
    key = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory())) / "mock.key"
    key.write_text("sk-mock-0123456789abcdef", encoding="ascii")
    key.chmod(0o600)
    ApiTest.stack = begin_stack(
        processes=2, settings={"ai.chain": "anthropic", "ai.deadline_ms": 20000,
                               "ai.breaker_failures": 1000, "anthropic.base_url": mock.url,
                               "anthropic.key_file": key, "anthropic.stream": "no",
                               "conversation.turns_max": 4, "conversation.history_tokens_max": 60,
                               "database.retry_max_ms": 200})


class Gate:
    """A model that answers only when it is let; counts how many ask at once."""

    def __init__(self, text=ANSWER):
        self.text, self.opened = text, threading.Event()
        self.asking = self.most = 0

    async def __call__(self, exchange):
        self.asking += 1
        self.most = max(self.most, self.asking)
        while not self.opened.is_set():
            await asyncio.sleep(0.01)
        self.asking -= 1
        await exchange.whole(m.encode(m.anthropic(self.text)))


def at_once(text=ANSWER):
    return m.answer(m.anthropic(text))


class TurnTest(ApiTest):
    def setUp(self):
        self.mock = servers["mock"]
        self.mock.script(at_once())
        self.pool = concurrent.futures.ThreadPoolExecutor(24)
        self.addCleanup(self.pool.shutdown)

    def post(self, message, conversation=None, key=None, **fields):
        if conversation:
            fields = {"conversation_id": conversation["conversation_id"],
                      "conversation_token": conversation["conversation_token"], **fields}
        headers = {"Idempotency-Key": key} if key else {}
        return self.stack.request("POST", "/api/chat", {"message": message, **fields}, headers)

    def rows(self, turn):
        return self.sql("SELECT role, text FROM mamori.messages WHERE"
                        f" conversation_id = '{turn['conversation_id']}' ORDER BY id")

    def asked(self):
        """What the model was asked: the text of each question, without the history."""
        return [request.json()["messages"][-1]["content"] for request in self.mock.requests]

    def hold(self, *script):
        """Gates the next question. Returns the gate, which is opened at the latest in the end."""
        gate = Gate()
        self.addCleanup(gate.opened.set)
        self.mock.script(gate, *script)
        return gate

    def wait_asked(self, count=1):
        wait_until(lambda: len(self.mock.requests) >= count, "the model to be asked")

    def wait_joined(self, conversation, count):
        wait_until(lambda: self.sql("SELECT count(*) FROM mamori.turn_joins WHERE conversation_id ="
                                    f" '{conversation['conversation_id']}'") == [[str(count)]],
                   "messages to join")


class Retry(TurnTest):
    def test_same_key__first_answer_to_the_byte_and_one_turn(self):
        key = new_id()
        first = self.post("荷物はいつ届きますか。\n\"😀\\", key=key)
        self.assertEqual(first.status, 200, first.body)
        self.assertNotIn("Idempotent-Replayed", first.headers)
        for _ in range(4):
            again = self.post("荷物はいつ届きますか。\n\"😀\\", key=key)
            self.assertEqual((again.status, again.body), (200, first.body))
            self.assertEqual(again.headers["Idempotent-Replayed"], "true")
            self.assert_common_headers(again)
        self.assertEqual(self.sql("SELECT role FROM mamori.messages WHERE conversation_id ="
                                  f" '{first.json()['conversation_id']}' ORDER BY id"),
                         [["customer"], ["bot"]])
        self.assertEqual(len(self.mock.requests), 1)
        # What was replayed is worth as much as the first: its token holds.
        self.assertEqual(self.post("続きです", again.json()).status, 200)

    def test_token__is_not_in_the_database(self):
        first = self.post("荷物はいつ届きますか。", key=new_id()).json()
        self.assertEqual(self.sql("SELECT count(*) FROM mamori.turn_keys WHERE answer LIKE"
                                  f" '%{first['conversation_token']}%'"), [["0"]])
        self.assertEqual(self.sql("SELECT count(*) FROM mamori.turn_keys WHERE answer LIKE"
                                  f" '%{first['conversation_id']}%'"), [["1"]])

    def test_body_field__is_a_key_too_and_stands_before_the_header(self):
        key = new_id()
        first = self.post("こんにちは", client_message_id=key)
        self.assertEqual(self.post("こんにちは", client_message_id=key).body, first.body)
        self.assertEqual(self.post("こんにちは", key=key).body, first.body)
        self.assertEqual(self.post("こんにちは", key=new_id(), client_message_id=key).body, first.body)
        self.assertNotEqual(self.post("こんにちは", key=key, client_message_id=new_id()).body, first.body)

    def test_key__belongs_to_its_conversation(self):
        one, two = self.chat("こんにちは"), self.chat("こんにちは")
        first = self.post("荷物はいつ届きますか。", one, key="1")
        other = self.post("荷物はいつ届きますか。", two, key="1")
        self.assertEqual(other.json()["conversation_id"], two["conversation_id"])
        self.assertNotIn("Idempotent-Replayed", other.headers)
        self.assertEqual(self.post("荷物はいつ届きますか。", one, key="1").body, first.body)

    def test_key_with_another_message__is_refused_and_leaves_nothing(self):
        turn = self.chat("こんにちは")
        for conversation in (None, turn):
            key = new_id()
            first = self.post("荷物はいつ届きますか。", conversation, key=key)
            before = self.sql("SELECT count(*) FROM mamori.messages")
            reply = self.post("返品したいです。", conversation, key=key)
            self.assert_error(reply, 400, "idempotency_key_reused", "Idempotency-Key")
            reply = self.post("返品したいです。", conversation, client_message_id=key)
            self.assert_error(reply, 400, "idempotency_key_reused", "client_message_id")
            self.assertEqual(self.sql("SELECT count(*) FROM mamori.messages"), before)
            self.assertEqual(self.post("荷物はいつ届きますか。", conversation, key=key).body, first.body)

    def test_malformed_keys__are_400(self):
        turn = self.chat("こんにちは")
        for key in ("a b", "x" * 256, "é", "a\tb"):
            with self.subTest(key=key[:20]):
                self.assert_error(self.post("a", turn, key=key), 400, "invalid_field",
                                  "Idempotency-Key")
        for key in ("", " ", "鍵", "a\n", "x" * 256, 5, ["a"]):
            with self.subTest(field=str(key)[:20]):
                reply = self.post("a", turn, client_message_id=key)
                self.assert_error(reply, 400, None, "client_message_id")
        for key in ("!", "x" * 255, "~"):
            self.assertEqual(self.post("a", turn, key=key).status, 200)

    def test_first_message__needs_a_key_that_nobody_guesses(self):
        reply = self.post("こんにちは", key="x" * 15)
        self.assert_error(reply, 400, "invalid_field", "Idempotency-Key")
        self.assertEqual(self.post("こんにちは", key=new_id()[:16]).status, 200)

    def test_client_made_id__retry_gets_the_token_and_nobody_else_does(self):
        key, conversation = new_id(), new_id()
        first = self.post("こんにちは", key=key, conversation_id=conversation)
        again = self.post("こんにちは", key=key, conversation_id=conversation)
        self.assertEqual((again.status, again.body), (200, first.body))
        for stranger in (self.post("こんにちは", conversation_id=conversation),
                         self.post("こんにちは", key=new_id(), conversation_id=conversation)):
            self.assert_error(stranger, 403, "forbidden", "conversation_token")

    def test_key_of_a_later_message__does_not_give_the_token(self):
        first = self.chat("こんにちは")
        key = new_id()
        self.assertEqual(self.post("続きです", first, key=key).status, 200)
        reply = self.post("続きです", key=key, conversation_id=first["conversation_id"])
        self.assert_error(reply, 403, "forbidden", "conversation_token")

    def test_refused_turn__gives_its_key_back(self):
        first, key = self.chat("こんにちは"), new_id()
        for _ in range(2):
            reply = self.post("続きです", key=key, conversation_id=first["conversation_id"])
            self.assert_error(reply, 403, "forbidden", "conversation_token")
        self.assertEqual(self.sql("SELECT count(*) FROM mamori.turn_keys WHERE answer IS NULL"), [["0"]])

    def test_sixteen_at_once__one_turn_and_one_answer(self):
        key, gate = new_id(), self.hold(at_once(JOINED))
        futures = [self.pool.submit(self.post, "荷物はいつ届きますか。", None, key) for _ in range(16)]
        # All but the one that is being answered are told to come again.
        wait_until(lambda: sum(future.done() for future in futures) == 15, "fifteen replies")
        gate.opened.set()
        replies = [future.result() for future in futures]
        good = [reply for reply in replies if reply.status == 200]
        self.assertEqual(len(good), 1)
        for reply in replies:
            if reply.status != 200:
                self.assert_error(reply, 409, "conversation_busy", "Idempotency-Key")
                self.assertEqual(reply.headers["Retry-After"], "1")
        again = list(self.pool.map(lambda _: self.post("荷物はいつ届きますか。", key=key), range(16)))
        self.assertEqual({(reply.status, reply.body) for reply in again}, {(200, good[0].body)})
        self.assertEqual(len(self.mock.requests), 1)
        self.assertEqual(len(self.rows(good[0].json())), 2)

    def test_killed_and_started_again__the_answer_is_still_there(self):
        key = new_id()
        first = self.post("荷物はいつ届きますか。", key=key)
        workers = self.stack.workers["chat"]
        for _ in range(2):
            workers.kill_one()
        self.stack.wait_ready("chat")
        self.assertEqual(self.post("荷物はいつ届きますか。", key=key).body, first.body)

    def test_stored_answer_of_another_shape__is_a_turn_again(self):
        key = new_id()
        first = self.post("荷物はいつ届きますか。", key=key)
        self.sql("UPDATE mamori.turn_keys SET answer = '{}' WHERE answer LIKE"
                 f" '%{first.json()['message_id']}%'")
        again = self.post("荷物はいつ届きますか。", key=key)
        self.assertEqual((again.status, again.json()["degraded"]), (200, ["idempotency"]))

    def test_upkeep__forgets_after_a_day(self):
        key = new_id()
        first = self.post("荷物はいつ届きますか。", key=key)
        self.sql("UPDATE mamori.turn_keys SET at = at - interval '23 h 59 min'")
        self.assertEqual(self.stack.mamori("refresh").returncode, 0)
        self.assertEqual(self.post("荷物はいつ届きますか。", key=key).body, first.body)
        self.sql("UPDATE mamori.turn_keys SET at = at - interval '1 h'")
        done = self.stack.mamori("refresh")
        self.assertRegex(done.stdout, r"[1-9]\d* answers for retries purged")
        self.assertNotEqual(self.post("荷物はいつ届きますか。", key=key).body, first.body)


class Burst(TurnTest):
    def setUp(self):
        super().setUp()
        self.first = self.chat("こんにちは")
        self.gate = self.hold(at_once(JOINED))

    def burst(self, messages):
        """The first message and, while it is answered, the others; their replies."""
        holder = self.pool.submit(self.post, messages[0], self.first)
        self.wait_asked()
        others = [self.post(message, self.first) for message in messages[1:]]
        return holder, others

    def test_five_messages__one_reply_that_knows_them_all(self):
        messages = [f"{number} 件目の質問です。" for number in range(1, 6)]
        holder, others = self.burst(messages)
        for reply in others:
            turn = reply.json()
            self.assertEqual(reply.status, 200, reply.body)
            self.assertIsNone(turn["response"])
            self.assertIsNone(turn["ai"])
            self.assertEqual(turn["owner"], "bot")
            self.assertNotIn("degraded", turn)
        self.gate.opened.set()
        answer = holder.result().json()
        self.assertEqual(answer["response"], JOINED)
        ids = [answer["message_id"], *(reply.json()["message_id"] for reply in others)]
        self.assertEqual(answer["answers"], ids)
        self.assertEqual({reply.json()["answered_with"] for reply in others}, {answer["message_id"]})
        self.assertEqual(self.asked(), [messages[0], "\n".join(messages)])
        self.assertEqual(self.gate.most, 1)
        rows = self.rows(self.first)[2:]
        self.assertEqual(rows, [*(["customer", message] for message in messages), ["bot", JOINED]])

    def test_all_at_once__every_message_is_stored_and_one_model_is_asked(self):
        messages = [f"{number} 件目の質問です。" for number in range(8)]
        futures = [self.pool.submit(self.post, message, self.first) for message in messages]
        wait_until(lambda: sum(future.done() for future in futures) == 7, "seven to join")
        self.gate.opened.set()
        replies = [future.result().json() for future in futures]
        self.assertEqual([turn["response"] for turn in replies if turn["response"]], [JOINED])
        rows = self.rows(self.first)[2:]
        self.assertEqual(sorted(text for role, text in rows if role == "customer"), messages)
        self.assertEqual([text for role, text in rows if role == "bot"], [JOINED])
        self.assertEqual(len(self.mock.requests), 2)

    def test_next_message__is_a_turn_again(self):
        holder, _ = self.burst(["一つ目です。", "二つ目です。"])
        self.gate.opened.set()
        holder.result()
        turn = self.chat("三つ目です。", self.first)
        self.assertEqual(turn["response"], JOINED)
        self.assertNotIn("answers", turn)
        self.assertEqual(self.sql("SELECT count(*) FROM mamori.turn_leases"), [["0"]])

    def test_what_goes_on_joining__is_asked_three_times_and_then_sent_back(self):
        second, third = Gate(JOINED), Gate(ENGLISH.replace("Thank you", "どうも"))
        self.addCleanup(second.opened.set)
        self.addCleanup(third.opened.set)
        self.mock.script(self.gate, second, third)
        holder, _ = self.burst(["一つ目です。", "二つ目です。"])
        self.gate.opened.set()
        self.wait_asked(2)
        self.assertEqual(self.post("三つ目です。", self.first).status, 200)
        second.opened.set()
        self.wait_asked(3)
        reply = self.post("四つ目です。", self.first)
        self.assert_error(reply, 409, "conversation_busy", "conversation_id")
        self.assertEqual(reply.headers["Retry-After"], "1")
        third.opened.set()
        self.assertEqual(len(holder.result().json()["answers"]), 3)
        self.assertEqual(len(self.mock.requests), 3)
        self.assertEqual([text for role, text in self.rows(self.first)[2:] if role == "customer"],
                         ["一つ目です。", "二つ目です。", "三つ目です。"])

    def test_urgent_message__does_not_wait_and_ends_the_bots_turn(self):
        for message, reason in ((CARE["ja"][0], "self_harm"), (CARE["en"][0], "self_harm"),
                                (HIGH["ja"], "severity")):
            with self.subTest(reason):
                self.first, self.gate = self.chat("こんにちは"), self.hold(at_once(JOINED))
                holder, (reply,) = self.burst(["一つ目です。", message])
                self.assertEqual(reply.json()["handoff"]["reason"], reason)
                self.gate.opened.set()
                self.assertIsNone(holder.result().json()["response"])
                self.assertEqual(self.asked(), ["一つ目です。"])
                self.assertEqual(self.sql("SELECT count(*) FROM mamori.turn_leases"), [["0"]])

    def test_parts_that_say_it_together__are_care_too(self):
        holder, (second,) = self.burst(["もう死に", "たいです。"])
        self.assertIn("answered_with", second.json())
        self.gate.opened.set()
        turn = holder.result().json()
        self.assertEqual(turn["handoff"]["reason"], "self_harm")
        self.assertIn(CARE["ja"][1], turn["response"])
        self.assertEqual(self.asked(), ["もう死に"])
        self.assertEqual(self.sql("SELECT count(*) FROM mamori.turn_leases"), [["0"]])

    def test_stranger__does_not_join(self):
        conversation = new_id()
        holder = self.pool.submit(self.post, "一つ目です。", conversation_id=conversation)
        self.wait_asked()
        reply = self.post("私のです。", conversation_id=conversation)
        self.assert_error(reply, 403, "forbidden", "conversation_token")
        self.gate.opened.set()
        self.assertEqual(holder.result().json()["response"], ANSWER)

    def test_retry_of_a_message_that_joined__is_replayed(self):
        holder = self.pool.submit(self.post, "一つ目です。", self.first)
        self.wait_asked()
        key = new_id()
        joined = self.post("二つ目です。", self.first, key)
        self.assertIn("answered_with", joined.json())
        self.assertEqual(self.post("二つ目です。", self.first, key).body, joined.body)
        self.wait_joined(self.first, 1)
        self.gate.opened.set()
        self.assertEqual(len(holder.result().json()["answers"]), 2)

    def test_worker_killed__its_lease_runs_out(self):
        holder = self.pool.submit(self.post, "一つ目です。", self.first)
        self.wait_asked()
        for _ in range(2):
            self.stack.workers["chat"].kill_one()
        self.assertEqual(holder.result().status, 502)
        self.gate.opened.set()
        self.stack.wait_ready("chat")
        self.assertIn("answered_with", self.chat("二つ目です。", self.first))
        self.sql("UPDATE mamori.turn_leases SET until = now()")
        turn = self.chat("三つ目です。", self.first)
        self.assertEqual(turn["response"], JOINED)
        self.assertIn("二つ目です。", json.dumps(self.mock.requests[-1].json(), ensure_ascii=False))


class Ladder(TurnTest):
    def begin(self, language):
        self.mock.script(at_once(ANSWER if language == "ja" else ENGLISH))

    def test_medium__answer_with_one_notice_then_answers(self):
        for language, message in MEDIUM.items():
            with self.subTest(language):
                self.begin(language)
                first = self.chat(message)
                self.assertEqual(first["harassment"]["severity"], "medium", first)
                self.assertIn(NOTICE[language], first["response"])
                self.assertTrue(first["response"].startswith(ANSWER if language == "ja" else ENGLISH))
                self.assertIsNone(first["handoff"])
                second = self.chat(message, first)
                self.assertEqual(second["harassment"]["severity"], "medium")
                self.assertEqual(second["response"], ANSWER if language == "ja" else ENGLISH)
                kept = self.sql("SELECT replace(text, chr(10), '|') FROM mamori.messages WHERE role ="
                                f" 'bot' AND conversation_id = '{first['conversation_id']}' ORDER BY id")
                self.assertEqual(kept[0], [first["response"].replace("\n", "|")])

    def test_notice__is_remembered_beyond_the_history_that_is_read(self):
        first = self.chat(MEDIUM["ja"])
        self.sql("DELETE FROM mamori.messages WHERE conversation_id ="
                 f" '{first['conversation_id']}'")
        self.assertEqual(self.chat(MEDIUM["ja"], first)["response"], ANSWER)

    def test_complaint__is_never_scolded(self):
        for message in ("対応にがっかりしました。本当に困っています。", "商品が壊れていました。返金してください！",
                        "消費生活センターに相談します。", "もう三回目です。腹が立ちます。"):
            with self.subTest(message):
                turn = self.chat(message)
                self.assertFalse(turn["harassment"]["is_harassment"], turn)
                self.assertEqual(turn["response"], ANSWER)

    def test_high__a_person_with_the_fixed_text(self):
        for language, message in HIGH.items():
            with self.subTest(language):
                first = self.chat(MEDIUM[language])
                self.mock.script(at_once())
                turn = self.chat(message, first)
                self.assertEqual((turn["handoff"]["reason"], turn["handoff"]["priority"], turn["owner"]),
                                 ("severity", "high", "human"))
                self.assertIn({"ja": "担当者におつなぎします", "en": "member of our staff"}[language],
                              turn["response"])
                self.assertNotIn(END[language], turn["response"])
                self.assertEqual(self.mock.requests, [])

    def test_critical__the_end_of_the_bots_side_and_evidence(self):
        for language, message in CRITICAL.items():
            with self.subTest(language):
                turn = self.chat(message)
                self.assertEqual((turn["handoff"]["reason"], turn["handoff"]["priority"], turn["owner"]),
                                 ("severity", "urgent", "human"))
                self.assertIn(END[language], turn["response"])
                self.assertEqual(self.mock.requests, [])
                self.assertIsNone(self.chat("商品が届きません。", turn)["response"])
                self.assertEqual(self.sql("SELECT severity, text FROM mamori.harassment_events WHERE"
                                          f" conversation_id = '{turn['conversation_id']}'"),
                                 [["critical", message]])

    def test_self_harm__care_before_anything_and_no_model(self):
        for language, (message, number) in CARE.items():
            for before in ("", CRITICAL[language] + "。 "):
                with self.subTest(language + before):
                    turn = self.chat(before + message)
                    self.assertIn(number, turn["response"])
                    self.assertEqual((turn["handoff"]["reason"], turn["handoff"]["priority"]),
                                     ("self_harm", "urgent"))
                    self.assertEqual(self.mock.requests, [])

    def test_self_harm_while_a_person_has_it__care_once_and_urgent(self):
        for language, (message, number) in CARE.items():
            with self.subTest(language):
                turn = self.chat("担当者に代わってください。")
                self.assertIsNone(self.chat("まだですか。", turn)["response"])
                care = self.chat(message, turn)
                self.assertIn(number, care["response"])
                self.assertEqual((care["handoff"]["priority"], care["owner"]), ("urgent", "human"))
                again = self.chat(message, turn)
                self.assertIsNone(again["response"])
                self.assertEqual(again["handoff"]["reason"], "self_harm")
                self.assertEqual(self.mock.requests, [])

    def test_self_harm__beyond_the_turn_cap_is_care(self):
        turn = None
        for _ in range(4):
            turn = self.chat("商品が届きません。", turn)
        self.assertEqual(self.chat(CARE["ja"][0], turn)["handoff"]["reason"], "self_harm")


class Limits(TurnTest):
    def test_turn_cap__a_person_is_offered_and_the_count_begins_anew(self):
        turn = None
        for _ in range(4):
            turn = self.chat("商品が届きません。", turn)
            self.assertEqual(turn["response"], ANSWER)
        last = self.chat("商品が届きません。", turn)
        self.assertEqual((last["handoff"]["reason"], last["owner"]), ("turn_cap", "human"))
        self.assertIn("担当者が確認してお答えします", last["response"])
        self.assertEqual(len(self.mock.requests), 4)
        self.assertEqual(self.sql("SELECT reason FROM mamori.handoffs WHERE"
                                  f" id = '{last['handoff']['id']}'"), [["turn_cap"]])
        self.sql(f"""UPDATE mamori.handoffs SET status = 'resolved', resolved_at = now()
                     WHERE conversation_id = '{turn['conversation_id']}';
                     UPDATE mamori.conversations SET owner = 'bot', status = 'open'
                     WHERE id = '{turn['conversation_id']}'""")
        self.assertEqual(self.chat("商品が届きません。", turn)["response"], ANSWER)

    def test_history__is_the_newest_whole_messages_that_fit(self):
        first = self.chat("あ" * 50)
        second = self.chat("い" * 20, first)
        self.mock.requests.clear()
        self.chat("うう", second)
        sent = [(message["role"], message["content"]) for message in self.mock.requests[0].json()["messages"]]
        # 25 tokens of the answer and 20 of the message fit into 60; the answer before does not.
        self.assertEqual(sent, [("user", "い" * 20), ("assistant", ANSWER), ("user", "うう")])


class WithoutDatabase(TurnTest):
    """PostgreSQL stopped as a crash would, and started again."""

    def setUp(self):
        super().setUp()
        self.first = self.chat("注文番号は ORD-4242 です。")
        self.mock.requests.clear()
        self.stack.postgres.stop("immediate")
        self.addCleanup(self.bring_back)
        self.is_down = True

    def bring_back(self):
        if self.is_down:
            self.stack.postgres.start()
            self.is_down = False
        wait_until(self.is_drained, "the spool to be drained")

    def is_drained(self):
        checks = self.health().json()["checks"]
        return checks["database"]["status"] == "up" and (
            checks["journal"]["mode"], checks["journal"]["spooled"]) == ("direct", 0)

    def test_retry__is_answered_and_told_until_the_first_answer_is_there(self):
        key = new_id()
        first = self.post("荷物はいつ届きますか。", self.first, key)
        again = self.post("荷物はいつ届きますか。", self.first, key)
        for reply in (first, again):
            self.assertEqual(reply.status, 200, reply.body)
            self.assertLessEqual({"idempotency", "journal"}, set(reply.json()["degraded"]))
        self.bring_back()
        replay = self.post("荷物はいつ届きますか。", self.first, key)
        self.assertEqual(replay.headers["Idempotent-Replayed"], "true")
        self.assertIn(replay.json()["message_id"], (first.json()["message_id"],
                                                    again.json()["message_id"]))
        self.assertEqual(self.post("荷物はいつ届きますか。", self.first, key).body, replay.body)

    def test_notice__is_known_from_the_clients_history(self):
        first = self.chat(MEDIUM["ja"], self.first)
        self.assertIn(NOTICE["ja"], first["response"])
        history = [{"role": "user", "content": MEDIUM["ja"]},
                   {"role": "assistant", "content": first["response"]}]
        self.assertNotIn(NOTICE["ja"], self.chat(MEDIUM["ja"], self.first, history=history)["response"])

    def test_turn_cap__counts_the_clients_history(self):
        history = [{"role": role, "content": content} for role, content in
                   (("user", "商品が届きません。"), ("assistant", ANSWER)) * 4]
        turn = self.chat("商品が届きません。", self.first, history=history)
        self.assertEqual(turn["handoff"]["reason"], "turn_cap")

    def test_burst__everybody_is_answered(self):
        turns = list(self.pool.map(lambda _: self.chat("商品が届きません。", self.first), range(5)))
        self.assertEqual([turn["response"] for turn in turns], [ANSWER] * 5)

    def test_care__does_not_need_it(self):
        self.assertIn(CARE["en"][1], self.chat(CARE["en"][0], self.first)["response"])
        self.assertEqual(self.mock.requests, [])


if __name__ == "__main__":
    unittest.main()
