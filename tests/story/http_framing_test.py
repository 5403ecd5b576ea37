#!/usr/bin/env python3
"""How the end of a body is told, on either side, and the answers that have none."""

import os
import random
import threading

from harness import eventually, main
from http_message import written_answer, written_chunk, written_request
from http_story import HttpStory


def echo(call):
    """The body comes back as it was sent, with its trailers."""
    body = call.body()
    if call.request.framing == "chunked":
        pieces = [body[i:i + 1000] for i in range(0, len(body), 1000)]
        call.answer(200, chunks=pieces, trailers=call.request.trailers)
    else:
        call.answer(200, (), body)


class Chunks(HttpStory):
    def test_of_every_size_both_ways(self):
        dice = random.Random(5)
        weir = self.http_weir([self.http_origin(echo)])
        client = self.client(weir)
        for sizes in ([], [1], [1] * 300, [16383], [16384], [16385], [65536], [1 << 20],
                      [dice.choice((1, 2, 15, 16, 17, 4095, 16384, 40000)) for _ in range(60)]):
            pieces = [os.urandom(size) for size in sizes]
            answer = client.ask("POST", "/", chunks=pieces)
            self.assertEqual((answer.status, answer.framing), (200, "chunked"))
            self.assertEqual(answer.body, b"".join(pieces), f"chunks of {sizes[:10]}")

    def test_an_origin_may_dribble_them(self):
        pieces = [b"%d;" % i for i in range(200)]

        def dribble(call):
            call.send(written_answer(fields={"Transfer-Encoding": "chunked"}))
            for piece in pieces:
                for i in range(len(data := written_chunk(piece))):
                    call.send(data[i:i + 1])
            call.send(b"0\r\n\r\n")
        client = self.client(self.http_weir([self.http_origin(dribble)]))
        for _ in range(2):
            self.assertEqual(client.get().body, b"".join(pieces))

    def test_what_has_come_of_an_answer_is_passed_on_at_once(self):
        go_on = threading.Semaphore(0)

        def in_steps(call):
            call.send(written_answer(fields={"Transfer-Encoding": "chunked"}))
            for i in range(3):
                call.send(written_chunk(b"step %d" % i))
                go_on.acquire(timeout=20)
            call.send(b"0\r\n\r\n")
        client = self.client(self.http_weir([self.http_origin(in_steps)]))
        client.request()
        answer = client.answer(body=False)
        pieces = client.stream.pieces(answer)
        for i in range(3):
            self.assertEqual(next(pieces), b"step %d" % i)
            go_on.release()
        self.assertEqual(list(pieces), [])

    def test_what_has_come_of_a_request_is_passed_on_at_once(self):
        seen = []

        def in_steps(call):
            seen.extend(call.pieces())
            call.answer()
        client = self.client(self.http_weir([self.http_origin(in_steps)]))
        client.request("POST", fields=[("Transfer-Encoding", "chunked")])
        for i in range(3):
            client.send(written_chunk(b"step %d" % i))
            eventually(lambda: b"".join(seen).endswith(b"step %d" % i))
        client.send(b"0\r\n\r\n")
        self.assertEqual(client.answer().status, 200)

    def test_extensions_stop_here(self):
        def with_extensions(call):
            self.assertEqual((call.body(), call.request.extensions), (b"upup", []))
            call.send(written_answer(fields={"Transfer-Encoding": "chunked"}) + written_chunk(b"down", b";a=b")
                      + written_chunk(b"down", b';quoted="x;\\"y"') + b"0;last\r\n\r\n")
        client = self.client(self.http_weir([self.http_origin(with_extensions)]))
        client.request("POST", fields=[("Transfer-Encoding", "chunked")])
        client.send(written_chunk(b"up", b";name=value") + written_chunk(b"up", b';q="a b"') + b"0;end=1\r\n\r\n")
        answer = client.answer()
        self.assertEqual((answer.body, answer.extensions), (b"downdown", []))

    def test_malformed_ones_of_a_client_are_refused(self):
        origin = self.http_origin(echo)
        weir = self.http_weir([origin])
        for wrong in (b"x\r\nabc\r\n0\r\n\r\n", b"-1\r\n\r\n", b"3 \nabc\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n",
                      b"fffffffffffffffff\r\n", b"0x3\r\nabc\r\n0\r\n\r\n", b"3\nabc\n0\n\n", b"\r\n3\r\nabc\r\n"):
            client = self.client(weir)
            client.request("POST", fields=[("Transfer-Encoding", "chunked")])
            client.send(wrong)
            answer = client.answer()
            self.assertEqual((answer.status, answer.get("connection")), (400, "close"), wrong)
            self.assertTrue(client.gone())
        self.assertEqual([request for request in origin.requests if request.body], [])

    def test_malformed_ones_of_an_origin_cut_the_answer(self):
        """Its head is out already; the client must be able to see that what follows is not all."""
        wrong = written_answer(fields={"Transfer-Encoding": "chunked"}) + written_chunk(b"good") + b"bad\n\r\n"
        weir = self.http_weir([self.http_origin(lambda call: (call.send(wrong), call.stream.fill()))])
        client = self.client(weir)
        client.request()
        with self.assertRaises((EOFError, ConnectionError)):
            client.answer()
        self.expect_counts(lambda: weir.endpoint("origin"), answers_malformed=1, answers_2xx=1)
        self.wait_until_over(weir)
        self.assertEqual(weir.closed("answer_cut"), 1)


