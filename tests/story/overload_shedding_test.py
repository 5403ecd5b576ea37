#!/usr/bin/env python3
"""Shedding: while a worker has too much, the lowest priorities are turned away, more of them the longer it lasts; when
it is over they come back. The highest is always served."""

import os
import shutil
import time
from unittest import mock

import harness
from freezing import frozen
from harness import PATIENCE, eventually, main
from http_message import written_request
from overload import Overload, reason_of
from sockets import receive_all

SIGNALS = ("turn", "buffers", "descriptors", "memory")


class Shedding(Overload):
    def shedding(self, listener=None, **limits):
        origin, = self.web("origin")
        return self.http([origin], listener={"priority_header": "X-Priority", **(listener or {})},
                         sections={"shedding": limits})

    # Weir alone needs less than the smallest limit of memory. A large table of a limit that refuses nobody needs more.
    TABLE = {"rate_limits": [{"requests": 100000, "entries": 8 << 20}]}
    TOO_LITTLE = "48MiB"
    ENOUGH = "64GiB"

    def is_shed(self, client, priority):
        answer = client.get("/", {"X-Priority": str(priority)})
        if answer.status == 200:
            return False
        self.assertEqual((answer.status, reason_of(answer)), (503, "shed"))
        self.assertGreaterEqual(int(answer.get("retry-after")), 1)
        self.shed_in_all += 1
        return True

    def shed_now(self, client, priorities):
        """Which of these are; whatever is, all below it are too."""
        shed = {priority for priority in priorities if self.is_shed(client, priority)}
        self.assertEqual(shed, set(range(len(shed))), "the lowest go first")
        return len(shed)

    def rising(self, client):
        """How many priorities are shed, while that grows: asked from the highest, so that it cannot grow behind us."""
        return self.shed_now(client, range(9, -1, -1))

    def falling(self, client):
        return self.shed_now(client, range(10))

    def setUp(self):
        self.shed_in_all = 0

    def expect_blamed(self, weir, signal):
        """It was what pressed, and nothing else; all who were turned away are counted."""
        for each in SIGNALS:
            self.assertEqual(weir.total(f"shed_{each}"), self.shed_in_all if each == signal else 0, each)
        self.assertEqual(weir.stat()["exchange_ends"]["shed"], self.shed_in_all)

    def expect_to_rise(self, client):
        """Up to all but the highest, not all at once."""
        levels, begun = [], time.monotonic()

        def top():
            levels.append(self.rising(client))
            return levels[-1] == 9
        eventually(top, what="all but the highest are shed")
        self.assertEqual(levels, sorted(levels))
        return levels, time.monotonic() - begun

    def expect_to_fall(self, client):
        levels = []

        def bottom():
            levels.append(self.falling(client))
            return levels[-1] == 0
        eventually(bottom, what="all are served again")
        self.assertEqual(levels, sorted(levels, reverse=True))
        self.assertGreater(len(set(levels)), 2, f"one by one: {levels}")


class ByMemory(Shedding):
    def test_comes_and_goes_step_by_step(self):
        config = self.shedding(self.TABLE, memory=self.ENOUGH)
        weir = self.weir_with(config)
        client = self.client(weir)
        self.assertEqual(self.rising(client), 0)
        weir.reload({**config, "shedding": {"memory": self.TOO_LITTLE}})
        levels, lasted = self.expect_to_rise(client)
        self.assertGreaterEqual(lasted, 0.7, "a tenth of a second for each but the first")
        self.assertGreater(len(set(levels)), 4, levels)
        self.assertLess(lasted, 1 + 2 * PATIENCE)
        weir.reload({**config, "shedding": {"memory": self.ENOUGH}})
        self.expect_to_fall(client)
        self.expect_blamed(weir, "memory")

    def test_without_the_section_nobody_is_shed_from_then_on(self):
        config = self.shedding(self.TABLE, memory=self.TOO_LITTLE)
        weir = self.weir_with(config)
        client = self.client(weir)
        eventually(lambda: self.is_shed(client, 3))
        weir.reload({**config, "shedding": {}})
        self.assertEqual(self.falling(client), 0)

    def test_priorities_of_routes_and_listeners_count(self):
        origin, = self.web("origin")
        routes = [{"match": {"path_prefix": "/vital"}, "upstream": "app", "priority": 9},
                  {"match": {"path_prefix": "/report"}, "upstream": "app", "priority": 1}]
        weir = self.weir_with(self.http([origin], listener={"routes": routes, **self.TABLE},
                                        sections={"shedding": {"memory": self.TOO_LITTLE}}))
        client = self.client(weir)
        eventually(lambda: client.get("/").status == 503)
        for _ in range(10):
            self.assertEqual(reason_of(client.get("/report")), "shed")
            self.assertEqual(client.get("/vital").get("x-origin"), "origin")

    def test_tcp_is_reset(self):
        origin = self.origin("--raw", "name", name="raw")
        config = self.tcp([origin], listener={"priority": 2, **self.TABLE},
                          sections={"shedding": {"memory": self.TOO_LITTLE}})
        config["listeners"].append({**config["listeners"][0], "name": "vital", "priority": 9})
        weir = self.weir_with(config)

        def asked(listener):
            try:
                return receive_all(self.connect(weir.address(listener)))
            except ConnectionResetError:
                return "reset"
        eventually(lambda: asked("web") == "reset")
        self.assertEqual([asked("vital") for _ in range(10)], [b"raw\n"] * 10)
        self.assertEqual(weir.closed("shed"), weir.total("shed_memory"))
        self.assertGreater(weir.closed("shed"), 0)


