#!/usr/bin/env python3
"""Who may take how long: each wait of a request has its bound, its answer, and its counter."""

import contextlib
import json
import select
import threading
import time

from harness import PATIENCE, eventually, main
from http_message import written_answer, written_request
from http_story import HttpStory, http_config
from sockets import receive_all


class HttpTimeouts(HttpStory):
    def lasts(self, seconds):
        """A block that takes so long, not less and not much more."""
        return Lasting(self, seconds)

    def expect_error(self, answer, status, reason):
        self.assertEqual(answer.status, status)
        self.assertEqual(json.loads(answer.body)["reason"], reason)

    def expect_closed_for(self, weir, reason, times=1):
        eventually(lambda: weir.closed(reason) == times, what=f"closed for {reason}: {times}")

    def stuck(self, what=b""):
        """An origin that says `what`, and then nothing, until weir leaves."""
        def stick(call):
            call.body()
            call.send(what)
            call.stream.ended()
            call.over = True
        return self.http_origin(stick)


class Lasting:
    def __init__(self, story, seconds):
        self._story = story
        self._seconds = seconds

    def __enter__(self):
        self._begun = time.monotonic()

    def __exit__(self, kind, *_):
        if kind is None:
            lasted = time.monotonic() - self._begun
            self._story.assertGreater(lasted, self._seconds * 0.9)
            self._story.assertLess(lasted, self._seconds + 2 * PATIENCE)


