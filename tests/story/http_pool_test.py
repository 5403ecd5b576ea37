#!/usr/bin/env python3
"""Connections to origins that wait for the next request: how many, how long, and that only answers come of them."""

import signal
import threading

from freezing import frozen
from harness import PATIENCE, eventually, main
from http_message import written_answer
from http_story import HttpStory, http_config
from sockets import is_refused

POISON = written_answer(fields={"X-Poison": "yes"}, body=b"this is nobody's answer")


class Gate:
    """A handler that answers requests only when it is open."""

    def __init__(self):
        self._open = threading.Event()

    def open(self):
        self._open.set()

    def __call__(self, call):
        body = call.body()
        self._open.wait(10 * PATIENCE)
        call.answer(200, {"X-Connection": call.connection}, body)


def say_connection(call):
    call.answer(200, {"X-Connection": call.connection}, call.body())


class Pool(HttpStory):
    def connections_of(self, weir, requests):
        """Over which connection of the origin each of so many requests went."""
        client = self.client(weir)
        return [int(client.get().get("x-connection")) for _ in range(requests)]

    def expect_open(self, origin, count):
        eventually(lambda: origin.open == count, what=f"{origin.name} has {count} connections, and not {origin.open}")

    def expect_idle(self, weir, count):
        eventually(lambda: weir.total("origin_connections_idle") == count,
                   what=f"{count} idle connections, and not {weir.total('origin_connections_idle')}")


class Reuse(Pool):
    def test_one_connection_for_all_who_come_after_each_other(self):
        origin = self.http_origin(say_connection)
        weir = self.http_weir([origin])
        for _ in range(10):
            self.assertEqual(self.get(weir).get("x-connection"), "0")
        row = weir.endpoint("origin")
        self.assertEqual((row["requests"], row["reused"], row["connections_total"]), (10, 9, 1))
        self.assertEqual(row["connections"], 0, "idle ones are no load")
        self.assertEqual(weir.total("origin_reused"), 9)
        self.expect_idle(weir, 1)

    def test_the_one_that_was_used_last_comes_first(self):
        """So that those which are too many get old."""
        gate = Gate()
        origin = self.http_origin(gate)
        weir = self.http_weir([origin])
        clients = [self.client(weir) for _ in range(3)]
        for client in clients:
            client.request()
        self.wait_for_requests(origin, 3)
        gate.open()
        for client in clients:
            client.answer()
        self.expect_idle(weir, 3)
        self.assertEqual(len(set(self.connections_of(weir, 10))), 1)

    def test_an_origin_that_does_not_want_it(self):
        wants = {
            "close": ({"Connection": "close"}, "1.1", False),
            "old": ({}, "1.0", False),
            "old, but willing": ({"Connection": "keep-alive"}, "1.0", True),
            "new": ({}, "1.1", True),
        }
        for name, (fields, version, reused) in wants.items():
            with self.subTest(origin=name):
                def answers(call, fields=fields, version=version):
                    call.answer(200, {"X-Connection": call.connection, **fields}, b"", version=version)
                origin = self.http_origin(answers)
                weir = self.http_weir([origin])
                self.assertEqual(self.connections_of(weir, 3), [0, 0, 0] if reused else [0, 1, 2])
                self.expect_open(origin, 1 if reused else 0)

    def test_an_answer_without_a_length_is_over_with_its_connection(self):
        def answers(call):
            call.send(written_answer(200, {"X-Connection": call.connection}) + b"until the end")
            call.close()
        weir = self.http_weir([self.http_origin(answers)])
        client = self.client(weir)
        for i in range(3):
            answer = client.get()
            self.assertEqual((answer.body, answer.get("x-connection")), (b"until the end", str(i)))