class ByBuffers(Shedding):
    def test_heads_that_do_not_end_hold_them(self):
        config = self.shedding(buffers=50)
        config["limits"] = {"buffers_per_worker": "1MiB"}
        weir = self.weir_with(config)
        client = self.client(weir)
        self.assertEqual(self.rising(client), 0)
        slow = [self.connect(weir.address()) for _ in range(weir.info()["buffers_total"] * 3 // 4)]
        for sock in slow:
            sock.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        self.expect_to_rise(client)
        for sock in slow:
            sock.close()
        self.expect_to_fall(client)
        self.expect_blamed(weir, "buffers")


class ByDescriptors(Shedding):
    def few_descriptors(self, count):
        """Weir is started by a script that leaves it so many."""
        script = self.path("few-descriptors.sh")
        with open(script, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nulimit -n {count}\nexec "{shutil.which(harness.WEIR)}" "$@"\n')
        os.chmod(script, 0o755)
        return mock.patch("harness.WEIR", script)

    def test_open_ones_against_the_limit_of_the_process(self):
        config = self.shedding(descriptors=30)
        with self.few_descriptors(400):
            weir = self.weir_with(config)
        self.assertEqual(weir.info()["max_descriptors"], 400)
        client = self.client(weir)
        idle = [self.connect(weir.address()) for _ in range(60)]
        self.assertEqual(self.rising(client), 0, "less than a quarter")
        idle += [self.connect(weir.address()) for _ in range(60)]
        self.expect_to_rise(client)
        for sock in idle:
            sock.close()
        self.expect_to_fall(client)
        self.expect_blamed(weir, "descriptors")


class ByTurns(Shedding):
    def test_a_worker_that_is_busy_in_each_turn(self):
        """Again and again heaps of requests wait for it when it goes on, which it answers itself, all in few turns."""
        config = self.shedding({"routes": [{"match": {"path": "/own"}, "answer": {"body": "x"}, "priority": 9}]},
                               turn="1ms")
        weir = self.weir_with(config)
        client = self.client(weir)
        eventually(lambda: self.rising(client) == 0, what="nothing is shed while nothing happens")
        crowd = [self.client(weir) for _ in range(1000)]
        heap = 30
        fields = {"X-Priority": "9", **{f"X-Field-{number}": "x" * 20 for number in range(40)}}
        requests = written_request("GET", "/own", fields) * heap

        def pressed():
            with frozen(weir):
                for each in crowd:
                    each.send(requests)
            level = self.falling(client)
            for each in crowd:
                self.read(each.stream, heap)
            return level >= 3
        eventually(pressed, what="three priorities are shed")
        eventually(lambda: self.falling(client) == 0)
        self.expect_blamed(weir, "turn")

    def read(self, stream, answers):
        """All of them 200. What else is in them, other stories look at; here are many."""
        line = b"HTTP/1.1 200 OK\r\n"
        while stream.left.count(line) < answers or not stream.left.endswith(b"\r\n\r\nx"):
            self.assertTrue(stream.fill())
        stream.left.clear()


if __name__ == "__main__":
    main()
