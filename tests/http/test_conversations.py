"""GET /api/conversations/{id}/messages: whose it is, where to go on, what is refused."""

import unittest

from client import ApiTest, begin_stack, exchange, http, new_id, wait_until


def setUpModule():
    ApiTest.stack = begin_stack(settings={"database.retry_max_ms": 200})


class ConversationsTest(ApiTest):
    def setUp(self):
        self.turn = self.chat("こんにちは")
        self.id, self.token = self.turn["conversation_id"], self.turn["conversation_token"]

    def get(self, query="", conversation=None, token=None, method="GET"):
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return self.stack.request(
            method, f"/api/conversations/{conversation or self.id}/messages{query}", headers=headers)

    def read(self, query="", **more):
        reply = self.get(query, **more)
        self.assertEqual(reply.status, 200, reply.body)
        self.assert_common_headers(reply)
        return reply.json()


class Reading(ConversationsTest):
    def test_whole__both_sides_in_order(self):
        seen = self.read()
        self.assertEqual(set(seen), {"conversation_id", "owner", "status", "messages", "next", "has_more"})
        self.assertEqual((seen["conversation_id"], seen["owner"], seen["status"], seen["has_more"]),
                         (self.id, "bot", "open", False))
        first, second = seen["messages"]
        self.assertEqual((first["id"], first["role"], first["text"], first["reply_to"]),
                         (self.turn["message_id"], "customer", "こんにちは", None))
        self.assertEqual((second["role"], second["text"], second["reply_to"]),
                         ("bot", self.turn["response"], first["id"]))
        self.assertEqual(set(first), {"id", "role", "text", "timestamp", "reply_to"})
        self.assertRegex(first["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(seen["next"], second["id"])

    def test_pages__follow_next_to_the_end(self):
        for number in range(3):
            self.chat(f"{number} 件目: こんにちは", self.turn)
        whole = [message["id"] for message in self.read()["messages"]]
        self.assertEqual(len(whole), 8)
        pages, after = [], ""
        while True:
            page = self.read(f"?limit=3{after}")
            pages += [message["id"] for message in page["messages"]]
            after = f"&after={page['next']}"
            if not page["has_more"]:
                break
        self.assertEqual(pages, whole)
        self.assertEqual(self.read(f"?{after[1:]}")["next"], whole[-1])
        self.assertEqual(self.read("?limit=8")["has_more"], False)
        self.assertEqual(len(self.read("?limit=200&other=1")["messages"]), 8)

    def test_after_of_another_conversation__is_a_place_and_shows_nothing_of_it(self):
        other = self.chat("秘密です")
        seen = self.read(f"?after={other['message_id']}")
        self.assertEqual((seen["messages"], seen["next"]), ([], other["message_id"]))
        self.chat("続きです", self.turn)
        later = self.read(f"?after={other['message_id']}")
        self.assertEqual([message["text"] for message in later["messages"]][0], "続きです")
        self.assertNotIn("秘密です", str(later))

    def test_upper_case_id__is_the_same(self):
        self.assertEqual(self.read(conversation=self.id.upper())["conversation_id"], self.id)


class Refused(ConversationsTest):
    def test_token_of_another_conversation__is_403_both_ways(self):
        other = self.chat("秘密です")
        self.assert_error(self.get(token=other["conversation_token"]), 403, "forbidden",
                          "conversation_token")
        self.assert_error(self.get(conversation=other["conversation_id"]), 403, "forbidden",
                          "conversation_token")

    def test_no_token__is_403_also_for_what_does_not_exist(self):
        path = f"/api/conversations/{self.id}/messages"
        for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer"},
                        {"Authorization": f"Basic {self.token}"}, {"Authorization": self.token}):
            with self.subTest(headers):
                self.assert_error(self.stack.request("GET", path, headers=headers), 403, "forbidden",
                                  "conversation_token")
        for query in (f"?conversation_token={self.token}", f"?token={self.token}"):
            self.assert_error(self.stack.request("GET", path + query), 403, "forbidden",
                              "conversation_token")
        self.assert_error(self.get(conversation=new_id()), 403, "forbidden", "conversation_token")

    def test_malformed_ids__are_400(self):
        for id_ in ("x", self.id[:-1], self.id + "0", self.id.replace("-", ""), f"%7B{self.id}%7D",
                    "%00", "%2e%2e", "あ".encode().hex()):
            with self.subTest(id_):
                reply = self.get(conversation=id_)
                if "%2e" in id_ or "%00" in id_:
                    self.assertIn(reply.status, (400, 404))
                else:
                    self.assert_error(reply, 400, "invalid_field", "conversation_id")

    def test_malformed_parameters__are_400(self):
        for query, field in (("?after=x", "after"), ("?after=", "after"), ("?after=" + self.id[:-1], "after"),
                             ("?limit=0", "limit"), ("?limit=201", "limit"), ("?limit=", "limit"),
                             ("?limit=-1", "limit"), ("?limit=1e2", "limit"), ("?limit=+5", "limit"),
                             (f"?after={self.id}&after={self.id}", "after"),
                             ("?limit=1&limit=1", "limit"), ("?after=%00", "after")):
            with self.subTest(query):
                self.assert_error(self.get(query), 400, "invalid_field", field)

    def test_other_paths__are_404(self):
        for path in ("/api/conversations", "/api/conversations/", f"/api/conversations/{self.id}",
                     f"/api/conversations/{self.id}/", f"/api/conversations/{self.id}/messages/",
                     f"/api/conversations/{self.id}/messages/1", "/api/conversations//messages",
                     f"/api/conversations/{self.id}/x/messages"):
            with self.subTest(path):
                reply = self.stack.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
                self.assert_error(reply, 404, "not_found")

    def test_conversation_that_is_not_there__is_404_for_who_has_its_token(self):
        self.sql(f"DELETE FROM mamori.messages WHERE conversation_id = '{self.id}';"
                 f"DELETE FROM mamori.conversations WHERE id = '{self.id}'")
        self.assert_error(self.get(), 404, "not_found", "conversation_id")


class Methods(ConversationsTest):
    def test_head__is_get_without_the_body(self):
        whole, head = self.get(), self.get(method="HEAD")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["Content-Length"], str(len(whole.body)))
        self.assertEqual(self.get(method="HEAD", token="x").status, 403)

    def test_options__says_what_is_allowed(self):
        reply = self.stack.request("OPTIONS", f"/api/conversations/{self.id}/messages")
        self.assertEqual((reply.status, reply.headers["Allow"]), (204, "GET, HEAD, OPTIONS"))

    def test_other_methods__are_405(self):
        for method in ("POST", "PUT", "PATCH", "DELETE", "PROPFIND"):
            with self.subTest(method):
                reply = self.get(method=method)
                self.assert_error(reply, 405, "method_not_allowed")
                self.assertEqual(reply.headers["Allow"], "GET, HEAD, OPTIONS")

    def test_raw_junk_in_the_path__costs_nobody_anything(self):
        for path in (f"/api/conversations/{'A' * 4000}/messages", "/api/conversations/{id}/messages",
                     "/api/conversations/\x01/messages"):
            reply = exchange(self.stack.nginx.plain_port, http("GET", path))
            self.assertIn(reply.status, (400, 414), path[:40])
        self.read()


class WithoutDatabase(ConversationsTest):
    def test_database_down__is_503_and_comes_back(self):
        self.stack.postgres.stop("immediate")
        try:
            for _ in range(3):
                self.assert_error(self.get(), 503)
            self.assert_error(self.get(token="x"), 403, "forbidden", "conversation_token")
            self.assert_error(self.get("?limit=0"), 400, "invalid_field", "limit")
        finally:
            self.stack.postgres.start()
        wait_until(lambda: self.get().status == 200, "the database to be asked again")


if __name__ == "__main__":
    unittest.main()
