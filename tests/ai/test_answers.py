"""The cases of a provider's answers, each against a real chat worker: an answer, or a degradation that
is told; never a 5xx. The numbers are those of the list in the README of this folder."""

import asyncio
import email.utils
import subprocess
import threading
import time
import unittest

import mock as m
from helper import (KEY, QUESTION, REPLY, AiTest, Chat, begin_stack, run_ask, start_mock,
                    variables)

OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
ERROR = {"type": "error", "error": {"type": "x", "message": "mock"}, "request_id": "req_1"}
servers = {}


def setUpModule():
    stack = begin_stack(apps=(), nginx=False)
    servers["stack"], servers["mock"] = stack, start_mock()

    def chat(name, chain, **settings):
        servers[name] = Chat(stack, name, variables(chain, servers["mock"].url, stack.folder,
                                                    **settings))
    chat("whole", "anthropic", **{"*.stream": "no"})
    chat("stream", "anthropic")
    chat("gemini", "gemini builtin")
    chat("gemini_whole", "gemini builtin", **{"*.stream": "no"})
    chat("openai", "openai builtin")
    chat("openai_whole", "openai builtin", **{"*.stream": "no"})
    chat("two", "anthropic gemini builtin")
    for server in servers.values():
        if isinstance(server, Chat):
            server.wait_ready()


class CaseTest(AiTest):
    worker = None

    def setUp(self):
        self.mock, self.chat = servers["mock"], servers[self.worker]


