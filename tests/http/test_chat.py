"""POST /api/chat: answers, tokens, history, handoffs, owners, and what remains without PostgreSQL."""

import concurrent.futures
import json
import unittest
import uuid

from client import SPEC_CHAT, ApiTest, begin_stack, new_id, wait_until

# intent, message, what the answer holds
ANSWERS = [
    ("shipping ja", "商品が届きません。注文番号 ORD-12345 です。", ("ORD-12345", "配送状況を確認")),
    ("shipping ja, no number", "商品がまだ届きません。", ("配送状況を確認", "ご注文番号を")),
    ("shipping en", "My order ORD-12345 has not arrived yet.", ("ORD-12345", "delivery status")),
    ("shipping en, no number", "When will my package arrive?", ("delivery status", "order number")),
    ("returns ja", "返品したいです。注文番号は ORD-777 です。", ("ORD-777", "返品・返金・交換")),
    ("returns ja, no number", "返金してほしいのですが。", ("返品・返金・交換", "ご注文番号と")),
    ("returns en", "I would like to return order ORD-777.", ("ORD-777", "return, refund or exchange")),
    ("defect ja", "届いた商品が壊れていました。", ("不具合", "ご注文番号")),
    ("defect en", "The item I received is broken.", ("does not work as it should",)),
    ("account ja", "パスワードを忘れてログインできません。", ("アカウント", "再設定")),
    ("account en", "I forgot my password and cannot log in.", ("your account", "reset your password")),
    ("billing ja", "今月の請求金額について教えてください。", ("料金・お支払い",)),
    ("billing en", "I have a question about my invoice.", ("look into the charge",)),
    ("greeting ja", "こんにちは", ("ご用件をお聞かせください",)),
    ("greeting en", "Hello", ("How can we help you",)),
    ("thanks ja", "ありがとうございました。", ("ご連絡ありがとうございます",)),
    ("thanks en", "Thank you very much!", ("Thank you for letting us know",)),
    ("complaint ja", "対応にがっかりしました。", ("詳しくお聞かせください",)),
    ("complaint en", "Your service was disappointing.", ("did not meet your expectations",)),
    ("no intent ja", "量子の色は何ですか。", ("詳しくお聞かせください",)),
    ("no intent en", "What colour is Tuesday?", ("I do not know the answer",)),
]
ANGRY = ("本当に腹が立ちます！", "いい加減にしてください！怒っています！", "許せません！激怒しています！")
UNPLACED = ("量子の色は何ですか。", "火曜日の味はどうですか。")
MEMBERS = {"conversation_id", "conversation_token", "message_id", "response", "sentiment", "harassment",
           "conversation", "handoff", "needs_handoff", "ai", "timestamp"}


def setUpModule():
    ApiTest.stack = begin_stack(settings={"database.retry_max_ms": 200})