class Trailers(HttpStory):
    def test_both_ways(self):
        origin = self.http_origin(echo)
        client = self.client(self.http_weir([origin]))
        trailers = [("X-Checksum", "abc"), ("x-two", "1"), ("X-Two", "2"), ("X-Empty", "")]
        for pieces in ([b"data"], [b"x" * 16384] * 5, []):
            answer = client.ask("POST", "/", [("TE", "trailers"), ("Trailer", "X-Checksum")], chunks=pieces,
                                trailers=trailers)
            self.assertEqual(answer.trailers, trailers)
        request = origin.requests[0]
        self.assertEqual((request.trailers, request.get("te"), request.get("trailer")),
                         (trailers, "trailers", "X-Checksum"))
        self.assertIn("te", request.get("connection").lower())

    def test_a_client_of_1_0_gets_none(self):
        origin = self.http_origin(lambda call: call.answer(chunks=[b"data"], trailers=[("X-Late", "1")]))
        client = self.client(self.http_weir([origin]))
        self.assertEqual(client.get(version="1.0").body, b"data")

    def test_some_fields_may_not_be_there(self):
        """What says where a message ends or goes, or who asks, must be known before its body."""
        origin = self.http_origin(echo)
        client = self.client(self.http_weir([origin]))
        forbidden = [("Content-Length", "3"), ("Transfer-Encoding", "chunked"), ("Host", "other"),
                     ("Authorization", "Basic eDp5"), ("Connection", "close"), ("Cookie", "a=b"), ("Set-Cookie", "a=b"),
                     ("X-Forwarded-For", "1.2.3.4")]
        answer = client.ask("POST", "/", chunks=[b"data"], trailers=[*forbidden, ("X-Good", "1")])
        self.assertEqual(answer.trailers, [("X-Good", "1")])
        self.assertEqual(origin.requests[0].trailers, [("X-Good", "1")])

    def test_too_many_of_a_client(self):
        weir = self.http_weir([self.http_origin(echo)], limits={"http_trailers": "1KiB"})
        client = self.client(weir)
        self.assertEqual(client.ask("POST", "/", chunks=[b"x"], trailers=[("X-A", "a" * 900)]).status, 200)
        answer = client.ask("POST", "/", chunks=[b"x"], trailers=[("X-A", "a" * 1100)])
        self.assertIn(answer.status, (400, 431))
        self.assertTrue(client.gone())


class WithoutBody(HttpStory):
    def test_head(self):
        origin = self.http_origin(lambda call: call.answer(200, {"X-Seen": call.request.method}, b"x" * 5000))
        client = self.client(self.http_weir([origin]))
        for _ in range(3):
            answer = client.ask("HEAD", "/")
            self.assertEqual((answer.get("content-length"), answer.body, answer.get("x-seen")), ("5000", b"", "HEAD"))
            self.assertEqual(client.get().body, b"x" * 5000, "and the connection is in step")
        self.assertEqual(origin.connections, 1)

    def test_head_of_what_would_be_chunked(self):
        head = written_answer(fields={"Transfer-Encoding": "chunked"})
        client = self.client(self.http_weir([self.http_origin(lambda call: call.send(head))]))
        for _ in range(2):
            client.request("HEAD")
            self.assertIn(client.head("HEAD").get("transfer-encoding"), (None, "chunked"))

    def test_204_and_304(self):
        origin = self.http_origin(lambda call: call.answer(int(call.request.target[1:]), {"ETag": '"x"'}))
        client = self.client(self.http_weir([origin]))
        for status in (204, 304, 204, 304):
            answer = client.get(f"/{status}")
            self.assertEqual((answer.status, answer.framing, answer.get("etag")), (status, "none", '"x"'))
        self.assertEqual(origin.connections, 1)

    def test_304_may_say_how_long_it_would_be(self):
        origin = self.http_origin(lambda call: call.send(written_answer(304, {"Content-Length": 1234})))
        client = self.client(self.http_weir([origin]))
        for _ in range(2):
            answer = client.get()
            self.assertEqual((answer.status, answer.body, answer.get("content-length")), (304, b"", "1234"))

    def test_204_with_a_length_loses_it(self):
        origin = self.http_origin(lambda call: call.send(written_answer(204, {"Content-Length": 0})))
        client = self.client(self.http_weir([origin]))
        for _ in range(2):
            self.assertEqual(client.get().status, 204)

    def test_errors_for_head_have_none_either(self):
        client = self.client(self.http_weir([self.nobody_at()]))
        answer = client.ask("HEAD", "/")
        self.assertEqual((answer.status, answer.body), (503, b""))
        self.assertGreater(int(answer.get("content-length")), 0)
        self.assertEqual(client.get().status, 503)


