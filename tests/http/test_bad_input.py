"""Malformed requests: the documented status each, the JSON of an error each, and no worker harmed.

All rows go through nginx; test_socket.py has those that speak to a worker directly.
"""

import collections
import contextlib
import json
import socket
import unittest

from client import CHAT, ANALYZE, GOOD, JSON, AliveTest, begin_alive_stack, exchange, http, new_id

Row = collections.namedtuple("Row", "name request status code field", defaults=(None, None))
LIMIT = 131072
EMOJI_ESCAPE = b"\\ud83d\\ude00"
BODY_SECONDS = 1


def setUpModule():
    begin_alive_stack()


# ---- what a row sends

def post(path, body, headers=None):
    """A POST through TLS."""
    given = JSON if headers is None else headers
    return lambda stack: stack.request("POST", path, body, given)


def call(method, path, headers=None):
    return lambda stack: stack.request(method, path, None, headers)


def raw(data):
    """Bytes as they are, over plain HTTP; parts of `data` may be given as one of http()'s results."""
    return lambda stack: exchange(stack.nginx.plain_port, data)


def message(text):
    return json.dumps({"message": text}).encode()


def with_field(name, value):
    return json.dumps({"message": "hello", name: value}).encode()


# ---- documents that are no JSON

def in_text(content):
    return b'{"message":"' + content + b'"}'


