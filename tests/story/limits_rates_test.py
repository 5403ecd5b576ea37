#!/usr/bin/env python3
"""Rate limits: who is counted together, what those above are told, what a reload keeps; and in TCP."""

import contextlib
import threading
import time

from harness import PATIENCE, main, scaled
from http_message import written_request
from overload import Overload, told
from sockets import receive_all

A_MINUTE = {"requests": 3, "per": "60s"}  # nothing comes back while a story lasts


class Rates(Overload):
    def limited(self, *limits, routes=(), listener=None, **more):
        origin, = self.web("origin")
        config = self.http([origin], listener={"rate_limits": list(limits), "trusted_proxies": ["127.0.0.1"],
                                               **({"routes": list(routes)} if routes else {}), **(listener or {})},
                           **more)
        return self.weir_with(config)

    def statuses(self, weir, times, fields=(), target="/", source=None):
        """Of so many requests, on a connection of their own."""
        client = self.client(weir, source=source)
        statuses = [client.get(target, fields).status for _ in range(times)]
        client.close()
        return statuses

    def expect_three(self, weir, **who):
        """Three of five, however often who asks comes again."""
        self.assertEqual(self.statuses(weir, 5, **who), [200, 200, 200, 429, 429], who)
        self.assertEqual(self.statuses(weir, 2, **who), [429, 429], who)


class Whom(Rates):
    def test_all_together(self):
        weir = self.limited({"by": "all", **A_MINUTE})
        self.assertEqual(self.statuses(weir, 2, source="127.0.0.2"), [200, 200])
        self.assertEqual(self.statuses(weir, 2, source="127.0.0.3"), [200, 429])

    def test_by_client_ip_unless_told(self):
        weir = self.limited(A_MINUTE, workers=2)
        for last in range(2, 12):
            self.expect_three(weir, source=f"127.0.0.{last}")
        for address in ("10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8:0:1::1"):
            self.expect_three(weir, fields={"X-Forwarded-For": address})

    def test_who_is_not_trusted_cannot_be_somebody_else(self):
        weir = self.limited(A_MINUTE)
        seen = [self.statuses(weir, 1, fields={"X-Forwarded-For": f"10.0.0.{i}"}, source="127.0.0.9")[0]
                for i in range(5)]
        self.assertEqual(seen, [200, 200, 200, 429, 429])

    def test_by_network(self):
        weir = self.limited({"prefix": 24, "prefix6": 48, **A_MINUTE})
        self.assertEqual([self.statuses(weir, 1, {"X-Forwarded-For": f"10.0.0.{i * 50}"})[0] for i in range(5)],
                         [200, 200, 200, 429, 429])
        self.assertEqual(self.statuses(weir, 1, {"X-Forwarded-For": "10.0.1.1"}), [200])
        self.assertEqual([self.statuses(weir, 1, {"X-Forwarded-For": f"2001:db8:5:{i}::1"})[0] for i in range(5)],
                         [200, 200, 200, 429, 429])
        self.assertEqual(self.statuses(weir, 1, {"X-Forwarded-For": "2001:db8:6::1"}), [200])

    def test_ipv6_by_64_unless_told(self):
        weir = self.limited(A_MINUTE)
        self.assertEqual([self.statuses(weir, 1, {"X-Forwarded-For": f"2001:db8::{i}:1"})[0] for i in range(5)],
                         [200, 200, 200, 429, 429])

    def test_by_header_cookie_and_query(self):
        weir = self.limited({"by": "header:X-Key", **A_MINUTE}, {"by": "cookie:session", **A_MINUTE},
                            {"by": "query:user", **A_MINUTE})
        for value in ("a", "b", "a longer one, with spaces"):
            self.expect_three(weir, fields={"X-Key": value})
        for value in ("a", "b"):
            self.expect_three(weir, fields={"Cookie": f"other=1; session={value}"})
            self.expect_three(weir, target=f"/?page=1&user={value}")
        self.assertEqual(self.statuses(weir, 10), [200] * 10, "who has none of these is not limited")

    def test_of_a_route_beside_those_of_its_listener(self):
        routes = [{"match": {"path_prefix": "/a"}, "upstream": "app", "rate_limits": [{"by": "all", **A_MINUTE}]},
                  {"match": {"path_prefix": "/b"}, "upstream": "app", "rate_limits": [{"by": "all", **A_MINUTE}]}]
        weir = self.limited({"by": "all", "requests": 5, "per": "60s"}, routes=routes)
        client = self.client(weir)
        # Paths that the origin does not know: 404 is its answer.
        self.assertEqual([client.get("/a").status for _ in range(4)], [404, 404, 404, 429])
        seen = [client.get("/b").status for _ in range(3)]
        self.assertEqual(seen[0], 404)
        self.assertEqual(seen[2], 429, "the listener's five are used up")
        self.assertEqual(client.get("/").status, 429)

    def test_each_listener_counts_for_itself(self):
        origin, = self.web("origin")
        config = self.http([origin], listener={"rate_limits": [A_MINUTE]})
        config["listeners"].append({**config["listeners"][0], "name": "other"})
        weir = self.weir_with(config)
        for listener in ("web", "other"):
            client = self.client(weir, listener)
            self.assertEqual([client.get("/").status for _ in range(4)], [200, 200, 200, 429])
            self.assertEqual(weir.listener(listener)["rate_limited"], 1)


