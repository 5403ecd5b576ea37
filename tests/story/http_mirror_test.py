#!/usr/bin/env python3
"""Mirrors: a second upstream gets copies, and whatever it does, the first exchange does not notice."""

import hashlib
import threading
import time

from harness import PATIENCE, eventually, main, scaled
from http_message import written_chunk
from http_story import RoutedStory

MIB = 1 << 20


class Mirrors(RoutedStory):
    def mirrored(self, shadow, percent=None, **more):
        """`shadow`: the address of the mirror's only endpoint."""
        self.names("app", handler=self.answer)
        mirror = {"upstream": "shadow", **({"percent": percent} if percent else {})}
        config = self.config([{"match": {"path_prefix": "/"}, "upstream": "app", "mirror": mirror}], **more)
        config["upstreams"].append({"name": "shadow", "endpoints": [{"name": "shadow", "address": shadow}],
                                    "timeouts": {"connect": "1h", "first_byte": "1h"}})
        return self.weir_with(config)

    @staticmethod
    def answer(call):
        call.answer(200, {"X-Origin": "app"}, hashlib.sha256(b"".join(call.pieces())).hexdigest().encode())

    def expect_app(self, client, body=b"", **asked):
        answer = client.ask(body=body, **asked)
        self.assertEqual((answer.status, answer.body.decode()), (200, hashlib.sha256(body).hexdigest()))

    def shadow_endpoint(self, weir):
        return weir.endpoint("shadow", "shadow")

    # --- what it gets

    def test_a_copy_of_everything(self):
        shadow = self.http_origin(name="shadow")
        weir = self.mirrored(shadow.address)
        client = self.client(weir)
        bodies = [b"", b"x", b"y" * 20_000, b"z" * 100_000]
        for i, body in enumerate(bodies):
            self.expect_app(client, body, method="POST", target=f"/{i}?q=1", fields=[("X-Mine", f"{i}")])
        self.wait_for_requests(shadow, len(bodies))
        self.expect_counts(lambda: self.shadow_endpoint(weir), requests=len(bodies), answers_2xx=len(bodies))
        by_target = {request.target: request for request in shadow.requests}
        for request, body in zip(self.by_name["app"].requests, bodies):
            copy = by_target[request.target]
            self.assertEqual((copy.method, copy.body, copy.fields), ("POST", body, request.fields))
        self.assertEqual((weir.total("mirrored"), weir.total("mirrors_dropped")), (len(bodies), 0))
        self.expect_counts(weir.listener, requests=len(bodies), answers_2xx=len(bodies))

    def test_chunks_too(self):
        shadow = self.http_origin(name="shadow")
        client = self.client(self.mirrored(shadow.address))
        pieces = [b"%d" % i * 500 for i in range(20)]
        self.assertEqual(client.ask("PUT", "/", chunks=pieces).status, 200)
        self.wait_for_requests(shadow, 1)
        eventually(lambda: shadow.requests[0].body == b"".join(pieces))

    def test_a_share_of_them(self):
        shadow = self.http_origin(name="shadow")
        weir = self.mirrored(shadow.address, percent=25)
        client = self.client(weir)
        count = 600
        for _ in range(count):
            self.expect_app(client, method="GET")
        # Five standard deviations of a binomial distribution.
        self.assertAlmostEqual(weir.total("mirrored") / count, 0.25, delta=5 * (0.25 * 0.75 / count) ** 0.5)
        self.wait_for_requests(shadow, weir.total("mirrored"))

    def test_what_it_answers_reaches_nobody(self):
        def answer(call):
            call.body()
            call.answer((200, 302, 404, 503)[call.number % 4], {"Set-Cookie": "shadow=1"}, b"shadow" * 20_000)
        shadow = self.http_origin(answer, "shadow")
        weir = self.mirrored(shadow.address)
        client = self.client(weir)
        for i in range(12):
            answer = client.ask("POST", f"/{i}", body=b"x")
            self.assertEqual((answer.status, answer.get("x-origin"), answer.get("set-cookie")), (200, "app", None))
            self.wait_for_requests(shadow, i + 1)
        self.expect_counts(lambda: {name: row for name, row in weir.listener().items()}, answers_2xx=12, answers_3xx=0,
                           answers_4xx=0, answers_5xx=0)
        self.assertTrue(client.get().status == 200)

    # --- what it cannot do

    def expect_undisturbed(self, weir, count=50, body=b"x" * 1000):
        """Answers as quick as without it; the machine may be busy, so it is the median that counts."""
        client = self.client(weir)
        lasted = []
        for i in range(count):
            begun = time.monotonic()
            self.expect_app(client, body, method="POST", target=f"/{i}")
            lasted.append(time.monotonic() - begun)
        self.assertLess(sorted(lasted)[count // 2], 0.1 * PATIENCE, "seconds for an answer, median")
        client.close()

    def test_dead(self):
        weir = self.mirrored(self.nobody_at())
        self.expect_undisturbed(weir)
        self.expect_counts(weir.listener, requests=50, answers_2xx=50, answers_5xx=0)
        self.assertEqual(weir.total("mirrored"), 50)
        self.assertEqual(self.shadow_endpoint(weir)["connect_errors"], 50)

    def test_unreachable(self):
        """Nobody answers its connects; with 1h to connect they all wait, and all are gone after the clients are."""
        weir = self.mirrored(self.silence_at())
        self.expect_undisturbed(weir, count=20)
        self.assertEqual(weir.stop(), 0)

    def test_silent(self):
        """It takes requests and never answers."""
        shadow = self.http_origin(lambda call: (call.body(), call.stream.ended()), "shadow")
        weir = self.mirrored(shadow.address)
        self.expect_undisturbed(weir, count=20)
        self.wait_for_requests(shadow, 20)

    def test_it_does_not_even_read(self):
        """The copy is given up; the first request goes on at full speed, and memory stays what it was."""
        stop = threading.Event()
        shadow = self.http_origin(lambda call: stop.wait(30 * PATIENCE), "shadow", receive_buffer=4096)
        weir = self.mirrored(shadow.address)
        client = self.client(weir)
        self.expect_app(client, b"x" * MIB, method="PUT", target="/warm")
        before = weir.memory()
        self.expect_app(client, b"x" * (scaled(32) * MIB), method="PUT", target="/large")
        self.assertLess(weir.memory() - before, 6 * MIB * PATIENCE)
        self.assertGreaterEqual(weir.total("mirrors_dropped"), 1)
        self.assertEqual(weir.listener()["answers_2xx"], 2)
        stop.set()

    def test_it_resets_answers_garbage_or_answers_early(self):
        ways = (lambda call: call.reset(), lambda call: call.close(), lambda call: call.send(b"garbage\r\n\r\n"),
                lambda call: (call.answer(413, {"Connection": "close"}), call.close()),
                lambda call: (call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), call.reset()),
                lambda call: (call.send(b"HTTP/1.1 101 No\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), call.reset()))
        shadow = self.http_origin(lambda call: ways[len(shadow.requests) % len(ways)](call), "shadow")
        weir = self.mirrored(shadow.address)
        self.expect_undisturbed(weir, count=60, body=b"x" * 50_000)
        self.expect_counts(weir.listener, requests=60, answers_2xx=60)

    # --- when it ends

    def test_it_goes_on_when_the_first_is_done(self):
        go = threading.Event()
        shadow = self.http_origin(lambda call: (call.body(), go.wait(20), call.answer()), "shadow")
        weir = self.mirrored(shadow.address)
        client = self.client(weir)
        self.expect_app(client, b"x", method="POST")
        client.close()
        self.wait_until_over(weir)
        go.set()
        self.expect_counts(lambda: self.shadow_endpoint(weir), answers_2xx=1, connections=0)
        self.assertEqual(weir.total("mirrors_dropped"), 0)

    def test_a_request_that_is_not_complete_is_not_mirrored_to_its_end(self):
        shadow = self.http_origin(name="shadow")
        weir = self.mirrored(shadow.address)
        client = self.client(weir)
        client.request("POST", fields=[("Transfer-Encoding", "chunked")])
        client.send(written_chunk(b"some"))
        self.wait_for_requests(shadow, 1)
        client.reset()
        eventually(lambda: shadow.open == 0)
        self.assertEqual(shadow.requests[0].body, b"")
        self.assertEqual(weir.total("mirrors_dropped"), 1)

    def test_an_error_of_the_first_is_one(self):
        """The mirror does not stand in for it."""
        shadow = self.http_origin(name="shadow")
        weir = self.mirrored(shadow.address)
        self.by_name["app"].close()
        self.assertEqual(self.client(weir).get().status, 503)
        self.wait_for_requests(shadow, 1)

    def test_a_tunnel_is_not_for_two(self):
        """An upgrade goes to the first alone, or its copy ends: what flows in a tunnel is no request."""
        shadow = self.http_origin(name="shadow")
        weir = self.mirrored(shadow.address)

        def upgrade(call):
            call.send(b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n")
            call.send(call.stream.exactly(4))
            call.close()
        self.by_name["app"].handler = upgrade
        client = self.client(weir)
        client.request(fields=[("Connection", "upgrade"), ("Upgrade", "raw")])
        self.assertEqual(client.answer().status, 101)
        client.send(b"ping")
        self.assertEqual(client.stream.exactly(4), b"ping")
        self.assertTrue(client.gone())

    def test_reload_removes_it(self):
        shadow = self.http_origin(name="shadow")
        weir = self.mirrored(shadow.address)
        client = self.client(weir)
        self.expect_app(client, method="GET")
        self.wait_for_requests(shadow, 1)
        weir.reload(self.config([]))
        self.assertEqual(client.get().get("x-origin"), "otherwise")
        self.assertEqual(len(shadow.requests), 1)


if __name__ == "__main__":
    main()