BAD_UTF8 = {
    "overlong of two bytes": b"\xc0\xaf", "overlong NUL": b"\xc0\x80", "overlong of three": b"\xe0\x80\xaf",
    "overlong of four": b"\xf0\x80\x80\xaf", "high surrogate": b"\xed\xa0\x80",
    "low surrogate": b"\xed\xbf\xbf", "CESU-8 pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "above U+10FFFF": b"\xf4\x90\x80\x80", "lead byte F5": b"\xf5\x80\x80\x80", "byte FF": b"\xff",
    "byte FE": b"\xfe", "continuation alone": b"\x80", "two bytes cut": b"\xc3",
    "three bytes cut": b"\xe3\x81", "four bytes cut": b"\xf0\x9f\x98", "lead then ASCII": b"\xe3(\xa1",
    "five bytes": b"\xf8\x88\x80\x80\x80", "Shift_JIS": "お前を殺す".encode("shift_jis"),
    "EUC-JP": "お前を殺す".encode("euc_jp"), "Latin-1": "é".encode("latin-1"),
}
BAD_JSON = {
    "empty body": b"", "blanks only": b" \n\t", "open brace": b"{", "close brace": b"}", "bracket": b"[",
    "name only": b'{"message"', "no value": b'{"message":', "no end": b'{"message":"a"',
    "no end of string": b'{"message":"a', "comma at the end": b'{"message":"a",}',
    "comma in front": b'{,"message":"a"}', "two commas": b'{"message":"a",,"x":1}',
    "no comma": b'{"message":"a" "x":1}', "no colon": b'{"message" "a"}', "equals": b'{"message"="a"}',
    "single quotes": b"{'message':'a'}", "name without quotes": b'{message:"a"}',
    "line comment": b'{"message":"a"}//x', "block comment": b'{/*x*/"message":"a"}',
    "array comma at the end": b'{"messages":["a",]}', "array without comma": b'{"messages":["a" "b"]}',
    "wrong bracket": b'{"messages":["a"}', "NaN": b'{"message":"a","x":NaN}',
    "Infinity": b'{"message":"a","x":Infinity}', "-Infinity": b'{"message":"a","x":-Infinity}',
    "plus sign": b'{"message":"a","x":+1}', "leading zero": b'{"message":"a","x":01}',
    "minus leading zero": b'{"message":"a","x":-01}', "point at the end": b'{"message":"a","x":1.}',
    "point in front": b'{"message":"a","x":.5}', "exponent cut": b'{"message":"a","x":1e}',
    "exponent sign only": b'{"message":"a","x":1e+}', "hexadecimal": b'{"message":"a","x":0x10}',
    "minus only": b'{"message":"a","x":-}', "two minus": b'{"message":"a","x":--1}',
    "number with underscore": b'{"message":"a","x":1_000}', "True": b'{"message":"a","x":True}',
    "cut literal": b'{"message":"a","x":nul}', "long literal": b'{"message":"a","x":nulll}',
    "undefined": b'{"message":"a","x":undefined}', "text after": b'{"message":"a"}x',
    "two documents": b'{"message":"a"}{"message":"b"}', "brace after": b'{"message":"a"}}',
    "NUL after": b'{"message":"a"}\0', "NULs only": b"\0\0\0\0", "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"), "UTF-32": GOOD.decode().encode("utf-32-le"),
    "form": b"message=hello", "XML": b"<message>hello</message>", "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    "NUL in a string": in_text(b"a\0b"), "newline in a string": in_text(b"a\nb"),
    "tab in a string": in_text(b"a\tb"), "U+001F in a string": in_text(b"a\x1fb"),
    "unknown escape": in_text(rb"\x41"), "escaped quote sign": in_text(rb"\'"),
    "backslash at the end": b'{"message":"a\\', "short \\u": in_text(rb"\u12"),
    "\\u without digits": in_text(rb"\uZZZZ"), "\\u with a sign": in_text(rb"\u+123"),
    "\\u0000": in_text(rb"a\u0000b"), "\\u0000 in a name": rb'{"message":"a","x\u0000":1}',
    "escaped high surrogate": in_text(rb"\ud800"), "escaped low surrogate": in_text(rb"\udc00"),
    "two high surrogates": in_text(rb"\ud83d\ud83d"), "pair the wrong way": in_text(rb"\ude00\ud83d"),
    "high surrogate then letter": in_text(rb"\ud83dA"), "pair cut": in_text(rb"\ud83d\ude"),
    "surrogate in a name": rb'{"message":"a","\ud800":1}',
    "same name twice": b'{"message":"a","message":"b"}',
    "same name twice, escaped": rb'{"message":"a","\u006dessage":"b"}',
    "same unknown name twice": b'{"message":"a","x":1,"x":1}',
    "same name twice, inside": b'{"message":"a","x":{"k":1,"k":2}}',
    "65 levels": b'{"message":"a","x":' + b"[" * 64 + b"]" * 64 + b"}",
    "100000 brackets": b"[" * 100000, "20000 objects": b'{"a":' * 20000,
    "1e999": b'{"message":"a","x":1e999}', "-1e999": b'{"message":"a","x":-1e999}',
    "number of 100000 digits": b'{"message":"a","x":' + b"9" * 100000 + b"}",
}
JSON_ROWS = [Row(f"{path}: {name}", post(path, document), 400, "invalid_json")
             for path in (ANALYZE, CHAT)
             for name, document in {**BAD_JSON, **{f"UTF-8: {name}": in_text(content)
                                                   for name, content in BAD_UTF8.items()},
                                    "UTF-8: in a name": b'{"message":"a","\xff":1}',
                                    "UTF-8: outside of strings": b'{"message":"a"}\xe3\x80\x80'}.items()]

# ---- fields

NOT_A_TEXT = {"number": 1, "true": True, "list": ["a"], "object": {"a": "b"}}
NOT_A_UUID = {"empty": "", "the spec's placeholder": "uuid-here", "no dashes": "0" * 32,
              "too short": new_id()[:-1], "too long": new_id() + "0", "braces": "{%s}" % new_id(),
              "urn": f"urn:uuid:{new_id()}", "blank in front": f" {new_id()}", "newline": f"{new_id()}\n",
              "no hexadecimal digit": "g" + new_id()[1:], "full width": "０" + new_id()[1:],
              "dashes elsewhere": "0000000-00000-0000-0000-000000000000",
              "SQL": "' OR 1=1; DROP TABLE mamori.messages; --------"}