class ChatAnswers(ApiTest):
    def test_spec_example__fields_and_verdict(self):
        conversation = new_id()
        turn = self.send("/api/chat", {**SPEC_CHAT, "conversation_id": conversation})
        self.assertLessEqual(MEMBERS, set(turn))
        self.assertEqual(turn["conversation_id"], conversation)
        self.assertIn("配送状況を確認", turn["response"])
        self.assertEqual(turn["sentiment"]["sentiment"], "negative")
        self.assertEqual(set(turn["sentiment"]["scores"]), {"positive", "neutral", "negative", "anger"})
        self.assertIs(turn["sentiment"]["trigger_alert"], False)
        self.assertIs(turn["harassment"]["is_harassment"], False)
        self.assertEqual(turn["harassment"]["severity"], "none")
        self.assertGreaterEqual(turn["harassment"]["confidence"], 0.9)
        self.assertIsNone(turn["handoff"])
        self.assertIs(turn["needs_handoff"], False)
        self.assertNotIn("degraded", turn)
        for key in ("conversation_id", "message_id"):
            uuid.UUID(turn[key])

    def test_answers__every_intent_in_both_languages(self):
        for name, message, parts in ANSWERS:
            with self.subTest(name):
                turn = self.chat(message)
                self.assertEqual(turn["ai"]["provider"], "builtin")
                self.assertEqual(turn["ai"]["is_fallback"], name.startswith("no intent"), turn)
                for part in parts:
                    self.assertIn(part, turn["response"])

    def test_turn__both_messages_are_in_the_database(self):
        turn = self.chat("商品が届きません 😀。", customer_name="山田 'O\\' 太郎")
        rows = self.sql("SELECT role, text, reply_to IS NOT NULL FROM mamori.messages WHERE"
                        f" conversation_id = '{turn['conversation_id']}' ORDER BY id")
        self.assertEqual(rows, [["customer", "商品が届きません 😀。", "f"], ["bot", turn["response"], "t"]])
        rows = self.sql("SELECT customer_name, owner, status, message_count FROM mamori.conversations"
                        f" WHERE id = '{turn['conversation_id']}'")
        self.assertEqual(rows, [["山田 'O\\' 太郎", "bot", "open", "2"]])

    def test_client_history__gives_the_order_number(self):
        history = [{"role": "user", "content": "注文番号は ORD-555 です。"},
                   {"role": "assistant", "content": "ありがとうございます。"}]
        turn = self.chat("商品が届きません。", history=history)
        self.assertIn("ORD-555", turn["response"])

    def test_client_history__is_not_stored(self):
        mark = new_id()
        self.chat("こんにちは", history=[{"role": "user", "content": mark}])
        self.assertEqual(self.sql(f"SELECT 1 FROM mamori.messages WHERE text = '{mark}'"), [])


class ChatTokens(ApiTest):
    def setUp(self):
        self.turn = self.chat("こんにちは")
        self.id = self.turn["conversation_id"]

    def ask(self, headers=None, **fields):
        return self.stack.request("POST", "/api/chat", {"message": "続きです", "conversation_id": self.id,
                                                        **fields}, headers)

    def count(self):
        return self.sql(f"SELECT count(*) FROM mamori.messages WHERE conversation_id = '{self.id}'")

    def test_existing_conversation_without_token__is_403(self):
        before = self.count()
        self.assert_error(self.ask(), 403, "forbidden", "conversation_token")
        self.assertEqual(self.count(), before)

    def test_token__in_the_body_and_in_the_header(self):
        token = self.turn["conversation_token"]
        self.assertEqual(self.ask(conversation_token=token).status, 200)
        for scheme in ("Bearer", "bearer", "BEARER"):
            reply = self.ask({"Authorization": f"{scheme} {token}"})
            self.assertEqual((reply.status, reply.json()["conversation_id"]), (200, self.id))

    def test_token__stays_the_same(self):
        again = self.chat("続きです", self.turn)
        self.assertEqual(again["conversation_token"], self.turn["conversation_token"])

    def test_wrong_tokens__are_403(self):
        token = self.turn["conversation_token"]
        other = self.chat("こんにちは")["conversation_token"]
        changed = ("A" if token[0] != "A" else "B") + token[1:]
        for wrong in (other, changed, token[:-1], token + "A", token + "=", token.swapcase(), "x",
                      token + "\n", "あ" * 43, "A" * 5000):
            with self.subTest(wrong=wrong[:50]):
                self.assert_error(self.ask(conversation_token=wrong), 403, "forbidden",
                                  "conversation_token")
        self.assert_error(self.ask({"Authorization": f"Bearer {other}"}), 403, "forbidden",
                          "conversation_token")

    def test_refused_turns__leave_nothing(self):
        before = self.count()
        self.ask(conversation_token="x")
        self.assertEqual(self.count(), before)

    def test_token__of_a_conversation_that_does_not_exist_yet(self):
        self.id = new_id()
        self.assert_error(self.ask(conversation_token=self.turn["conversation_token"]), 403,
                          "forbidden", "conversation_token")

    def test_client_made_id__creates_the_conversation_once(self):
        self.id = new_id().upper()
        first = self.ask()
        self.assertEqual(first.status, 200, first.body)
        self.assertEqual(first.json()["conversation_id"], self.id.lower())
        self.assert_error(self.ask(), 403, "forbidden", "conversation_token")
        second = self.ask(conversation_token=first.json()["conversation_token"])
        self.assertEqual(second.status, 200)


