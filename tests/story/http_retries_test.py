#!/usr/bin/env python3
"""Trying again: whatever is safe is sent to another endpoint, whatever is not is never sent twice."""

import json
import os
import threading
import time
from collections import Counter

from freezing import frozen
from harness import PATIENCE, main, scaled
from http_message import Fields
from http_story import HttpStory

ALWAYS = {"backoff": 0, "budget": 100, "budget_min": 1000}


class Failing:
    """A handler for several origins: what comes for the first time fails, what comes again is answered.

    A request is known by its target.
    """

    def __init__(self, fail, times=1):
        self.arrivals = []  # (target, name of the origin, when, body)
        self._fail = fail
        self._times = times
        self._lock = threading.Lock()

    def __call__(self, call):
        body = call.body()
        with self._lock:
            self.arrivals.append((call.request.target, call.origin.name, time.monotonic(), body))
            came = self.count(call.request.target)
        if came <= self._times:
            self._fail(call)
        else:
            call.answer(200, {"X-Origin": call.origin.name}, body)

    def count(self, target=None):
        return sum(target in (None, each[0]) for each in self.arrivals)

    def names(self, target):
        return [each[1] for each in self.arrivals if each[0] == target]


def reset(call):
    call.reset()


def close(call):
    call.close()


def say_503(call):
    call.answer(503, {"X-Origin": call.origin.name}, b"overloaded")


def stay_silent(call):
    call.stream.ended()
    call.over = True


def answered_body(call):
    call.answer(200, {}, call.body())


class Retries(HttpStory):
    def failing(self, fail, times=1, origins=2):
        handler = Failing(fail, times)
        return handler, [self.http_origin(handler, name=f"o{i}") for i in range(origins)]

    def reason_of(self, answer):
        return json.loads(answer.body)["reason"]


class Unreachable(Retries):
    def test_a_dead_endpoint_is_no_clients_business(self):
        origin = self.http_origin(answered_body)
        weir = self.http_weir([{"name": "dead", "address": self.nobody_at()}, origin])
        client = self.client(weir)
        for i in range(20):
            method = ("GET", "POST")[i % 2]
            answer = client.ask(method, f"/{i}", body=b"%d" % i)
            self.assertEqual((answer.status, answer.body), (200, b"%d" % i))
        self.assertEqual(origin.targets(), [f"/{i}" for i in range(20)])
        dead = weir.endpoint("dead")
        self.assertEqual((dead["connect_errors"], dead["requests"]), (dead["picked"], 0))
        self.assertGreater(dead["picked"], 0)
        self.assertEqual(weir.total("retries"), dead["picked"])
        self.assertEqual(weir.listener()["answers_5xx"], 0)

    def test_a_body_that_is_still_on_its_way_follows(self):
        origin = self.http_origin(answered_body)
        weir = self.http_weir([{"name": "dead", "address": self.nobody_at()}, origin])
        client = self.client(weir)
        body = bytes(range(256)) * 4096
        for _ in range(4):
            answer = client.ask("POST", "/", body=body)
            self.assertEqual(answer.status, 200)
            self.assertTrue(answer.body == body, "another body than the one that was sent")

    def test_no_more_endpoints_are_asked_than_tries_allow(self):
        for tries, dead, status in ((1, 1, 503), (2, 4, 503), (3, 2, 200), (5, 4, 200)):
            with self.subTest(tries=tries, dead=dead):
                alive = [self.http_origin()] if status == 200 else []
                endpoints = [{"name": f"dead{i}", "address": self.nobody_at()} for i in range(dead)]
                weir = self.http_weir([*endpoints, *alive], upstream={"tries": tries, "retry": {"backoff": 0}})
                answer = self.get(weir)
                self.assertEqual(answer.status, status)
                if status == 503:
                    self.assertEqual(self.reason_of(answer), "connect_failed")
                    rows = weir.stat()["upstreams"][0]["endpoints"]
                    self.assertEqual(sum(row["connect_errors"] for row in rows), tries)

    def test_not_when_switched_off(self):
        origin = self.http_origin()
        weir = self.http_weir([{"name": "dead", "address": self.nobody_at()}, origin],
                              upstream={"retry": {"on": "off"}})
        statuses = Counter(self.get(weir).status for _ in range(10))
        # After its first failure the dead one rests for half a second.
        self.assertEqual(sum(statuses.values()), 10)
        self.assertTrue(1 <= statuses[503] <= 5, statuses)
        self.assertEqual(weir.total("retries"), 0)

    def test_it_costs_no_budget(self):
        weir = self.http_weir([{"name": "dead", "address": self.nobody_at()}, self.http_origin()],
                              upstream={"retry": {"budget": 0, "budget_min": 0}})
        self.assertEqual([self.get(weir).status for _ in range(10)], [200] * 10)
        self.assertEqual(weir.total("retries_over_budget"), 0)