ITEM = {"role": "user", "content": "a"}
BAD_HISTORY = {
    "text": "a", "number": 1, "object": {}, "item is text": ["a"], "item is null": [None],
    "item is a list": [[]], "no role": [{"content": "a"}], "no content": [{"role": "user"}],
    "role is a number": [{"role": 1, "content": "a"}], "role is null": [{"role": None, "content": "a"}],
    "unknown role": [{"role": "system", "content": "a"}], "role in capitals": [{"role": "User", "content": "a"}],
    "empty role": [{"role": "", "content": "a"}], "content is a number": [{"role": "user", "content": 1}],
    "content is null": [{"role": "user", "content": None}], "second item bad": [ITEM, {"role": "user"}],
    "101 items": [ITEM] * 101,
}


def field_rows():
    for path in (ANALYZE, CHAT):
        for name, body in {"missing": b"{}", "null": message(None), "other case": b'{"Message":"a"}',
                           "empty": message(""), "blank": message(" \t\r\n"),
                           "ideographic spaces": message("\u3000\u3000"),
                           **{key: message(value) for key, value in NOT_A_TEXT.items()}}.items():
            yield Row(f"{path}: message {name}", post(path, body), 400, "invalid_field", "message")
        for name, body in {"list": b"[]", "text": b'"message"', "number": b"1", "true": b"true",
                           "null": b"null", "list of objects": b'[{"message":"a"}]'}.items():
            yield Row(f"{path}: body is {name}", post(path, body), 400)
        for name, value in {**NOT_A_TEXT, **NOT_A_UUID}.items():
            yield Row(f"{path}: conversation_id {name}", post(path, with_field("conversation_id", value)),
                      400, "invalid_field", "conversation_id")
        for name, value in BAD_HISTORY.items():
            yield Row(f"{path}: history {name}", post(path, with_field("history", value)), 400,
                      "invalid_field", "history")
        for name, text in {"ASCII": "a" * 10001, "kana": "あ" * 10001, "emoji": "😀" * 10001,
                           "combining marks": "か" + "\u3099" * 10000}.items():
            yield Row(f"{path}: 10,001 characters, {name}", post(path, json.dumps(
                {"message": text}, ensure_ascii=False).encode()), 413, "too_large", "message")
        yield Row(f"{path}: 10,001 characters, escaped", post(path, in_text(EMOJI_ESCAPE * 10000 + b"a")),
                  413, "too_large", "message")
        yield Row(f"{path}: history with 10,001 characters", post(path, with_field(
            "history", [{"role": "user", "content": "a" * 10001}])), 413, "too_large", "history")
        yield Row(f"{path}: body one byte over the limit", post(path, message("a" * (LIMIT - 15))
                                                                + b" " * 16), 413, "too_large")
        yield Row(f"{path}: body of 2 MiB", post(path, message("a" * (2 << 20))), 413, "too_large")
    for name, value in {"text": "a", "number": 1, "object": {}, "empty": [], "101 items": ["a"] * 101}.items():
        yield Row(f"messages {name}", post(ANALYZE, json.dumps({"messages": value}).encode()), 400,
                  "invalid_field", "messages")
    for name, value in {"null": None, "number": 1, "list": [], "object": {}, "empty": "", "blank": "　"}.items():
        yield Row(f"messages' second item {name}",
                  post(ANALYZE, json.dumps({"messages": ["a", value]}).encode()), 400, "invalid_field",
                  "messages[1]")
    yield Row("messages' item of 10,001", post(ANALYZE, json.dumps({"messages": ["a" * 10001]}).encode()),
              413, "too_large", "messages[0]")
    yield Row("messages and message", post(ANALYZE, with_field("messages", ["a"])), 400, "invalid_field",
              "messages")
    for name, value in {"text": "true", "number": 1, "list": []}.items():
        yield Row(f"use_ai {name}", post(ANALYZE, with_field("use_ai", value)), 400, "invalid_field", "use_ai")
    for name, value in {**NOT_A_TEXT, "201 characters": "名" * 201}.items():
        yield Row(f"customer_name {name}", post(CHAT, with_field("customer_name", value)), 400,
                  "invalid_field", "customer_name")
    for name, value in NOT_A_TEXT.items():
        yield Row(f"conversation_token {name}", post(CHAT, with_field("conversation_token", value)), 400,
                  "invalid_field", "conversation_token")


