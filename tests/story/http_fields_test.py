#!/usr/bin/env python3
"""Headers: what is for the next hop only stays here, and what origins are told of the client is true."""

import json
import re

from harness import main
from http_client import HttpClient
from http_message import written_request
from http_story import HttpStory

V1_HEADER = b"PROXY TCP4 192.0.2.7 10.4.5.6 1111 80\r\n"
V1_IPV6_HEADER = b"PROXY TCP6 2001:db8::7 2001:db8::2 1111 80\r\n"

# Everything that a client could lie with, and spellings that a CGI-like origin takes for the same.
FORGED = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.test"),
          ("X-Forwarded-Port", "port-x"), ("X-Forwarded-Server", "evil"), ("X-Forwarded-Ssl", "on"),
          ("X-Real-IP", "6.6.6.6"), ("Forwarded", "for=6.6.6.6"), ("X-Request-Id", "forged")]
SPELLED = [(name.replace("-", "_"), value) for name, value in FORGED if "-" in name] + \
          [(name.replace("-", "_", 1).upper(), value) for name, value in FORGED if "-" in name] + \
          [("x-forwarded_for", "6.6.6.6"), ("X.Forwarded.For", "6.6.6.6"), ("x_real-ip", "6.6.6.6")]


class Asked(HttpStory):
    """Asks through weir, and returns what the origin got."""

    def setUp(self):
        self.origin_ = self.http_origin()

    def start(self, **listener):
        return self.http_weir([self.origin_], listener=listener)

    def seen(self, weir, fields=(), source=None, first=b"", **more):
        client = HttpClient(self.connect(weir.address(), source=source))
        client.send(first)
        answer = client.get("/path?q=1", fields, **more)
        client.close()
        self.assertEqual(answer.status, 200)
        self.answer = answer
        return self.origin_.requests[-1].fields

    def expect_fields(self, fields, **expected):
        """By name with underscores for dashes; None: not there."""
        for name, value in expected.items():
            self.assertEqual(fields.all(name.replace("_", "-")), [] if value is None else [value], name)