class ChatHistory(ApiTest):
    def test_second_turn__knows_the_order_number_of_the_first(self):
        first = self.chat("注文番号は ORD-98765 です。")
        second = self.chat("商品が届きません。", first)
        self.assertIn("ORD-98765", second["response"])
        self.assertEqual(second["conversation_id"], first["conversation_id"])

    def test_stored_history__stands_before_the_clients(self):
        first = self.chat("注文番号は ORD-11111 です。")
        claimed = [{"role": "user", "content": "注文番号は ORD-22222 です。"}]
        second = self.chat("商品が届きません。", first, history=claimed)
        self.assertIn("ORD-11111", second["response"])
        self.assertNotIn("ORD-22222", second["response"])

    def test_conversations__do_not_see_each_other(self):
        self.chat("注文番号は ORD-33333 です。")
        self.assertNotIn("ORD-33333", self.chat("商品が届きません。")["response"])


class ChatThread(ApiTest):
    """The stored thread, not a message of it, is held against who insists."""

    def turns(self, message, count):
        turns = [self.chat(message)]
        while len(turns) < count:
            turns.append(self.chat(message, turns[-1]))
        return turns

    def events(self, turn):
        return self.sql("SELECT message_id, severity, array_to_string(categories, ',') FROM"
                        " mamori.harassment_events WHERE"
                        f" conversation_id = '{turn['conversation_id']}'")

    def test_demand_again_and_again_after_answers__persistence_and_its_event(self):
        turns = self.turns("全額の返金を要求する", 4)
        for turn in turns[:3]:
            self.assertFalse(turn["harassment"]["is_harassment"], turn)
        last = turns[3]
        self.assertEqual(last["harassment"]["matched_patterns"], ["conversation.persistence"])
        self.assertEqual(last["harassment"]["categories"], ["persistence"])
        self.assertTrue(last["harassment"]["reasons"])
        self.assertEqual([turn["conversation"]["repetitions"] for turn in turns], [0, 1, 2, 3])
        self.assertEqual([turn["conversation"]["messages_per_minute"] for turn in turns], [1, 2, 3, 4])
        self.assertEqual(self.events(last), [[last["message_id"], "medium", "persistence"]])

    def test_fault_that_is_still_there__is_nobodys_fault(self):
        for message in ("商品がまだ届いてない", "返金してください。", "いつ届きますか？",
                        "My router is still not working"):
            with self.subTest(message):
                turns = self.turns(message, 6)
                self.assertEqual(turns[5]["conversation"]["repetitions"], 5)
                self.assertFalse(any(turn["harassment"]["is_harassment"] for turn in turns), turns)
                self.assertEqual(self.events(turns[0]), [])

    def test_bot_without_an_answer__who_asks_again_is_not_blamed(self):
        turns = self.turns("量子の色は青に決まっている", 5)
        self.assertEqual(turns[4]["conversation"]["repetitions"], 4)
        self.assertEqual(turns[4]["conversation"]["repetitions_answered"], 0)
        self.assertFalse(turns[4]["harassment"]["is_harassment"], turns[4])

    def test_client_history__is_a_thread_too(self):
        history = [{"role": role, "content": content} for role, content in
                   (("user", "全額の返金を要求する"), ("assistant", "できません。")) * 4]
        turn = self.chat("全額の返金を要求する", history=history)
        self.assertEqual(turn["harassment"]["matched_patterns"], ["conversation.persistence"])
        self.assertEqual(turn["conversation"]["repetitions_long"], 4)


