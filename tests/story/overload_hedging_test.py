#!/usr/bin/env python3
"""Hedging: a request whose answer is slow is sent to a second endpoint as well; the first answer counts, whichever it
is, and the other one goes nowhere."""

import json
import os
import threading
import time

from harness import PATIENCE, eventually, main
from overload import Overload

HEDGE = {"percentile": 50, "min_wait": f"{60 * PATIENCE}ms", "budget": 100}


class Held:
    """What one origin does with /slow: nothing, until it is told; or until weir closes the connection."""

    def __init__(self, name):
        self.name = name
        self.came = []   # targets
        self.left = []   # those whose connection weir closed before
        self.bodies = []
        self._told = threading.Event()
        self._what = None

    def tell(self, what="answer"):
        self._what = what
        self._told.set()

    def again(self):
        self._told.clear()

    def __call__(self, call):
        body = call.body()
        if not call.request.target.startswith("/slow"):
            return call.answer(200, {"X-Origin": self.name}, body)
        self.came.append(call.request.target)
        self.bodies.append(body)
        call.sock.settimeout(0.005)
        while not self._told.is_set():
            try:
                if not call.stream.fill():
                    raise ConnectionResetError
            except TimeoutError:
                continue
            except ConnectionError:
                self.left.append(call.request.target)
                call.over = True
                return None
        call.sock.settimeout(20)
        if self._what == "reset":
            return call.reset()
        return call.answer(200, {"X-Origin": self.name}, body)


class Hedging(Overload):
    def tearDown(self):
        for each in self.held.values():
            each.tell()
        super().tearDown()

    def setUp(self):
        self.held = {}

    def two(self, hedge=None, limits=None, warm=True, **more):
        """`first` is who gets it first: `second` is a backup while all is well."""
        for name in ("first", "second"):
            self.held[name] = Held(name)
        first, second = (self.http_origin(self.held[name], name) for name in ("first", "second"))
        endpoints = [first.endpoint(max_connections=100), second.endpoint(**(limits or {}))]
        weir = self.weir_with(self.http(endpoints, "first_fit", hedge={**HEDGE, **(hedge or {})}, **more))
        if warm:
            self.warm_up(weir)
        return weir

    def warm_up(self, weir):
        """A hundred answers must be known; they are looked at a few times per second."""
        begun, count = time.monotonic(), 0
        while time.monotonic() < begun + 0.4 or count < 150:
            self.assertEqual(self.served(weir, 50), {"first": 50})
            count += 50
        self.answers = count
        self.before = self.figures(weir)

    def expect_hedged(self, weir, **more):
        """So many more than when it was warm: the machine may have been slow then."""
        self.wait_for(weir, **{name: self.before[name] + count for name, count in more.items()})

    def came(self, name, count=1):
        eventually(lambda: len(self.held[name].came) >= count, what=f"{name} got it")

    def wait_out(self, weir):
        """Longer than it would have taken to hedge: another request, held from now on, is hedged meanwhile."""
        before = self.figures(weir)["hedged"]
        probe = self.asking(weir, "/slow/probe")
        eventually(lambda: self.figures(weir)["hedged"] > before, what="the other request is hedged")
        eventually(lambda: "/slow/probe" in self.held["second"].came)
        return probe


class WhoAnswersFirst(Hedging):
    def test_the_second(self):
        weir = self.two()
        client = self.asking(weir, "/slow/1")
        self.came("first")
        self.came("second")
        self.held["second"].tell()
        answer = client.answer()
        self.assertEqual((answer.status, answer.get("x-origin")), (200, "second"))
        eventually(lambda: self.held["first"].left == ["/slow/1"], what="the first was given up")
        self.expect_hedged(weir, hedged=1, hedges_won=1, hedges_over_budget=0)
        self.assertEqual(client.get("/").get("x-origin"), "first", "the connection goes on")

    def test_the_first_after_all(self):
        weir = self.two()
        client = self.asking(weir, "/slow/1")
        self.came("second")
        self.held["first"].tell()
        self.assertEqual(client.answer().get("x-origin"), "first")
        eventually(lambda: self.held["second"].left == ["/slow/1"], what="the second was given up")
        self.expect_hedged(weir, hedged=1, hedges_won=0)

    def test_the_other_when_one_fails(self):
        for failing, other in (("first", "second"), ("second", "first")):
            with self.subTest(failing=failing):
                weir = self.two(retry={"on": "off"})
                client = self.asking(weir, "/slow/1")
                self.came("second")
                self.held[failing].tell("reset")
                eventually(lambda weir=weir, name=failing: weir.endpoint(name)["connections"] == 0)
                self.held[other].tell()
                answer = client.answer()
                self.assertEqual((answer.status, answer.get("x-origin")), (200, other))

    def test_nobody_when_the_client_leaves(self):
        weir = self.two()
        client = self.asking(weir, "/slow/1")
        self.came("second")
        client.reset()
        eventually(lambda: (self.held["first"].left, self.held["second"].left) == (["/slow/1"], ["/slow/1"]))
        self.expect_ends(weir, done=self.answers, client_reset=1)


