"""A handoff from end to end: the customer through HTTP, the people by mamori handoff."""

import concurrent.futures
import contextlib
import os
import pwd
import secrets
import subprocess
import time
import unittest

from client import ApiTest, begin_stack, new_id, wait_until
from desk import Desk

RUDE = "ふざけるな！バカ！"


def new_time_id():
    """A UUIDv7 of this moment."""
    tail = secrets.token_hex(10)
    text = f"{time.time_ns() // 1000000:012x}7{tail[:3]}8{tail[3:18]}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def setUpModule():
    ApiTest.stack = begin_stack(settings={"database.retry_max_ms": 200})


class HandoffTest(ApiTest):
    def setUp(self):
        self.suzuki, self.sato = Desk(self.stack, "鈴木"), Desk(self.stack, "佐藤 花子")

    def hand_over(self, message=RUDE, conversation=None):
        turn = self.chat(message, conversation)
        self.assertTrue(turn["needs_handoff"], turn)
        return turn

    def read(self, turn, query=""):
        reply = self.stack.request("GET", f"/api/conversations/{turn['conversation_id']}/messages{query}",
                                   headers={"Authorization": f"Bearer {turn['conversation_token']}"})
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def actions(self, turn):
        return self.sql("SELECT actor, action, old_owner, new_owner FROM mamori.conversation_actions WHERE"
                        f" conversation_id = '{turn['conversation_id']}' ORDER BY id")


class Story(HandoffTest):
    def test_rude_customer__person_answers__bot_goes_on(self):
        first = self.chat("商品が届きません。注文番号 ORD-12345 です。", customer_name="山田太郎")
        turn = self.hand_over(RUDE, first)
        handoff = turn["handoff"]["id"]

        listed = self.suzuki.opened()[handoff]
        self.assertEqual((listed["status"], listed["priority"], listed["reason"], listed["customer_name"]),
                         ("waiting", "high", "severity", "山田太郎"))
        accepted = self.suzuki.act("accept", handoff)
        self.assertEqual((accepted["owner"], accepted["assigned_to"]), ("human", "鈴木"))
        shown = self.suzuki.ask("show", handoff)
        self.assertEqual([message["role"] for message in shown["messages"]],
                         ["customer", "bot", "customer", "bot"])
        self.assertEqual(shown["context"]["order_numbers"], ["ORD-12345"])
        self.assertEqual([event["text"] for event in shown["events"]], [RUDE])

        seen = self.read(turn)
        self.assertEqual((seen["owner"], seen["status"]), ("human", "assigned"))
        waiting = self.chat("まだですか。", turn)
        self.assertIsNone(waiting["response"])
        said = self.suzuki.act("reply", handoff, "鈴木と申します。確認いたしました。\n本日お届けします。")
        news = self.read(turn, f"?after={seen['next']}")
        self.assertEqual([(message["role"], message["text"]) for message in news["messages"]],
                         [("customer", "まだですか。"),
                          ("agent", "鈴木と申します。確認いたしました。\n本日お届けします。")])
        self.assertEqual(news["next"], said["message_id"])
        self.assertEqual(self.read(turn, f"?after={news['next']}")["messages"], [])

        returned = self.suzuki.act("return", handoff, "--note", "落ち着かれた")
        self.assertEqual(returned["owner"], "bot")
        self.assertNotIn(handoff, self.suzuki.opened())
        again = self.chat("商品が届きません。", turn)
        self.assertEqual(again["owner"], "bot")
        self.assertIn("ORD-12345", again["response"])
        self.assertEqual(self.read(turn)["messages"][-1]["text"], again["response"])
        self.assertEqual(self.actions(turn),
                         [["鈴木", "accept", "human", "human"], ["鈴木", "reply", "human", "human"],
                          ["鈴木", "return", "human", "bot"]])

    def test_person_answers__who_asks_again_was_answered(self):
        demand = "全額の返金を要求する"
        turn = self.hand_over("担当者に代わってください。")
        handoff = turn["handoff"]["id"]
        self.suzuki.act("accept", handoff)
        for _ in range(3):
            self.chat(demand, turn)
            self.suzuki.act("reply", handoff, "規約により返金はできません。")
        self.suzuki.act("return", handoff)
        last = self.chat(demand, turn)
        self.assertEqual(last["conversation"]["repetitions_answered"], 3, last)
        self.assertEqual(last["harassment"]["matched_patterns"], ["conversation.persistence"])

    def test_resolve__bot_answers_what_comes(self):
        turn = self.hand_over()
        self.suzuki.act("accept", turn["handoff"]["id"])
        self.suzuki.act("resolve", turn["handoff"]["id"])
        self.assertIn("配送状況", self.chat("商品が届きません。", turn)["response"])

    def test_resolve_and_close__nobody_answers_and_the_customer_still_reads(self):
        turn = self.hand_over()
        self.suzuki.act("accept", turn["handoff"]["id"])
        self.suzuki.act("reply", turn["handoff"]["id"], "これで終わります。")
        self.assertEqual(self.suzuki.act("resolve", turn["handoff"]["id"], "--close")["owner"], "closed")
        body = {key: turn[key] for key in ("conversation_id", "conversation_token")}
        self.assert_error(self.stack.request("POST", "/api/chat", {"message": "続き", **body}), 410,
                          "conversation_closed", "conversation_id")
        seen = self.read(turn)
        self.assertEqual((seen["owner"], seen["status"]), ("closed", "closed"))
        self.assertEqual(seen["messages"][-1]["text"], "これで終わります。")
        self.assertIn("the conversation is closed", self.suzuki.refuse("accept", turn["conversation_id"]))

    def test_conversation_of_the_bot__is_taken_from_it(self):
        turn = self.chat("こんにちは")
        shown = self.suzuki.ask("show", turn["conversation_id"])
        self.assertIsNone(shown["handoff"])
        taken = self.suzuki.act("accept", turn["conversation_id"])
        self.assertEqual(self.suzuki.opened()[taken["handoff_id"]]["reason"], "taken_over")
        self.assertIsNone(self.chat("商品が届きません。", turn)["response"])
        self.suzuki.act("reply", turn["conversation_id"], "お調べします。")
        self.assertEqual(self.read(turn)["messages"][-1]["text"], "お調べします。")
        self.assertEqual(self.actions(turn)[0], ["鈴木", "accept", "bot", "human"])