class UntilTheEnd(HttpStory):
    """Answers whose end is the end of the connection."""

    def test_become_chunked(self):
        body = os.urandom(100_000)
        origin = self.http_origin(lambda call: (call.send(written_answer() + body), call.close()))
        client = self.client(self.http_weir([origin]))
        for _ in range(3):
            answer = client.get()
            self.assertEqual((answer.framing, answer.get("connection")), ("chunked", None))
            self.assertEqual(answer.body, body)
        self.assertEqual(origin.connections, 3)

    def test_stay_so_for_1_0(self):
        origin = self.http_origin(lambda call: (call.send(written_answer(version="1.0") + b"all"), call.close()))
        answer = self.client(self.http_weir([origin])).get(version="1.0")
        self.assertEqual((answer.framing, answer.body), ("close", b"all"))

    def test_a_reset_is_no_end(self):
        go = threading.Event()

        def stop(call):
            call.send(written_answer() + b"some")
            go.wait(20)
            call.reset()
        weir = self.http_weir([self.http_origin(stop)])
        client = self.client(weir)
        client.request()
        answer = client.answer(body=False)
        pieces = client.stream.pieces(answer)
        self.assertEqual(next(pieces), b"some")
        go.set()
        with self.assertRaises((EOFError, ConnectionError)):
            next(pieces)
        self.expect_counts(lambda: weir.endpoint("origin"), answers_cut=1, resets=1)

    def test_a_reset_is_no_end_for_1_0_either(self):
        """There the end of the connection would be a lie: it has to be a reset."""
        go = threading.Event()

        def stop(call):
            call.send(written_answer(fields={"Content-Length": 100}) + b"some")
            go.wait(20)
            call.reset()
        client = self.client(self.http_weir([self.http_origin(stop)]))
        client.request(version="1.0")
        answer = client.answer(body=False)
        pieces = client.stream.pieces(answer)
        self.assertEqual(next(pieces), b"some")
        go.set()
        with self.assertRaises((EOFError, ConnectionError)):
            next(pieces)

    def test_too_little_of_an_announced_length(self):
        origin = self.http_origin(lambda call: (call.send(written_answer(fields={"Content-Length": 9}) + b"four"),
                                                call.close()))
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.request()
        with self.assertRaises((EOFError, ConnectionError)):
            client.answer()
        self.expect_counts(lambda: weir.endpoint("origin"), answers_cut=1)
        self.wait_until_over(weir)
        self.assertEqual(weir.closed("answer_cut"), 1)

    def test_more_than_announced_reaches_nobody(self):
        """What follows an answer is no answer to anything: the connection ends, the client goes on."""
        surplus = written_answer(body=b"true") + written_answer(body=b"forged")
        origin = self.http_origin(lambda call: call.send(surplus))
        client = self.client(self.http_weir([origin]))
        self.assertEqual([client.get().body for _ in range(5)], [b"true"] * 5)
        self.assertEqual(origin.connections, 5)


class Interim(HttpStory):
    def test_early_hints_are_passed_on(self):
        def hint(call):
            for i in range(3):
                call.send(written_answer(103, {"Link": f"</style{i}.css>; rel=preload"}, reason="Early Hints"))
            call.answer(200, (), b"page")
        weir = self.http_weir([self.http_origin(hint)])
        client = self.client(weir)
        for _ in range(2):
            answer = client.get()
            self.assertEqual([(each.status, each.get("link")[:8]) for each in answer.interims],
                             [(103, f"</style{i}") for i in range(3)])
            self.assertEqual(answer.body, b"page")
        self.expect_counts(weir.listener, answers_1xx=6, answers_2xx=2)
        self.expect_counts(lambda: weir.endpoint("origin"), answers_1xx=6, answers_2xx=2)

    def test_a_client_of_1_0_gets_none(self):
        def hint(call):
            call.send(written_answer(103, {"Link": "</a>"}))
            call.answer(200, (), b"page")
        answer = self.get(self.http_weir([self.http_origin(hint)]), version="1.0")
        self.assertEqual((answer.interims, answer.body), ([], b"page"))

    def test_they_arrive_before_the_answer_is_there(self):
        go = threading.Event()

        def hint(call):
            call.send(written_answer(103, {"Link": "</a>"}))
            go.wait(20)
            call.answer()
        client = self.client(self.http_weir([self.http_origin(hint)]))
        client.request()
        self.assertEqual(client.head().status, 103)
        go.set()
        self.assertEqual(client.answer().status, 200)

    def test_an_origin_that_never_comes_to_the_point(self):
        origin = self.http_origin(lambda call: call.send(written_answer(102) * 100))
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.request()
        self.assertEqual(client.answer().status, 502)
        self.expect_counts(lambda: weir.endpoint("origin"), answers_malformed=1)