class WhatIsHedged(Hedging):
    def test_what_may_be_repeated(self):
        weir = self.two()
        for number, method in enumerate(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"), start=1):
            with self.subTest(method):
                self.held["second"].tell()
                client = self.client(weir)
                client.request(method, f"/slow/{method}", body=b"content")
                answer = client.answer(method)
                self.assertEqual((answer.status, answer.get("x-origin")), (200, "second"))
                self.assertEqual(self.held["second"].bodies, [b"content"] * number)
                self.expect_hedged(weir, hedged=number, hedges_won=number)

    def test_what_may_not_is_not(self):
        weir = self.two()
        for method in ("POST", "PATCH", "BREW"):
            with self.subTest(method):
                client = self.client(weir)
                client.request(method, f"/slow/{method}", body=b"content")
                self.came("first")
                self.wait_out(weir).reset()
                self.assertNotIn(f"/slow/{method}", self.held["second"].came)
                self.held["first"].tell()
                self.assertEqual(client.answer().get("x-origin"), "first")
                self.held["first"].again()

    def test_a_body_too_large_to_keep_is_not(self):
        weir = self.two()
        client = self.client(weir)
        client.request("PUT", "/slow/large", body=os.urandom(1 << 20))
        self.came("first")
        self.wait_out(weir).reset()
        self.assertNotIn("/slow/large", self.held["second"].came)
        self.held["first"].tell()
        self.assertEqual(client.answer().status, 200)

    def test_a_body_that_is_not_complete_is_not_yet(self):
        weir = self.two()
        client = self.client(weir)
        client.send(b"PUT /slow/half HTTP/1.1\r\nHost: weir.test\r\nContent-Length: 7\r\n\r\ncon")
        eventually(lambda: weir.endpoint("first")["connections"] == 1)
        probe = self.wait_out(weir)
        self.assertNotIn("/slow/half", self.held["second"].came)
        client.send(b"tent")
        self.came("first", 2)
        self.held["first"].tell()
        self.held["second"].tell()
        answer = client.answer()
        self.assertEqual((answer.status, answer.body), (200, b"content"))
        self.assertEqual(probe.answer().status, 200)

    def test_nothing_before_it_is_known_what_is_slow(self):
        weir = self.two(warm=False)
        self.assertEqual(self.served(weir, 50), {"first": 50})
        client = self.asking(weir, "/slow/1")
        self.came("first")
        threading.Event().wait(0.3)  # several times the least wait
        self.held["first"].tell()
        self.assertEqual(client.answer().get("x-origin"), "first")
        self.wait_for(weir, hedged=0, hedges_over_budget=0)

    def test_nothing_unless_it_is_configured(self):
        for name in ("first", "second"):
            self.held[name] = Held(name)
        origins = [self.http_origin(self.held[name], name) for name in ("first", "second")]
        weir = self.weir_with(self.http([origins[0].endpoint(max_connections=100), origins[1]], "first_fit"))
        self.warm_up(weir)
        client = self.asking(weir, "/slow/1")
        self.came("first")
        threading.Event().wait(0.3)
        self.held["first"].tell()
        self.assertEqual(client.answer().get("x-origin"), "first")
        self.assertEqual(self.held["second"].came, [])

    def test_nothing_where_the_others_have_no_room(self):
        weir = self.two(limits={"max_connections": 1})
        probe = self.wait_out(weir)  # it is at both of them now
        client = self.asking(weir, "/slow/1")
        self.came("first", 2)
        threading.Event().wait(0.3)
        self.assertEqual(self.held["second"].came, ["/slow/probe"])
        self.held["first"].tell()
        self.assertEqual([each.answer().get("x-origin") for each in (client, probe)], ["first"] * 2)
        self.expect_hedged(weir, hedged=1)


class Log(Hedging):
    def test_two_endpoints_were_asked(self):
        for winner in ("second", "first"):
            with self.subTest(winner):
                path = self.path(f"access-{winner}.log")
                weir = self.two(sections={"access_log": {"to": path}})
                client = self.asking(weir, "/slow/1")
                self.came("second")
                self.held[winner].tell()
                self.assertEqual(client.answer().get("x-origin"), winner)
                line = eventually(lambda path=path: self.line_of(path, "/slow/1"))
                self.assertEqual((line["tries"], line["status"], line["end"], line["endpoint"]),
                                 (2, 200, "done", winner))
                self.assertGreaterEqual(line["total_us"], 60000)
                parts = sum(line[f"{part}_us"] for part in ("queue", "connect", "first_byte", "body"))
                self.assertAlmostEqual(parts, line["total_us"], delta=2)

    def line_of(self, path, target):
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(each) for each in file.read().splitlines()]
        return next((each for each in lines if each["target"] == target), None)


if __name__ == "__main__":
    main()
