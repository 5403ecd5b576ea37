#!/usr/bin/env python3
"""Answers of weir's own: which status for what, in words for people and for programs, and nothing about the inside."""

import html
import json
import re

from harness import main
from http_client import HttpClient
from http_message import written_answer, written_request
from http_story import HttpStory, http_config

BROWSER = [("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")]


def garbage(call):
    call.send(b"this is no answer\r\n\r\n")
    call.close()


def silence(call):
    call.stream.ended()


class Causes(HttpStory):
    """Each with an origin, or none, that causes it: the status, the reason, and who is counted."""

    def expect_error(self, weir, status, reason, **asked):
        answer = self.get(weir, **asked)
        body = json.loads(answer.body)
        self.assertEqual((answer.status, body["reason"], body["status"]), (status, reason, status))
        self.assertEqual(answer.get("content-type"), "application/json")
        self.expect_ends(weir, **{reason: 1})
        return answer

    def test_nobody_is_there(self):
        weir = self.http_weir([self.nobody_at(), self.nobody_at()])
        answer = self.expect_error(weir, 503, "connect_failed")
        self.assertTrue(answer.fields.has("retry-after"))
        self.expect_counts(weir.listener, answers_5xx=1, requests_refused=0)

    def test_nobody_can_be_reached_in_time(self):
        weir = self.http_weir([self.silence_at()], upstream={"timeouts": {"connect": "100ms"}, "tries": 1})
        self.expect_error(weir, 504, "connect_timeout")

    def test_the_answer_does_not_begin(self):
        weir = self.http_weir([self.http_origin(silence)], timeouts={"first_byte": "100ms"})
        self.expect_error(weir, 504, "first_byte_timeout")
        self.expect_counts(lambda: weir.endpoint("origin"), first_byte_timeouts=1)

    def test_all_of_it_takes_too_long(self):
        weir = self.http_weir([self.http_origin(silence)], timeouts={"request": "100ms"})
        self.expect_error(weir, 504, "request_timeout")

    def test_no_http(self):
        weir = self.http_weir([self.http_origin(garbage)])
        self.expect_error(weir, 502, "answer_malformed")
        self.expect_counts(lambda: weir.endpoint("origin"), answers_malformed=1)

    def test_every_malformed_answer(self):
        heads = (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/2 200 OK\r\n\r\n",
                 b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
                 b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                 b"HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
                 b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", b"HTTP/1.1 200 OK\r\nX-A: b\0\r\n\r\n",
                 b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
                 written_answer(101, {"Connection": "upgrade", "Upgrade": "x"}), b"\0" * 100_000)
        for head in heads:
            weir = self.http_weir([self.http_origin(lambda call, head=head: (call.send(head), call.close()))])
            with self.subTest(head=head[:60]):
                self.expect_error(weir, 502, "answer_malformed")

    def test_no_answer(self):
        weir = self.http_weir([self.http_origin(lambda call: call.close())], upstream={"retry": {"on": "off"}})
        self.expect_error(weir, 502, "origin_closed")
        weir = self.http_weir([self.http_origin(lambda call: call.reset())], upstream={"retry": {"on": "off"}})
        self.expect_error(weir, 502, "origin_reset")

    def test_half_an_answer_head(self):
        weir = self.http_weir([self.http_origin(lambda call: (call.send(b"HTTP/1.1 200 O"), call.close()))])
        self.expect_error(weir, 502, "answer_malformed")

    def test_no_route(self):
        config = http_config([self.http_origin()],
                             listener={"routes": [{"match": {"path": "/only"}, "answer": {"body": "here"}}]})
        del config["listeners"][0]["upstream"]
        weir = self.weir_with(config)
        self.expect_error(weir, 404, "unrouted", target="/other")
        self.expect_counts(weir.listener, answers_4xx=1)

    def test_methods_that_are_not_served(self):
        origin = self.http_origin()
        weir = self.http_weir([origin])
        for request in (written_request("TRACE"), written_request("CONNECT", "weir.test:443", host="weir.test:443")):
            client = self.client(weir)
            client.send(request)
            answer = client.answer("POST")
            self.assertEqual((answer.status, json.loads(answer.body)["reason"]), (405, "method_not_allowed"))
            self.assertIn("GET", answer.get("allow"))
        self.assertEqual(origin.requests, [])

    def test_the_connection_goes_on_after_an_error_that_is_not_the_clients(self):
        fails = [True, True, False]
        origin = self.http_origin(lambda call: call.close() if fails.pop(0) else call.answer(200, (), b"well"))
        weir = self.http_weir([origin], upstream={"retry": {"on": "off"}})
        client = self.client(weir)
        self.assertEqual([client.get().status for _ in range(3)], [502, 502, 200])
        self.expect_counts(weir.listener, connections_total=1, answers_5xx=2, answers_2xx=1)

    def test_a_body_becomes_malformed_on_its_way(self):
        origin = self.http_origin(lambda call: (call.body(), call.answer()))
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.request("POST", fields=[("Transfer-Encoding", "chunked")])
        client.send(b"3\r\nabc\r\n")
        self.wait_for_requests(origin, 1)
        client.send(b"x\r\n")
        answer = client.answer()
        self.assertEqual((answer.status, answer.get("connection")), (400, "close"))
        self.assertEqual(json.loads(answer.body)["reason"], "body_malformed")
        self.assertTrue(client.gone())


