#!/usr/bin/env python3
"""Who does not wait for the end: clients that leave, origins that answer before they have read."""

import contextlib
import random
import threading

from harness import eventually, main, scaled
from http_message import written_answer, written_request
from http_story import HttpStory

MIB = 1 << 20


def send_what_is_taken(client, data):
    """A client whose body is refused finds out at some time, if it finds out."""
    with contextlib.suppress(OSError):
        client.send(data)


class EarlyAnswers(HttpStory):
    """The origin answers while the body is still on its way."""

    def test_of_an_origin_that_closes(self):
        def too_large(call):
            call.answer(413, {"Connection": "close"}, b"too large")
            call.sock.shutdown(1)
            call.stream.fill()
            call.close()
        weir = self.http_weir([self.http_origin(too_large)])
        for size in (100_000, MIB, 16 * MIB):
            client = self.client(weir)
            client.request("POST", fields=[("Content-Length", size)])
            sender = threading.Thread(target=send_what_is_taken, args=(client, b"x" * size))
            sender.start()
            answer = client.answer()
            self.assertEqual((answer.status, answer.body), (413, b"too large"), size)
            client.close()
            sender.join()
        self.expect_counts(weir.listener, answers_4xx=3, answers_5xx=0)

    def test_of_an_origin_that_resets(self):
        """Its answer was sent before the reset, and is the client's."""
        sent = threading.Event()

        def too_large(call):
            call.answer(413, (), b"too large")
            sent.wait(20)
            call.reset()
        weir = self.http_weir([self.http_origin(too_large)])
        client = self.client(weir)
        client.request("POST", fields=[("Content-Length", 4 * MIB)])
        client.send(b"x" * 1000)
        answer = client.answer()
        sent.set()
        self.assertEqual((answer.status, answer.body), (413, b"too large"))

    def test_with_the_rest_of_a_chunked_body(self):
        origin = self.http_origin(lambda call: call.answer(413, (), b"no"))
        client = self.client(self.http_weir([origin]))
        client.request("POST", fields=[("Transfer-Encoding", "chunked")])
        client.send(b"5\r\nfirst\r\n")
        self.assertEqual(client.answer().status, 413)

    def test_a_small_rest_is_read_and_the_connection_goes_on(self):
        def early(call):
            if call.request.method == "POST":
                call.answer(200, (), b"early")
                call.close()
            else:
                call.answer(200, (), call.request.target.encode())
        client = self.client(self.http_weir([self.http_origin(early)]))
        for i in range(10):
            client.request("POST", fields=[("Content-Length", 1000 * i + 1)])
            answer = client.answer()
            self.assertEqual((answer.body, answer.get("connection")), (b"early", None))
            client.send(b"x" * (1000 * i + 1) + written_request(target=f"/{i}"))
            self.assertEqual(client.answer().body, b"/%d" % i)

    def test_a_long_answer_beside_a_long_request(self):
        """Full duplex: neither side waits for the other."""
        def both(call):
            call.send(written_answer(fields={"Transfer-Encoding": "chunked"}))
            for piece in call.pieces():
                call.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            call.send(b"0\r\n\r\n")
        client = self.client(self.http_weir([self.http_origin(both)]))
        client.request("POST", fields=[("Transfer-Encoding", "chunked")])
        answer = client.answer(body=False)
        pieces, got = client.stream.pieces(answer), b""
        for i in range(20):
            client.send(b"a\r\n%010d\r\n" % i)
            while len(got) < 10 * (i + 1):
                got += next(pieces)
        client.send(b"0\r\n\r\n")
        self.assertEqual(list(pieces), [])
        self.assertEqual(got, b"".join(b"%010d" % i for i in range(20)))

    def test_what_follows_a_body_that_was_not_wanted_is_no_body(self):
        """The origin takes a part of a large body, answers, and resets. Whatever became of the rest: a second request
        gets its own answer, or the connection has ended."""
        dice = random.Random(11)

        def early(call):
            if call.request.method == "GET":
                return call.answer(200, (), call.request.target.encode())
            wanted = dice.randrange(call.request.length)
            for piece in call.pieces():
                wanted -= len(piece)
                if wanted <= 0:
                    break
            call.answer(200, (), b"enough")
            return call.reset()
        weir = self.http_weir([self.http_origin(early)])
        answered = 0
        for i in range(scaled(60)):
            client = self.client(weir)
            size = dice.choice((600_000, MIB, 3 * MIB))
            body_and_more = b"x" * size + written_request(target=f"/{i}")
            client.request("POST", fields=[("Content-Length", size)])
            sender = threading.Thread(target=send_what_is_taken, args=(client, body_and_more))
            sender.start()
            try:
                first = client.answer()
                self.assertIn(first.status, (200, 502))
                if first.get("connection") != "close":
                    second = client.answer()
                    self.assertEqual((second.status, second.body), (200, b"/%d" % i))
                    answered += 1
            except (ConnectionError, EOFError):
                pass  # the reset has overtaken the answer, or the connection has ended before a second one
            finally:
                client.close()
                sender.join()
        self.assertEqual(weir.listener()["requests_refused"], 0)

    def test_what_lay_in_a_pipe_is_no_part_of_the_next_request(self):
        """The origin answers when it has read a part of a long body. The rest has left the client too: some of it lies
        in the origin's socket, some in the pipe of the splice. What the client sends next is a request, and what is in
        that request's body is none."""
        size = 1_000_000
        smuggled = written_request(target="/smuggled")

        def standing_still(seen):
            seen.append(weir.listener()["bytes_in"])
            return len(seen) > 20 and seen[-1] == seen[-20]

        def early(call):
            if call.request.target == "/second":
                return call.answer(200, (), call.body()[:20])
            call.stream.exactly(size - int(call.request.get("x-left")))
            seen = []
            eventually(lambda: sent.is_set() and standing_still(seen), what="weir has taken all that it will")
            call.answer(200, {"Connection": "close"}, b"early")
            return call.close()
        # A UNIX socket holds about 200 kB: so it is more or less than that which is left.
        weir = self.http_weir([self.http_origin(early, address=f"unix:{self.path('back.sock')}")])
        for left in range(200_000, 340_000, 10_000):
            sent = threading.Event()
            client = self.client(weir)
            client.request("POST", "/first", [("Content-Length", size), ("X-Left", left)])
            sender = threading.Thread(target=lambda: (send_what_is_taken(client, b"x" * size), sent.set()))
            sender.start()
            first = client.answer()
            sender.join()
            self.assertEqual(first.body, b"early")
            with contextlib.suppress(ConnectionError, EOFError):  # it may have been closed instead
                client.send(written_request("POST", "/second", body=b"y" * 20 + smuggled * 5000))
                second = client.answer()
                self.assertEqual((second.status, second.body), (200, b"y" * 20), f"{left} bytes were left")
            client.close()
        self.assertNotIn("/smuggled", self.origins[0].targets())
        self.assertEqual(weir.listener()["requests_refused"], 0)