class AnthropicWhole(CaseTest):
    worker = "whole"

    def test_01_normal_json__is_the_answer(self):
        turn = self.turn(m.answer(m.anthropic(REPLY)))
        self.assert_answered(turn)
        self.assertEqual(turn["ai"]["model"], "claude-opus-4-6")
        request = self.mock.requests[0]
        self.assertEqual((request.method, request.path), ("POST", "/v1/messages"))
        self.assertEqual(request.headers["x-api-key"], KEY)
        self.assertEqual(request.headers["anthropic-version"], "2023-06-01")
        sent = request.json()
        self.assertEqual(sent["messages"], [{"role": "user", "content": QUESTION}])
        self.assertEqual((sent["max_tokens"], sent["stream"]), (1024, False))
        self.assertIn("Japanese", sent["system"])
        self.assertFalse({"temperature", "top_p", "top_k"} & set(sent))

    def test_02_thinking_before_text__is_left_out(self):
        turn = self.turn(m.answer(m.anthropic(content=[
            {"type": "thinking", "thinking": "secret thoughts", "signature": "x"},
            {"type": "text", "text": REPLY}, {"type": "text", "text": "second"}])))
        self.assert_answered(turn)

    def test_03_tool_use__hands_over(self):
        turn = self.turn(m.answer(m.anthropic(stop="tool_use", content=[
            {"type": "text", "text": "少々お待ちください。"},
            {"type": "tool_use", "id": "toolu_1", "name": "hand_off", "input": {"reason": "refund"}}])))
        self.assert_handed_over(turn, "handed_over")
        self.assertEqual(self.mock.requests[0].json()["tools"][0]["name"], "hand_off")

    def test_03_tool_that_was_not_offered__is_no_answer(self):
        turn = self.turn(m.answer(m.anthropic(stop="tool_use", content=[
            {"type": "tool_use", "id": "toolu_1", "name": "rm_rf", "input": {}}])))
        self.assert_degraded(turn, "invalid")

    def test_04_refusal_with_empty_content__hands_over(self):
        turn = self.turn(m.answer(m.anthropic(stop="refusal", content=[],
                                              stop_details={"type": "refusal", "category": None})))
        self.assert_handed_over(turn, "refused")
        self.assertEqual(len(self.mock.requests), 1)

    def test_05_max_tokens__is_cut_after_a_whole_sentence(self):
        turn = self.turn(m.answer(m.anthropic(REPLY + "次に、お客様の", stop="max_tokens")))
        self.assert_answered(turn)
        self.assertTrue(turn["ai"]["is_cut"])

    def test_05_max_tokens_with_half_json__is_no_document(self):
        self.mock.script(m.answer(m.anthropic('{"score": 0.', stop="max_tokens")))
        self.assertEqual(ask("--score", chain="anthropic")["status"], "unavailable")

    def test_13_529_three_times__one_retry_then_builtin_then_answer(self):
        overloaded = m.answer(ERROR, 529)
        turn = self.turn(overloaded, overloaded, overloaded, m.answer(m.anthropic(REPLY)))
        self.assert_degraded(turn, "overloaded", requests=2)
        status, turn = self.chat.ask()
        self.assertEqual(status, 200)
        self.assert_answered(turn, requests=4)

    def test_14_401__is_an_alarm_and_asked_no_more(self):
        turn = self.turn(m.answer(ERROR, 401))
        self.assert_degraded(turn, "key")
        self.assertIn("<3>", self.chat.log())
        self.assert_degraded(self.chat.ask()[1], "breaker_open")

    def test_15_404_model__is_an_alarm_and_asked_no_more(self):
        turn = self.turn(m.answer({"type": "error", "error": {"type": "not_found_error",
                                                              "message": "model"}}, 404))
        self.assert_degraded(turn, "model")
        self.assert_degraded(self.chat.ask()[1], "breaker_open")

    def test_16_413_with_html__is_not_retried(self):
        turn = self.turn(m.status(413, {"content-type": "text/html"}, b"<html><h1>413 {too} large"))
        self.assert_degraded(turn, "rejected")

    def test_17_500_with_empty_body__is_retried_once(self):
        self.assert_degraded(self.turn(m.status(500, data=b"")), "overloaded", requests=2)
        turn = self.turn(m.status(500, data=b""), m.answer(m.anthropic(REPLY)))
        self.assert_answered(turn, requests=2)

    def test_18_reset_before_headers__is_retried_once(self):
        self.assert_answered(self.turn(m.reset, m.answer(m.anthropic(REPLY))), requests=2)
        # A kept connection that is found dead costs no attempt: a third request may be seen.
        self.assert_degraded(self.turn(m.reset), "reset", requests=None)
        self.assertIn(len(self.mock.requests), (2, 3))

    def test_19_reset_within_the_body__is_retried_once(self):
        async def half(exchange):
            await exchange.head(200, length=1000)
            await exchange.send(b'{"type":"message","content":[{"type":"text","te')
            await asyncio.sleep(0.05)
            exchange.reset()
        self.assert_answered(self.turn(half, m.answer(m.anthropic(REPLY))), requests=2)
        self.assert_degraded(self.turn(half), "cut", requests=2)

    def test_20_200_with_invalid_json__is_not_retried(self):
        for data in (b'{"type": "message", "content": [{]}', b"not json", b"", b"[]", b'{"type": 5}',
                     b'{"type":"message"}', b'{"type":"message","content":[{"type":"text","text":"\xff"}]}',
                     b'{"type": "message", "content"'):
            with self.subTest(data):
                self.assert_degraded(self.turn(m.body(data)), "invalid")

    def test_21_200_with_50_mb__is_given_up_early(self):
        before = self.chat.memory_kib()
        self.assert_degraded(self.turn(m.huge(50)), "too_long")
        self.assertLess(self.chat.memory_kib() - before, 16 * 1024)

    def test_30_gzip__is_unpacked(self):
        self.assert_answered(self.turn(m.gzip(m.anthropic(REPLY))))
        self.assertIn("gzip", self.mock.requests[0].headers["accept-encoding"])

    def test_30_gzip_of_50_mb__is_given_up(self):
        self.assert_degraded(self.turn(m.gzip(m.anthropic("x" * 50_000_000))), "too_long")

    def test_32_redirect__is_not_followed(self):
        with m.Mock() as other:
            other.script(m.answer(m.anthropic(REPLY)))
            for code in (301, 302, 307, 308):
                with self.subTest(code):
                    turn = self.turn(m.status(code, {"location": other.url + "/v1/messages"}))
                    self.assert_degraded(turn, "redirect")
            self.assertEqual(other.requests, [])

    def test_33_score_out_of_range__is_not_accepted(self):
        for text, accepted in (('{"score": 0.7}', True), ('{"score": 1.7}', False),
                               ('{"score": -1}', False), ('{"score": "high"}', False), ("no", False)):
            with self.subTest(text):
                self.mock.script(m.answer(m.anthropic(text)))
                reply = ask("--score", chain="anthropic")
                self.assertEqual(reply["status"], "ok" if accepted else "unavailable", reply)
                self.assertIn("schema", self.mock.requests[0].json()["output_config"]["format"])

    def test_34_another_language__is_not_the_answer(self):
        english = "Thank you for your message. We will look into the delivery."
        self.assert_degraded(self.turn(m.answer(m.anthropic(english))), "language")
        chinese = "您好，感谢您的咨询，我们会尽快为您确认配送状态。"
        self.assert_degraded(self.turn(m.answer(m.anthropic(chinese))), "language")
        turn = self.turn(m.answer(m.anthropic(english)), message="When will my parcel arrive?")
        self.assert_answered(turn, english)

    def test_35_person_takes_over_meanwhile__the_reply_is_dropped(self):
        first = self.turn(m.answer(m.anthropic(REPLY)))
        has_begun, may_answer = threading.Event(), threading.Event()

        async def wait(exchange):
            has_begun.set()
            while not may_answer.is_set():
                await asyncio.sleep(0.01)
            await exchange.whole(m.encode(m.anthropic(REPLY)))
        self.mock.script(wait)
        result = []
        asking = threading.Thread(target=lambda: result.append(self.chat.ask(
            conversation_id=first["conversation_id"],
            conversation_token=first["conversation_token"])))
        asking.start()
        self.assertTrue(has_begun.wait(10))
        sql = servers["stack"].postgres.sql
        sql("UPDATE mamori.conversations SET owner = 'human' WHERE"
            f" id = '{first['conversation_id']}'")
        may_answer.set()
        asking.join(20)
        status, turn = result[0]
        self.assertEqual((status, turn["response"], turn["owner"]), (200, None, "human"))
        self.assertIsNone(turn["ai"])
        roles = sql("SELECT role FROM mamori.messages WHERE conversation_id ="
                    f" '{first['conversation_id']}' ORDER BY id")
        self.assertEqual(roles, [["customer"], ["bot"], ["customer"]])