# ---- tokens

def foreign_token(make_token):
    """A turn in a conversation that exists, with what make_token gives instead of its token."""
    def request(stack):
        mine = stack.request("POST", CHAT, {"message": "hello"}).json()
        other = stack.request("POST", CHAT, {"message": "hello"}).json()["conversation_token"]
        token, headers = make_token(mine["conversation_token"], other)
        body = {"message": "more", "conversation_id": mine["conversation_id"]}
        if token is not None:
            body["conversation_token"] = token
        return stack.request("POST", CHAT, body, headers)
    return request


TOKENS = {
    "none": lambda mine, other: (None, None), "of another conversation": lambda mine, other: (other, None),
    "empty": lambda mine, other: ("", None), "cut": lambda mine, other: (mine[:-1], None),
    "with padding": lambda mine, other: (mine + "=", None),
    "with a blank": lambda mine, other: (mine + " ", None),
    "of zeros": lambda mine, other: ("A" * 43, None), "very long": lambda mine, other: ("A" * 50000, None),
    "not ASCII": lambda mine, other: ("鍵" * 43, None),
    "another's in the header": lambda mine, other: (None, {"Authorization": f"Bearer {other}"}),
    "own in the header, another's in the body":
        lambda mine, other: (other, {"Authorization": f"Bearer {mine}"}),
    "header with another scheme": lambda mine, other: (None, {"Authorization": f"Basic {mine}"}),
    "header without a scheme": lambda mine, other: (None, {"Authorization": mine}),
    "header without a token": lambda mine, other: (None, {"Authorization": "Bearer "}),
    "two in the header": lambda mine, other: (None, {"Authorization": f"Bearer {mine},{mine}"}),
}
TOKEN_ROWS = [Row(f"token {name}", foreign_token(make), 403, "forbidden", "conversation_token")
              for name, make in TOKENS.items()]

# ---- headers

BAD_TYPES = {
    "missing": {}, "empty": {"Content-Type": ""}, "text": {"Content-Type": "text/plain"},
    "form": {"Content-Type": "application/x-www-form-urlencoded"},
    "multipart": {"Content-Type": "multipart/form-data; boundary=x"},
    "longer name": {"Content-Type": "application/jsonp"},
    "suffix": {"Content-Type": "application/merge-patch+json"}, "text/json": {"Content-Type": "text/json"},
    "a list": {"Content-Type": "application/json, text/plain"}, "wildcard": {"Content-Type": "*/*"},
    "Shift_JIS": {"Content-Type": "application/json; charset=Shift_JIS"},
    "UTF-16": {"Content-Type": "application/json; charset=utf-16"},
    "quoted Latin-1": {"Content-Type": 'application/json; charset="iso-8859-1"'},
    "empty charset": {"Content-Type": "application/json; charset="},
    "charset behind another parameter": {"Content-Type": "application/json; v=1; charset=euc-jp"},
}


def chunked(body, **more):
    return http(headers={"Transfer-Encoding": "chunked"}, body=body, length=False, **more)


def chunks(body, size=1000):
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def length_is(text, body=GOOD):
    return raw(http(headers={"Content-Length": text}, body=body))


