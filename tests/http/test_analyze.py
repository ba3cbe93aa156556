"""POST /api/analyze: the answer's shape, verdicts, batches, spans, and what is stored."""

import concurrent.futures
import datetime
import unittest

from client import SPEC_ANALYZE, ApiTest, begin_stack, new_id

SEVERITIES = ("none", "low", "medium", "high", "critical")
CATEGORIES = {"threat", "verbal_abuse", "defamation", "intimidation", "exposure_threat", "dogeza_demand",
              "persistence", "restraint", "discrimination", "sexual", "personal_attack",
              "excessive_demand"}
SIGNALS = {"urgent", "legal_mention", "churn", "self_harm", "accommodation", "injection", "pii_present",
           "human_requested"}
SENTIMENTS = ("positive", "neutral", "negative", "anger")

# severity × sentiment, as LABELS.md has it; columns in the order anger, negative, neutral, positive
RISK = {
    "critical": ("critical", "critical", "critical", "high"),
    "high": ("critical", "high", "high", "medium"),
    "medium": ("high", "medium", "medium", "low"),
    "low": ("medium", "medium", "low", "low"),
    "none": ("medium", "low", "none", "none"),
}
RISK_COLUMNS = ("anger", "negative", "neutral", "positive")

# message, severities allowed, categories that must be among the answer's
VERDICTS = [
    ("お前を殺すぞ", ("critical",), {"threat"}),
    ("会社に火をつける", ("critical",), {"threat"}),
    ("帰り道に気をつけろよ", ("critical",), {"threat"}),
    ("このバカ野郎", ("high",), {"verbal_abuse"}),
    ("お前は無能だな", ("high",), {"verbal_abuse"}),
    ("土下座しろ", ("high",), {"dogeza_demand"}),
    ("彼氏いるの？", ("high",), {"sexual"}),
    ("外国人は使えない", ("high",), {"discrimination"}),
    ("責任者を出せ", ("medium",), {"intimidation"}),
    ("Twitterで晒すからな", ("medium",), {"exposure_threat"}),
    ("金を返せ！弁償しろ！", ("medium",), {"excessive_demand"}),
    ("すごく困っているんです", ("low",), set()),
    ("対応にがっかりしました", ("low",), set()),
    ("注文番号を教えてください", ("none",), set()),
    ("カスタマーサポートの方ですか", ("none",), set()),
    ("ソファを動かすのを手伝ってほしい", ("none",), set()),
    ("欲しいですしね", ("none",), set()),
    ("ゴミ箱を買いました", ("none",), set()),
    ("私がバカでした", ("none", "low"), set()),
    ("プロセスを殺すコマンドを教えてください", ("none",), set()),
]

# message; each holds abuse, and its spans have to name it in code points of the message as sent
SPANS = [
    "ふざけるな！バカ！",
    "😀😀👨‍👩‍👧このバカ野郎！😀",
    "この は\u3099か 野郎、は\u3099か野郎！",
    "このﾊﾞｶ野郎",
    "この\u200bバ\u200bカ\u200b野\u200b郎",
    "Ａｂｃ このバカ野郎 ｄｅｆ",
    "一行目です。\n\n二行目、お前を殺すぞ。\n三行目です。",
    "\U0001F1EF\U0001F1F5 土下座しろ \U0001F469\U0001F3FD\u200d\U0001F4BB",
    "が\u0301 死ね、お前は無能だな",
]


def setUpModule():
    ApiTest.stack = begin_stack(apps=("analyze", "health"))


