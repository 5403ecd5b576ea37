#!/usr/bin/env python3
"""The queue before endpoints that are full: its order, its bound, its time, and who goes first."""

import threading
import time
from collections import Counter

from harness import PATIENCE, main, scaled
from http_client import HttpClient
from overload import Overload, told
from sockets import connect
from together import together


class Order(Overload):
    def test_who_came_first_is_served_first(self):
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.queued([origin]))
        held = self.occupy(weir, gate, 1)
        targets = [f"/w{i}" for i in range(30)]
        clients = self.line_up(weir, targets)
        self.assertEqual(len(origin.requests), 1)
        gate.open()
        self.assertEqual(self.answered([*held, *clients]), {"origin": 31})
        self.assertEqual(origin.targets()[1:], targets)
        self.assertEqual(gate.most["origin"], 1)
        self.expect_ends(weir, done=31)
        self.wait_for(weir, queued=30, queue_full=0, queue_timeouts=0, queue_displaced=0)

    def test_over_two_workers(self):
        """Exact within each worker's line; between them a place may go to one that came a little later."""
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.queued([origin], workers=2))
        held = self.occupy(weir, gate, 1)
        workers, clients = {}, []
        for number in range(40):
            before = [worker["connections"] for worker in weir.info()["worker"]]
            clients += self.line_up(weir, [f"/{number}"])
            after = [worker["connections"] for worker in weir.info()["worker"]]
            workers[number] = 0 if after[0] > before[0] else 1
        self.assertEqual(set(workers.values()), {0, 1}, "both workers have somebody waiting")
        gate.open()
        self.assertEqual(self.answered([*held, *clients]), {"origin": 41})
        served = [int(target[1:]) for target in origin.targets()[1:]]
        for worker in (0, 1):
            mine = [number for number in served if workers[number] == worker]
            self.assertEqual(mine, sorted(mine), f"the line of worker {worker}")
        self.expect_nearly_in_order(served, list(range(40)))
        self.assertEqual(gate.most["origin"], 1)

    def test_under_load_all_are_served_and_limits_hold(self):
        """Clients that come again and again, from all sides: nobody is lost in the line, nobody is let in too many."""
        gate = self.gate()
        gate.open()
        origins = [self.http_origin(gate, name) for name in "ab"]
        weir = self.weir_with(self.queued(origins, 2, workers=2))
        address = weir.address()
        statuses = Counter()
        lock = threading.Lock()

        def work(_):
            client = HttpClient(connect(address))
            mine = Counter(client.get("/").status for _ in range(scaled(60)))
            client.close()
            with lock:
                statuses.update(mine)
        together(24, work)
        self.assertEqual(statuses, {200: 24 * scaled(60)})
        self.assertLessEqual(max(gate.most.values()), 2)
        self.assertGreater(self.figures(weir)["queued"], 0)

    def test_nobody_passes_who_waits(self):
        """A place comes free again and again, and newcomers ask all the while: those who wait have it."""
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.queued([origin], workers=2))
        held = self.occupy(weir, gate, 1)
        early = self.line_up(weir, [f"/early{i}" for i in range(10)])
        late = []
        gate.open()
        for i in range(40):
            late.append(self.asking(weir, f"/late{i}"))
        self.assertEqual(self.answered([*held, *early, *late]), {"origin": 51})
        targets = origin.targets()
        last_early = max(targets.index(f"/early{i}") for i in range(10))
        passed = [target for target in targets[:last_early] if target.startswith("/late")]
        self.assertLessEqual(len(passed), 1, targets[:last_early + 1])