class AnthropicStream(CaseTest):
    worker = "stream"

    def test_06_stream__is_the_answer(self):
        turn = self.turn(m.events(m.anthropic_events(REPLY)))
        self.assert_answered(turn)
        self.assertTrue(self.mock.requests[0].json()["stream"])

    def test_06_stream_with_other_line_ends_and_comments__is_the_answer(self):
        for end in (b"\r\n", b"\r"):
            data = b"".join(m.event(document) for document in m.anthropic_events(REPLY))
            data = b"\xef\xbb\xbf: hello\n" + data
            self.assert_answered(self.turn(m.stream(data.replace(b"\n", end))))

    def test_07_stream_in_single_bytes__is_the_answer(self):
        data = b"".join(m.event(document) for document in m.anthropic_events(REPLY, size=3))
        self.assert_answered(self.turn(m.stream(*(bytes([byte]) for byte in data))))

    def test_08_error_after_200__is_retried_once(self):
        half = list(m.anthropic_events(REPLY))[:5]
        broken = m.events([*half, OVERLOADED])
        self.assert_answered(self.turn(broken, m.events(m.anthropic_events(REPLY))), requests=2)
        self.assert_degraded(self.turn(broken), "overloaded", requests=2)

    def test_09_stream_without_final_blank_line__is_the_answer(self):
        parts = [m.event(document) for document in m.anthropic_events(REPLY)][:-1]
        self.assert_answered(self.turn(m.stream(*parts[:-1], parts[-1].rstrip(b"\n"))))

    def test_10_silence_within_the_stream__is_noticed(self):
        parts = [m.event(document) for document in m.anthropic_events(REPLY)][:5]
        began = time.monotonic()
        turn = self.turn(m.stream(*parts, then=m.silence))
        self.assert_degraded(turn, "timeout")
        self.assertLess(time.monotonic() - began, 3)
        self.assertTrue(self.mock.closed.wait(5), "the connection was left open")

    def test_10_silence_before_the_stream__is_noticed(self):
        self.assert_degraded(self.turn(m.silence), "timeout")

    def test_10_pings_without_end__meet_the_total_timeout(self):
        turn = self.turn(m.stream(*[m.event({"type": "ping"})] * 100, pause=0.1))
        self.assert_degraded(turn, "timeout")

    def test_11_429_with_retry_after_seconds__waits_so_long(self):
        turn = self.turn(m.answer(ERROR, 429, {"retry-after": "2"}),
                         m.events(m.anthropic_events(REPLY)))
        self.assert_answered(turn, requests=2)
        first, second = self.mock.requests
        self.assertGreaterEqual(second.at - first.at, 2)
        self.assertLess(second.at - first.at, 3.5)

    def test_11_429_with_a_long_retry_after__is_not_waited_for(self):
        turn = self.turn(m.answer(ERROR, 429, {"retry-after": "60"}))
        self.assert_degraded(turn, "rate_limited")
        self.assert_degraded(self.chat.ask()[1], "breaker_open")

    def test_11_x_should_retry_false__is_obeyed(self):
        self.assert_degraded(self.turn(m.answer(ERROR, 429, {"x-should-retry": "false"})),
                             "rate_limited")

    def test_12_429_with_http_date__waits_until_then(self):
        date = email.utils.formatdate(time.time() + 3, usegmt=True)
        turn = self.turn(m.answer(ERROR, 429, {"retry-after": date}),
                         m.events(m.anthropic_events(REPLY)))
        self.assert_answered(turn, requests=2)
        first, second = self.mock.requests
        self.assertGreaterEqual(second.at - first.at, 1.5)
        self.assertLess(second.at - first.at, 5)

    def test_19_end_within_the_stream__is_retried_once(self):
        parts = [m.event(document) for document in m.anthropic_events(REPLY)][:5]
        self.assert_degraded(self.turn(m.stream(*parts)), "cut", requests=2)

    def test_22_slow_headers__are_given_up(self):
        began = time.monotonic()
        self.assert_degraded(self.turn(m.slow_headers), "timeout")
        self.assertLess(time.monotonic() - began, 3)

    def test_01_whole_document_where_a_stream_was_asked_for__is_the_answer(self):
        self.assert_answered(self.turn(m.answer(m.anthropic(REPLY))))