class HopByHop(Asked):
    def test_of_requests(self):
        fields = self.seen(self.start(), [
            ("Connection", "x-mine, keep-alive"), ("Connection", "X-Other"), ("X-Mine", "1"), ("x-mine", "2"),
            ("X-Other", "3"), ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "keep-alive"), ("TE", "gzip"),
            ("Proxy-Authorization", "Basic eDp5"), ("Upgrade", "h2c"), ("X-Kept", "yes"), ("User-Agent", "me")])
        self.expect_fields(fields, x_kept="yes", user_agent="me", x_mine=None, x_other=None, keep_alive=None,
                           proxy_connection=None, te=None, proxy_authorization=None, upgrade=None, connection=None)

    def test_of_answers(self):
        self.origin_.handler = lambda call: call.answer(200, [
            ("Connection", "X-Mine, keep-alive"), ("X-Mine", "1"), ("Keep-Alive", "timeout=5"),
            ("Proxy-Connection", "keep-alive"), ("Proxy-Authenticate", "Basic"), ("Upgrade", "h2c"), ("X-Kept", "yes"),
            ("Server", "theirs"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        self.seen(self.start())
        self.expect_fields(self.answer.fields, x_kept="yes", server="theirs", x_mine=None, keep_alive=None,
                           proxy_connection=None, proxy_authenticate=None, upgrade=None, connection=None)
        self.assertEqual(self.answer.fields.all("set-cookie"), ["a=1", "b=2"])

    def test_what_origins_rely_on_cannot_be_named_away(self):
        names = ("Host", "Cookie", "X-Forwarded-For", "X-Real-IP", "Content-Length", "X-Request-Id", "Via",
                 "Content-Type")
        client = self.client(self.start())
        client.send(written_request("POST", "/", [("Connection", ", ".join(names)), ("Cookie", "a=b"),
                                                  ("Content-Type", "text/x")], body=b"12345"))
        self.assertEqual(client.answer().status, 200)
        request = self.origin_.requests[-1]
        self.expect_fields(request.fields, cookie="a=b", content_type="text/x", content_length="5",
                           x_forwarded_for="127.0.0.1", x_real_ip="127.0.0.1", via="1.1 weir")
        self.assertEqual(request.body, b"12345")

    def test_order_case_and_repetitions_are_kept(self):
        mine = [("x-lower", "1"), ("X-UPPER", "2"), ("Accept", "a/b"), ("accept", "c/d"), ("X-Empty", ""),
                ("X-Text", "ä \t\"x\""), ("Cookie", "a=1; b=2")]
        fields = self.seen(self.start(), mine)
        self.assertEqual([pair for pair in fields if pair in mine], mine)

    def test_the_host_is_first_and_is_what_the_client_said(self):
        for host in ("weir.test", "WEIR.test:8080", "[::1]:80", "127.0.0.1"):
            fields = self.seen(self.start(), host=host)
            self.assertEqual((fields[0][0].lower(), fields[0][1]), ("host", host))

    def test_an_absolute_target_names_the_host(self):
        client = self.client(self.start())
        self.assertEqual(client.ask("GET", "http://other.test:81/abs?x=1", host="other.test:81").status, 200)
        request = self.origin_.requests[-1]
        self.assertEqual((request.target, request.get("host")), ("/abs?x=1", "other.test:81"))

    def test_max_forwards_is_counted(self):
        client = self.client(self.start())
        client.ask("OPTIONS", "/", [("Max-Forwards", "3")])
        self.assertEqual(self.origin_.requests[-1].get("max-forwards"), "2")
        answer = client.ask("OPTIONS", "/", [("Max-Forwards", "0")])
        self.assertIn(answer.status, (200, 204))
        self.assertEqual(len(self.origin_.requests), 1, "weir was asked, and has answered")


class Told(Asked):
    def test_by_default(self):
        fields = self.seen(self.start(), host="weir.test:8080")
        self.expect_fields(fields, x_forwarded_for="127.0.0.1", x_forwarded_proto="http",
                           x_forwarded_host="weir.test:8080", x_real_ip="127.0.0.1", forwarded=None, via="1.1 weir")
        self.assertRegex(fields.get("x-request-id"), r"^[0-9a-f]{32}$")
        self.assertEqual(self.answer.get("via"), "1.1 weir")

    def test_each_request_has_a_name_of_its_own_and_the_answer_has_it_too(self):
        weir = self.start()
        names = set()
        for _ in range(20):
            name = self.seen(weir).get("x-request-id")
            self.assertEqual(self.answer.get("x-request-id"), name)
            names.add(name)
        self.assertEqual(len(names), 20)

    def test_names_of_requests_are_not_those_of_another_run(self):
        """A restart, another node: their logs are read side by side."""
        names = [self.seen(self.start()).get("x-request-id") for _ in range(3)]
        self.assertEqual(len(set(names)), 3, names)

    def test_ipv6(self):
        fields = self.seen(self.start(address="[::1]:0", forward={"forwarded": True}))
        self.expect_fields(fields, x_forwarded_for="::1", x_real_ip="::1",
                           forwarded='for="[::1]";proto=http;host=weir.test')

    def test_ipv4_through_a_socket_for_both(self):
        """::ffff:127.0.0.1 is how the kernel names it there; nobody else does."""
        weir = self.start(address="[::]:0")
        port = weir.address().rsplit(":", 1)[1]
        client = HttpClient(self.connect(f"127.0.0.1:{port}"))
        self.assertEqual(client.get().status, 200)
        self.expect_fields(self.origin_.requests[-1].fields, x_forwarded_for="127.0.0.1", x_real_ip="127.0.0.1")

    def test_over_a_unix_socket_there_is_no_address(self):
        fields = self.seen(self.start(address=f"unix:{self.path('front.sock')}", forward={"forwarded": True}))
        self.expect_fields(fields, x_forwarded_for=None, x_real_ip=None, x_forwarded_proto="http",
                           forwarded="for=unknown;proto=http;host=weir.test")

    def test_the_address_of_a_proxy_header(self):
        weir = self.start(accept_proxy=["127.0.0.0/8"], forward={"forwarded": True})
        self.expect_fields(self.seen(weir, first=V1_HEADER), x_forwarded_for="192.0.2.7", x_real_ip="192.0.2.7",
                           forwarded="for=192.0.2.7;proto=http;host=weir.test")
        self.expect_fields(self.seen(weir, first=V1_IPV6_HEADER), x_forwarded_for="2001:db8::7",
                           x_real_ip="2001:db8::7", forwarded='for="[2001:db8::7]";proto=http;host=weir.test')

    def test_forwarded_quotes_what_is_no_token(self):
        fields = self.seen(self.start(forward={"forwarded": True}), host="weir.test:8080")
        self.expect_fields(fields, forwarded='for=127.0.0.1;proto=http;host="weir.test:8080"')

    def test_each_can_be_switched_off(self):
        names = {"x_forwarded_for": "x-forwarded-for", "x_forwarded_proto": "x-forwarded-proto",
                 "x_forwarded_host": "x-forwarded-host", "x_real_ip": "x-real-ip", "request_id": "x-request-id"}
        for switch, name in names.items():
            fields = self.seen(self.start(forward={switch: False}), FORGED)
            self.assertEqual(fields.all(name), [], f"{name} is off, and a forged one stays out nevertheless")
            for other in set(names.values()) - {name}:
                self.assertEqual(len(fields.all(other)), 1, f"{other} with {switch} off")
        fields = self.seen(self.start(forward={"via": "off"}))
        self.expect_fields(fields, via=None)
        self.expect_fields(self.answer.fields, via=None)

    def test_via_with_another_name_is_added_to_what_is_there(self):
        self.origin_.handler = lambda call: call.answer(200, {"Via": "1.0 theirs"})
        fields = self.seen(self.start(forward={"via": "edge-1"}), [("Via", "1.1 before")])
        self.assertEqual(", ".join(fields.all("via")), "1.1 before, 1.1 edge-1")
        self.assertEqual(", ".join(self.answer.fields.all("via")), "1.0 theirs, 1.1 edge-1")


class Forged(Asked):
    """By a client that nobody trusts."""

    def test_replaced_in_every_spelling(self):
        for forged in (FORGED, SPELLED, [(name.lower(), value) for name, value in FORGED], FORGED * 3):
            fields = self.seen(self.start(), forged)
            self.expect_fields(fields, x_forwarded_for="127.0.0.1", x_forwarded_proto="http",
                               x_forwarded_host="weir.test", x_real_ip="127.0.0.1", forwarded=None)
            told = " ".join(f"{name}={value}" for name, value in fields)
            for lie in ("6.6.6.6", "evil", "port-x", "https", "forged"):
                self.assertNotIn(lie, told)

    def test_a_trusted_proxy_is_only_who_is_connected(self):
        """That the client claims to come from a trusted address does not make it trusted."""
        weir = self.start(trusted_proxies=["10.0.0.0/8"])
        fields = self.seen(weir, [("X-Forwarded-For", "10.0.0.1"), ("X-Real-IP", "10.0.0.1")])
        self.expect_fields(fields, x_forwarded_for="127.0.0.1", x_real_ip="127.0.0.1")


class Trusted(Asked):
    """Another proxy in front, at 127.0.0.2; others are clients."""

    PROXY = "127.0.0.2"

    def trusting(self, **forward):
        return self.start(trusted_proxies=["127.0.0.2/32", "10.0.0.0/8"], forward={"forwarded": True, **forward})

    def test_is_continued(self):
        fields = self.seen(self.trusting(), [
            ("X-Forwarded-For", "192.0.2.9"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.test"),
            ("Forwarded", "for=192.0.2.9;proto=https"), ("X-Request-Id", "from-the-edge"), ("X-Real-IP", "192.0.2.9"),
            ("X-Forwarded-Port", "443")], source=self.PROXY)
        self.expect_fields(fields, x_forwarded_for="192.0.2.9, 127.0.0.2", x_real_ip="192.0.2.9",
                           x_forwarded_proto="https", x_forwarded_host="shop.test", x_forwarded_port="443",
                           x_request_id="from-the-edge")
        self.assertTrue(fields.get("forwarded").startswith("for=192.0.2.9;proto=https, for=127.0.0.2"))

    def test_the_client_is_the_last_that_nobody_trusts(self):
        for given, client in (("6.6.6.6, 192.0.2.9", "192.0.2.9"), ("6.6.6.6, 192.0.2.9, 10.1.1.1", "192.0.2.9"),
                              ("192.0.2.9, 10.1.1.1,10.2.2.2", "192.0.2.9"), ("2001:db8::9", "2001:db8::9"),
                              ("[2001:db8::9]:4711", "2001:db8::9"), ("192.0.2.9:4711", "192.0.2.9")):
            fields = self.seen(self.trusting(), [("X-Forwarded-For", given)], source=self.PROXY)
            self.expect_fields(fields, x_real_ip=client, x_forwarded_for=f"{given}, {self.PROXY}")

    def test_over_several_lines(self):
        lines = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "192.0.2.9, 10.1.1.1")]
        fields = self.seen(self.trusting(), lines, source=self.PROXY)
        self.expect_fields(fields, x_real_ip="192.0.2.9", x_forwarded_for="6.6.6.6, 192.0.2.9, 10.1.1.1, 127.0.0.2")

    def test_what_says_nothing_is_begun(self):
        fields = self.seen(self.trusting(), source=self.PROXY)
        self.expect_fields(fields, x_real_ip="127.0.0.2", x_forwarded_for="127.0.0.2", x_forwarded_proto="http",
                           x_forwarded_host="weir.test")
        self.assertRegex(fields.get("x-request-id"), r"^[0-9a-f]{32}$")

    def test_nonsense_is_not_believed(self):
        for given in ("unknown", "999.1.1.1", "<script>", "192.0.2.9 192.0.2.10", ","):
            fields = self.seen(self.trusting(), [("X-Forwarded-For", given)], source=self.PROXY)
            self.assertEqual(fields.get("x-real-ip"), "127.0.0.2", given)
        for given in ("x" * 300, 'a"b', "a b", "<x>"):
            fields = self.seen(self.trusting(), [("X-Request-Id", given)], source=self.PROXY)
            self.assertRegex(fields.get("x-request-id"), r"^[0-9a-f]{32}$", given)

    def test_others_beside_it_are_not(self):
        fields = self.seen(self.trusting(), FORGED, source="127.0.0.3")
        self.expect_fields(fields, x_forwarded_for="127.0.0.3", x_real_ip="127.0.0.3", x_forwarded_proto="http")

    def test_what_is_switched_off_passes_as_it_is(self):
        weir = self.trusting(x_forwarded_for=False, x_real_ip=False, request_id=False, forwarded=False)
        given = [("X-Forwarded-For", "192.0.2.9"), ("X-Real-IP", "192.0.2.9"), ("X-Request-Id", "theirs"),
                 ("Forwarded", "for=192.0.2.9")]
        fields = self.seen(weir, given, source=self.PROXY)
        self.assertEqual([pair for pair in fields if pair in given], given)

    def test_over_a_unix_socket(self):
        """Who is connected has no address to add, but what it tells is not lost."""
        weir = self.start(address=f"unix:{self.path('front.sock')}", trusted_proxies=["unix"])
        fields = self.seen(weir, [("X-Forwarded-For", "6.6.6.6, 192.0.2.9"), ("X-Forwarded-Proto", "https")])
        self.expect_fields(fields, x_real_ip="192.0.2.9", x_forwarded_for="6.6.6.6, 192.0.2.9",
                           x_forwarded_proto="https")

    def test_behind_a_proxy_header(self):
        """Whom the header names is who is connected: believed if that one is trusted."""
        weir = self.start(accept_proxy=["127.0.0.1/32"], trusted_proxies=["192.0.2.7/32"])
        fields = self.seen(weir, [("X-Forwarded-For", "203.0.113.5")], first=V1_HEADER)
        self.expect_fields(fields, x_real_ip="203.0.113.5", x_forwarded_for="203.0.113.5, 192.0.2.7")
        fields = self.seen(weir, [("X-Forwarded-For", "203.0.113.5")], first=V1_IPV6_HEADER)
        self.expect_fields(fields, x_real_ip="2001:db8::7", x_forwarded_for="2001:db8::7")


class Limits(Asked):
    """What is too much is refused with its own status, the connection ends, and no origin hears of it."""

    def expect_refused(self, weir, status, reason, target="/", fields=()):
        client = self.client(weir)
        answer = client.get(target, fields)
        self.assertEqual((answer.status, answer.get("connection")), (status, "close"))
        self.assertEqual(json.loads(answer.body)["reason"], reason)
        self.assertTrue(client.gone())

    def test_each(self):
        weir = self.http_weir([self.origin_], limits={"http_line": "1KiB", "http_head": "4KiB", "http_fields": 20})
        client = self.client(weir)
        self.assertEqual(client.get("/" + "x" * 900, [(f"X-{i}", "y" * 150) for i in range(18)]).status, 200)
        self.expect_refused(weir, 414, "request_line_too_long", target="/" + "x" * 1100)
        self.expect_refused(weir, 431, "head_too_large", fields=[("X-A", "y" * 4096)])
        self.expect_refused(weir, 431, "too_many_fields", fields=[(f"X-{i}", "y") for i in range(20)])
        self.assertEqual(len(self.origin_.requests), 1)
        self.expect_counts(weir.listener, requests=4, requests_refused=3, answers_4xx=3)

    def test_as_much_as_the_defaults_allow(self):
        fields = [(f"X-{i}", "y" * 100) for i in range(127)]
        seen = self.seen(self.start(), fields)
        self.assertEqual([pair for pair in seen if pair in fields], fields)

    def test_a_head_that_fills_the_limit_has_room_for_what_is_added(self):
        size = 15 * 1024 - len(written_request(target="/path?q=1", fields=[("X-A", "")]))
        seen = self.seen(self.start(forward={"forwarded": True}), [("X-A", "y" * size)])
        self.assertEqual(seen.get("x-a"), "y" * size)
        self.assertTrue(re.fullmatch("[0-9a-f]{32}", seen.get("x-request-id")))

    def test_an_answer_whose_head_is_too_large(self):
        self.origin_.handler = lambda call: call.answer(200, {"X-A": "y" * 20_000})
        weir = self.start()
        client = self.client(weir)
        answer = client.get()
        self.assertEqual((answer.status, json.loads(answer.body)["reason"]), (502, "answer_malformed"))
        self.expect_counts(lambda: weir.endpoint("origin"), answers_malformed=1)

    def test_an_answer_whose_head_fills_the_limit(self):
        """Also with what weir adds to it."""
        self.origin_.handler = lambda call: call.answer(200, {"X-A": "y" * 15_200})
        answer = self.client(self.start()).get()
        self.assertEqual((answer.status, len(answer.get("x-a"))), (200, 15_200))


if __name__ == "__main__":
    main()