class Expect(HttpStory):
    EXPECT = ("Expect", "100-continue")

    def test_the_origin_says_go_on(self):
        def go_on(call):
            call.send(written_answer(100, reason="Continue"))
            call.answer(200, (), call.body())
        origin = self.http_origin(go_on)
        client = self.client(self.http_weir([origin]))
        for _ in range(3):
            client.request("POST", fields=[self.EXPECT, ("Content-Length", "5")])
            self.assertEqual(client.head().status, 100, "before the body was sent")
            client.send(b"hello")
            answer = client.answer()
            self.assertEqual((answer.body, answer.get("connection")), (b"hello", None))
        self.assertEqual((origin.connections, origin.requests[0].get("expect")), (1, "100-continue"))

    def test_the_origin_says_no(self):
        """The client may send its body or not; nobody can know, so the connection ends."""
        origin = self.http_origin(lambda call: (call.answer(417), call.close()))
        client = self.client(self.http_weir([origin]))
        client.request("POST", fields=[self.EXPECT, ("Content-Length", "5")])
        answer = client.answer()
        self.assertEqual((answer.status, answer.get("connection"), answer.interims), (417, "close", []))
        self.assertTrue(client.gone())

    def test_a_client_that_does_not_wait(self):
        origin = self.http_origin(lambda call: call.answer(200, (), call.body()))
        client = self.client(self.http_weir([origin]))
        for _ in range(2):
            self.assertEqual(client.ask("POST", "/", [self.EXPECT], body=b"at once").body, b"at once")

    def test_an_answer_that_weir_gives_itself(self):
        weir = self.http_weir([self.nobody_at()])
        client = self.client(weir)
        client.request("POST", fields=[self.EXPECT, ("Content-Length", "5")])
        answer = client.answer()
        self.assertEqual((answer.status, answer.get("connection")), (503, "close"))
        self.assertTrue(client.gone())

    def test_a_client_of_1_0_cannot_expect(self):
        origin = self.http_origin(lambda call: call.answer(200, (), call.body()))
        answer = self.get(self.http_weir([origin]), "/", [self.EXPECT], version="1.0", body=b"x")
        self.assertEqual((answer.body, answer.interims), (b"x", []))

    def test_another_expectation_is_not_met(self):
        origin = self.http_origin()
        client = self.client(self.http_weir([origin]))
        self.assertEqual(client.get("/", [("Expect", "200-ok")]).status, 417)
        self.assertEqual(origin.requests, [])


class Ambiguous(HttpStory):
    """Two readers could see different requests: refused, and nothing of it reaches an origin."""

    CASES = (
        ("a length beside chunks",
         b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("two lengths", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n"),
        ("a list of lengths", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4, 5\r\n\r\n"),
        ("a signed length", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\n"),
        ("an unknown coding", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        ("chunked not last", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n"),
        ("chunks in 1.0", b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("a space before the colon", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 4\r\n\r\n"),
        ("a folded line", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n"),
        ("bare line feeds", b"GET / HTTP/1.1\nHost: x\n\n"),
        ("a bare carriage return", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\rc\r\n\r\n"),
        ("a zero byte", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n"),
        ("no host", b"GET / HTTP/1.1\r\n\r\n"),
        ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("no target", b"GET HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("no http", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 40 + b"\r\n\r\n"),
    )

    def test_all(self):
        origin = self.http_origin()
        weir = self.http_weir([origin])
        for what, bytes_sent in self.CASES:
            client = self.client(weir)
            client.send(bytes_sent + written_request(target="/smuggled"))
            answer = client.answer()
            self.assertIn(answer.status, (400, 501), what)
            self.assertEqual(answer.get("connection"), "close", what)
            self.assertTrue(client.gone(), what)
        self.assertEqual(origin.requests, [])
        self.expect_counts(weir.listener, requests_refused=len(self.CASES), requests=len(self.CASES))


if __name__ == "__main__":
    main()