class OfTheClient(HttpTimeouts):
    def test_half_a_head(self):
        origin = self.http_origin()
        weir = self.http_weir([origin], timeouts={"header": "400ms"})
        client = self.client(weir)
        client.send(b"GET / HTTP/1.1\r\nHost: we")
        with self.lasts(0.4):
            answer = client.answer()
        self.expect_error(answer, 408, "header_timeout")
        self.assertEqual(answer.get("connection"), "close")
        self.assertTrue(client.ended())
        self.expect_closed_for(weir, "header_timeout")
        self.assertEqual(weir.listener()["answers_4xx"], 1)
        self.assertEqual(origin.requests, [])

    def test_a_head_that_trickles(self):
        weir = self.http_weir([self.http_origin()], timeouts={"header": "500ms"})
        client = self.client(weir)
        head = written_request(fields={"X-Long": "x" * 2000})
        with self.lasts(0.5):
            for i, _ in enumerate(head):
                client.send(head[i:i + 1])
                if select.select([client.sock], [], [], 0.02)[0]:
                    break
        self.expect_error(client.answer(), 408, "header_timeout")
        self.expect_closed_for(weir, "header_timeout")

    def test_who_says_nothing_at_all(self):
        weir = self.http_weir([self.http_origin()], timeouts={"header": "400ms"})
        client = self.client(weir)
        with self.lasts(0.4):
            self.assertTrue(client.ended(), "and is told nothing: there was no request")
        self.expect_closed_for(weir, "header_timeout")
        self.assertEqual(weir.listener()["requests"], 0)

    def test_silent_ones_do_not_keep_others_from_coming_in(self):
        weir = self.http_weir([self.http_origin()], listener={"max_connections": 5}, timeouts={"header": "400ms"})
        for _ in range(5):
            self.client(weir).send(b"GET /")
        client = self.client(weir)
        self.assertEqual(client.get().status, 200)
        self.expect_closed_for(weir, "header_timeout", 5)

    def test_a_body_that_stops(self):
        origin = self.http_origin()
        weir = self.http_weir([origin], timeouts={"client_body": "400ms"})
        for framing in ({"Content-Length": "10"}, {"Transfer-Encoding": "chunked"}):
            with self.subTest(framing=framing):
                client = self.client(weir)
                client.request("POST", "/", framing)
                client.send(b"5\r\n12" if "Transfer-Encoding" in framing else b"12345")
                with self.lasts(0.4):
                    answer = client.answer()
                self.expect_error(answer, 408, "body_timeout")
                self.assertEqual(answer.get("connection"), "close")
                self.assertTrue(client.ended())
        self.expect_closed_for(weir, "body_timeout", 2)
        eventually(lambda: origin.open == 0, what="half a request is worth no connection")

    def test_a_body_that_stops_behind_the_beginning_of_its_answer(self):
        weir = self.http_weir([self.origin()], timeouts={"client_body": "400ms"})
        client = self.client(weir)
        client.request("POST", "/echo", {"Content-Length": "10"})
        client.send(b"12345")
        self.assertEqual(client.answer(body=False).status, 200)
        with self.lasts(0.4), contextlib.suppress(ConnectionResetError):
            rest = receive_all(client.sock)
            self.assertFalse(rest.endswith(b"0\r\n\r\n"), "an answer that seems complete")
        self.expect_closed_for(weir, "body_timeout")
        self.assertEqual(weir.listener()["client_aborts"], 1)

    def test_a_slow_body_is_no_late_one(self):
        origin = self.http_origin()
        weir = self.http_weir([origin], timeouts={"client_body": "500ms", "first_byte": "500ms"})
        client = self.client(weir)
        client.request("POST", "/", {"Content-Length": "12"})
        for i in range(12):  # 1.2 seconds, twice as long as either may be without a byte
            self.assertFalse(select.select([client.sock], [], [], 0.1)[0], "an answer to half a request")
            client.send(b"%x" % i)
        self.assertEqual(client.answer().status, 200)
        self.assertEqual(origin.requests[0].body, b"0123456789ab")
        self.assertEqual(weir.endpoint("origin")["first_byte_timeouts"], 0)

    def test_nothing_after_a_request(self):
        weir = self.http_weir([self.http_origin()], timeouts={"keep_alive": "400ms", "header": "5s"})
        client = self.client(weir)
        for _ in range(3):
            self.assertEqual(client.get().status, 200)
            self.assertFalse(select.select([client.sock], [], [], 0.2)[0], "each request begins the wait anew")
        self.assertEqual(client.get().status, 200)
        with self.lasts(0.4):
            self.assertTrue(client.ended())
        self.expect_closed_for(weir, "keep_alive_timeout")

    def test_half_a_second_request_has_the_time_of_a_head(self):
        weir = self.http_weir([self.http_origin()], timeouts={"keep_alive": "10s", "header": "400ms"})
        client = self.client(weir)
        self.assertEqual(client.get().status, 200)
        client.send(b"GET")
        with self.lasts(0.4):
            self.expect_error(client.answer(), 408, "header_timeout")

    def test_who_has_ended_its_side_is_waited_for_a_moment(self):
        origin = self.stuck()
        weir = self.http_weir([origin], timeouts={"half_close": "400ms"})
        client = self.client(weir)
        client.request()
        eventually(lambda: origin.requests)
        client.end()
        with self.lasts(0.4):
            self.assertTrue(client.gone())
        self.expect_closed_for(weir, "client_left")
        self.assertEqual(weir.listener()["client_aborts"], 1)
        self.assertEqual(weir.endpoint("origin")["connections"], 0, "the origin need not go on")

    def test_and_may_get_its_answer_in_that_moment(self):
        weir = self.http_weir([self.origin()], timeouts={"half_close": "5s"})
        client = self.client(weir)
        client.request(target="/delay/300/bytes/5000")
        client.end()
        answer = client.answer()
        self.assertEqual((answer.status, len(answer.body)), (200, 5000))
        self.assertTrue(client.ended())
        self.assertEqual(weir.closed("client_left"), 0)


    def test_and_is_not_gone_as_long_as_its_answer_is_on_its_way(self):
        weir = self.http_weir([self.origin()], timeouts={"half_close": "400ms"})
        client = self.client(weir)
        client.request(target="/dribble?bytes=12&every=100")
        client.end()
        self.assertEqual(client.answer().body, b"000000000000")
        self.assertEqual(weir.closed("client_left"), 0)

    def test_each_of_several_requests_has_that_moment_alone(self):
        """What was asked before the end is answered in order, but not waited for for ever."""
        def answers(call):
            if call.request.target == "/stuck":
                call.stream.ended()
                call.over = True
            else:
                call.answer(200, {}, b"quick")
        weir = self.http_weir([self.http_origin(answers)], timeouts={"half_close": "400ms"})
        client = self.client(weir)
        client.send(written_request(target="/quick") * 2 + written_request(target="/stuck"))
        client.end()
        for _ in range(2):
            self.assertEqual(client.answer().body, b"quick")
        with self.lasts(0.4):
            self.assertTrue(client.gone())
        self.expect_closed_for(weir, "client_left")