class Bound(Overload):
    def test_who_finds_it_full_is_refused_at_once(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                gate = self.gate()
                weir = self.weir_with(self.queued([self.http_origin(gate)], queue={"size": 5, "retry_after": "7s"},
                                                  workers=workers))
                held = self.occupy(weir, gate, 1)
                clients = self.line_up(weir, [f"/{i}" for i in range(5)])
                begun = time.monotonic()
                for _ in range(8):  # over connections of their own, so that both workers have to know
                    answer = self.get(weir)
                    self.assertEqual(told(answer), (503, "queue_full"))
                    self.assertEqual(answer.get("retry-after"), "7")
                self.assertLess(time.monotonic() - begun, 5 * PATIENCE, "they did not wait: the queue's time is 60 s")
                self.wait_for(weir, waiting=5, queue_full=8, queued=5)
                gate.open()
                self.assertEqual(self.answered([*held, *clients]), {"origin": 6})
                self.expect_ends(weir, done=6, queue_full=8)

    def test_a_place_in_the_line_that_came_free_is_taken(self):
        gate = self.gate()
        weir = self.weir_with(self.queued([self.http_origin(gate)], queue={"size": 1}))
        held = self.occupy(weir, gate, 1)
        for _ in range(3):
            waiting, = self.line_up(weir, ["/x"])
            self.assertEqual(told(self.get(weir)), (503, "queue_full"))
            waiting.reset()
            self.wait_for(weir, waiting=0)
        gate.open()
        self.answered(held)

    def test_each_upstream_has_its_own(self):
        gate = self.gate()
        a, b = (self.http_origin(gate, name) for name in "ab")
        config = self.queued([a], queue={"size": 1})
        other = {**config["upstreams"][0], "name": "other", "endpoints": [b.endpoint(max_connections=1)]}
        config["upstreams"].append(other)
        config["listeners"][0]["routes"] = [{"match": {"path_prefix": "/other"}, "upstream": "other"}]
        weir = self.weir_with(config)
        first = [self.asking(weir, "/"), self.asking(weir, "/other")]
        self.assertTrue(gate.wait_for(2))
        waiting = self.line_up(weir, ["/"]) + self.line_up(weir, ["/other"], upstream="other")
        self.assertEqual(told(self.get(weir, "/")), (503, "queue_full"))
        self.assertEqual(told(self.get(weir, "/other")), (503, "queue_full"))
        gate.open()
        self.assertEqual(self.answered([*first, *waiting]), {"a": 2, "b": 2})


class Time(Overload):
    def test_after_it_the_wait_is_over(self):
        gate = self.gate()
        weir = self.weir_with(self.queued([self.http_origin(gate)], queue={"timeout": "400ms", "retry_after": "3s"}))
        held = self.occupy(weir, gate, 1)
        begun = time.monotonic()
        clients = [self.asking(weir, f"/{i}") for i in range(5)]
        for client in clients:
            answer = client.answer()
            self.assertEqual((*told(answer), answer.get("retry-after")), (503, "queue_timeout", "3"))
            self.assertGreaterEqual(time.monotonic() - begun, 0.39)
        self.assertLess(time.monotonic() - begun, 0.4 + 2 * PATIENCE)
        self.wait_for(weir, waiting=0, queued=5, queue_timeouts=5, queue_full=0)
        gate.open()
        self.assertEqual(self.answered(held), {"origin": 1})
        self.assertEqual(clients[0].get("/again").status, 200, "its connection has outlived it")
        self.expect_ends(weir, done=2, queue_timeout=5)

    def test_retry_after_is_a_second_unless_told(self):
        gate = self.gate()
        weir = self.weir_with(self.queued([self.http_origin(gate)], queue={"timeout": "1ms"}))
        held = self.occupy(weir, gate, 1)
        self.assertEqual(self.get(weir).get("retry-after"), "1")
        gate.open()
        self.answered(held)

    def test_it_counts_from_each_ones_own_coming(self):
        """One who came just before the first gave up has still its own time."""
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.queued([origin], queue={"timeout": f"{600 * PATIENCE}ms"}))
        held = self.occupy(weir, gate, 1)
        first, = self.line_up(weir, ["/first"])
        begun = time.monotonic()
        threading.Event().wait(0.3 * PATIENCE)
        second, = self.line_up(weir, ["/second"])
        self.assertEqual(told(first.answer()), (503, "queue_timeout"))
        self.assertLess(time.monotonic() - begun, 2 * PATIENCE)
        gate.open()
        self.assertEqual(second.answer().status, 200)
        self.answered(held)
        self.assertEqual(origin.targets()[1:], ["/second"])