class WhatTheyAreTold(Rates):
    def test_refused(self):
        for algorithm in ("token_bucket", "sliding_window"):
            with self.subTest(algorithm):
                weir = self.limited({"algorithm": algorithm, **A_MINUTE})
                client = self.client(weir)
                for _ in range(3):
                    answer = client.get("/")
                    self.assertEqual(answer.status, 200)
                    self.assertFalse(answer.fields.has("RateLimit-Limit"))
                answer = client.get("/")
                self.assertEqual(told(answer), (429, "rate_limited"))
                self.assertEqual(answer.get("ratelimit-limit"), "3")
                self.assertEqual(answer.get("ratelimit-remaining"), "0")
                # The next one may begin: when one has come back; when the window is over, which may begin a 64th late.
                next_one, all_of_them = (20, 60) if algorithm == "token_bucket" else (61, 122)
                self.assertTrue(next_one - 3 <= int(answer.get("retry-after")) <= next_one, answer.fields)
                self.assertTrue(all_of_them - 5 <= int(answer.get("ratelimit-reset")) <= all_of_them, answer.fields)
                self.assertEqual(weir.listener()["rate_limited"], 1)
                self.expect_ends(weir, done=3, rate_limited=1)

    def test_always(self):
        weir = self.limited({"headers": "always", **A_MINUTE})
        client = self.client(weir)
        left = []
        for status in (200, 200, 200, 429):
            answer = client.get("/")
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.get("ratelimit-limit"), "3")
            self.assertTrue(0 <= int(answer.get("ratelimit-reset")) <= 60)
            self.assertEqual(answer.fields.has("retry-after"), status == 429)
            left.append(int(answer.get("ratelimit-remaining")))
        self.assertEqual(left, [2, 1, 0, 0])

    def test_retry_after_is_true(self):
        """Who comes back when told is served, however often it was refused meanwhile."""
        for algorithm in ("token_bucket", "sliding_window"):
            with self.subTest(algorithm):
                weir = self.limited({"algorithm": algorithm, "requests": 1, "per": "1s"})
                client = self.client(weir)
                self.assertEqual(client.get("/").status, 200)
                begun = time.monotonic()
                wait = int(client.get("/").get("retry-after"))
                self.assertLessEqual(wait, 2)
                while time.monotonic() < begun + wait - 0.3:
                    client.get("/")
                threading.Event().wait(begun + wait - time.monotonic() + 0.02)
                self.assertEqual(client.get("/").status, 200)

    def test_only_counted(self):
        weir = self.limited({"action": "count", **A_MINUTE})
        self.assertEqual(self.statuses(weir, 20), [200] * 20)
        self.assertEqual(weir.listener()["rate_limited"], 17)

    def test_the_origin_is_not_asked(self):
        weir = self.limited(A_MINUTE)
        self.statuses(weir, 10)
        self.assertEqual(weir.endpoint("origin")["requests"], 3)