HEADER_ROWS = [
    *(Row(f"{path}: Content-Type {name}", post(path, GOOD, headers), 415, "unsupported_media_type")
      for path in (ANALYZE, CHAT) for name, headers in BAD_TYPES.items()),
    *(Row(f"Content-Length: {text!r}", length_is(text), 400, "invalid_request")
      for text in ("abc", "-1", "+19", "0x13", "1e2", "19.0", "19,19", "1 9", "99999999999999999999999")),
    Row("Content-Length: 1 GiB announced", length_is(str(1 << 30), b""), 413, "too_large"),
    Row("Content-Length: 2 of them, different",
        raw(http(headers=[("Content-Length", "19"), ("Content-Length", "5")], body=GOOD)), 400,
        "invalid_request"),
    Row("Content-Length: 2 of them, equal",
        raw(http(headers=[("Content-Length", "20"), ("Content-Length", "20")], body=GOOD)), 400,
        "invalid_request"),
    Row("Content-Length: less than the body", length_is("10"), 400, "invalid_json"),
    Row("Content-Length: none", raw(http(length=False)), 400, "invalid_json"),
    Row("Content-Length and Transfer-Encoding",
        raw(http(headers=[("Content-Length", "20"), ("Transfer-Encoding", "chunked")],
                 body=chunks(GOOD))), 400, "invalid_request"),
    Row("Transfer-Encoding: gzip", raw(http(headers={"Transfer-Encoding": "gzip"}, body=GOOD)), 501),
    Row("chunk size no number", raw(chunked(b"zz\r\n" + GOOD + b"\r\n0\r\n\r\n")), 400, "invalid_request"),
    Row("chunk size negative", raw(chunked(b"-1\r\n" + GOOD + b"\r\n0\r\n\r\n")), 400, "invalid_request"),
    Row("chunk over the limit", raw(chunked(b"200000\r\n" + GOOD)), 413, "too_large"),
    Row("chunk size huge", raw(chunked(b"7fffffffffffffff\r\n" + GOOD)), 400, "invalid_request"),
    Row("chunk size overflows", raw(chunked(b"fffffffffffffffffff\r\n" + GOOD)), 400, "invalid_request"),
    Row("chunks over the limit", raw(chunked(chunks(message("a" * LIMIT)))), 413, "too_large"),
    Row("chunks of no JSON", raw(chunked(chunks(b"{"))), 400, "invalid_json"),
    Row("no Host", raw(http(headers={"Host": None}, body=GOOD)), 400, "invalid_request"),
    Row("two Hosts", raw(http(headers=[("Host", "a"), ("Host", "b")], body=GOOD)), 400, "invalid_request"),
    Row("bad Host", raw(http(headers={"Host": "a/b"}, body=GOOD)), 400, "invalid_request"),
    Row("NUL in a header", raw(http(headers={"X-Thing": "a\0b"}, body=GOOD)), 400, "invalid_request"),
    Row("header of 9 KiB", raw(http(headers={"X-Thing": "a" * 9000}, body=GOOD)), 431, "too_large"),
    Row("headers of 64 KiB", raw(http(headers={f"X-Thing-{i}": "a" * 4000 for i in range(16)}, body=GOOD)),
        431, "too_large"),
    Row("HTTPS to the plain port", raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200), 400,
        "invalid_request"),
    Row("plain HTTP to the HTTPS port", lambda stack: exchange(stack.nginx.port, http(body=GOOD)), 400,
        "invalid_request"),
]

# ---- methods and paths