class Limits(Pool):
    def test_so_many_are_kept(self):
        for idle in (0, 1, 3):
            with self.subTest(idle=idle):
                gate = Gate()
                origin = self.http_origin(gate)
                weir = self.http_weir([origin], upstream={"pool": {"idle": idle}})
                clients = [self.client(weir) for _ in range(5)]
                for client in clients:
                    client.request()
                self.wait_for_requests(origin, 5)
                self.assertEqual(weir.endpoint("origin")["connections"], 5)
                gate.open()
                for client in clients:
                    self.assertEqual(client.answer().status, 200)
                self.expect_open(origin, idle)
                self.expect_idle(weir, idle)
                self.assertEqual(weir.total("origin_idle_closed"), 5 - idle)

    def test_so_long_they_are_kept(self):
        origin = self.http_origin(say_connection)
        weir = self.http_weir([origin], upstream={"pool": {"idle_timeout": "400ms"}})
        self.assertEqual(self.connections_of(weir, 2), [0, 0])
        self.expect_open(origin, 0)
        self.assertEqual(weir.total("origin_idle_closed"), 1)
        self.assertEqual(self.connections_of(weir, 2), [1, 1])

    def test_so_many_requests_they_serve(self):
        origin = self.http_origin(say_connection)
        weir = self.http_weir([origin], upstream={"pool": {"max_requests": 3}})
        self.assertEqual(self.connections_of(weir, 7), [0, 0, 0, 1, 1, 1, 2])
        self.expect_open(origin, 1)
        self.assertEqual(weir.total("origin_idle_closed"), 2)


class Untoward(Pool):
    def test_closed_by_the_origin_while_idle(self):
        origin = self.http_origin(say_connection)
        weir = self.http_weir([origin], upstream={"retry": {"on": "off"}})
        client = self.client(weir)
        for i in range(3):
            self.assertEqual(client.ask("POST", body=b"x").get("x-connection"), str(i))
            self.expect_idle(weir, 1)
            origin.close_connections()
            self.expect_idle(weir, 0)
        self.assertEqual(weir.total("origin_stale"), 0, "it was noticed before it was needed")
        self.assertEqual(weir.listener()["answers_2xx"], 3)

    def test_the_origin_is_another_one_now(self):
        first = self.http_origin(say_connection)
        weir = self.http_weir([first])
        self.assertEqual(self.get(weir).status, 200)
        first.close()
        second = self.http_origin(say_connection, address=first.address)
        self.assertEqual([self.get(weir).status for _ in range(3)], [200] * 3)
        self.assertEqual(len(second.requests), 3)

    def poisoned(self):
        """An origin that says something behind its first answer, when told to."""
        speak, spoken = threading.Event(), threading.Event()

        def answers(call):
            call.answer(200, {"X-Connection": call.connection}, call.body())
            if (call.connection, call.number) == (0, 0):
                speak.wait(10 * PATIENCE)
                call.send(POISON)
                spoken.set()

        def tell():
            speak.set()
            self.assertTrue(spoken.wait(10 * PATIENCE))
        return self.http_origin(answers), tell

    def test_what_nobody_asked_for_reaches_nobody(self):
        origin, tell = self.poisoned()
        weir = self.http_weir([origin])
        client = self.client(weir)
        self.assertEqual(client.ask("POST", body=b"first").body, b"first")
        self.expect_idle(weir, 1)
        tell()
        self.expect_idle(weir, 0)
        self.assertEqual(client.ask("POST", body=b"second").body, b"second")
        self.assertEqual(self.get(weir).get("x-connection"), "1")

    def test_not_even_when_a_request_came_a_moment_before_it(self):
        """weir finds the request and the bytes in this order: what came before anything was sent answers nothing."""
        origin, tell = self.poisoned()
        weir = self.http_weir([origin])
        client = self.client(weir)
        self.assertEqual(client.ask("POST", body=b"first").body, b"first")
        self.expect_idle(weir, 1)
        with frozen(weir):
            client.request("POST", body=b"second")
            tell()
        answer = client.answer()
        self.assertFalse(answer.fields.has("x-poison"))
        self.assertEqual((answer.status, answer.body), (200, b"second"))

    def test_more_than_the_answer(self):
        """What stands behind the announced length belongs to nobody."""
        def answers(call):
            call.send(written_answer(200, {"X-Connection": call.connection}, b"hello") + POISON)
        origin = self.http_origin(answers)
        weir = self.http_weir([origin])
        client = self.client(weir)
        for i in range(3):
            answer = client.get()
            self.assertEqual((answer.status, answer.body, answer.get("x-connection")), (200, b"hello", str(i)))
        self.expect_idle(weir, 0)

    def test_an_answer_before_the_whole_request(self):
        """What is left of the request would be read as the next one."""
        def answers(call):
            call.answer(413, {"X-Connection": call.connection}, b"too much")
            call.stream.ended()
            call.over = True
        weir = self.http_weir([self.http_origin(answers)])
        for i in range(2):
            client = self.client(weir)
            client.request("POST", "/", {"Content-Length": "1000000"})
            client.send(b"GET /smuggled HTTP/1.1\r\nHost: weir.test\r\n\r\n")
            answer = client.answer()
            self.assertEqual((answer.status, answer.get("x-connection")), (413, str(i)))
            client.close()
        self.expect_idle(weir, 0)