class ChatHandoff(ApiTest):
    def check_handoff(self, turn, reason, priority):
        """The answer's handoff, and the same in the database."""
        self.assertIs(turn["needs_handoff"], True, turn)
        handoff = turn["handoff"]
        self.assertEqual((handoff["reason"], handoff["priority"]), (reason, priority), handoff)
        context = handoff["context"]
        for key in ("summary", "detected_issues", "order_numbers", "sentiment_history", "priority"):
            self.assertIn(key, context)
        self.assertTrue(context["summary"])
        rows = self.sql("SELECT conversation_id, reason, priority, status, context, summary FROM"
                        f" mamori.handoffs WHERE id = '{handoff['id']}'")
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0][:4], [turn["conversation_id"], reason, priority, "waiting"])
        self.assertEqual(json.loads(rows[0][4]), context)
        self.assertEqual(rows[0][5], context["summary"])
        rows = self.sql("SELECT owner, status FROM mamori.conversations WHERE"
                        f" id = '{turn['conversation_id']}'")
        self.assertEqual(rows, [["human", "waiting"]])
        return context

    def test_severity_high__context_of_the_whole_conversation(self):
        first = self.chat("商品が届きません。注文番号 ORD-12345 です。", customer_name="山田太郎")
        second = self.chat("届いた別の商品も壊れていました。注文番号は ORD-67890 です。", first)
        third = self.chat("ふざけるな！バカ！", second)
        self.assertIn("担当者におつなぎ", third["response"])
        context = self.check_handoff(third, "severity", "high")
        self.assertEqual(context["order_numbers"], ["ORD-12345", "ORD-67890"])
        self.assertEqual(len(context["sentiment_history"]), 3)
        self.assertEqual((context["sentiment_history"][0], context["sentiment_history"][-1]),
                         ("negative", "anger"))
        self.assertLessEqual({"配送", "品質"}, set(context["detected_issues"]))
        self.assertIn("山田太郎", context["summary"])

    def test_severity_high__event_is_stored(self):
        turn = self.chat("お前を殺すぞ")
        self.check_handoff(turn, "severity", "urgent")
        rows = self.sql("SELECT message_id, severity, text, recommendation FROM"
                        f" mamori.harassment_events WHERE conversation_id = '{turn['conversation_id']}'")
        self.assertEqual(rows, [[turn["message_id"], "critical", "お前を殺すぞ",
                                 turn["harassment"]["recommendation"]]])

    def test_medium__event_without_handoff(self):
        turn = self.chat("責任者を出せ")
        self.assertEqual(turn["harassment"]["severity"], "medium", turn)
        rows = self.sql("SELECT severity FROM mamori.harassment_events WHERE"
                        f" conversation_id = '{turn['conversation_id']}'")
        self.assertEqual(rows, [["medium"]])

    def test_issues__each_topic_by_its_japanese_name(self):
        turn = None
        for message in ("商品が届きません。", "返品したいです。", "商品が壊れていました。",
                        "パスワードを忘れてログインできません。", "今月の請求金額について教えてください。",
                        "対応にがっかりしました。"):
            turn = self.chat(message, turn)
            self.assertFalse(turn["needs_handoff"], turn)
        context = self.check_handoff(self.chat("担当者に代わってください。", turn), "human_requested", "normal")
        self.assertEqual(set(context["detected_issues"]),
                         {"配送", "返品・返金", "品質", "アカウント", "料金", "対応不満"})

    def test_person_asked_for__ja_and_en(self):
        for message, part in (("担当者に代わってください。", "担当者におつなぎ"),
                              ("I want to talk to a human, please.", "a member of our staff")):
            with self.subTest(message=message):
                turn = self.chat(message)
                self.assertIn("human_requested", turn["signals"])
                self.assertIn(part, turn["response"])
                self.assertFalse(turn["harassment"]["is_harassment"])
                self.check_handoff(turn, "human_requested", "normal")

    def test_self_harm__care_in_both_languages(self):
        for message, parts in (("もう死にたいです。", ("119", "0120-279-338", "担当者")),
                               ("I want to kill myself.", ("03-5774-0992", "member of our staff"))):
            with self.subTest(message=message):
                turn = self.chat(message)
                for part in parts:
                    self.assertIn(part, turn["response"])
                self.assertFalse(turn["harassment"]["is_harassment"])
                self.assertIn("self_harm", turn["signals"])
                self.check_handoff(turn, "self_harm", "urgent")

    def test_self_harm_with_abuse__care_goes_first(self):
        turn = self.chat("お前らはバカだ。もう死にたい。")
        self.check_handoff(turn, "self_harm", "urgent")

    def test_repeated_anger__third_message_is_handed_over(self):
        turn = None
        for number, message in enumerate(ANGRY, 1):
            turn = self.chat(message, turn)
            self.assertEqual(turn["sentiment"]["sentiment"], "anger", turn)
            self.assertIs(turn["needs_handoff"], number == 3, turn)
        context = self.check_handoff(turn, "anger", "high")
        self.assertEqual(context["sentiment_history"], ["anger"] * 3)

    def test_anger_interrupted__is_not_handed_over(self):
        turn = None
        for message in (ANGRY[0], ANGRY[1], "ありがとうございます。", ANGRY[2]):
            turn = self.chat(message, turn)
            self.assertIs(turn["needs_handoff"], False, turn)

    def test_no_answer_twice__is_handed_over(self):
        first = self.chat(UNPLACED[0])
        self.assertIs(first["needs_handoff"], False)
        second = self.chat(UNPLACED[1], first)
        self.check_handoff(second, "fallback", "normal")

    def test_no_answer_interrupted__is_not_handed_over(self):
        turn = None
        for message in (UNPLACED[0], "商品が届きません。", UNPLACED[1]):
            turn = self.chat(message, turn)
            self.assertIs(turn["needs_handoff"], False, turn)