class OfTheOrigin(HttpTimeouts):
    def test_connect(self):
        weir = self.http_weir([self.silence_at()], timeouts={"connect": "400ms"})
        client = self.client(weir)
        for _ in range(2):  # the client's connection goes on
            with self.lasts(0.4):
                self.expect_error(client.get(), 504, "connect_timeout")
        endpoint, = weir.stat()["upstreams"][0]["endpoints"]
        self.assertEqual((endpoint["connect_timeouts"], endpoint["requests"]), (2, 0))
        self.assertEqual(weir.listener()["answers_5xx"], 2)

    def test_connect_to_several(self):
        """Each has its time, and the last one answers."""
        silent = [self.silence_at(), self.silence_at()]
        weir = self.http_weir([*silent, self.http_origin()], timeouts={"connect": "300ms"},
                              upstream={"retry": {"backoff": 0}})
        with self.lasts(0.6):
            self.assertEqual(self.client(weir).get().status, 200)
        self.assertEqual(weir.total("retries"), 2)

    def test_first_byte(self):
        weir = self.http_weir([self.stuck()], timeouts={"first_byte": "400ms"})
        client = self.client(weir)
        for method in ("GET", "POST"):
            with self.lasts(0.4):
                self.expect_error(client.ask(method, body=b"x"), 504, "first_byte_timeout")
        self.assertEqual(weir.endpoint("origin")["first_byte_timeouts"], 2)
        self.assertEqual(weir.endpoint("origin")["connections"], 0)

    def test_half_a_head_is_no_first_byte(self):
        weir = self.http_weir([self.stuck(b"HTTP/1.1 200 Fine\r\nX-Half: ")], timeouts={"first_byte": "400ms"})
        with self.lasts(0.4):
            self.expect_error(self.client(weir).get(), 504, "first_byte_timeout")

    def test_an_interim_answer_neither(self):
        weir = self.http_weir([self.stuck(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")],
                              timeouts={"first_byte": "400ms"})
        with self.lasts(0.4):
            answer = self.client(weir).get()
        self.assertEqual([each.status for each in answer.interims], [103])
        self.expect_error(answer, 504, "first_byte_timeout")

    def test_an_upstream_has_its_own_patience(self):
        weir = self.http_weir([self.stuck()], upstream={"timeouts": {"first_byte": "300ms"}},
                              timeouts={"first_byte": "20s"})
        with self.lasts(0.3):
            self.expect_error(self.client(weir).get(), 504, "first_byte_timeout")

    def test_an_answer_that_stops(self):
        """It cannot be taken back, so the client must see that it is cut."""
        stops = {
            "length": (written_answer(fields={"Content-Length": "100"}) + b"x" * 50, EOFError),
            "chunked": (written_answer(fields={"Transfer-Encoding": "chunked"}) + b"5\r\nhello\r\n", EOFError),
            "close": (written_answer() + b"hello", EOFError),
        }
        for name, (bytes_sent, expected) in stops.items():
            with self.subTest(framing=name):
                weir = self.http_weir([self.stuck(bytes_sent)], timeouts={"body": "400ms"})
                client = self.client(weir)
                with self.lasts(0.4), self.assertRaises(expected):
                    client.get()
                self.expect_closed_for(weir, "answer_cut")
                self.assertEqual(weir.endpoint("origin")["answers_cut"], 1)

    def test_an_answer_to_an_old_client_that_stops_ends_in_a_reset(self):
        """HTTP/1.0 has no other way to say that it is not complete."""
        weir = self.http_weir([self.stuck(written_answer() + b"hello")], timeouts={"body": "400ms"})
        client = self.client(weir)
        with self.lasts(0.4), self.assertRaises(ConnectionResetError):
            client.get(version="1.0")
        self.expect_closed_for(weir, "answer_cut")

    def test_a_slow_answer_is_no_late_one(self):
        weir = self.http_weir([self.origin()], timeouts={"body": "500ms", "first_byte": "500ms"})
        with self.lasts(1):
            answer = self.client(weir).get("/dribble?bytes=10&every=100")
        self.assertEqual((answer.status, answer.body), (200, b"0000000000"))


class WhoIsToBlame(HttpTimeouts):
    """Bytes stop for two reasons: nobody sends, or nobody takes. Only the one who is waited for runs out of time."""

    def test_a_client_that_takes_its_time_is_no_silent_origin(self):
        for target in ("/bytes/32MiB", "/bytes/32MiB?chunked=1"):
            with self.subTest(target=target):
                weir = self.http_weir([self.origin()], timeouts={"body": "400ms", "client_body": "30s"})
                client = self.client(weir, receive_buffer=65536)
                client.request(target=target)
                head = client.answer(body=False)
                time.sleep(1.5)  # tidy-allow: sleep, a client that takes its time
                self.assertEqual(sum(len(piece) for piece in client.stream.pieces(head)), 32 << 20)
                self.assertEqual(weir.endpoint("origin")["answers_cut"], 0)

    def test_a_client_that_takes_nothing_any_more(self):
        for target in ("/bytes/32MiB", "/bytes/32MiB?chunked=1"):
            with self.subTest(target=target):
                weir = self.http_weir([self.origin()], timeouts={"client_body": "400ms"})
                client = self.client(weir, receive_buffer=65536)
                client.request(target=target)
                client.answer(body=False)
                self.expect_closed_for(weir, "body_timeout")
                self.assertEqual(weir.listener()["client_aborts"], 1)
                self.assertEqual(weir.endpoint("origin")["answers_cut"], 0)

    def test_an_origin_that_does_not_take_the_request(self):
        for size in (100_000, 32 << 20):
            with self.subTest(size=size):
                release = threading.Event()
                origin = self.http_origin(lambda call, release=release: release.wait(10 * PATIENCE) and call.close())
                weir = self.http_weir([origin], timeouts={"first_byte": "500ms", "client_body": "500ms"})
                client = self.client(weir)
                sender = threading.Thread(target=self.send_in_vain, args=(client, size))
                sender.start()
                with self.lasts(0.5):
                    self.expect_error(client.answer(), 504, "first_byte_timeout")
                self.assertEqual(weir.endpoint("origin")["first_byte_timeouts"], 1)
                with contextlib.suppress(OSError):
                    client.end()
                sender.join()
                release.set()

    def send_in_vain(self, client, size):
        with contextlib.suppress(OSError):
            client.request("POST", "/", body=b"x" * size)


class OfAll(HttpTimeouts):
    def test_a_request_that_is_not_answered(self):
        weir = self.http_weir([self.stuck()], timeouts={"request": "400ms"})
        client = self.client(weir)
        with self.lasts(0.4):
            self.expect_error(client.get(), 504, "request_timeout")
        with self.lasts(0.4):
            self.expect_error(client.get(), 504, "request_timeout")

    def test_a_body_that_dribbles_does_not_prolong_it(self):
        weir = self.http_weir([self.http_origin()], timeouts={"request": "500ms"})
        client = self.client(weir)
        client.request("POST", "/", {"Content-Length": "1000"})
        with self.lasts(0.5):
            while not select.select([client.sock], [], [], 0.05)[0]:
                client.send(b"x")
        self.expect_error(client.answer(), 504, "request_timeout")

    def test_an_answer_that_dribbles_is_cut(self):
        weir = self.http_weir([self.origin()], timeouts={"request": "500ms"})
        client = self.client(weir)
        with self.lasts(0.5), self.assertRaises(EOFError):
            client.get("/dribble?bytes=100&every=50")
        self.expect_closed_for(weir, "answer_cut")

    def test_tries_share_it(self):
        """Four silent endpoints of 300 ms each are more than 700 ms."""
        weir = self.http_weir([self.silence_at() for _ in range(4)], upstream={"tries": 4, "retry": {"backoff": 0}},
                              timeouts={"request": "700ms", "connect": "300ms"})
        with self.lasts(0.7):
            self.expect_error(self.client(weir).get(), 504, "request_timeout")

    def test_a_connection_has_its_lifetime(self):
        """However busy it is; but what was asked is answered."""
        weir = self.http_weir([self.http_origin()], timeouts={"lifetime": "600ms"})
        client = self.client(weir)
        with self.lasts(0.6):
            deadline = time.monotonic() + 10 * PATIENCE
            with contextlib.suppress(ConnectionError, EOFError):
                while client.get().get("connection") != "close":
                    self.assertLess(time.monotonic(), deadline, "it goes on and on")
        self.expect_closed_for(weir, "lifetime")

    def test_a_route_has_its_own(self):
        routes = [{"match": {"path": "/slow"}, "upstream": "app", "timeout": "2s"}]
        origin = self.origin()
        weir = self.http_weir([origin], listener={"routes": routes}, timeouts={"request": "300ms"})
        client = self.client(weir)
        with self.lasts(0.3):
            self.expect_error(client.get("/delay/700"), 504, "request_timeout")
        routes[0] = {"match": {"path_prefix": "/delay"}, "upstream": "app", "timeout": "2s"}
        weir.reload(http_config([origin], listener={"routes": routes}, timeouts={"request": "300ms"}))
        self.assertEqual(client.get("/delay/700").status, 200)


if __name__ == "__main__":
    main()