class Leaving(HttpStory):
    """The exchange ends soon, and the origin's connection with it: nobody wants the answer."""

    def waiting_origin(self):
        """It answers only when the story is over; what becomes of its connections is seen in `open`."""
        return self.http_origin(lambda call: (call.body(), call.stream.ended()))

    def expect_left(self, weir, origin, reason):
        """`reason`: of the connection and of the exchange, they have the same name."""
        eventually(lambda: origin.open == 0, within=5, what="the connection to the origin is closed")
        self.wait_until_over(weir)
        self.expect_ends(weir, **{reason: 1})
        self.expect_counts(weir.listener, client_aborts=1)
        self.assertEqual(weir.closed(reason), 1)

    def test_by_reset_before_the_answer(self):
        origin = self.waiting_origin()
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.request()
        self.wait_for_requests(origin, 1)
        client.reset()
        self.expect_left(weir, origin, "client_reset")

    def test_by_closing_before_the_answer(self):
        """It could still be waiting, as far as TCP says: it gets half_close to take its answer."""
        origin = self.waiting_origin()
        weir = self.http_weir([origin], timeouts={"half_close": "200ms"})
        client = self.client(weir)
        client.request()
        self.wait_for_requests(origin, 1)
        client.close()
        self.expect_left(weir, origin, "client_left")

    def test_by_reset_after_its_end(self):
        """Half-closed first, as by a program that is then killed: the reset is noticed although nothing is read."""
        origin = self.waiting_origin()
        weir = self.http_weir([origin], timeouts={"half_close": "1h"})
        client = self.client(weir)
        client.request()
        self.wait_for_requests(origin, 1)
        client.end()
        eventually(lambda: weir.listener()["connections"] == 1)
        client.reset()
        self.expect_left(weir, origin, "client_reset")

    def test_in_the_middle_of_an_answer(self):
        for target in ("/endless", "/bytes/1GiB", "/bytes/1GiB?chunked=1"):
            with self.subTest(target=target):
                origin = self.origin()
                weir = self.http_weir([origin])
                client = self.client(weir)
                client.request(target=target)
                client.stream.exactly(2 * MIB)
                client.reset()
                self.wait_until_over(weir)
                self.expect_counts(weir.listener, client_aborts=1)
                self.expect_counts(lambda: weir.endpoint("origin"), connections=0)
                self.expect_ends(weir, client_reset=1)
                self.assertEqual(weir.closed("client_reset"), 1)

    def test_in_the_middle_of_an_answer_that_it_does_not_read(self):
        """Nothing can be sent to it, and weir does not read from it either: the reset is noticed nevertheless."""
        for target in ("/endless", "/bytes/1GiB"):
            with self.subTest(target=target):
                weir = self.http_weir([self.origin()])
                client = self.client(weir, receive_buffer=4096)
                client.request(target=target)
                client.stream.exactly(10_000)
                client.reset()
                self.wait_until_over(weir)
                self.expect_counts(weir.listener, client_aborts=1)

    def test_by_closing_in_the_middle_of_its_body(self):
        """An end there is no end of a body: the origin must not take what came for all."""
        bodies = []

        def take(call):
            bodies.append(call.body())
            call.answer()
        for fields, start in (([("Content-Length", 1000)], b"x" * 500),
                              ([("Transfer-Encoding", "chunked")], b"1f4\r\n" + b"x" * 500 + b"\r\n")):
            origin = self.http_origin(take)
            weir = self.http_weir([origin])
            client = self.client(weir)
            client.request("POST", fields=fields)
            self.wait_for_requests(origin, 1)
            client.send(start)
            client.end()
            answer = client.answer()
            self.assertEqual((answer.status, answer.get("connection")), (400, "close"))
            self.assertTrue(client.ended())
            eventually(lambda: origin.open == 0)
            self.expect_ends(weir, body_cut=1)
        self.assertEqual(bodies, [])

    def test_by_reset_in_the_middle_of_its_body(self):
        for size in (1000, 64 * MIB):
            origin = self.http_origin(lambda call: (sum(map(len, call.pieces())), call.answer()))
            weir = self.http_weir([origin])
            client = self.client(weir)
            client.request("POST", fields=[("Content-Length", size)])
            client.send(b"x" * (size // 2))
            self.wait_for_requests(origin, 1)
            client.reset()
            self.expect_left(weir, origin, "client_reset")

    def test_while_the_origin_is_being_reached(self):
        weir = self.http_weir([self.silence_at()], upstream={"timeouts": {"connect": "1h"}})
        client = self.client(weir)
        client.request()
        eventually(lambda: weir.listener()["requests"] == 1)
        client.reset()
        self.wait_until_over(weir)
        self.expect_counts(weir.listener, client_aborts=1)
        self.expect_ends(weir, client_reset=1)

    def test_with_requests_sent_ahead(self):
        origin = self.waiting_origin()
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.send(written_request() * 1000)
        self.wait_for_requests(origin, 1)
        client.reset()
        self.expect_left(weir, origin, "client_reset")
        self.assertEqual(weir.listener()["requests"], 1)

    def test_with_more_sent_ahead_than_is_read(self):
        """The rest waits in the kernel, weir does not read on: it has to notice the reset all the same."""
        origin = self.waiting_origin()
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.request()
        self.wait_for_requests(origin, 1)
        sender = threading.Thread(target=send_what_is_taken, args=(client, written_request() * 20_000))
        sender.start()
        eventually(lambda: weir.info()["buffers_in_use"] >= 4, what="weir has read as much as it wants")
        client.reset()
        self.expect_left(weir, origin, "client_reset")
        sender.join()

    def test_idle_between_requests(self):
        origin = self.http_origin()
        weir = self.http_weir([origin])
        leave = {"close": lambda client: client.close(), "reset": lambda client: client.reset()}
        for how in leave.values():
            client = self.client(weir)
            client.get()
            how(client)
        self.wait_until_over(weir)
        self.expect_counts(weir.listener, client_aborts=0, answers_2xx=2)
        self.assertEqual((weir.closed("done"), weir.closed("client_reset")), (1, 1))

    def test_hundreds_at_any_moment(self):
        """Seeded: whatever a client is in the middle of, it leaves nothing behind. tearDown() looks."""
        dice = random.Random(3)
        origin = self.origin()
        weir = self.http_weir([origin], timeouts={"half_close": "100ms"}, workers=2)
        targets = ("/bytes/100", "/bytes/3MiB", "/bytes/3MiB?chunked=1", "/delay/30/bytes/100", "/dribble?bytes=50",
                   "/fail?mode=reset", "/fail/bytes/100?mode=half", "/endless", "/echo")
        for i in range(scaled(200)):
            client = self.client(weir)
            client.sock.settimeout(0.05)  # more than has come will not be waited for
            data = written_request("POST", dice.choice(targets), body=b"x" * dice.choice((0, 100, 100_000)))
            send_what_is_taken(client, (data * dice.choice((1, 1, 5)))[:dice.choice((10, 200, len(data), 10 * MIB))])
            with contextlib.suppress(OSError, EOFError):
                if dice.random() < 0.7:
                    client.stream.exactly(dice.choice((1, 100, 20_000)))
            dice.choice((client.close, client.reset))()
        self.wait_until_over(weir)
        self.assertEqual(self.get(weir, "/bytes/10").status, 200)
        self.assertEqual(weir.total("unexpected_errors"), 0)


if __name__ == "__main__":
    main()