class Gemini(CaseTest):
    worker = "gemini"

    def test_06_stream__is_the_answer(self):
        half = len(REPLY) // 2
        first = m.gemini(REPLY[:half])
        del first["candidates"][0]["finishReason"]
        first["candidates"][0]["content"]["parts"].insert(0, {"text": "thoughts", "thought": True})
        turn = self.turn(m.events([first, m.gemini(REPLY[half:])]))
        self.assert_answered(turn, provider="gemini")
        request = self.mock.requests[0]
        self.assertRegex(request.path, r"^/v1beta/models/gemini-3[^/]*:streamGenerateContent\?alt=sse$")
        self.assertEqual(request.headers["x-goog-api-key"], KEY)
        sent = request.json()
        self.assertEqual(sent["contents"], [{"role": "user", "parts": [{"text": QUESTION}]}])
        self.assertEqual({row["threshold"] for row in sent["safetySettings"]}, {"BLOCK_NONE"})

    def test_23_blocked_prompt_without_candidates__hands_over(self):
        turn = self.turn(m.events([{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
                                    "usageMetadata": {"promptTokenCount": 4}}]))
        self.assert_handed_over(turn, "refused", "gemini")

    def test_24_safety_without_content__hands_over(self):
        turn = self.turn(m.events([m.gemini(None, "SAFETY")]))
        self.assert_handed_over(turn, "refused", "gemini")

    def test_25_429_with_fraction_of_retry_delay__waits_so_long(self):
        error = m.gemini_error(429, "RESOURCE_EXHAUSTED", {
            "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.250307679s"})
        turn = self.turn(m.answer(error, 429), m.events([m.gemini(REPLY)]))
        self.assert_answered(turn, provider="gemini", requests=2)
        first, second = self.mock.requests
        self.assertGreaterEqual(second.at - first.at, 1.25)

    def test_26_quota_of_the_day__is_not_retried(self):
        error = m.gemini_error(
            429, "RESOURCE_EXHAUSTED",
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure",
             "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"})
        self.assert_degraded(self.turn(m.answer(error, 429)), "quota", "gemini")
        self.assert_degraded(self.chat.ask()[1], "breaker_open", "gemini")

    def test_27_error_array_in_the_stream__is_an_error(self):
        first = m.gemini(REPLY[:5])
        del first["candidates"][0]["finishReason"]
        error = b'[{\n  "error": {\n    "code": 503,\n    "message": "a } in \\" text",\n' \
                b'    "status": "UNAVAILABLE"\n  }\n}\n]\n'
        broken = m.stream(m.event(first), error[:20], error[20:])
        turn = self.turn(broken, m.events([m.gemini(REPLY)]))
        self.assert_answered(turn, provider="gemini", requests=2)
        self.assert_degraded(self.turn(m.stream(error)), "overloaded", "gemini", requests=2)

    def test_14_invalid_key__is_an_alarm(self):
        error = m.gemini_error(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"})
        self.assert_degraded(self.turn(m.answer(error, 400)), "key", "gemini")


class GeminiWhole(CaseTest):
    worker = "gemini_whole"

    def test_01_normal_json__is_the_answer(self):
        turn = self.turn(m.answer(m.gemini(REPLY)))
        self.assert_answered(turn, provider="gemini")
        self.assertRegex(self.mock.requests[0].path, r":generateContent$")

    def test_03_function_call__hands_over(self):
        document = m.gemini(None)
        document["candidates"][0]["content"] = {"role": "model", "parts": [
            {"functionCall": {"name": "hand_off", "args": {"reason": "x"}}, "thoughtSignature": "y"}]}
        self.assert_handed_over(self.turn(m.answer(document)), "handed_over", "gemini")

    def test_23_blocked_prompt__hands_over(self):
        turn = self.turn(m.answer({"promptFeedback": {"blockReason": "SAFETY"}}))
        self.assert_handed_over(turn, "refused", "gemini")


class OpenAi(CaseTest):
    worker = "openai"

    def test_28_done_and_usage_chunk__is_the_answer(self):
        parts = [m.event(document) for document in m.openai_chunks(REPLY)]
        turn = self.turn(m.stream(*parts, b"data: [DONE]\n\n"))
        self.assert_answered(turn, provider="openai")
        request = self.mock.requests[0]
        self.assertEqual(request.path, "/v1/chat/completions")
        self.assertEqual(request.headers["authorization"], f"Bearer {KEY}")
        sent = request.json()
        self.assertEqual([row["role"] for row in sent["messages"]], ["system", "user"])
        self.assertEqual((sent["max_tokens"], sent["stream_options"]), (1024, {"include_usage": True}))

    def test_08_error_chunk__is_an_error(self):
        parts = [m.event(document) for document in m.openai_chunks(REPLY)][:2]
        error = m.event({"error": {"message": "m", "type": "server_error", "code": None}})
        self.assert_degraded(self.turn(m.stream(*parts, error)), "overloaded", "openai", requests=2)

    def test_08_error_as_plain_text__is_an_error(self):
        self.assert_degraded(self.turn(m.answer({"error": "model is loading"}, 503)), "overloaded",
                             "openai", requests=2)

    def test_29_refusal_in_the_stream__hands_over(self):
        chunk = {"object": "chat.completion.chunk",
                 "choices": [{"index": 0, "delta": {"refusal": "I cannot"}, "finish_reason": None}]}
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        self.assert_handed_over(self.turn(m.events([chunk, end])), "refused", "openai")


class OpenAiWhole(CaseTest):
    worker = "openai_whole"

    def test_01_normal_json__is_the_answer(self):
        self.assert_answered(self.turn(m.answer(m.openai(REPLY))), provider="openai")

    def test_29_content_null_and_refusal__hands_over(self):
        turn = self.turn(m.answer(m.openai(None, refusal="I cannot help with that.")))
        self.assert_handed_over(turn, "refused", "openai")

    def test_03_tool_call__hands_over(self):
        turn = self.turn(m.answer(m.openai(None, "tool_calls", tool_calls=[
            {"id": "1", "type": "function", "function": {"name": "hand_off", "arguments": "{}"}}])))
        self.assert_handed_over(turn, "handed_over", "openai")


class TwoProviders(CaseTest):
    worker = "two"

    def test_first_fails__second_answers_and_it_is_told(self):
        turn = self.turn(m.status(500), m.status(500), m.events([m.gemini(REPLY)]))
        self.assertEqual(turn["response"], REPLY)
        self.assertEqual(turn["ai"]["provider"], "gemini")
        self.assertEqual(turn["ai"]["degraded"], [{"provider": "anthropic", "reason": "overloaded"}])
        self.assertEqual(turn["degraded"], ["ai"])

    def test_both_silent__builtin_answers_before_the_deadline(self):
        began = time.monotonic()
        turn = self.turn(m.silence)
        self.assertEqual([row["reason"] for row in turn["ai"]["degraded"]], ["timeout", "timeout"])
        self.assertEqual(turn["ai"]["provider"], "builtin")
        self.assertLess(time.monotonic() - began, 8)

    def test_history__goes_along_in_its_order(self):
        self.turn(m.events(m.anthropic_events(REPLY)), history=[
            {"role": "assistant", "content": "いらっしゃいませ。"},
            {"role": "user", "content": "こんにちは"}, {"role": "assistant", "content": "はい。"}])
        self.assertEqual(self.mock.requests[0].json()["messages"], [
            {"role": "user", "content": "こんにちは"}, {"role": "assistant", "content": "はい。"},
            {"role": "user", "content": QUESTION}])


class Tls(unittest.TestCase):
    """31: a certificate for another name, and the right one."""

    def certificate(self, name):
        folder = servers["stack"].folder
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                        "-addext", f"subjectAltName={name}", "-keyout", paths[1], "-out", paths[0]],
                       check=True, capture_output=True)
        return paths

    def ask(self, name, trust=True):
        paths = self.certificate(name)
        with m.Mock(certificate=paths) as server:
            server.script(m.answer(m.anthropic("Hello, this is the answer.")))
            more = {"anthropic.ca_file": paths[0]} if trust else {}
            return ask("Hello", chain="anthropic", url=server.url, **more), server.requests

    def test_31_right_name_of_a_trusted_authority__is_asked(self):
        reply, requests = self.ask("IP:127.0.0.1")
        self.assertEqual((reply["provider"], len(requests)), ("anthropic", 1))

    def test_31_wrong_host__never_sees_the_key(self):
        reply, requests = self.ask("DNS:wrong.example")
        self.assertEqual((reply["provider"], reply["tried"], requests), ("builtin", ["tls"], []))

    def test_31_unknown_authority__never_sees_the_key(self):
        reply, requests = self.ask("IP:127.0.0.1", trust=False)
        self.assertEqual((reply["provider"], reply["tried"], requests), ("builtin", ["tls"], []))


