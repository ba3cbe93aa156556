"""A person takes a conversation over while the model writes: what the model says is dropped."""

import asyncio
import concurrent.futures
import threading
import unittest

import mock as m
from helper import QUESTION, REPLY, AiTest, Chat, begin_stack, start_mock, variables, wait_until
from desk import Desk

PATIENT = {"*.stream": "no", "*.first_token_timeout_ms": 15000, "*.total_timeout_ms": 20000,
           "ai.deadline_ms": 20000}
servers = {}


def setUpModule():
    servers["stack"] = begin_stack(apps=(), nginx=False)
    servers["mock"] = start_mock()
    servers["chat"] = Chat(servers["stack"], "takeover",
                           variables("anthropic", servers["mock"].url, servers["stack"].folder, **PATIENT))
    servers["chat"].wait_ready()


class Takeover(AiTest):
    def setUp(self):
        self.mock, self.chat, self.stack = (servers[name] for name in ("mock", "chat", "stack"))
        self.desk, self.may_answer = Desk(self.stack, "鈴木"), threading.Event()
        self.first = self.turn(m.answer(m.anthropic(REPLY)))
        self.fields = {key: self.first[key] for key in ("conversation_id", "conversation_token")}

    def slow(self, text):
        async def behave(exchange):
            while not self.may_answer.is_set():
                await asyncio.sleep(0.01)
            await exchange.whole(m.encode(m.anthropic(text or "", "end_turn" if text else "refusal")))
        return behave

    def while_the_model_writes(self, act, text="もう少々お待ちください。"):
        """The turn whose model answers only after act() has returned. text None: it declines."""
        self.mock.script(self.slow(text))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.chat.ask, QUESTION, 30, **self.fields)
            try:
                wait_until(lambda: self.mock.requests, "the model to be asked")
                act(self.first["conversation_id"])
            finally:
                self.may_answer.set()
            status, turn = asked.result(30)
        self.assertEqual(status, 200, turn)
        return turn

    def said(self):
        return self.stack.postgres.sql("SELECT role, text FROM mamori.messages WHERE conversation_id ="
                                       f" '{self.first['conversation_id']}' ORDER BY id OFFSET 2")

    def take_and_return(self, conversation):
        self.desk.act("accept", conversation)
        self.desk.act("reply", conversation, "鈴木がお調べしました。")
        self.desk.act("return", conversation)

    def take_and_close(self, conversation):
        self.desk.act("accept", conversation)
        self.desk.act("resolve", conversation, "--close")

    def test_taken__reply_is_dropped_and_the_message_kept(self):
        turn = self.while_the_model_writes(lambda id: self.desk.act("accept", id))
        self.assertEqual((turn["response"], turn["owner"], turn["ai"], turn["handoff"]),
                         (None, "human", None, None))
        self.assertEqual(self.said(), [["customer", QUESTION]])

    def test_taken_and_given_back__reply_is_dropped_all_the_same(self):
        turn = self.while_the_model_writes(self.take_and_return)
        self.assertEqual((turn["response"], turn["owner"]), (None, "bot"))
        self.assertEqual(sorted(self.said()),
                         [["agent", "鈴木がお調べしました。"], ["customer", QUESTION]])
        self.mock.script(m.answer(m.anthropic(REPLY)))
        self.assertEqual(self.chat.ask(QUESTION, **self.fields)[1]["response"], REPLY)
        self.assertIn("鈴木がお調べしました。", str(self.mock.requests[0].json()))

    def test_closed__reply_is_dropped(self):
        turn = self.while_the_model_writes(self.take_and_close)
        self.assertEqual((turn["response"], turn["owner"]), (None, "closed"))
        self.assertEqual(self.said(), [["customer", QUESTION]])

    def test_model_declines_meanwhile__no_second_handoff(self):
        turn = self.while_the_model_writes(lambda id: self.desk.act("accept", id), None)
        self.assertEqual((turn["response"], turn["owner"]), (None, "human"))
        self.assertEqual(len(self.desk.opened()), 1 + self.others)

    @property
    def others(self):
        """Open handoffs of other conversations."""
        return sum(handoff["conversation_id"] != self.first["conversation_id"]
                   for handoff in self.desk.opened().values())

    def test_nobody_takes_it__reply_is_sent(self):
        turn = self.while_the_model_writes(lambda id: self.desk.ask("show", id), REPLY)
        self.assertEqual((turn["response"], turn["owner"]), (REPLY, "bot"))
        self.assertEqual(self.said(), [["customer", QUESTION], ["bot", REPLY]])


if __name__ == "__main__":
    unittest.main()
