#!/usr/bin/env python3
"""Connections of HTTP: many requests on one, requests sent ahead, versions of clients and origins, and who closes."""

import threading

from harness import eventually, main, scaled
from http_message import written_request
from http_story import HttpStory


def say_target(call):
    call.body()
    call.answer(200, {"X-Connection": call.connection}, call.request.target.encode())


class KeepAlive(HttpStory):
    def test_many_requests_of_one_client_need_one_connection(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        client = self.client(weir)
        for i in range(200):
            self.assertEqual(client.get(f"/{i}").body, b"/%d" % i)
        self.assertEqual(origin.connections, 1)
        self.expect_counts(weir.listener, connections_total=1, requests=200, answers_2xx=200, requests_refused=0)
        self.expect_counts(lambda: weir.endpoint("origin"), connections_total=1, requests=200, reused=199, picked=200)
        self.assertEqual((weir.total("exchanges"), weir.total("origin_reused"), weir.total("origin_stale")),
                         (200, 199, 0))

    def test_bytes_are_counted_with_their_heads(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        client = self.client(weir)
        sent = written_request("POST", "/count", body=b"x" * 1000)
        client.send(sent)
        client.answer()
        self.expect_counts(weir.listener, bytes_in=len(sent))
        row = weir.listener()
        self.assertGreater(row["bytes_out"], len(b"/count") + 50, "the head is a part of an answer")
        self.assertGreater(weir.endpoint("origin")["bytes_up"], 1000 + 50)
        self.assertGreater(weir.endpoint("origin")["bytes_down"], len(b"/count") + 50)

    def test_the_listener_says_that_it_speaks_http(self):
        weir = self.http_weir([self.http_origin()])
        self.assertEqual(weir.listener()["mode"], "http")

    def test_clients_one_after_the_other_share_a_connection(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        for i in range(20):
            self.assertEqual(self.get(weir, f"/{i}").body, b"/%d" % i)
        self.assertEqual(origin.connections, 1)
        self.expect_counts(lambda: weir.endpoint("origin"), connections_total=1, requests=20, reused=19)
        self.wait_until_over(weir)
        self.assertEqual(weir.closed("done"), 20)

    def test_two_at_once_need_two_connections_and_both_are_kept(self):
        both = threading.Barrier(2)

        def together(call):
            both.wait(20)
            say_target(call)
        origin = self.http_origin(together)
        weir = self.http_weir([origin])
        clients = [self.client(weir) for _ in range(2)]
        for _ in range(10):
            for client in clients:
                client.request()
            self.assertEqual({client.answer().get("x-connection") for client in clients}, {"0", "1"})
        self.assertEqual(origin.connections, 2)

    def test_nothing_of_one_client_reaches_another(self):
        """Many clients over few connections to the origin: each gets the answer to its own question."""
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin], upstream={"pool": {"idle": 2}}, workers=2)
        address, wrong = weir.address(), []

        def ask(who):
            for i in range(scaled(100)):
                with self.connect(address) as sock:
                    sock.sendall(written_request("POST", f"/{who}/{i}", [("Connection", "close")], body=b"%d" % who))
                    answer = b"".join(iter(lambda: sock.recv(65536), b""))
                if not answer.endswith(b"\r\n\r\n/%d/%d" % (who, i)):
                    wrong.append(answer)
        clients = [threading.Thread(target=ask, args=(who,)) for who in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(wrong, [])
        self.assertEqual(weir.listener()["requests"], 8 * scaled(100))


class Closing(HttpStory):
    def test_the_client_wants_it(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        for token in ("close", "Close", "x-other, close"):
            client = self.client(weir)
            answer = client.get("/", [("Connection", token)])
            self.assertEqual((answer.status, answer.get("connection")), (200, "close"), token)
            self.assertTrue(client.ended())
        self.assertEqual(origin.connections, 1, "the connection to the origin goes on")
        self.assertFalse(any(request.fields.has("connection") for request in origin.requests))
        self.wait_until_over(weir)
        self.assertEqual(weir.closed("done"), 3)

    def test_the_origin_wants_it(self):
        def close(call):
            call.answer(200, {"Connection": "close"}, b"last")
            call.close()
        origin = self.http_origin(close)
        weir = self.http_weir([origin])
        client = self.client(weir)
        for _ in range(5):
            answer = client.get()
            self.assertEqual((answer.body, answer.get("connection")), (b"last", None))
        self.assertEqual(origin.connections, 5)
        self.expect_counts(lambda: weir.endpoint("origin"), connections_total=5, reused=0)

    def test_what_a_closing_client_sends_after_its_last_request_is_nobodys(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.send(written_request(target="/last", fields=[("Connection", "close")]) + written_request(target="/more"))
        self.assertEqual(client.answer().body, b"/last")
        self.assertTrue(client.gone())
        self.assertEqual(origin.targets(), ["/last"])

    def test_as_many_requests_as_a_connection_may_have(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin], listener={"max_requests": 3})
        client = self.client(weir)
        self.assertEqual([client.get().get("connection") for _ in range(3)], [None, None, "close"])
        self.assertTrue(client.ended())
        self.wait_until_over(weir)
        self.assertEqual(weir.closed("requests_max"), 1)

    def test_sent_ahead_of_the_limit_they_are_not_begun(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin], listener={"max_requests": 2})
        client = self.client(weir)
        client.send(b"".join(written_request(target=f"/{i}") for i in range(5)))
        self.assertEqual([client.answer().body for _ in range(2)], [b"/0", b"/1"])
        self.assertTrue(client.gone())
        self.assertEqual(origin.targets(), ["/0", "/1"])

    def test_a_client_that_ends_its_side_gets_its_answer(self):
        release = threading.Event()

        def wait(call):
            call.body()
            release.wait(20)
            call.answer(200, (), b"x" * 100_000)
        origin = self.http_origin(wait)
        weir = self.http_weir([origin], timeouts={"half_close": "20s"})
        client = self.client(weir)
        client.request("POST", body=b"all of it")
        client.end()
        self.wait_for_requests(origin, 1)
        release.set()
        self.assertEqual(len(client.answer().body), 100_000)
        self.assertTrue(client.ended(), "and then the end: there can be no further request")
        self.assertEqual(origin.requests[0].body, b"all of it")
        self.expect_counts(weir.listener, client_aborts=0, answers_2xx=1)

    def test_a_client_that_ends_its_side_gets_all_answers(self):
        """As `printf ... | nc` does: requests sent ahead, then the end."""
        weir = self.http_weir([self.http_origin(say_target)])
        client = self.client(weir)
        client.send(b"".join(written_request(target=f"/{i}") for i in range(20)))
        client.end()
        self.assertEqual([client.answer().body for _ in range(20)], [b"/%d" % i for i in range(20)])
        self.assertTrue(client.ended())


class Pipelining(HttpStory):
    """With `weir origin`, whose answers say what was asked: /echo the target, /bytes their own size."""

    def test_fifty_at_once_are_answered_in_order(self):
        origin = self.origin()
        weir = self.http_weir([origin])
        client = self.client(weir)
        wanted = []
        for i in range(50):
            size = (0, 1, 100, 16384, 70_001, 200_000)[i % 6] + i
            wanted.append({0: f"/bytes/{size}", 1: f"/delay/20/bytes/{size}", 2: f"/bytes/{size}?chunked=1"}[i % 3])
        client.send(b"".join(written_request(target=target) for target in wanted))
        for i, target in enumerate(wanted):
            answer = client.answer()
            self.assertEqual((answer.status, len(answer.body)), (200, (0, 1, 100, 16384, 70_001, 200_000)[i % 6] + i))
            self.assertEqual(answer.framing, "chunked" if "chunked" in target else "length")
        self.expect_counts(weir.listener, requests=50, answers_2xx=50)
        self.expect_counts(lambda: weir.endpoint("origin"), connections_total=1, requests=50)

    def test_bodies_between_requests_are_not_taken_for_requests(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        client = self.client(weir)
        smuggled = written_request(target="/smuggled")
        client.send(b"".join(
            written_request("POST", f"/{i}", body=smuggled * (i + 1)) if i % 2 == 0
            else written_request("POST", f"/{i}", chunks=[smuggled, b"x"]) for i in range(40)))
        self.assertEqual([client.answer().body for _ in range(40)], [b"/%d" % i for i in range(40)])
        self.assertEqual(origin.targets(), [f"/{i}" for i in range(40)])
        for i, request in enumerate(origin.requests):
            self.assertEqual(request.body, smuggled * (i + 1) if i % 2 == 0 else smuggled + b"x")

    def test_empty_lines_between_requests(self):
        """Some clients send one behind a body (RFC 9112 section 2.2)."""
        client = self.client(self.http_weir([self.http_origin(say_target)]))
        client.send(b"".join(b"\r\n" + written_request("POST", f"/{i}", body=b"x") for i in range(5)))
        self.assertEqual([client.answer().body for _ in range(5)], [b"/%d" % i for i in range(5)])

    def test_one_byte_at_a_time(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        client = self.client(weir)
        data = b"".join(written_request("POST", f"/{i}", chunks=[b"ab", b"c"]) for i in range(5))
        for i in range(len(data)):
            client.send(data[i:i + 1])
        self.assertEqual([client.answer().body for _ in range(5)], [b"/%d" % i for i in range(5)])
        self.assertEqual([request.body for request in origin.requests], [b"abc"] * 5)

    def test_what_comes_before_a_malformed_request_is_answered(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.send(written_request(target="/1") + written_request(target="/2") + b"NO SENSE\r\n\r\n"
                    + written_request(target="/3"))
        self.assertEqual([client.answer().body for _ in range(2)], [b"/1", b"/2"])
        refusal = client.answer()
        self.assertEqual((refusal.status, refusal.get("connection")), (400, "close"))
        self.assertTrue(client.gone())
        self.assertEqual(origin.targets(), ["/1", "/2"])
        self.expect_counts(weir.listener, requests=3, requests_refused=1, answers_2xx=2, answers_4xx=1)
        self.wait_until_over(weir)
        self.assertEqual(weir.closed("request_refused"), 1)

    def test_more_than_fits_anywhere_waits(self):
        """The client sends ahead and does not read: weir stops to read, too, and everything comes in the end."""
        weir = self.http_weir([self.origin()])
        client = self.client(weir, receive_buffer=4096)
        count = scaled(3000)
        padding = [("X-Padding", "x" * 200)]
        sender = threading.Thread(
            target=lambda: [client.send(written_request("GET", f"/bytes/{4000 + i}", padding)) for i in range(count)])
        sender.start()
        eventually(lambda: weir.info()["buffers_in_use"] >= 4 or weir.listener()["requests"] == count,
                   what="weir has read as much as it wants, or all")
        for i in range(count):
            self.assertEqual(len(client.answer().body), 4000 + i)
        sender.join()


class OldVersions(HttpStory):
    def test_a_client_of_1_0_is_closed(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        client = self.client(weir)
        answer = client.get("/old", version="1.0")
        self.assertEqual((answer.status, answer.body, answer.version), (200, b"/old", "1.1"))
        self.assertTrue(client.ended())
        self.assertEqual(origin.requests[0].version, "1.1")
        self.assertIn("1.0 weir", origin.requests[0].get("via"))

    def test_a_client_of_1_0_that_asks_is_kept(self):
        weir = self.http_weir([self.http_origin(say_target)])
        client = self.client(weir)
        for i in range(5):
            answer = client.get(f"/{i}", [("Connection", "keep-alive")], version="1.0")
            self.assertEqual((answer.body, answer.get("connection").lower()), (b"/%d" % i, "keep-alive"))
        self.expect_counts(weir.listener, connections_total=1, requests=5)

    def test_a_client_of_1_0_without_a_host(self):
        origin = self.http_origin(say_target)
        weir = self.http_weir([origin])
        self.assertEqual(self.get(weir, "/", host=None, version="1.0").status, 200)
        self.assertFalse(origin.requests[0].fields.has("x-forwarded-host"))

    def test_a_chunked_answer_to_1_0_goes_on_until_the_end(self):
        weir = self.http_weir([self.http_origin(lambda call: call.answer(chunks=[b"one", b"two"]))])
        for fields in ([], [("Connection", "keep-alive")]):
            client = self.client(weir)
            answer = client.get("/", fields, version="1.0")
            self.assertEqual((answer.framing, answer.body, answer.get("connection")), ("close", b"onetwo", "close"))

    def test_an_origin_of_1_0_is_not_asked_twice(self):
        origin = self.http_origin(lambda call: (call.answer(version="1.0", body=b"old"), call.close()))
        weir = self.http_weir([origin])
        client = self.client(weir)
        self.assertEqual([client.get().body for _ in range(3)], [b"old"] * 3)
        self.assertEqual(origin.connections, 3)
        self.assertEqual(weir.endpoint("origin")["reused"], 0)

    def test_an_origin_of_1_0_that_goes_on_is(self):
        origin = self.http_origin(lambda call: call.answer(200, {"Connection": "keep-alive"}, b"old", version="1.0"))
        weir = self.http_weir([origin])
        client = self.client(weir)
        answers = [client.get() for _ in range(3)]
        self.assertEqual([answer.body for answer in answers], [b"old"] * 3)
        self.assertEqual((answers[0].version, answers[0].get("via")), ("1.1", "1.0 weir"))
        self.assertEqual(origin.connections, 1)

    def test_an_unknown_version(self):
        weir = self.http_weir([self.http_origin()])
        for version, status in (("2.0", 505), ("0.9", 505)):
            client = self.client(weir)
            client.request(version=version)
            self.assertEqual(client.answer().status, status)
            self.assertTrue(client.gone())


if __name__ == "__main__":
    main()