class Unanswered(Retries):
    def test_what_may_be_repeated_is(self):
        for fail in (reset, close):
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
                with self.subTest(fail=fail.__name__, method=method):
                    handler, origins = self.failing(fail)
                    weir = self.http_weir(origins, upstream={"retry": ALWAYS})
                    client = self.client(weir)
                    answer = client.ask(method, "/x", body=b"content")
                    self.assertEqual(answer.status, 200)
                    self.assertEqual(answer.body, b"" if method == "HEAD" else b"content")
                    self.assertEqual(len(set(handler.names("/x"))), 2, "another endpoint was asked")
                    self.assertEqual([each[3] for each in handler.arrivals], [b"content"] * 2)
                    self.assertEqual(weir.total("retries"), 1)

    def test_what_may_not_is_not(self):
        for fail, reason in ((reset, "origin_reset"), (close, "origin_closed")):
            for method in ("POST", "PATCH", "BREW"):
                with self.subTest(fail=fail.__name__, method=method):
                    handler, origins = self.failing(fail)
                    weir = self.http_weir(origins, upstream={"retry": ALWAYS})
                    client = self.client(weir)
                    answer = client.ask(method, "/x", body=b"content")
                    self.assertEqual((answer.status, self.reason_of(answer)), (502, reason))
                    self.assertEqual(handler.count(), 1)
                    self.assertEqual(client.ask(method, "/x", body=b"content").status, 200, "the client goes on")

    def test_half_an_answer_is_an_answer(self):
        def cut(call):
            call.send(b"HTTP/1.1 200 Fine\r\nX-Half")
            call.close()
        handler, origins = self.failing(cut)
        answer = self.get(self.http_weir(origins, upstream={"retry": ALWAYS}), "/x")
        self.assertEqual((answer.status, self.reason_of(answer)), (502, "answer_malformed"))
        self.assertEqual(handler.count(), 1)

    def test_chunks_and_trailers_are_repeated_too(self):
        handler, origins = self.failing(reset)
        weir = self.http_weir(origins, upstream={"retry": ALWAYS})
        answer = self.client(weir).ask("PUT", "/x", chunks=[b"a" * 100, b"b", b"c" * 3000], trailers={"X-Sum": "42"})
        self.assertEqual((answer.status, answer.body), (200, b"a" * 100 + b"b" + b"c" * 3000))
        for origin in origins:
            self.assertEqual([request.trailers for request in origin.requests], [Fields([("X-Sum", "42")])])

    def test_not_when_switched_off(self):
        for on in ("off", [], ["connect"], ["timeout", 503]):
            with self.subTest(on=on):
                handler, origins = self.failing(reset)
                answer = self.get(self.http_weir(origins, upstream={"retry": {"on": on}}), "/x")
                self.assertEqual((answer.status, self.reason_of(answer)), (502, "origin_reset"))
                self.assertEqual(handler.count(), 1)

    def test_a_body_too_large_to_be_remembered(self):
        """Small ones are kept for another try; of a large one the beginning is gone."""
        for size, status in ((8 << 10, 200), (1 << 20, 502)):
            with self.subTest(size=size):
                handler, origins = self.failing(reset)
                weir = self.http_weir(origins, upstream={"retry": ALWAYS})
                body = os.urandom(size)
                answer = self.client(weir).ask("PUT", "/x", body=body)
                self.assertEqual(answer.status, status)
                self.assertTrue(all(each[3] == body for each in handler.arrivals), "an origin got another body")
                self.assertEqual(handler.count(), 2 if status == 200 else 1)

    def test_first_byte_only_if_configured(self):
        late = {"first_byte": "300ms"}
        for on, method, status in ((["connect", "reset"], "GET", 504), (["timeout"], "GET", 200),
                                   (["timeout"], "POST", 504)):
            with self.subTest(on=on, method=method):
                handler, origins = self.failing(stay_silent)
                weir = self.http_weir(origins, upstream={"retry": {**ALWAYS, "on": on}}, timeouts=late)
                self.assertEqual(self.client(weir).ask(method, "/x", body=b"").status, status)
                self.assertEqual(handler.count(), 2 if status == 200 else 1)

    def test_tries_and_the_last_failure(self):
        handler, origins = self.failing(reset, times=100, origins=5)
        weir = self.http_weir(origins, upstream={"tries": 4, "retry": ALWAYS})
        answer = self.get(weir, "/x")
        self.assertEqual((answer.status, self.reason_of(answer)), (502, "origin_reset"))
        self.assertEqual(len(set(handler.names("/x"))), 4)
        self.assertEqual(handler.count(), 4)


