"""Answers from articles: imported, found, cited, taken over without a restart; what none answers is listed."""

import os
import pathlib
import signal
import tempfile
import unittest

from client import SOURCE, ApiTest, begin_stack, wait_until

SAMPLE = str(SOURCE / "tests" / "kb" / "articles.md")
READ = "articles are in use"
UNKNOWN = "情報が見つかりませんでした"
folder = {}


def setUpModule():
    ApiTest.stack = begin_stack(settings={"knowledge.check_seconds": 1})
    folder["path"] = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(
        dir=os.environ.get("MAMORI_TEST_TMP"))))


class KnowledgeTest(ApiTest):
    def kb(self, *arguments, code=0):
        """Runs mamori kb; returns its lines, or what it says of its failure."""
        done = self.stack.mamori("kb", *arguments, user="mamori_admin")
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done.stdout.splitlines() if code == 0 else done.stderr

    def write(self, name, text):
        path = folder["path"] / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def log(self):
        return self.stack.workers["chat"].log.read_text(errors="replace")

    def take_over(self, change):
        """Until the workers have read what `change` does to the articles."""
        before = self.log().count(READ)
        change()
        wait_until(lambda: self.log().count(READ) > before, "the articles to be read")

    def use(self, path, *options):
        self.take_over(lambda: self.kb("import", *options, path))


class Answers(KnowledgeTest):
    @classmethod
    def setUpClass(cls):
        test = cls("setUp")
        test.use(SAMPLE, "--whole")

    def test_question_with_an_article__is_answered_by_it(self):
        for question, title, piece in (
                ("ポイントはいつまで使えますか", "ポイントの貯め方と有効期限", "有効"),
                ("When do my points expire?", "Points", "expire")):
            with self.subTest(question):
                turn = self.chat(question)
                self.assertEqual(len(turn["sources"]), 1, turn)
                source = turn["sources"][0]
                self.assertIn(title.lower(), source["title"].lower())
                self.assertTrue(turn["response"].startswith(source["title"]), turn)
                self.assertIn(piece, turn["response"])
                self.assertTrue(source["is_cited"])
                self.assertGreaterEqual(source["score"], 0.16)
                self.assertFalse(turn["ai"]["is_fallback"])
                self.assertEqual(self.sql(f"SELECT title FROM mamori.kb_articles WHERE id = '{source['id']}'"),
                                 [[source["title"]]])

    def test_question_without_an_article__is_not_known_and_listed(self):
        for number, question in enumerate(("月面旅行を予約したい。電話は 090-1234-5678 です", "月面旅行を予約したい！電話は 090-1234-5678 です")):
            turn = self.chat(question)
            self.assertEqual(turn["sources"], [])
            self.assertIn(UNKNOWN, turn["response"])
            self.assertIn("担当者", turn["response"])
            self.assertTrue(turn["ai"]["is_fallback"])
            wait_until(lambda wanted=number + 1: self.sql("SELECT count(*) FROM mamori.kb_gaps WHERE question "
                                                          "LIKE '月面%'") == [[str(wanted)]], "the gap")
        rows = [line.split("\t") for line in self.kb("gaps") if "月面旅行" in line]
        self.assertEqual(len(rows), 1, rows)
        self.assertEqual((rows[0][0], rows[0][2]), ("2", "ja"))
        self.assertRegex(rows[0][1], r"^\d{4}-\d\d-\d\d$")
        self.assertIn("[PHONE_1]", rows[0][3])
        self.assertNotIn("090", rows[0][3])

    def test_second_question_without_an_answer__is_handed_over(self):
        first = self.chat("工場見学はできますか")
        second = self.chat("駐車場はありますか", first)
        self.assertEqual(second["handoff"]["reason"], "fallback", second)
        self.assertEqual(second["sources"], [])

    def test_answer_between__ends_the_streak(self):
        turn = self.chat("工場見学はできますか")
        turn = self.chat("ポイントはいつまで使えますか", turn)
        turn = self.chat("駐車場はありますか", turn)
        self.assertFalse(turn["needs_handoff"], turn)

    def test_offer_of_the_fallback__is_kept(self):
        for question, wish in (("工場見学はできますか", "担当者につないでください"),
                               ("Can I bring my dog to the office?", "I want to talk to a person")):
            with self.subTest(wish):
                turn = self.chat(question)
                self.assertIn(wish, turn["response"])
                self.assertEqual(self.chat(wish, turn)["handoff"]["reason"], "human_requested")

    def test_follow_up__is_searched_with_the_question_before(self):
        turn = self.chat("店舗で受け取ることはできますか")
        self.assertTrue(turn["sources"], turn)
        after = self.chat("もっと詳しく知りたい", turn)
        self.assertEqual([source["id"] for source in after["sources"]],
                         [source["id"] for source in turn["sources"]], after)

    def test_courtesies__are_no_gaps(self):
        before = self.sql("SELECT count(*) FROM mamori.kb_gaps")
        for message in ("こんにちは", "ありがとうございました", "Hello", "バカ野郎、死ね"):
            self.assertEqual(self.chat(message)["sources"], [], message)
        self.assertEqual(self.sql("SELECT count(*) FROM mamori.kb_gaps"), before)

    def test_topic_with_an_order_number__stays_with_its_text(self):
        turn = self.chat("注文番号 ORD-12345 の荷物の追跡をしたい。配送状況を確認する方法は")
        self.assertIn("ORD-12345", turn["response"])
        self.assertEqual(turn["sources"], [])

    def test_database_down__articles_stay_and_gaps_come_later(self):
        self.stack.postgres.stop("immediate")
        try:
            turn = self.chat("ポイントはいつまで使えますか")
            self.assertEqual(len(turn["sources"]), 1, turn)
            self.assertIn("journal", turn["degraded"])
            self.assertEqual(self.chat("火星の土地は買えますか")["sources"], [])
            self.stack.workers["chat"].kill_one()
            wait_until(lambda: self.stack.request("POST", "/api/chat", {"message": "こんにちは"}).status == 200,
                       "a worker without a database")
            self.assertEqual(self.chat("ポイントはいつまで使えますか")["sources"], [])
        finally:
            self.stack.postgres.start()
        wait_until(lambda: self.chat("ポイントはいつまで使えますか")["sources"], "the articles to come back")
        wait_until(lambda: any("火星の土地" in line for line in self.kb("gaps")), "the gap to come back")


