#!/usr/bin/env python3
"""Balancing by time: who answers slowly gets less, until it is quick again; who fails fast is not quick."""

import contextlib
import socket
import time
from threading import Event

from balanced import Balanced
from harness import eventually, main, scaled
from http_client import HttpClient
from http_message import written_request
from sockets import connect, receive_all
from together import together

CLIENTS = 8


class Timed(Balanced):
    def quick_and_slow(self, slow_ms=50):
        return [*self.web("a", "b", "c", delay="1ms"), *self.web("slow", delay=f"{slow_ms}ms")]

    def ask_together(self, weir, each, one):
        """CLIENTS of them, each so many times: one(address) or one(client). How long each took, in order."""
        took = [[] for _ in range(CLIENTS)]

        def work(number):
            for _ in range(each):
                begun = time.monotonic()
                one(number)
                took[number].append(time.monotonic() - begun)
        together(CLIENTS, work)
        return sorted(sum(took, []))

    def requests_together(self, weir, each):
        clients = [HttpClient(connect(weir.address())) for _ in range(CLIENTS)]
        took = self.ask_together(weir, each, lambda number: clients[number].get("/"))
        for client in clients:
            client.close()
        return took

    def connections_together(self, weir, each):
        """A request is what is said on a connection, but weir does not know: it is in mode tcp."""
        address = weir.address()
        request = written_request("GET", "/", {"Connection": "close"})

        def one(_):
            with connect(address) as sock:
                sock.sendall(request)
                with contextlib.suppress(ConnectionError):
                    receive_all(sock)
        return self.ask_together(weir, each, one)

    def p99(self, took):
        return took[len(took) * 99 // 100]


class OneSlowOrigin(Timed):
    by_time = (("least_time", {}), ("two_choices", {"two_choices": {"load": "latency"}}))

    def compare(self, make, ask, each):
        origins = self.quick_and_slow()
        weir = self.weir_with(make(origins))
        in_turn = self.p99(ask(weir, each))
        self.assertGreater(in_turn, 0.05)
        for balance, more in self.by_time:
            with self.subTest(balance):
                weir.reload(make(origins, balance, **more))
                before = self.rows(weir, "picked")
                took = ask(weir, each)
                self.assertLess(self.p99(took), 0.3 * in_turn, f"in turn: {in_turn:.4f}")
                picked = {name: count - before[name] for name, count in self.rows(weir, "picked").items()}
                self.assertGreater(min(picked[name] for name in "abc"), CLIENTS * each / 10, picked)

    def test_requests(self):
        self.compare(self.http, self.requests_together, scaled(260))

    def test_connections(self):
        self.compare(self.tcp, self.connections_together, scaled(130))

    def test_what_is_told_of_it(self):
        weir = self.weir_with(self.http(self.quick_and_slow()))
        self.served(weir, 12)
        latency = self.rows(weir, "latency_us")
        self.assertGreater(latency["slow"], 40_000)
        for name in "abc":
            self.assertGreater(latency[name], 900)
            self.assertLess(latency[name], 40_000)
        self.assertRegex(weir.ask("show balance app"), r"(?m)^ +slow .* [0-9]+\.[0-9]+ ms")


class SomebodyElse(Timed):
    def expect_fair_part(self, weir, name, before=None):
        picked = self.rows(weir, "picked")
        if before:
            picked = {each: count - before[each] for each, count in picked.items()}
        self.assertLess(picked[name] / sum(picked.values()), 0.25 + 0.1, picked)

    def test_who_fails_fast_is_not_quick(self):
        """It answers 500 at once, the others need a moment."""
        def fails(call):
            call.body()
            call.answer(500, {"X-Origin": call.origin.name})
        bad = self.http_origin(fails, "bad")
        for balance, more in OneSlowOrigin.by_time:
            with self.subTest(balance):
                weir = self.weir_with(self.http([*self.web("a", "b", "c", delay="5ms"), bad], balance, **more))
                self.requests_together(weir, scaled(60))
                self.expect_fair_part(weir, "bad")
                self.assertEqual(weir.endpoint("bad")["answers_5xx"], weir.endpoint("bad")["picked"])

    def begins_to_fail(self, make, ask, fail):
        """One that is as good as the others, until it is told to `fail(call)`, which takes no time."""
        pause = Event()  # nobody sets it
        failing = Event()

        def answers(call):
            call.body()
            if failing.is_set():
                return fail(call)
            pause.wait(0.005)
            return call.answer(200, {"X-Origin": call.origin.name})
        bad = self.http_origin(answers, "bad")
        for balance, more in OneSlowOrigin.by_time:
            with self.subTest(balance):
                failing.clear()
                weir = self.weir_with(make([*self.web("a", "b", "c", delay="5ms"), bad], balance,
                                           latency_decay="100ms", **more))
                ask(weir, scaled(30))
                failing.set()
                before = self.rows(weir, "picked")
                ask(weir, scaled(200))
                self.expect_fair_part(weir, "bad", before)

    def test_who_begins_to_fail_fast_is_not_quick(self):
        self.begins_to_fail(self.http, self.requests_together, lambda call: call.answer(503))

    def test_nor_who_begins_to_hang_up_on_requests(self):
        self.begins_to_fail(self.http, self.requests_together, lambda call: call.close())

    def test_nor_who_begins_to_hang_up_on_connections(self):
        self.begins_to_fail(self.tcp, self.connections_together, lambda call: call.close())

    def test_who_hangs_up_without_a_word_is_not_quick(self):
        """Connections, of which weir understands nothing but when the other side speaks."""
        for kind in ("reset", "discard"):
            bad = self.origin("--raw", kind, name=kind)
            for balance, more in OneSlowOrigin.by_time:
                with self.subTest(balance=balance, kind=kind):
                    weir = self.weir_with(self.tcp([*self.web("a", "b", "c", delay="5ms"), bad], balance, **more))
                    address = weir.address()

                    def one(_, address=address):
                        with connect(address) as sock, contextlib.suppress(OSError):
                            sock.sendall(written_request("GET", "/", {"Connection": "close"}))
                            sock.shutdown(socket.SHUT_WR)
                            receive_all(sock)
                    self.ask_together(weir, scaled(60), one)
                    self.expect_fair_part(weir, kind)

    def test_who_refuses_is_not_quick(self):
        dead = {"name": "dead", "address": self.nobody_at()}
        weir = self.weir_with(self.http([*self.web("a", "b", "c", delay="2ms"), dead], "least_time"))
        self.requests_together(weir, scaled(60))
        picked = self.rows(weir, "picked")
        self.assertLess(picked["dead"] / sum(picked.values()), 0.1, picked)

    def test_who_becomes_quick_again_gets_its_part_again(self):
        slow = Event()
        pause = Event()  # nobody sets it

        def answers(call):
            call.body()
            pause.wait(0.1 if slow.is_set() else 0.002)
            call.answer(200, {"X-Origin": call.origin.name})
        patient = self.http_origin(answers, "patient")
        for balance, more in OneSlowOrigin.by_time:
            with self.subTest(balance):
                slow.set()
                weir = self.weir_with(self.http([*self.web("a", "b", "c", delay="2ms"), patient], balance,
                                                latency_decay="100ms", **more))
                self.requests_together(weir, scaled(30))
                before = self.rows(weir, "picked")
                self.assertLess(before["patient"] / sum(before.values()), 0.2, before)
                slow.clear()

                def part(weir=weir):
                    before = self.rows(weir, "picked")
                    self.requests_together(weir, 25)
                    gone = {name: count - before[name] for name, count in self.rows(weir, "picked").items()}
                    return gone["patient"] / sum(gone.values())
                eventually(lambda part=part: part() > 0.1, what="it gets its part again")


if __name__ == "__main__":
    main()