class Priorities(Overload):
    def by_header(self, origins, queue=None, **more):
        return self.queued(origins, queue=queue, listener={"priority_header": "X-Priority"}, **more)

    def line_up_by(self, weir, *priorities):
        clients = []
        for number, priority in enumerate(priorities):
            fields = {} if priority is None else {"X-Priority": str(priority)}
            clients += self.line_up(weir, [f"/{number}-{priority}"], fields)
        return clients

    def test_by_a_header_the_higher_goes_first(self):
        """And within one priority who came first. Who says nothing, or nonsense, has the listener's: 5."""
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.by_header([origin]))
        held = self.occupy(weir, gate, 1)
        clients = self.line_up_by(weir, 0, 5, None, 9, 4, 9, 6, "nonsense", 5, 0, 10)
        gate.open()
        self.assertEqual(self.answered([*held, *clients]), {"origin": 12})
        self.assertEqual(origin.targets()[1:], ["/3-9", "/5-9", "/6-6", "/1-5", "/2-None", "/7-nonsense", "/8-5",
                                                "/10-10", "/4-4", "/0-0", "/9-0"])

    def test_by_a_route(self):
        gate = self.gate()
        origin = self.http_origin(gate)
        routes = [{"match": {"path_prefix": "/pay"}, "upstream": "app", "priority": 8},
                  {"match": {"path_prefix": "/report"}, "upstream": "app", "priority": 1}]
        weir = self.weir_with(self.queued([origin], listener={"routes": routes, "priority": 3}))
        held = self.occupy(weir, gate, 1)
        clients = self.line_up(weir, ["/report/1", "/1", "/pay/1", "/report/2", "/2", "/pay/2"])
        gate.open()
        self.answered([*held, *clients])
        self.assertEqual(origin.targets()[1:], ["/pay/1", "/pay/2", "/1", "/2", "/report/1", "/report/2"])

    def test_the_header_counts_more_than_the_route(self):
        gate = self.gate()
        origin = self.http_origin(gate)
        routes = [{"match": {"path_prefix": "/report"}, "upstream": "app", "priority": 1}]
        weir = self.weir_with(self.queued([origin], listener={"routes": routes, "priority_header": "X-Priority"}))
        held = self.occupy(weir, gate, 1)
        clients = self.line_up(weir, ["/1"]) + self.line_up(weir, ["/report"], {"X-Priority": "7"})
        gate.open()
        self.answered([*held, *clients])
        self.assertEqual(origin.targets()[1:], ["/report", "/1"])

    def test_when_full_the_last_of_the_lowest_makes_room(self):
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.by_header([origin], {"size": 4, "retry_after": "2s"}))
        held = self.occupy(weir, gate, 1)
        two_a, five, two_b, four = self.line_up_by(weir, 2, 5, 2, 4)
        high = self.asking(weir, "/high", {"X-Priority": "3"})
        answer = two_b.answer()
        self.assertEqual((*told(answer), answer.get("retry-after")), (503, "queue_displaced", "2"))
        self.wait_for(weir, waiting=4, queue_displaced=1)
        higher = self.asking(weir, "/higher", {"X-Priority": "9"})
        self.assertEqual(told(two_a.answer()), (503, "queue_displaced"))
        for priority in "0123":
            self.assertEqual(told(self.get(weir, "/", {"X-Priority": priority})), (503, "queue_full"))
        self.wait_for(weir, waiting=4, queue_displaced=2, queue_full=4)
        gate.open()
        self.assertEqual(self.answered([*held, five, four, high, higher]), {"origin": 5})
        self.assertEqual(origin.targets()[1:], ["/higher", "/1-5", "/3-4", "/high"])
        self.expect_ends(weir, done=5, queue_displaced=2, queue_full=4)


class Figures(Overload):
    def test_show_queue(self):
        gate = self.gate()
        config = self.queued([self.http_origin(gate)], queue={"size": 3, "timeout": "60s"}, max_pending=77,
                             max_retries=66)
        weir = self.weir_with(config)
        held = self.occupy(weir, gate, 1)
        clients = self.line_up(weir, ["/1", "/2", "/3"])
        self.get(weir)
        for question in ("show queue", "show queue app"):
            first, *counters = weir.ask(question).strip().splitlines()
            self.assertEqual(first, "app: waiting 3 of 3, pending 3 of 77, retrying 0 of 66")
            counters = dict(line.strip().split(": ") for line in counters)
            self.assertEqual((counters["queued"], counters["queue_full"]), ("3", "1"))
            self.assertEqual(set(counters), set(self.figures(weir)) - {"waiting", "pending", "retrying"})
        self.assertEqual(weir.ask("show queue nobody").strip(), "No such backend.")
        header, *rows = weir.ask("show stat").splitlines()
        names = header.removeprefix("# ").split(",")
        rows = [dict(zip(names, row.split(","))) for row in rows if row]
        backend = next(row for row in rows if row["pxname"] == "app" and row["svname"] == "BACKEND")
        self.assertEqual(backend["qcur"], "3")
        gate.open()
        self.answered([*held, *clients])

    def test_nothing_waits_where_there_is_room(self):
        gate = self.gate()
        gate.open()
        weir = self.weir_with(self.queued([self.http_origin(gate)], 4))
        for _ in range(20):
            self.assertEqual(self.get(weir).status, 200)
        self.wait_for(weir, queued=0, waiting=0, pending=0)


if __name__ == "__main__":
    main()