class Changes(KnowledgeTest):
    def test_import_again__changes_what_has_changed(self):
        path = self.write("again.md", "# 猫の餌\nlanguage: ja\n\n一日二回です。\n")
        self.assertEqual(self.kb("import", path), ["1 added, 0 changed, 0 unchanged, 0 removed"])
        self.assertEqual(self.kb("import", path), ["0 added, 0 changed, 1 unchanged, 0 removed"])
        path = self.write("again.md", "# 猫の餌\ntags: ねこ\n\n一日三回です。\n")
        self.assertEqual(self.kb("import", path), ["0 added, 1 changed, 0 unchanged, 0 removed"])
        self.assertEqual(self.sql("SELECT body, tags FROM mamori.kb_articles WHERE title = '猫の餌'"),
                         [["一日三回です。", "{ねこ}"]])
        self.assertEqual(len([line for line in self.kb("list") if "\t猫の餌\t" in line]), 1)
        self.assertEqual(self.kb("remove", "猫の餌"), ["1 removed"])
        self.assertIn("kb list", self.kb("remove", "猫の餌", code=1))

    def test_change__is_taken_over_without_a_restart(self):
        pids = self.stack.workers["chat"].pids()
        question = "ドラゴンの卵はいくらですか"
        self.assertEqual(self.chat(question)["sources"], [])
        self.assertTrue([line for line in self.kb("gaps") if "ドラゴンの卵" in line])
        self.use(self.write("dragon.csv", "title,body\nドラゴンの卵,一個三万円です。\n"))
        self.assertIn("三万円", self.chat(question)["response"])
        self.assertFalse([line for line in self.kb("gaps") if "ドラゴンの卵" in line])
        self.take_over(lambda: self.kb("remove", "ドラゴンの卵"))
        self.assertEqual(self.chat(question)["sources"], [])
        self.assertEqual(self.stack.workers["chat"].pids(), pids)

    def test_sighup__reads_the_articles_again(self):
        self.take_over(lambda: os.kill(self.stack.workers["chat"].pids()[0], signal.SIGHUP))

    def test_csv_with_quotes_and_newlines__is_read(self):
        path = self.write("quotes.csv", '\ufefftags,"title",language,body\r\n'
                          '"引用, 改行","""引用""の扱い",ja,"一行目,\r\n二行目の ""語"""\r\n')
        self.kb("import", path)
        self.assertEqual(self.sql("SELECT title, replace(body, E'\\n', '|'), tags[2] FROM mamori.kb_articles "
                                  "WHERE '引用' = ANY(tags)"), [['"引用"の扱い', '一行目,|二行目の "語"', "改行"]])
        self.kb("remove", '"引用"の扱い')

    def test_search__prints_what_answers(self):
        self.kb("import", self.write("search.md", "# 潜水艦の乗り方\n\n桟橋からどうぞ。\n"))
        lines = self.kb("search", "潜水艦の乗り方")
        self.assertRegex(lines[0], r"^[01]\.\d{3}\tanswers\t[0-9a-f-]{36}\t潜水艦の乗り方$")
        self.assertRegex(lines[-1], r"^[1-3] answers?, from 0\.16 on$")
        self.assertEqual(self.kb("search", "zzzz")[-1], "0 answers, from 0.16 on")
        self.kb("remove", lines[0].split("\t")[2])