class Statuses(Retries):
    def test_another_endpoint_may_do_better(self):
        handler, origins = self.failing(say_503)
        weir = self.http_weir(origins, upstream={"retry": {**ALWAYS, "on": [503]}})
        answer = self.get(weir, "/x")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(len(set(handler.names("/x"))), 2)
        self.assertEqual(weir.listener()["answers_5xx"], 0)
        self.assertEqual(sum(weir.endpoint(origin.name)["answers_5xx"] for origin in origins), 1)

    def test_if_none_does_the_last_answer_is_passed_on(self):
        handler, origins = self.failing(say_503, times=100, origins=3)
        weir = self.http_weir(origins, upstream={"retry": {**ALWAYS, "on": [503]}})
        answer = self.get(weir, "/x")
        self.assertEqual((answer.status, answer.body), (503, b"overloaded"))
        self.assertEqual(answer.get("x-origin"), handler.names("/x")[-1])
        self.assertEqual(handler.count(), 3)

    def test_other_statuses_and_what_must_not_be_repeated_are_passed_on(self):
        for on, method in (([502, 429], "GET"), ([503], "POST"), (["connect", "reset"], "GET")):
            with self.subTest(on=on, method=method):
                handler, origins = self.failing(say_503)
                weir = self.http_weir(origins, upstream={"retry": {**ALWAYS, "on": on}})
                answer = self.client(weir).ask(method, "/x", body=b"")
                self.assertEqual((answer.status, answer.body), (503, b"overloaded"))
                self.assertEqual(handler.count(), 1)


class Restraint(Retries):
    def test_backoff(self):
        """The second endpoint is asked at once, the others after a wait, which grows up to its bound."""
        handler, origins = self.failing(reset, times=4, origins=5)
        weir = self.http_weir(origins, upstream={"tries": 5, "retry": {**ALWAYS, "backoff": "200ms",
                                                                      "backoff_max": "400ms"}})
        self.assertEqual(self.get(weir, "/x").status, 200)
        times = [each[2] for each in handler.arrivals]
        waits = [after - before for before, after in zip(times, times[1:])]
        for wait, (least, most) in zip(waits, ((0, 0.05), (0.1, 0.2), (0.2, 0.4), (0.2, 0.4))):
            self.assertGreaterEqual(wait, least * 0.9)
            self.assertLess(wait, most + 0.5 * PATIENCE)
        self.assertEqual(len(waits), 4)

    def test_a_share_of_the_requests_at_most(self):
        handler, origins = self.failing(reset, times=1000)
        weir = self.http_weir(origins, upstream={"retry": {"backoff": 0, "budget": 20, "budget_min": 0}})
        client = self.client(weir)
        for i in range(200):
            self.assertEqual(client.get(f"/{i}").status, 502)
        retried = handler.count() - 200
        self.assertLessEqual(retried, 40)
        self.assertGreaterEqual(retried, 39)
        self.assertEqual(weir.total("retries"), retried)
        self.assertEqual(weir.total("retries_over_budget"), 200 - retried)

    def test_a_few_per_second_in_any_case(self):
        handler, origins = self.failing(reset, times=1000)
        weir = self.http_weir(origins, upstream={"retry": {"backoff": 0, "budget": 0, "budget_min": 10}})
        client = self.client(weir)
        begun = time.monotonic()
        for i in range(100):
            self.assertEqual(client.get(f"/{i}").status, 502)
        retried = handler.count() - 100
        self.assertGreaterEqual(retried, 10)
        self.assertLessEqual(retried, 11 + 10 * (time.monotonic() - begun))

    def test_no_endpoint_is_left_to_ask(self):
        """Two endpoints and three tries: what cannot be tried is not waited for, and takes nothing from the budget."""
        handler, origins = self.failing(reset, times=100)
        retry = {**ALWAYS, "backoff": "5s", "backoff_max": "5s"}
        weir = self.http_weir(origins, upstream={"tries": 3, "retry": retry})
        begun = time.monotonic()
        self.assertEqual(self.get(weir, "/x").status, 502)
        self.assertLess(time.monotonic() - begun, 2 * PATIENCE)
        self.assertEqual(handler.count(), 2)
        self.assertEqual(weir.total("retries"), 1)

    def test_none_at_all(self):
        handler, origins = self.failing(reset, times=1000)
        weir = self.http_weir(origins, upstream={"retry": {"budget": 0, "budget_min": 0}})
        self.assertEqual([self.get(weir, f"/{i}").status for i in range(10)], [502] * 10)
        self.assertEqual(handler.count(), 10)