class ChatOwner(ApiTest):
    def test_self_harm_while_a_person_has_it__is_handed_over_again_as_urgent(self):
        first = self.chat("担当者に代わってください。")
        self.assertEqual(first["handoff"]["reason"], "human_requested")
        turn = self.chat("もう死にたいです。", first)
        self.assertIn("0120-279-338", turn["response"])
        self.assertEqual((turn["handoff"]["reason"], turn["handoff"]["priority"]),
                         ("self_harm", "urgent"))
        rows = self.sql("SELECT priority FROM mamori.conversations WHERE"
                        f" id = '{turn['conversation_id']}'")
        self.assertEqual(rows, [["urgent"]])
        calm = self.chat("まだですか。", turn)
        self.assertIsNone(calm["handoff"])
        self.assertEqual(self.open_handoffs(turn), [[first["handoff"]["id"], "urgent"]])
        rows = self.sql("SELECT handoff_id, reason FROM mamori.handoff_repeats WHERE"
                        f" id = '{turn['handoff']['id']}'")
        self.assertEqual(rows, [[first["handoff"]["id"], "self_harm"]])

    def open_handoffs(self, turn):
        return self.sql("SELECT id, priority FROM mamori.handoffs WHERE status <> 'resolved' AND"
                        f" conversation_id = '{turn['conversation_id']}'")

    def test_turns_at_the_same_time__one_handoff_and_an_answer_each(self):
        first = self.chat("こんにちは")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            turns = list(pool.map(lambda _: self.chat("担当者に代わってください。", first), range(8)))
        handed = [turn["handoff"]["id"] for turn in turns if turn["handoff"]]
        self.assertEqual({turn["owner"] for turn in turns}, {"human"})
        [[kept, priority]] = self.open_handoffs(first)
        self.assertEqual(priority, "normal")
        repeats = self.sql(f"SELECT id FROM mamori.handoff_repeats WHERE handoff_id = '{kept}'")
        self.assertEqual(sorted(handed), sorted([kept] + [row[0] for row in repeats]))

    def test_person_owns__message_kept_and_not_answered(self):
        first = self.chat("担当者に代わってください。")
        second = self.chat("まだですか。", first)
        self.assertIsNone(second["response"])
        self.assertIsNone(second["handoff"])
        self.assertIsNone(second["ai"])
        rows = self.sql("SELECT role FROM mamori.messages WHERE"
                        f" conversation_id = '{first['conversation_id']}' ORDER BY id")
        self.assertEqual(rows, [["customer"], ["bot"], ["customer"]])

    def test_person_took_over_by_hand__bot_is_silent(self):
        first = self.chat("こんにちは")
        self.sql("UPDATE mamori.conversations SET owner = 'human', status = 'assigned' WHERE"
                 f" id = '{first['conversation_id']}'")
        self.assertIsNone(self.chat("商品が届きません。", first)["response"])

    def test_person_gave_it_back__bot_answers(self):
        first = self.chat("担当者に代わってください。")
        self.sql(f"""UPDATE mamori.handoffs SET status = 'resolved', resolved_at = now()
                     WHERE conversation_id = '{first['conversation_id']}';
                     UPDATE mamori.conversations SET owner = 'bot', status = 'open'
                     WHERE id = '{first['conversation_id']}'""")
        self.assertIn("配送状況", self.chat("商品が届きません。", first)["response"])

    def test_closed_conversation__is_410(self):
        first = self.chat("こんにちは")
        self.sql("UPDATE mamori.conversations SET status = 'closed', closed_at = now() WHERE"
                 f" id = '{first['conversation_id']}'")
        body = {"message": "続きです", "conversation_id": first["conversation_id"]}
        self.assert_error(self.stack.request("POST", "/api/chat", body), 403, "forbidden",
                          "conversation_token")
        body["conversation_token"] = first["conversation_token"]
        reply = self.stack.request("POST", "/api/chat", body)
        self.assert_error(reply, 410, "conversation_closed", "conversation_id")
        count = self.sql("SELECT count(*) FROM mamori.messages WHERE"
                         f" conversation_id = '{first['conversation_id']}'")
        self.assertEqual(count, [["2"]])