METHOD_ROWS = [
    *(Row(f"{method} {path}", call(method, path), 405, "method_not_allowed")
      for path in (ANALYZE, CHAT) for method in ("GET", "PUT", "DELETE", "PATCH", "PROPFIND", "BREW")),
    *(Row(f"{method} {path}", call(method, path), 405, "method_not_allowed")
      for path in ("/api/health", "/api/health/live") for method in ("POST", "PUT", "DELETE", "BREW")),
    *(Row(f"TRACE {path}", call("TRACE", path), 405, "method_not_allowed")
      for path in (ANALYZE, CHAT, "/api/health")),
    Row("CONNECT /api/chat", raw(http(method="CONNECT", path="/api/chat")), 405, "method_not_allowed"),
    Row("CONNECT to a host", raw(http(method="CONNECT", path="localhost:443")), 400, "invalid_request"),
    *(Row(f"method {method!r}", raw(http(method=method, body=GOOD)), 400, "invalid_request")
      for method in ("post", "Post", "PO ST", "P\u00d6ST", "(POST)")),
    Row("no method", raw(b" /api/chat HTTP/1.1\r\nHost: a\r\n\r\n"), 400, "invalid_request"),
    Row("OPTIONS *", raw(http(method="OPTIONS", path="*")), 400, "invalid_request"),
    *(Row(f"version {version}", raw(http(body=GOOD, version=version)), 400, "invalid_request")
      for version in ("HTTQ/1.1", "HTTP/1.1x", "HTTP/a", "HTTP/-1")),
    Row("version HTTP/3.0", raw(http(body=GOOD, version="HTTP/3.0")), 505),
]
PATH_ROWS = [
    *(Row(f"path {path}", post(path, GOOD), 404, "not_found")
      for path in ("/", "/api", "/api/", "/API/CHAT", "/api/Chat", "/api/chat/", "/api/chat/x", "/api/chatx",
                   "/api/chat%2f", "/api/chat%20", "/api/chat%0a", "/api/chat;x=1", "/api/chat%3Fx",
                   "/api/analyze/", "/api/../chat", "/api/chat/..", "/chat", "/v1/api/chat", "/_err",
                   "/api/health/none", "/api/%e3%81%82", "/api/chat.fcgi", "/.git/config")),
    *(Row(f"path {path}", raw(http(path=path, body=GOOD)), 400, "invalid_request")
      for path in ("/../etc/passwd", "/api/../../etc", "/%2e%2e/etc", "/%2e%2e%2fetc", "/api/chat%00", "/api/%zz", "/api/%c",
                   "api/chat", "")),
    Row("path with a NUL", raw(http(path="/api/chat\0", body=GOOD)), 400, "invalid_request"),
    Row("path of 9,000 characters", raw(http(path="/" + "a" * 9000, body=GOOD)), 414, "too_large"),
    Row("query of 9,000 characters", raw(http(path="/api/chat?" + "a" * 9000, body=GOOD)), 414, "too_large"),
]

ROWS = [*JSON_ROWS, *field_rows(), *TOKEN_ROWS, *HEADER_ROWS, *METHOD_ROWS, *PATH_ROWS]

# ---- odd, yet right: 200

ACCEPTED = [
    Row("10,000 letters", post(ANALYZE, message("a" * 10000)), 200),
    Row("10,000 emoji", post(ANALYZE, json.dumps({"message": "😀" * 10000}, ensure_ascii=False).encode()), 200),
    Row("10,000 emoji in chat", post(CHAT, json.dumps({"message": "😀" * 10000}, ensure_ascii=False).encode()),
        200),
    Row("10,000 emoji, escaped", post(ANALYZE, in_text(EMOJI_ESCAPE * 10000)), 200),
    Row("10,000 combining marks", post(ANALYZE, json.dumps({"message": "か" + "\u3099" * 9999},
                                                             ensure_ascii=False).encode()), 200),
    Row("100 long messages", post(ANALYZE, json.dumps({"messages": ["あ" * 400] * 100},
                                                        ensure_ascii=False).encode()), 200),
    Row("body of exactly the limit", post(ANALYZE, GOOD + b" " * (LIMIT - len(GOOD))), 200),
    Row("64 levels", post(ANALYZE, b'{"message":"a","x":' + b"[" * 63 + b"]" * 63 + b"}"), 200),
    Row("blanks around", post(ANALYZE, b" \r\n\t" + GOOD + b"\n\n"), 200),
    Row("escapes", post(ANALYZE, in_text(rb'\u0061\"\\\/\b\f\n\r\t\ud83d\ude00')), 200),
    Row("escaped name", post(ANALYZE, rb'{"\u006dessage":"a"}'), 200),
    Row("numbers at the edge", post(ANALYZE, b'{"message":"a","x":[-0,0.0,1e308,-1E-308,9007199254740993]}'), 200),
    Row("noncharacter U+FFFF", post(ANALYZE, in_text(b"\xef\xbf\xbf")), 200),
    Row("U+FEFF inside", post(ANALYZE, in_text("a\ufeffb".encode())), 200),
    Row("U+0001 escaped", post(ANALYZE, in_text(rb"a\u0001b")), 200),
    Row("customer_name of 200", post(CHAT, with_field("customer_name", "名" * 200)), 200),
    Row("100 items of history", post(CHAT, with_field("history", [ITEM] * 100)), 200),
    Row("query string", post("/api/analyze?message=x&x=%00", GOOD), 200),
    Row("encoded letter", post("/api/%61nalyze", GOOD), 200),
    Row("two slashes", post("/api//analyze", GOOD), 200),
    Row("dot segments", raw(http(path="/api/x/../analyze", body=GOOD)), 200),
    Row("absolute address", raw(http(path="http://localhost/api/analyze", body=GOOD)), 200),
    Row("charset UTF-8", post(ANALYZE, GOOD, {"Content-Type": "application/json; charset=UTF-8"}), 200),
    Row("charset quoted", post(ANALYZE, GOOD, {"Content-Type": 'Application/JSON ;charset="utf-8"'}), 200),
    Row("chunked", raw(chunked(chunks(GOOD, 3))), 200),
    Row("chunked of the limit", raw(chunked(chunks(GOOD + b" " * (LIMIT - len(GOOD))))), 200),
    Row("Expect: 100-continue", raw(http(headers={"Expect": "100-continue"}, body=GOOD)), 200),
    Row("leading zeros in Content-Length", length_is("00020"), 200),
    Row("HTTP/1.0", raw(http(version="HTTP/1.0", body=GOOD)), 200),
    Row("a request id of the client", post(ANALYZE, GOOD, {**JSON, "X-Request-Id": "a b\tc", "Request-Id": "x"}), 200),
    Row("Proxy header", post(ANALYZE, GOOD, {**JSON, "Proxy": "http://evil.example"}), 200),
    Row("60 unknown headers", post(ANALYZE, GOOD, {**JSON, **{f"X-{i}": "a" * 100 for i in range(60)}}), 200),
]