class Stale(Retries):
    """An idle connection to the origin ends in the same moment in which weir takes it for a request."""

    def end_while_asked(self, end, method):
        """weir finds the request first, and the end of its connection then: it sleeps until both are there."""
        ending, ended = threading.Event(), threading.Event()

        def answers(call):
            call.answer(200, {}, call.body())
            if call.request.target == "/first":
                ending.wait(10 * PATIENCE)
                end(call)
                ended.set()
        origin = self.http_origin(answers)
        weir = self.http_weir([origin], upstream={"retry": {"on": "off"}})
        client = self.client(weir)
        self.assertEqual(client.ask(method, "/first", body=b"1").status, 200)
        with frozen(weir):
            client.request(method, "/second", body=b"2")
            ending.set()
            self.assertTrue(ended.wait(10 * PATIENCE))
        return weir, origin, client.answer()

    def test_what_was_not_delivered_goes_over_a_fresh_one(self):
        for end in (close, reset):
            for method in ("GET", "POST"):
                with self.subTest(end=end.__name__, method=method):
                    weir, origin, answer = self.end_while_asked(end, method)
                    self.assertEqual((answer.status, answer.body), (200, b"2"))
                    self.assertEqual(origin.targets(), ["/first", "/second"])
                    self.assertEqual(weir.total("retries"), 0, "it is no retry: nobody has been asked before")
                    self.assertEqual(weir.total("origin_stale"), 1)

    def test_what_was_delivered_is_not_sent_again(self):
        """Also not if the origin's kernel had no time to confirm what its program has read, and thrown away."""
        for end, reason in ((close, "origin_closed"), (reset, "origin_reset")):
            for reads_body in (True, False):
                with self.subTest(end=end.__name__, reads_body=reads_body):
                    def answers(call, end=end, reads_body=reads_body):
                        if call.request.target == "/first" or reads_body:
                            call.body()
                        if call.request.target == "/first":
                            call.answer()
                        else:
                            end(call)
                    origin = self.http_origin(answers)
                    weir = self.http_weir([origin])
                    client = self.client(weir)
                    for i in range(5):
                        self.assertEqual(client.ask("POST", "/first", body=b"1").status, 200)
                        answer = client.ask("POST", f"/{i}", body=b"2" * 100)
                        self.assertEqual(answer.status, 502)
                        self.assertEqual(origin.targets().count(f"/{i}"), 1)
                    if reads_body:
                        self.assertEqual(self.reason_of(answer), reason)

    def test_an_origin_that_closes_without_saying_so(self):
        """Under load: each third answer is the last one of its connection, and nothing announces it."""
        def answers(call):
            call.answer(200, {}, call.body())
            if call.number % 3 == 2:
                call.close()
        origins = [self.http_origin(answers, name=name) for name in "ab"]
        weir = self.http_weir(origins, workers=2)
        failures = []

        def work(number):
            client = self.client(weir)
            for i in range(scaled(150)):
                body = b"%d/%d" % (number, i)
                answer = client.get(f"/{number}/{i}", body=body)
                if (answer.status, answer.body) != (200, body):
                    failures.append((answer.status, answer.body, body))
        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(weir.listener()["answers_2xx"], 6 * scaled(150))
        self.assertGreater(weir.total("origin_reused"), 0)


if __name__ == "__main__":
    main()