class BadFiles(KnowledgeTest):
    def test_bad_file__is_refused_with_its_line_and_changes_nothing(self):
        before = self.sql("SELECT version FROM mamori.kb_state")
        many = "".join(f"# 記事 {n}\n\n本文\n\n" for n in range(10001))
        for name, text, wanted in (
                ("sjis.md", "# 送料\n\n".encode() + "無料です".encode("cp932"), ":3: not UTF-8"),
                ("column.csv", "title,tags\nx,y\n", ":1: the first row must name at least the columns title and body"),
                ("width.csv", "title,body\nx,y\nz\n", ":3: this row has another number of columns"),
                ("open.csv", 'title,body\nx,"y\n', ":2: a quotation mark without its end"),
                ("large.md", "# 短い\n\nよい\n\n# 長い\n\n" + "あ" * 350000, ":5: the text is longer than 20000"),
                ("many.md", many, ":40001: more than 10000 articles"),
                ("twice.md", "# x\n\n1\n\n# x\n\n2\n", ":5: this title stands in line 1 already"),
                ("said.md", "# x\n\n1\n\n# x\nlanguage: en\n\n2\n", "two articles have the same title"),
                ("empty.md", "", ":1: there is no article")):
            with self.subTest(name):
                path = self.write(name, text)
                said = self.kb("import", path, code=1)
                self.assertIn(wanted, said)
                if wanted[0] == ":":
                    self.assertIn(path + wanted, said)
        self.assertIn("nowhere.md", self.kb("import", "/nowhere.md", code=1))
        self.assertEqual(self.sql("SELECT version FROM mamori.kb_state"), before)

    def test_wrong_usage__is_2(self):
        for arguments in ((), ("import",), ("import", "x.txt"), ("import", "--all", "x.md"), ("list", "x"),
                          ("gaps", "--days", "0"), ("gaps", "--days"), ("search",), ("frobnicate",)):
            with self.subTest(arguments):
                self.kb(*arguments, code=2)

    def test_database_down__is_said(self):
        done = self.stack.mamori("kb", "list", user="nobody_there")
        self.assertEqual(done.returncode, 1)
        self.assertIn("mamori: kb list:", done.stderr)

    def test_role_of_chat__may_not_import(self):
        done = self.stack.mamori("kb", "import", SAMPLE, user="mamori_chat")
        self.assertEqual(done.returncode, 1)
        self.assertIn("permission denied", done.stderr)


if __name__ == "__main__":
    unittest.main()
