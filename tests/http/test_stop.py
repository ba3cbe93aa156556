"""A worker that is told to stop while replies are held for their records: none is lost on the way out."""

import concurrent.futures
import unittest

from client import CHAT, ApiTest, begin_stack, wait_until

REQUESTS = 12


def setUpModule():
    ApiTest.stack = begin_stack()


class StopWithHeldReplies(ApiTest):
    def is_writer_waiting(self):
        return self.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'mamori_chat'"
                        " AND wait_event_type = 'Lock'") != [["0"]]

    def test_every_reply_is_answered_or_refused__and_what_was_acknowledged_is_there(self):
        chat = self.stack.workers["chat"]
        with self.stack.postgres.locked("mamori.conversations"), \
                concurrent.futures.ThreadPoolExecutor(REQUESTS) as pool:
            replies = [pool.submit(self.stack.request, "POST", CHAT, {"message": f"こんにちは {number}"})
                       for number in range(REQUESTS)]
            wait_until(self.is_writer_waiting, "the journal to wait for the tables")
            self.assertFalse(any(reply.done() for reply in replies), "a reply did not wait")
            chat.stop()
            replies = [reply.result() for reply in replies]
        kept = [reply.json() for reply in replies if reply.status == 200]
        self.assertTrue(kept, [reply.status for reply in replies])
        for reply in replies:
            self.assertIn(reply.status, (200, 502, 503))
        for turn in kept:
            self.assertEqual(turn["degraded"], ["journal"])
        log = chat.log.read_text(errors="replace")
        self.assertIn("notice req=- stopped", log)
        self.assertNotIn("Sanitizer", log)
        chat.start()
        self.stack.wait_ready("chat")
        ids = ",".join(f"'{turn['message_id']}'" for turn in kept)
        wait_until(lambda: self.sql(f"SELECT count(*) FROM mamori.messages WHERE id IN ({ids})") ==
                   [[str(len(kept))]], "the acknowledged messages")


if __name__ == "__main__":
    unittest.main()