class Words(HttpStory):
    def error(self, fields=(), **listener):
        weir = self.http_weir([self.nobody_at()], listener=listener)
        return self.get(weir, "/secret/path?token=1", [*fields, ("User-Agent", "agent-7"), ("Cookie", "c=hush")])

    def test_for_programs(self):
        for fields in ([], [("Accept", "application/json")], [("Accept", "*/*")],
                       [("Accept", "application/json, text/html;q=0.5")], [("Accept", "nonsense;;;q=x")]):
            answer = self.error(fields)
            self.assertEqual(answer.get("content-type"), "application/json", fields)
            body = json.loads(answer.body)
            self.assertEqual(sorted(body), ["error", "message", "reason", "request_id", "status"])
            self.assertEqual(body["error"], "Service Unavailable")
            self.assertEqual(body["request_id"], answer.get("x-request-id"))
            self.assertRegex(body["request_id"], "^[0-9a-f]{32}$")

    def test_for_people(self):
        for fields in (BROWSER, [("Accept", "text/html")], [("Accept", "application/json;q=0.1, text/html;q=0.2")]):
            answer = self.error(fields)
            self.assertEqual(answer.get("content-type"), "text/html; charset=utf-8", fields)
            page = answer.body.decode()
            self.assertTrue(page.startswith("<!doctype html>"))
            self.assertIn("503 Service Unavailable", page)
            self.assertIn(answer.get("x-request-id"), page)
            self.assertNotRegex(page, "(?i)https?://|<script|<link|<img", "it fetches nothing")

    def test_nothing_of_the_inside(self):
        for fields in ([], BROWSER):
            answer = self.error(fields)
            said = answer.body.decode() + str(answer.fields)
            for word in ("127.0.0.1", "app", "0-0", "secret", "token", "hush", "agent-7"):
                self.assertNotIn(word, said.replace("application", "").replace("apple", ""))
            self.assertNotRegex(said.replace("1.1 weir", ""), r"(?i)\bweir\b")
            self.assertFalse(answer.fields.has("server"))

    def test_what_a_client_sends_does_not_come_back_as_markup(self):
        """A trusted proxy's name for the request is shown; it may hold no character that means something."""
        weir = self.http_weir([self.nobody_at()], listener={"trusted_proxies": ["127.0.0.0/8"]})
        for name in ("plain-1", "<script>alert(1)</script>", '"}<b>', "a&b", "'x"):
            for fields in ([], BROWSER):
                answer = self.get(weir, "/<b>", [*fields, ("X-Request-Id", name)])
                text = answer.body.decode()
                self.assertNotIn("<script", text)
                self.assertNotIn("<b>", text)
                self.assertEqual(name in html.unescape(text), name == "plain-1", name)

    def test_an_error_in_the_middle_is_not_written_into_the_body(self):
        cut = written_answer(fields={"Content-Length": 100}) + b"some"
        weir = self.http_weir([self.http_origin(lambda call: (call.send(cut), call.close()))])
        client = HttpClient(self.connect(weir.address()))
        client.request()
        answer = client.answer(body=False)
        got = b""
        with self.assertRaises((EOFError, ConnectionError)):
            for piece in client.stream.pieces(answer):
                got += piece
        self.assertIn(got, (b"some", b""))

    def test_a_date(self):
        answer = self.error()
        self.assertTrue(re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.get("date")))

    def test_refused_requests_have_words_too(self):
        weir = self.http_weir([self.http_origin()])
        client = self.client(weir)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        body = json.loads(client.answer().body)
        self.assertEqual((body["status"], body["reason"]), (400, "host_repeated"))
        self.assertIn("Host", body["message"])


if __name__ == "__main__":
    main()