class BadInput(AliveTest):
    def run_rows(self, rows):
        for row in rows:
            with self.subTest(row.name):
                reply = row.request(self.stack)
                self.assertIsNotNone(reply, "closed without a reply")
                if row.status == 200:
                    self.assertEqual(reply.status, 200, reply.body)
                    self.assert_common_headers(reply)
                    continue
                self.assert_error(reply, row.status, row.code, row.field)
                if row.status == 405:
                    self.assertRegex(reply.headers["Allow"] or "", r"(GET|POST)")

    def test_table__has_at_least_150_different_rows(self):
        names = [row.name for row in ROWS]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), 150)

    def test_json(self):
        self.run_rows(JSON_ROWS)

    def test_fields(self):
        self.run_rows(field_rows())

    def test_tokens(self):
        self.run_rows(TOKEN_ROWS)

    def test_headers(self):
        self.run_rows(HEADER_ROWS)

    def test_methods(self):
        self.run_rows(METHOD_ROWS)

    def test_paths(self):
        self.run_rows(PATH_ROWS)

    def test_odd_but_right(self):
        self.run_rows(ACCEPTED)

    def test_errors__never_quote_the_customer(self):
        secret = "秘密の本文"
        for path in (ANALYZE, CHAT):
            for body in (f'{{"message":"{secret}"', f'{{"message":["{secret}"]}}', f'"{secret}"',
                         f'{{"message":"a","conversation_id":"{secret}"}}',
                         f'{{"message":"a","history":[{{"role":"{secret}","content":"a"}}]}}'):
                reply = self.stack.request("POST", path, body.encode(), JSON)
                self.assertEqual(reply.status, 400)
                self.assertNotIn(secret, reply.body.decode())