class Changes(Pool):
    def test_an_endpoint_that_goes_takes_its_connections_along(self):
        a, b = (self.http_origin(say_connection, name=name) for name in "ab")
        weir = self.http_weir([a, b])
        self.connections_of(weir, 6)
        self.expect_idle(weir, 2)
        weir.reload(http_config([b]))
        self.expect_open(a, 0)
        self.assertEqual(self.connections_of(weir, 3), [0, 0, 0], "those of the other one are as good as before")
        self.expect_open(b, 1)
        self.assertEqual(weir.total("origin_idle_closed"), 1)

    def test_a_reload_that_changes_nothing_keeps_them(self):
        origin = self.http_origin(say_connection)
        weir = self.http_weir([origin])
        for _ in range(5):
            self.assertEqual(self.connections_of(weir, 2), [0, 0])
            weir.reload(http_config([origin]))
        self.assertEqual(origin.connections, 1)

    def test_a_request_outlives_its_endpoint_and_its_connection_is_not_kept(self):
        gate = Gate()
        a, b = self.http_origin(gate, name="a"), self.http_origin(say_connection, name="b")
        weir = self.http_weir([a])
        client = self.client(weir)
        client.request("POST", body=b"still there")
        self.wait_for_requests(a, 1)
        weir.reload(http_config([b]))
        gate.open()
        self.assertEqual(client.answer().body, b"still there")
        self.expect_open(a, 0)
        self.assertEqual(client.get().status, 200)
        self.assertEqual(len(b.requests), 1)


class Draining(Pool):
    def test_silent_clients_are_closed_and_busy_ones_get_their_answer(self):
        gate = Gate()
        origin = self.http_origin(gate)
        weir = self.http_weir([origin], workers=2)
        address = weir.address()
        silent, busy, asking = (self.client(weir) for _ in range(3))
        busy.request("POST", body=b"busy")
        self.wait_for_requests(origin, 1)
        asking.send(b"GET / HTTP/1.1\r\n")
        eventually(lambda: weir.info()["connections"] == 3)
        weir.signal(signal.SIGTERM)
        self.assertTrue(silent.ended())
        eventually(lambda: is_refused(address), what="new ones are refused")
        asking.send(b"Host: weir.test\r\n\r\n")
        self.wait_for_requests(origin, 2)
        gate.open()
        for client, body in ((busy, b"busy"), (asking, b"")):
            answer = client.answer()
            self.assertEqual((answer.status, answer.body, answer.get("connection")), (200, body, "close"))
            self.assertTrue(client.ended())
        self.assertEqual(weir.wait(within=5), 0)
        self.assertIn("every connection had ended", weir.log())
        self.expect_open(origin, 0)

    def test_who_waits_between_two_requests_is_closed(self):
        origin = self.http_origin(say_connection)
        weir = self.http_weir([origin], workers=2)
        clients = [self.client(weir) for _ in range(10)]
        for client in clients:
            self.assertEqual(client.get().status, 200)
        weir.signal(signal.SIGTERM)
        for client in clients:
            self.assertTrue(client.ended())
        self.assertEqual(weir.wait(within=5), 0)
        self.expect_open(origin, 0)

    def test_an_answer_that_is_on_its_way_comes_to_its_end(self):
        weir = self.http_weir([self.origin()])
        client = self.client(weir)
        client.request(target="/dribble?bytes=30&every=20")
        head = client.answer(body=False)
        weir.signal(signal.SIGTERM)
        self.assertEqual(client.stream.with_body(head).body, b"000000000000000\n00000000000001")
        self.assertTrue(client.ended())
        self.assertEqual(weir.wait(within=5), 0)

    def test_the_drain_timeout_ends_what_is_left(self):
        origin = self.http_origin(lambda call: call.stream.ended() and call.close())
        weir = self.http_weir([origin], timeouts={"drain": "400ms"})
        client = self.client(weir)
        client.request()
        self.wait_for_requests(origin, 1)
        weir.signal(signal.SIGTERM)
        self.assertTrue(client.gone())
        self.assertEqual(weir.wait(within=5), 0)
        self.expect_open(origin, 0)


if __name__ == "__main__":
    main()