class AnalyzeShape(ApiTest):
    def check_result(self, result, message):
        harassment, sentiment = result["harassment"], result["sentiment"]
        self.assertIn(harassment["severity"], SEVERITIES)
        self.assertEqual(harassment["is_harassment"], harassment["severity"] in SEVERITIES[2:])
        self.assertTrue(0 <= harassment["confidence"] <= 1)
        self.assertLessEqual(set(harassment["categories"]), CATEGORIES)
        self.assertEqual({span["rule"] for span in harassment["spans"]},
                         set(harassment["matched_patterns"]))
        self.assertIsInstance(harassment["reasons"], list)
        self.assertIsInstance(harassment["recommendation"], str)
        self.check_spans(harassment["spans"], message)
        self.assertIn(sentiment["sentiment"], SENTIMENTS)
        self.assertEqual(set(sentiment["scores"]), set(SENTIMENTS))
        self.assertAlmostEqual(sum(sentiment["scores"].values()), 1, places=2)
        self.assertIsInstance(sentiment["trigger_alert"], bool)
        self.assertIsInstance(sentiment["keywords_found"], list)
        column = RISK_COLUMNS.index(sentiment["sentiment"])
        self.assertEqual(result["combined_risk"], RISK[harassment["severity"]][column], result)
        self.assertLessEqual(set(result["signals"]), SIGNALS)
        self.assertIn("ai_analysis", result)
        self.assertIsNone(result["ai_analysis"])
        self.assertIsInstance(result["engine"], str)
        datetime.datetime.strptime(result["analyzed_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
        if harassment["is_harassment"]:
            self.assertEqual(result["alert"]["type"], "harassment_detected")
            self.assertEqual(result["alert"]["severity"], harassment["severity"])
            self.assertTrue(harassment["reasons"] and all(harassment["reasons"]), harassment)

    def check_spans(self, spans, message):
        for span in spans:
            self.assertTrue(0 <= span["start"] < span["end"] <= len(message), span)
            self.assertEqual(message[span["start"]:span["end"]], span["text"])

    def test_spec_example__fields_and_verdict(self):
        result = self.analyze(**SPEC_ANALYZE, conversation_id=new_id())
        self.assertIs(result["harassment"]["is_harassment"], True)
        self.assertEqual(result["harassment"]["severity"], "high")
        self.assertEqual(result["sentiment"]["sentiment"], "anger")
        self.assertIs(result["sentiment"]["trigger_alert"], True)
        self.assertEqual(result["combined_risk"], "critical")
        self.assertEqual(result["alert"]["type"], "harassment_detected")
        self.assertEqual(result["alert"]["severity"], "high")
        self.assertTrue(result["alert"]["message"].startswith("カスハラ検出（high）"), result["alert"])
        self.check_result(result, SPEC_ANALYZE["message"])

    def test_verdicts__messages_of_the_definition(self):
        for message, severities, categories in VERDICTS:
            with self.subTest(message=message):
                result = self.analyze(message)
                self.check_result(result, message)
                self.assertIn(result["harassment"]["severity"], severities, result)
                self.assertLessEqual(categories, set(result["harassment"]["categories"]), result)

    def test_nothing_wrong__no_alert(self):
        result = self.analyze("いつもありがとうございます。")
        self.assertNotIn("alert", result)
        self.assertEqual(result["sentiment"]["sentiment"], "positive")
        self.assertEqual(result["combined_risk"], "none")

    def test_self_harm__alert_without_harassment(self):
        result = self.analyze("もう死にたいです")
        self.assertIn("self_harm", result["signals"])
        self.assertFalse(result["harassment"]["is_harassment"])
        self.assertEqual(result["alert"]["type"], "self_harm")

    def test_spans__slice_the_message_exactly(self):
        for message in SPANS:
            with self.subTest(message=message):
                result = self.analyze(message)
                self.assertTrue(result["harassment"]["spans"], result)
                self.check_result(result, message)

    def test_span__position_after_astral_characters(self):
        plain = self.analyze("お前を殺すぞ")["harassment"]["spans"]
        moved = self.analyze("😀" * 5 + "。お前を殺すぞ")["harassment"]["spans"]
        self.assertEqual([span["start"] + 6 for span in plain], [span["start"] for span in moved])

    def test_unknown_fields__are_ignored(self):
        self.analyze("こんにちは", surprise={"deep": [1, 2, {"x": None}]}, Message="other")

    def test_null_optional_fields__count_as_absent(self):
        self.analyze("こんにちは", conversation_id=None, history=None, use_ai=None, messages=None)

    def test_history__is_read(self):
        history = [{"role": "user", "content": "本当に腹が立ちます！"},
                   {"role": "assistant", "content": "申し訳ございません。"}]
        result = self.analyze("もう激怒しています！", history=history)
        self.assertEqual(result["conversation"]["angry_in_a_row"], 2, result)


def moments(*seconds):
    """A `timestamp` so many seconds ago, each."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return [(now - datetime.timedelta(seconds=ago)).isoformat(timespec="milliseconds") for ago in seconds]


DEMAND, REFUSED = "とにかく返金してくれ", "規約により返金はできません。"
REPORT = "荷物がまだ届いてない"
LONG_TALK = ("この役立たず", "契約の件はどうした", "無能ばかりだな", "控えは手元にある", "日付は先月の末だ",
             "写真もある", "録音もある", "話は終わってないからな")

# name, the customer's earlier message (again and again), an answer after each or "", seconds ago of
# each, the message, the rule wanted
THREADS = [
    ("a demand, refused, within minutes", DEMAND, REFUSED, (500, 300, 100), DEMAND,
     "conversation.persistence"),
    ("a demand, refused, over days", DEMAND, REFUSED, (300000, 200000, 100000, 7200), DEMAND,
     "conversation.persistence"),
    ("a demand that nobody answered", DEMAND, "", (500, 300, 100), DEMAND, None),
    ("a demand, twice", DEMAND, REFUSED, (500, 300), DEMAND, None),
    ("a fault that is still there", REPORT, "お調べします。", (500, 400, 300, 200, 100), REPORT, None),
    ("a question", "返金はいつですか？", "確認します。", (500, 400, 300, 200, 100), "返金はいつですか？", None),
    ("a polite request", "返金してください", REFUSED, (500, 400, 300, 200, 100), "返金してください", None),
    ("something new", DEMAND, REFUSED, (500, 400, 300, 200, 100), DEMAND + "。注文番号は ORD-99812 だ", None),
    ("calm at last", DEMAND, REFUSED, (500, 400, 300, 200, 100), "わかった。ありがとう", None),
    ("who needs writing", "耳が聞こえないから文字で頼む", "お電話ください。", (500, 400, 300, 200, 100),
     "耳が聞こえないから文字で頼む", None),
]


class AnalyzeThread(ApiTest):
    def thread(self, texts, answers, times):
        history = []
        for text, answer, time in zip(texts, answers, times, strict=True):
            history.append({"role": "user", "content": text, "timestamp": time})
            if answer:
                history.append({"role": "assistant", "content": answer, "timestamp": time})
        return history

    def of_the_thread(self, result):
        return [rule for rule in result["harassment"]["matched_patterns"] if rule.startswith("conversation.")]

    def test_threads__are_held_against_who_insists_only(self):
        for name, earlier, answer, ago, message, wanted in THREADS:
            with self.subTest(name):
                times = moments(*ago)
                history = self.thread([earlier] * len(ago), [answer] * len(ago), times)
                result = self.analyze(message, history=history)
                self.assertEqual(self.of_the_thread(result), [wanted] if wanted else [], result)
                if wanted:
                    self.assertEqual(result["harassment"]["severity"], "medium")
                    self.assertIn("persistence", result["harassment"]["categories"])
                    self.assertEqual(result["alert"]["severity"], "medium")
                # The same words are nobody's fault without the thread.
                self.assertEqual(self.of_the_thread(self.analyze(message)), [])

    def test_reading__counts_and_times(self):
        history = self.thread([DEMAND, "バカ野郎", DEMAND], [REFUSED, "", REFUSED], moments(4000, 900, 30))
        reading = self.analyze(DEMAND, history=history)["conversation"]
        self.assertEqual({key: reading[key] for key in (
            "repetitions", "repetitions_long", "repetitions_answered", "messages_per_minute",
            "harassing_before", "is_escalating", "angry_in_a_row")},
            {"repetitions": 1, "repetitions_long": 2, "repetitions_answered": 2,
             "messages_per_minute": 2, "harassing_before": 1, "is_escalating": False,
             "angry_in_a_row": reading["angry_in_a_row"]})
        self.assertAlmostEqual(reading["duration_ms"], 4000000, delta=30000)
        self.assertAlmostEqual(reading["unbroken_ms"], 900000, delta=30000)

    def test_no_times__order_tells(self):
        history = [{key: value for key, value in item.items() if key != "timestamp"}
                   for item in self.thread([DEMAND] * 4, [REFUSED] * 4, moments(4, 3, 2, 1))]
        result = self.analyze(DEMAND, history=history)
        self.assertEqual(self.of_the_thread(result), ["conversation.persistence"])
        self.assertEqual((result["conversation"]["repetitions"], result["conversation"]["duration_ms"]),
                         (0, 0))

    def test_time_that_is_none__is_ignored(self):
        for time in ("yesterday", 17, None, "", {}, "2026-02-30T00:00:00Z"):
            with self.subTest(time=time):
                result = self.analyze("こんにちは", history=[{"role": "user", "content": "a", "timestamp": time}])
                self.assertEqual(result["conversation"]["duration_ms"], 0)

    def test_hours_without_a_pause__restraint(self):
        ago = [4200 - 540 * number for number in range(len(LONG_TALK))]
        for message, wanted in (("納得するまで続けるからな", ["conversation.restraint"]),
                                ("わかった。ありがとう", []), ("次はいつ連絡をもらえますか？", [])):
            with self.subTest(message):
                history = self.thread(LONG_TALK, ["ご説明いたします。"] * len(LONG_TALK), moments(*ago))
                result = self.analyze(message, history=history)
                self.assertEqual(self.of_the_thread(result), wanted, result)
                if wanted:
                    self.assertIn("restraint", result["harassment"]["categories"])
        history = self.thread(LONG_TALK, ["ご説明いたします。"] * len(LONG_TALK),
                              moments(*(time // 2 for time in ago)))
        self.assertEqual(self.of_the_thread(self.analyze("納得するまで続けるからな", history=history)), [])

    def test_history_of_100_long_messages__is_answered(self):
        long = "契約書の控えを" * 40
        history = self.thread([long] * 50, [long] * 50, moments(*range(50, 0, -1)))
        reading = self.analyze(long, history=history)["conversation"]
        self.assertEqual((reading["repetitions"], reading["messages_per_minute"]), (20, 51))


class AnalyzeBatch(ApiTest):
    def batch(self, messages, status=200):
        return self.send("/api/analyze", {"messages": messages}, status=status)

    def test_batch__keeps_the_order(self):
        messages = ["お前を殺すぞ", "ありがとうございます", "責任者を出せ", "注文番号を教えてください"]
        results = self.batch(messages)["results"]
        self.assertEqual([result["harassment"]["severity"] for result in results],
                         ["critical", "none", "medium", "none"])

    def test_batch__answers_as_one_by_one(self):
        messages = [message for message, _, _ in VERDICTS]
        for message, result in zip(messages, self.batch(messages)["results"], strict=True):
            alone = self.analyze(message)
            for key in ("harassment", "sentiment", "combined_risk", "signals"):
                self.assertEqual(result[key], alone[key], message)

    def test_batch_of_one__is_a_list(self):
        self.assertEqual(len(self.batch(["こんにちは"])["results"]), 1)

    def test_batch_of_100__all_answered_and_stored(self):
        mark = new_id()
        results = self.batch([f"{mark} {number}" for number in range(100)])["results"]
        self.assertEqual(len(results), 100)
        rows = self.sql(f"SELECT id, text FROM mamori.analysis_logs WHERE text LIKE '{mark}%' ORDER BY id")
        self.assertEqual([row[0] for row in rows], [result["analysis_id"] for result in results])
        self.assertEqual([row[1] for row in rows], [f"{mark} {number}" for number in range(100)])

    def test_batch_of_101_and_of_none__are_400(self):
        for messages in (["a"] * 101, []):
            reply = self.stack.request("POST", "/api/analyze", {"messages": messages})
            self.assert_error(reply, 400, "invalid_field", "messages")

    def test_batch_with_one_bad_item__stores_nothing(self):
        mark = new_id()
        reply = self.stack.request("POST", "/api/analyze", {"messages": [mark, mark, ""]})
        self.assert_error(reply, 400, "invalid_field", "messages[2]")
        self.assertEqual(self.sql(f"SELECT 1 FROM mamori.analysis_logs WHERE text = '{mark}'"), [])


class AnalyzeStored(ApiTest):
    def test_reply__is_in_the_database_when_it_arrives(self):
        conversation, text = new_id(), f"このバカ野郎 {new_id()} 😀 'quoted' \\ \"double\""
        reply = self.stack.request("POST", "/api/analyze",
                                   {"message": text, "conversation_id": conversation.upper()})
        result = reply.json()
        rows = self.sql("SELECT text, severity, sentiment, risk, request_id, findings->0->>'rule'"
                        f" FROM mamori.analysis_logs WHERE conversation_id = '{conversation}'")
        self.assertEqual(rows, [[text, result["harassment"]["severity"],
                                 result["sentiment"]["sentiment"], result["combined_risk"],
                                 reply.headers["X-Request-Id"],
                                 result["harassment"]["spans"][0]["rule"]]])

    def test_parallel_requests__each_gets_its_own_answer(self):
        numbers = list(range(120))

        def ask(number):
            message = "あ" * (number + 3) + "。お前を殺すぞ"
            return self.stack.request("POST", "/api/analyze", {"message": message})
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            replies = list(pool.map(ask, numbers))
        for number, reply in zip(numbers, replies, strict=True):
            self.assertEqual(reply.status, 200)
            starts = {span["start"] for span in reply.json()["harassment"]["spans"]}
            self.assertTrue(all(start >= number + 4 for start in starts), starts)
            self.assertTrue(starts)
        self.assertEqual(len({reply.headers["X-Request-Id"] for reply in replies}), len(numbers))


if __name__ == "__main__":
    unittest.main()