counter = iter(range(1000))


def ask_lines(*arguments, chain, url=None, **settings):
    """The driver with a spool of its own; its lines."""
    stack = servers["stack"]
    spool = stack.folder / f"ask-{next(counter)}"
    spool.mkdir()
    environment = {**stack.variables("mamori_chat"),
                   **variables(chain, url or servers["mock"].url, stack.folder, **settings),
                   "MAMORI_JOURNAL_SPOOL_DIR": str(spool)}
    words = [*arguments, QUESTION] if arguments[-1][:2] == "--" or arguments[-1].isdigit() else arguments
    return run_ask(environment, *words)


def ask(*arguments, **more):
    return ask_lines(*arguments, **more)[-1]


class Deltas(unittest.TestCase):
    """What the streaming of replies to customers is built on."""

    def setUp(self):
        self.mock = servers["mock"]

    def test_deltas__come_as_they_are_made(self):
        self.mock.script(m.events(m.anthropic_events(REPLY, size=5), pause=0.02))
        *deltas, reply = ask_lines("--deltas", chain="anthropic")
        self.assertGreater(len(deltas), 3)
        self.assertEqual("".join(delta["delta"] for delta in deltas), REPLY)
        self.assertEqual((reply["text"], reply["outcome"]), (REPLY, "answered"))

    def test_deltas_of_builtin__are_the_whole_text(self):
        self.mock.script(m.status(400))
        *deltas, reply = ask_lines("--deltas", chain="anthropic")
        self.assertEqual([delta["delta"] for delta in deltas], [reply["text"]])

    def test_provider_fails_in_the_middle__what_was_given_is_void(self):
        half = [m.event(document) for document in m.anthropic_events(REPLY)][:6]
        self.mock.script(m.stream(*half, pause=0.02))
        *deltas, reply = ask_lines("--deltas", chain="anthropic")
        kinds = ["void" if "void" in delta else "delta" for delta in deltas]
        self.assertEqual((kinds.count("void"), kinds[0], kinds[-1]), (1, "delta", "delta"))
        self.assertEqual(deltas[-1]["delta"], reply["text"])
        self.assertEqual((reply["provider"], reply["tried"]), ("builtin", ["cut"]))

    def test_stop__ends_the_call_to_the_provider(self):
        self.mock.script(m.stream(*(m.event(document) for document in m.anthropic_events(REPLY * 20)),
                                  pause=0.05))
        began = time.monotonic()
        reply = ask("--stop-after", "40", chain="anthropic")
        self.assertEqual(reply["outcome"], "stopped")
        self.assertTrue(reply["text"] and REPLY.startswith(reply["text"]))
        self.assertLess(time.monotonic() - began, 3)
        self.assertTrue(self.mock.closed.wait(5), "the connection was left open")