class Methods(AliveTest):
    def test_head__is_get_without_a_body(self):
        for path in ("/api/health/live", "/api/health"):
            self.assertEqual(self.stack.request("GET", path).status, 200)
            reply = self.stack.request("HEAD", path)
            self.assertEqual((reply.status, reply.body), (200, b""))
            self.assertGreater(int(reply.headers["Content-Length"]), 50)
            self.assert_common_headers(reply)
        reply = self.stack.request("HEAD", CHAT)
        self.assertEqual((reply.status, reply.body, reply.headers["Allow"]), (405, b"", "POST, OPTIONS"))

    def test_head__leaves_the_connection_usable(self):
        with contextlib.closing(self.stack.connect()) as connection:
            for method, path in (("HEAD", CHAT), ("HEAD", "/api/health/live"), ("HEAD", "/none"),
                                 ("GET", "/api/health/live")):
                connection.request(method, path)
                body = connection.getresponse().read()
            self.assertEqual(json.loads(body)["status"], "alive")

    def test_options__is_204_with_allow(self):
        for path, allow in ((CHAT, "POST, OPTIONS"), (ANALYZE, "POST, OPTIONS"),
                            ("/api/health", "GET, HEAD, OPTIONS")):
            reply = self.stack.request("OPTIONS", path)
            self.assertEqual((reply.status, reply.body, reply.headers["Allow"]), (204, b"", allow))
            self.assertIsNone(reply.headers["Content-Type"])
        self.assert_error(self.stack.request("OPTIONS", "/none"), 404, "not_found")

    def test_wrong_method__allow_names_the_right_one(self):
        self.assertEqual(self.stack.request("GET", CHAT).headers["Allow"], "POST, OPTIONS")
        self.assertEqual(self.stack.request("POST", "/api/health").headers["Allow"], "GET, HEAD, OPTIONS")

    def test_body_of_a_refused_request__is_not_the_next_request(self):
        smuggled = http(path="/api/none", body=GOOD)
        with contextlib.closing(self.stack.connect()) as connection:
            for headers, status in (({"Content-Type": "text/plain"}, 415), (JSON, 400), (JSON, 400)):
                connection.request("POST", ANALYZE, smuggled, headers)
                self.assertEqual(connection.getresponse().read() and status, status)
            connection.request("POST", ANALYZE, GOOD, JSON)
            reply = connection.getresponse()
            self.assertEqual(reply.status, 200)
            self.assertIn("harassment", json.loads(reply.read()))


class SlowBodies(AliveTest):
    """With nginx's timeouts at a second."""

    @classmethod
    def setUpClass(cls):
        nginx = cls.stack.nginx
        before = (nginx.conf / "limits.conf").read_text(encoding="utf-8")
        for name in ("client_header_timeout", "client_body_timeout"):
            nginx.edit("limits.conf", rf"{name}\s+\w+;", f"{name} {BODY_SECONDS}s;")
        nginx.reload()

        def restore():
            nginx.write("limits.conf", before)
            nginx.reload()
        cls.addClassCleanup(restore)

    def connect(self, data):
        connection = socket.create_connection(("127.0.0.1", self.stack.nginx.plain_port), timeout=20)
        self.addCleanup(connection.close)
        connection.sendall(data)
        return connection

    def assert_ends(self, connection):
        """Closed by nginx, with 408 or without a word, long before the client's own patience."""
        data = connection.recv(65536)
        if data:
            self.assertTrue(data.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400")), data)

    def test_half_requests__are_ended(self):
        good = http(body=GOOD)
        for name, data in {"nothing": b"", "half a line": good[:8], "half the headers": good[:60],
                           "no body": good[:-len(GOOD)], "half the body": good[:-5],
                           "half a chunk": chunked(b"14\r\n" + GOOD[:5]),
                           "no last chunk": chunked(b"14\r\n" + GOOD + b"\r\n")}.items():
            with self.subTest(name):
                self.assert_ends(self.connect(data))

    def test_half_requests__never_reach_a_worker(self):
        waiting = [self.connect(http(body=GOOD)[:-5]) for _ in range(40)]
        for path in (ANALYZE, CHAT):
            self.assertEqual(self.stack.request("POST", path, {"message": "hello"}).status, 200)
        for connection in waiting:
            self.assert_ends(connection)

    def test_half_sent_then_gone__harms_nobody(self):
        for _ in range(20):
            self.connect(http(body=GOOD)[:-5]).close()

    def test_body_in_many_pieces__is_read_whole(self):
        connection = self.connect(http(body=GOOD)[:-len(GOOD)])
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in GOOD:
            connection.sendall(bytes((byte,)))
        self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200"))


if __name__ == "__main__":
    unittest.main()