class ChatWithoutDatabase(ApiTest):
    """Each test stops PostgreSQL as a crash would, and starts it again."""

    def setUp(self):
        self.before = self.chat("注文番号は ORD-4242 です。")
        self.stack.postgres.stop("immediate")
        self.is_down = True
        self.addCleanup(self.bring_back)

    def bring_back(self):
        if self.is_down:
            self.stack.postgres.start()
            self.is_down = False
        wait_until(self.is_drained, "the spool to be drained")

    def is_drained(self):
        checks = self.health().json()["checks"]
        return checks["database"]["status"] == "up" and (
            checks["journal"]["mode"], checks["journal"]["spooled"]) == ("direct", 0)

    def texts(self, conversation):
        return [row[0] for row in self.sql("SELECT text FROM mamori.messages WHERE role = 'customer' AND"
                                           f" conversation_id = '{conversation}' ORDER BY id")]

    def test_first_answer_after_the_loss__says_that_it_is_spooled(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            turns = list(pool.map(lambda _: self.chat("こんにちは"), range(8)))
        self.assertEqual([turn["degraded"] for turn in turns], [["journal"]] * 8)

    def test_fresh_conversation__answered_spooled_drained_once(self):
        turn = self.chat("商品が届きません。")
        self.assertIn("配送状況", turn["response"])
        self.assertEqual(turn["degraded"], ["journal"])
        self.bring_back()
        self.assertEqual(self.texts(turn["conversation_id"]), ["商品が届きません。"])
        self.assertEqual(self.sql("SELECT message_count FROM mamori.conversations WHERE"
                                  f" id = '{turn['conversation_id']}'"), [["2"]])

    def test_proved_conversation__goes_on_and_keeps_its_id(self):
        sent = [f"{number} 件目: 商品が届きません。" for number in range(5)]
        for text in sent:
            turn = self.chat(text, self.before)
            self.assertEqual(turn["conversation_id"], self.before["conversation_id"])
            self.assertEqual(set(turn["degraded"]), {"history", "journal"})
        self.bring_back()
        self.assertEqual(self.texts(self.before["conversation_id"]), ["注文番号は ORD-4242 です。", *sent])
        again = self.chat("商品が届きません。", self.before)
        self.assertNotIn("degraded", again)
        self.assertIn("ORD-4242", again["response"])

    def test_proved_conversation__uses_the_clients_history(self):
        history = [{"role": "user", "content": "注文番号は ORD-4242 です。"}]
        turn = self.chat("商品が届きません。", self.before, history=history)
        self.assertIn("ORD-4242", turn["response"])

    def test_id_without_token__gets_a_conversation_of_its_own(self):
        turn = self.chat("商品が届きません。", conversation_id=self.before["conversation_id"])
        self.assertNotEqual(turn["conversation_id"], self.before["conversation_id"])
        self.assertNotEqual(turn["conversation_token"], self.before["conversation_token"])
        self.assertEqual(set(turn["degraded"]), {"history", "conversation_id", "journal"})
        self.bring_back()
        self.assertEqual(self.texts(self.before["conversation_id"]), ["注文番号は ORD-4242 です。"])
        self.assertEqual(self.texts(turn["conversation_id"]), ["商品が届きません。"])

    def test_wrong_token__is_403_all_the_same(self):
        body = {"message": "a", "conversation_id": self.before["conversation_id"],
                "conversation_token": "A" * 43}
        self.assert_error(self.stack.request("POST", "/api/chat", body), 403, "forbidden",
                          "conversation_token")

    def test_handoff__reaches_the_database_afterwards(self):
        turn = self.chat("お前を殺すぞ")
        self.assertEqual(turn["handoff"]["reason"], "severity")
        self.bring_back()
        rows = self.sql(f"SELECT reason FROM mamori.handoffs WHERE id = '{turn['handoff']['id']}'")
        self.assertEqual(rows, [["severity"]])
        self.assertIsNone(self.chat("まだですか。", turn)["response"])

    def test_analyze__answered_spooled_drained_once(self):
        mark = new_id()
        for number in range(3):
            self.analyze(f"{mark} {number}")
        self.send("/api/analyze", {"messages": [f"{mark} 3", f"{mark} 4"]})
        self.bring_back()
        rows = self.sql(f"SELECT text FROM mamori.analysis_logs WHERE text LIKE '{mark}%' ORDER BY text")
        self.assertEqual([row[0] for row in rows], [f"{mark} {number}" for number in range(5)])

    def test_spooled_conversation__is_not_given_to_who_knows_its_id(self):
        turn = self.chat("商品が届きません。")
        body = {"message": "x", "conversation_id": turn["conversation_id"]}
        for _ in range(3):
            reply = json.loads(self.stack.request("POST", "/api/chat", body).body)
            self.assertNotEqual(reply["conversation_id"], turn["conversation_id"])
            self.assertIn("conversation_id", reply["degraded"])
        self.bring_back()
        wait_until(lambda: self.texts(turn["conversation_id"]), "the spooled turn")
        self.assert_error(self.stack.request("POST", "/api/chat", body), 403, "forbidden",
                          "conversation_token")

    def test_stopped_worker__leaves_its_spool_to_the_next(self):
        turn = self.chat("商品が届きません。")
        self.stack.workers["chat"].kill_one()
        self.bring_back()
        # The killed worker's last report may be older than its last record.
        wait_until(lambda: self.texts(turn["conversation_id"]), "the next worker to drain the spool")
        self.assertEqual(self.texts(turn["conversation_id"]), ["商品が届きません。"])


if __name__ == "__main__":
    unittest.main()