class Overtaken(HandoffTest):
    """A person acts between the bot's last look at the owner and the record of its reply."""

    @contextlib.contextmanager
    def person_in_between(self, turn, verb):
        """Yields a function that lets the person's transaction, which has begun, take effect."""
        session = subprocess.Popen(["psql", "-XqAt", "-h", str(self.stack.postgres.sockets), "-U",
                                    "mamori_desk", "-d", "mamori"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        now = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
        target = f"'{turn['conversation_id']}'"
        accept = (f"SELECT outcome FROM mamori.desk_accept('{new_time_id()}', {now}, '鈴木', {target}, NULL,"
                  f" '{new_time_id()}');\n")
        close = (f"SELECT outcome FROM mamori.desk_end('{new_time_id()}', {now}, '鈴木', {target}, 'close',"
                 " NULL);\n")
        try:
            session.stdin.write("BEGIN;\n" + accept + (close if verb == "close" else ""))
            session.stdin.flush()
            for _ in range(2 if verb == "close" else 1):
                self.assertEqual(session.stdout.readline(), "done\n")
            yield lambda: session.communicate("COMMIT;\n", timeout=20)
        finally:
            if session.poll() is None:
                session.kill()
                session.communicate()

    def waits_for_lock(self):
        return self.sql("SELECT 1 FROM pg_stat_activity WHERE usename = 'mamori_chat' AND"
                        " wait_event_type = 'Lock'")

    def roles(self, turn):
        return [row[0] for row in self.sql("SELECT role FROM mamori.messages WHERE conversation_id ="
                                           f" '{turn['conversation_id']}' ORDER BY id")]

    def overtake(self, verb):
        first = self.chat("こんにちは")
        with concurrent.futures.ThreadPoolExecutor(1) as pool, \
                self.person_in_between(first, verb) as commit:
            asked = pool.submit(self.chat, "商品が届きません。", first)
            wait_until(self.waits_for_lock, "the record to wait for the person", 5)
            commit()
            return first, asked.result(20)

    def test_taken__reply_is_neither_kept_nor_sent(self):
        first, turn = self.overtake("accept")
        self.assertIsNone(turn["response"])
        self.assertIsNone(turn["ai"])
        self.assertEqual(turn["owner"], "human")
        self.assertNotIn("degraded", turn)
        self.assertEqual(self.roles(first), ["customer", "bot", "customer"])
        self.assertEqual(self.sql("SELECT message_count FROM mamori.conversations WHERE"
                                  f" id = '{first['conversation_id']}'"), [["3"]])

    def test_closed__says_so(self):
        first, turn = self.overtake("close")
        self.assertEqual((turn["response"], turn["owner"]), (None, "closed"))
        self.assertEqual(self.roles(first), ["customer", "bot", "customer"])

    def test_told_from_the_spool__what_the_customer_read_is_kept(self):
        first = self.chat("こんにちは")
        with self.person_in_between(first, "accept") as commit:
            turn = self.chat("商品が届きません。", first)
            self.assertEqual(turn["degraded"], ["journal"])
            commit()
        wait_until(lambda: len(self.roles(first)) == 4, "the spool to be drained")
        self.assertEqual(self.read(first)["messages"][-1]["text"], turn["response"])
        self.assertEqual(self.read(first)["owner"], "human")
        wait_until(lambda: self.health().json()["checks"]["journal"]["mode"] == "direct", "the journal")


class CompareAndSet(HandoffTest):
    def test_two_people_at_once__exactly_one_gets_it(self):
        for _ in range(5):
            handoff = self.hand_over()["handoff"]["id"]
            people = [Desk(self.stack, f"担当{number}") for number in range(8)]
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                done = list(pool.map(lambda desk, id=handoff: desk.run("accept", id, "--as", desk.name),
                                     people))
            winners = [desk.name for desk, one in zip(people, done) if one.returncode == 0]
            self.assertEqual(len(winners), 1, [one.stderr for one in done])
            for one in done:
                if one.returncode:
                    self.assertEqual(one.returncode, 1)
                    self.assertIn(f"the handoff is with {winners[0]}", one.stderr)

    def test_colleagues_handoff__only_with_their_name(self):
        handoff = self.hand_over()["handoff"]["id"]
        self.suzuki.act("accept", handoff)
        for verb, more in (("accept", ()), ("reply", ("はい",)), ("return", ()), ("resolve", ()),
                           ("accept", ("--from", "田中"))):
            with self.subTest(verb, more=more):
                self.assertIn("the handoff is with 鈴木", self.sato.refuse(verb, handoff, *more))
        self.assertEqual(self.sato.act("accept", handoff, "--from", "鈴木")["assigned_to"], "佐藤 花子")
        self.assertIn("the handoff is with 佐藤 花子", self.suzuki.refuse("reply", handoff, "はい"))

    def test_order__first_accept_and_nothing_after_the_end(self):
        turn = self.hand_over()
        handoff = turn["handoff"]["id"]
        for verb in ("reply", "return", "resolve"):
            more = ("はい",) if verb == "reply" else ()
            self.assertIn("nobody has accepted", self.suzuki.refuse(verb, handoff, *more))
        self.suzuki.act("accept", handoff)
        self.suzuki.act("accept", handoff)
        self.suzuki.act("return", handoff)
        for verb in ("accept", "reply", "return", "resolve"):
            more = ("はい",) if verb == "reply" else ()
            self.assertIn("not open any more", self.suzuki.refuse(verb, handoff, *more))
        self.assertEqual([row[1] for row in self.actions(turn)], ["accept", "return"])

    def test_handed_over_again_while_assigned__stays_with_the_person(self):
        turn = self.hand_over("担当者に代わってください。")
        self.suzuki.act("accept", turn["handoff"]["id"])
        urgent = self.chat("もう死にたいです。", turn)
        self.assertEqual(self.suzuki.opened()[turn["handoff"]["id"]]["priority"], "urgent")
        shown = self.suzuki.ask("show", urgent["handoff"]["id"])
        self.assertEqual(shown["handoff"]["id"], turn["handoff"]["id"])
        self.assertEqual([repeat["reason"] for repeat in shown["repeats"]], ["self_harm"])
        self.suzuki.act("reply", urgent["handoff"]["id"], "お話を聞かせてください。")


class Command(HandoffTest):
    def test_unknown_id__says_so(self):
        for verb in ("show", "accept", "return", "resolve"):
            done = self.suzuki.run(verb, new_id())
            self.assertEqual(done.returncode, 1)
            self.assertIn("there is no handoff or conversation with this id", done.stderr)

    def test_wrong_usage__is_2_and_names_what(self):
        handoff = new_id()
        for arguments, part in (((), "is none of"), (("delete",), '"delete" is none of'),
                                (("show",), "needs the id"), (("accept",), "needs the id"),
                                (("list", "x"), '"x" does not belong'),
                                (("list", "--as", "a"), '"--as" does not belong'),
                                (("show", handoff, "--close"), '"--close" does not belong'),
                                (("accept", handoff, "--as"), '"--as" needs a value'),
                                (("reply", handoff, "a", "b"), '"b" does not belong')):
            with self.subTest(arguments):
                done = self.suzuki.run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(part, done.stderr)

    def test_wrong_values__are_1_and_change_nothing(self):
        handoff = self.hand_over()["handoff"]["id"]
        for arguments, part in ((("show", "x"), "is a UUID"), (("accept", handoff, "--as", ""), "actor"),
                                (("accept", handoff, "--as", "a\x1b[2J"), "control characters"),
                                (("accept", handoff, "--as", "あ" * 101), "1 to 100"),
                                (("accept", handoff, "--from", ""), "expected"),
                                (("reply", handoff, " \n"), "text must not be empty"),
                                (("reply", handoff, "あ" * 10001), "at most 10000"),
                                (("return", handoff, "--note", "a" * 1001), "at most 1000")):
            with self.subTest(arguments[-1][:20]):
                done = self.suzuki.run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(part, done.stderr)
        self.assertEqual(self.suzuki.opened()[handoff]["status"], "waiting")

    def test_reply__from_standard_input(self):
        turn = self.hand_over()
        self.suzuki.act("accept", turn["handoff"]["id"])
        self.suzuki.act("reply", turn["handoff"]["id"], text="一行目\n二行目\n\n")
        self.suzuki.act("reply", turn["handoff"]["id"], "-", text="三行目\n")
        self.suzuki.act("reply", turn["handoff"]["id"], "--", "--四行目")
        self.assertEqual([message["text"] for message in self.read(turn)["messages"][-3:]],
                         ["一行目\n二行目", "三行目", "--四行目"])
        done = self.suzuki.run("reply", turn["handoff"]["id"], "--as", "鈴木", text="あ" * 20000)
        self.assertEqual(done.returncode, 1)
        self.assertIn("more than a message's 10000", done.stderr)

    def test_actor__is_the_login_name_unless_said(self):
        turn = self.hand_over()
        self.assertEqual(self.suzuki.run("accept", turn["handoff"]["id"]).returncode, 0)
        try:
            name = os.getlogin()
        except OSError:
            name = pwd.getpwuid(os.getuid()).pw_name
        self.assertEqual(self.actions(turn)[0][0], name)

    def test_tables__are_for_eyes(self):
        turn = self.hand_over("バカ！\x1b[31m赤\u202e右から\nお前を殺すぞ")
        handoff = turn["handoff"]["id"]
        self.suzuki.act("accept", handoff)
        listed = self.suzuki.run("list").stdout
        for part in (handoff, "urgent", "assigned", "鈴木", "カスタマーハラスメントを検出しました", "SINCE"):
            self.assertIn(part, listed)
        self.suzuki.act("return", handoff, "--note", "落ち着かれた")
        shown = self.suzuki.run("show", handoff).stdout
        for part in (handoff, turn["conversation_id"], "CONVERSATION", "HARASSMENT", "DONE BY PEOPLE",
                     "[critical, anger]", "human -> bot  鈴木: 落ち着かれた", "\n    お前を殺すぞ"):
            self.assertIn(part, shown)
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("\u202e", shown)
        self.assertNotIn(handoff, self.suzuki.run("list").stdout)
        self.assertIn(handoff, self.suzuki.run("list", "--all").stdout)

    def test_list__the_most_urgent_first_then_the_oldest(self):
        calm = [self.hand_over("担当者に代わってください。")["handoff"]["id"] for _ in range(2)]
        urgent = self.hand_over("お前を殺すぞ")["handoff"]["id"]
        listed = [id for id in self.suzuki.opened() if id in (*calm, urgent)]
        self.assertEqual(listed, [urgent, *calm])

    def test_other_roles__may_not(self):
        for role in ("mamori_chat", "mamori_conversations"):
            done = self.stack.mamori("handoff", "list", user=role)
            self.assertEqual(done.returncode, 1)
            self.assertIn("permission denied", done.stderr)


class WithoutDatabase(HandoffTest):
    def test_everything_says_that_it_cannot_be_asked(self):
        turn = self.hand_over()
        self.stack.postgres.stop("immediate")
        try:
            for arguments in (("list",), ("show", turn["handoff"]["id"]),
                              ("accept", turn["handoff"]["id"])):
                done = self.suzuki.run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("mamori: handoff: ", done.stderr)
        finally:
            self.stack.postgres.start()
        self.assertEqual(self.suzuki.opened()[turn["handoff"]["id"]]["status"], "waiting")


if __name__ == "__main__":
    unittest.main()
