"""What leaves the machine, and what a model may say: personal data is masked and put back, and a reply
that promises what nobody may promise is not sent."""

import json
import unittest

import mock as m
from helper import REPLY, AiTest, Chat, begin_stack, start_mock, variables

PHONE, MAIL, CARD = "090-1234-5678", "taro@mail.example.jp", "4111 1111 1111 1111"
MESSAGE = f"電話は {PHONE}、メールは {MAIL} です。荷物はいつ届きますか。"
HISTORY = [{"role": "user", "content": f"カード番号は {CARD} です。"},
           {"role": "assistant", "content": "カード番号は送らないでください。"}]
servers = {}

# name, what the model says, what the log calls it
UNSENT = [
    ("a refund", "ご迷惑をおかけしました。全額返金いたします。", "promise_of_refund"),
    ("a placeholder that stands for nothing", "[PHONE_7] へお電話いたします。", "unknown_placeholder"),
    ("abuse", "お前は本当にバカだな。死ね。", "reply was not sent: abuse"),
]


def setUpModule():
    stack = begin_stack(apps=(), nginx=False)
    servers["mock"] = start_mock()
    servers["chat"] = Chat(stack, "privacy", variables("anthropic", servers["mock"].url, stack.folder,
                                                       **{"*.stream": "no"}))
    servers["chat"].wait_ready()


class Privacy(AiTest):
    def setUp(self):
        self.mock, self.chat = servers["mock"], servers["chat"]

    def test_personal_data__leaves_masked_and_comes_back(self):
        turn = self.turn(m.answer(m.anthropic("[PHONE_1] に折り返します。[EMAIL_1] にもお送りします。")),
                         message=MESSAGE, history=HISTORY)
        sent = json.dumps(self.mock.requests[0].json(), ensure_ascii=False)
        for secret in (PHONE, MAIL, CARD):
            self.assertNotIn(secret, sent)
        for placeholder in ("[PHONE_1]", "[EMAIL_1]", "[CARD_1]"):
            self.assertIn(placeholder, sent)
        self.assert_answered(turn, f"{PHONE} に折り返します。{MAIL} にもお送りします。")
        self.assertNotIn(PHONE, self.chat.log())

    def test_reply_that_may_not_go_out__is_answered_otherwise(self):
        for name, text, code in UNSENT:
            with self.subTest(name):
                turn = self.turn(m.answer(m.anthropic(text)))
                self.assert_degraded(turn, "unaccepted", requests=None)
                self.assertNotEqual(turn["response"], text)
                self.assertIn(code, self.chat.log())
                self.assertNotIn(text, self.chat.log())

    def test_harmless_reply__goes_out(self):
        self.assert_answered(self.turn(m.answer(m.anthropic(REPLY))))


if __name__ == "__main__":
    unittest.main()