class Schema(unittest.TestCase):
    """Every vendor's own mechanism for an answer by a schema."""

    def test_each_vendor__is_sent_the_schema(self):
        answers = {"anthropic": m.answer(m.anthropic('{"score": 1}')),
                   "gemini": m.answer(m.gemini('{"score": 1}')),
                   "openai": m.answer(m.openai('{"score": 1}'))}
        places = {"anthropic": lambda sent: sent["output_config"]["format"]["schema"],
                  "gemini": lambda sent: sent["generationConfig"]["responseJsonSchema"],
                  "openai": lambda sent: sent["response_format"]["json_schema"]["schema"]}
        for vendor, answer in answers.items():
            with self.subTest(vendor):
                servers["mock"].script(answer)
                self.assertEqual(ask("--score", chain=vendor)["text"], '{"score": 1}')
                sent = servers["mock"].requests[0].json()
                self.assertEqual(places[vendor](sent)["required"], ["score"])
                self.assertNotIn("tools", sent)

    def test_second_provider__is_asked_after_an_unaccepted_document(self):
        servers["mock"].script(m.answer(m.anthropic('{"score": 7}')), m.answer(m.gemini('{"score": 1}')))
        reply = ask("--score", chain="anthropic gemini")
        self.assertEqual((reply["provider"], reply["tried"]), ("gemini", ["unaccepted"]))


if __name__ == "__main__":
    unittest.main()