class Reloads(Rates):
    def test_forgive_nobody(self):
        origin, = self.web("origin")
        for algorithm in ("token_bucket", "sliding_window"):
            with self.subTest(algorithm):
                limit = {"algorithm": algorithm, **A_MINUTE}
                config = self.http([origin], listener={"rate_limits": [limit], "trusted_proxies": ["127.0.0.1"]})
                weir = self.weir_with(config)
                self.assertEqual(self.statuses(weir, 2, {"X-Forwarded-For": "10.0.0.1"}), [200, 200])
                self.assertEqual(self.statuses(weir, 4, {"X-Forwarded-For": "10.0.0.2"}), [200, 200, 200, 429])
                config["upstreams"].append({"name": "more", "endpoints": [self.nobody_at()]})
                weir.reload(config)
                self.assertEqual(self.statuses(weir, 2, {"X-Forwarded-For": "10.0.0.1"}), [200, 429])
                self.assertEqual(self.statuses(weir, 1, {"X-Forwarded-For": "10.0.0.2"}), [429])

    def test_a_larger_limit_counts_from_now_on(self):
        origin, = self.web("origin")
        weir = self.weir_with(self.http([origin], listener={"rate_limits": [A_MINUTE]}))
        self.assertEqual(self.statuses(weir, 4), [200, 200, 200, 429])
        weir.reload(self.http([origin], listener={"rate_limits": [{"requests": 100, "per": "60s"}]}))
        self.assertEqual(self.statuses(weir, 4), [200] * 4)

    def test_without_it_all_are_served(self):
        origin, = self.web("origin")
        weir = self.weir_with(self.http([origin], listener={"rate_limits": [A_MINUTE]}))
        self.assertEqual(self.statuses(weir, 4)[-1], 429)
        weir.reload(self.http([origin]))
        self.assertEqual(self.statuses(weir, 4), [200] * 4)


class Connections(Rates):
    """In mode tcp they are counted instead of requests."""

    def served(self, weir, source):
        with contextlib.suppress(ConnectionError):
            return receive_all(self.connect(weir.address(), source)) == b"raw\n"
        return False

    def raw(self, **limit):
        origin = self.origin("--raw", "name", name="raw")
        return self.weir_with(self.tcp([origin], listener={"rate_limits": [{**A_MINUTE, **limit}]}, workers=2))

    def test_by_client_ip(self):
        weir = self.raw()
        for source in ("127.0.0.2", "127.0.0.3"):
            self.assertEqual([self.served(weir, source) for _ in range(5)], [True, True, True, False, False])
        self.assertEqual((weir.closed("rate_limited"), weir.listener()["rate_limited"]), (4, 4))
        self.assertEqual(weir.endpoint("raw")["connections_total"], 6)

    def test_all_together(self):
        weir = self.raw(by="all")
        self.assertEqual([self.served(weir, f"127.0.0.{i}") for i in range(2, 7)], [True, True, True, False, False])

    def test_only_counted(self):
        weir = self.raw(action="count")
        self.assertEqual([self.served(weir, "127.0.0.2") for _ in range(5)], [True] * 5)
        self.assertEqual((weir.closed("rate_limited"), weir.listener()["rate_limited"]), (0, 2))


class Memory(Rates):
    def test_does_not_grow_with_clients(self):
        routes = [{"match": {"path": "/own"}, "answer": {"status": 204}}]
        weir = self.limited({"requests": 2, "per": "60s"}, {"algorithm": "sliding_window", "requests": 2, "per": "60s"},
                            routes=routes)
        client = self.client(weir)
        self.pass_by(client, 0, scaled(20000))
        before = weir.memory()
        self.pass_by(client, scaled(20000), scaled(200000))
        self.assertLess(weir.memory() - before, (3 << 20) * PATIENCE)
        # And they are still told apart: who was there just now is remembered.
        for number in range(5):
            address = f"192.168.7.{number}"
            self.assertEqual(self.statuses(weir, 3, {"X-Forwarded-For": address}, "/own"), [204, 204, 429])

    def pass_by(self, client, first, last, heap=200):
        """A request of each of so many addresses."""
        for begin in range(first, last, heap):
            client.send(b"".join(
                written_request("GET", "/own", {"X-Forwarded-For": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"})
                for n in range(begin, begin + heap)))
            answered = 0
            while answered < heap:
                self.assertTrue(client.stream.fill())
                end = client.stream.left.rfind(b"\r\n\r\n") + 4
                answers = client.stream.take(end) if end >= 4 else b""
                answered += answers.count(b"HTTP/1.1 204")
                self.assertNotIn(b"HTTP/1.1 429", answers)


if __name__ == "__main__":
    main()
