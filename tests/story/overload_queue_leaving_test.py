#!/usr/bin/env python3
"""Who leaves the queue otherwise than by being served: clients that go away, reloads; and who comes into it by other
ways: connections in TCP, retries."""

import contextlib
import select
import time

from harness import PATIENCE, eventually, main
from overload import Overload, told
from sockets import receive_all, receive_line, reset


class Leaving(Overload):
    def test_a_client_that_resets_gives_up_its_place(self):
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.queued([origin]))
        held = self.occupy(weir, gate, 1)
        clients = self.line_up(weir, [f"/{i}" for i in range(9)])
        for leaving in clients[::2]:  # the first, the last, and some between
            leaving.reset()
        self.wait_for(weir, waiting=4)
        gate.open()
        self.assertEqual(self.answered([*held, *clients[1::2]]), {"origin": 5})
        self.assertEqual(origin.targets()[1:], ["/1", "/3", "/5", "/7"])
        self.expect_ends(weir, done=5, client_reset=5)

    def test_one_that_closes_does_too(self):
        """It might have ended its side only; it is given the time of half_close, then."""
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.queued([origin], sections={"timeouts": {"half_close": "100ms"}}))
        held = self.occupy(weir, gate, 1)
        stays, leaves = self.line_up(weir, ["/stays", "/leaves"])
        leaves.close()
        self.wait_for(weir, waiting=1)
        gate.open()
        self.assertEqual(self.answered([*held, stays]), {"origin": 2})
        self.assertEqual(origin.targets()[1:], ["/stays"])
        self.expect_ends(weir, done=2, client_left=1)

    def test_when_all_leave_the_place_is_for_the_next(self):
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.queued([origin], workers=2))
        held = self.occupy(weir, gate, 1)
        for client in self.line_up(weir, [f"/{i}" for i in range(8)]):
            client.reset()
        held[0].reset()
        gate.open()
        self.expect_nobody_waits(weir)
        for _ in range(6):
            self.assertEqual(self.get(weir, "/next").status, 200)
        self.assertEqual(origin.targets()[1:], ["/next"] * 6)

    def test_the_one_that_holds_the_place_leaves(self):
        """What it held goes to who waits, on whichever worker."""
        gate = self.gate()
        origin = self.http_origin(gate)
        weir = self.weir_with(self.queued([origin], workers=2))
        by_target = {"/0": self.occupy(weir, gate, 1)[0]}
        targets = [f"/w{i}" for i in range(12)]
        by_target.update(zip(targets, self.line_up(weir, targets)))
        for number in range(12):
            by_target.pop(origin.targets()[-1]).reset()
            self.wait_for_requests(origin, number + 2)
        self.expect_nobody_waits(weir)
        self.expect_nearly_in_order(origin.targets()[1:], targets)
        gate.open()
        (last, client), = by_target.items()
        self.assertEqual(last, origin.targets()[-1])
        self.assertEqual(client.answer().status, 200)


class Connections(Overload):
    """In mode tcp."""

    def banner(self, queue=None, **more):
        origin = self.origin("--raw", "banner")
        return self.tcp([origin.endpoint(max_connections=1)],
                        queue={"size": 100, "timeout": "60s", **(queue or {})}, **more)

    def connect_in_line(self, weir, count):
        held = []
        for _ in range(count):
            waiting = self.figures(weir)["waiting"]
            held.append(self.connect(weir.address()))
            self.wait_for(weir, waiting=waiting + 1)
        return held

    def test_they_are_served_in_order(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                weir = self.weir_with(self.banner(workers=workers))
                (current, _), = self.hold_connections(weir, 1)
                line = self.connect_in_line(weir, 8)
                for number, sock in enumerate(line):
                    sock.sendall(b"%d" % number)  # what is sent while it waits is not lost
                waiting, served = list(line), []
                while waiting:
                    current.close()
                    ready, _, _ = select.select(waiting, (), (), 10 * PATIENCE)
                    current, = ready  # one at a time
                    number = line.index(current)
                    self.assertEqual(receive_line(current), "banner origin")
                    self.assertEqual(current.recv(10), b"%d" % number)
                    waiting.remove(current)
                    served.append(number)
                current.close()
                if workers == 1:
                    self.assertEqual(served, list(range(8)))
                else:
                    self.expect_nearly_in_order(served, list(range(8)))

    def test_without_a_place_in_time_they_are_closed(self):
        weir = self.weir_with(self.banner({"timeout": "300ms"}))
        self.hold_connections(weir, 1)
        begun = time.monotonic()
        waiting = self.connect_in_line(weir, 3)
        for sock in waiting:
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(receive_all(sock), b"")
            self.assertGreaterEqual(time.monotonic() - begun, 0.29)
        self.assertLess(time.monotonic() - begun, 0.3 + 2 * PATIENCE)
        self.wait_for(weir, waiting=0, queued=3, queue_timeouts=3)
        eventually(lambda: weir.closed("queue_timeout") == 3)

    def test_when_it_is_full_they_are_closed_at_once(self):
        weir = self.weir_with(self.banner({"size": 2}))
        (current, _), = self.hold_connections(weir, 1)
        waiting = self.connect_in_line(weir, 2)
        begun = time.monotonic()
        for _ in range(3):
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(receive_all(self.connect(weir.address())), b"")
        self.assertLess(time.monotonic() - begun, 5 * PATIENCE)
        eventually(lambda: weir.closed("queue_full") == 3)
        self.wait_for(weir, waiting=2, queue_full=3)
        current.close()
        self.assertEqual(receive_line(waiting[0]), "banner origin")

    def test_one_that_leaves_gives_up_its_place(self):
        weir = self.weir_with(self.banner())
        (current, _), = self.hold_connections(weir, 1)
        first, second, third = self.connect_in_line(weir, 3)
        reset(second)
        self.wait_for(weir, waiting=2)
        reset(first)
        self.wait_for(weir, waiting=1)
        current.close()
        self.assertEqual(receive_line(third), "banner origin")

    def test_a_listener_of_a_higher_priority_goes_first(self):
        config = self.banner({"size": 2})
        config["listeners"].append({"name": "urgent", "address": "127.0.0.1:0", "upstream": "app", "priority": 8})
        weir = self.weir_with(config)
        (current, _), = self.hold_connections(weir, 1)
        plain, displaced = self.connect_in_line(weir, 2)
        urgent = self.connect(weir.address("urgent"))
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(receive_all(displaced), b"")
        self.wait_for(weir, waiting=2, queue_displaced=1)
        self.assertEqual(weir.closed("queue_displaced"), 1)
        current.close()
        self.assertEqual(receive_line(urgent), "banner origin")
        self.wait_for(weir, waiting=1)
        urgent.close()
        self.assertEqual(receive_line(plain), "banner origin")


class Retries(Overload):
    def test_they_wait_in_the_same_line(self):
        gate = self.gate()
        good = self.http_origin(gate, "good")
        bad = self.http_origin(lambda call: (call.body(), call.reset()), "bad")
        endpoints = [good.endpoint(max_connections=1), bad.endpoint(weight=1)]
        weir = self.weir_with(self.http(endpoints, "first_fit", queue={"size": 10, "timeout": "60s"},
                                        retry={"budget": 100, "budget_min": 1000, "backoff": 0}))
        first = self.asking(weir, "/first")
        self.assertTrue(gate.wait_for(1))
        clients = self.line_up(weir, [f"/{i}" for i in range(5)])  # each asks the bad one, and waits for the good one
        self.wait_for(weir, waiting=5, queued=5)
        self.assertEqual(bad.targets(), [f"/{i}" for i in range(5)])
        self.assertEqual(weir.total("retries"), 5)
        gate.open()
        self.assertEqual(self.answered([first, *clients]), {"good": 6})
        self.assertEqual(good.targets(), ["/first", *(f"/{i}" for i in range(5))])

    def test_one_that_waits_keeps_nobody_from_other_endpoints(self):
        """It waits for the only one that it has not asked; the other has room, which is no help to it, but to all."""
        gate = self.gate()
        good = self.http_origin(gate, "good")

        def fail_once(call):
            call.body()
            if call.request.target == "/x":
                return call.reset()
            return call.answer(200, {"X-Origin": "bad"}, b"")
        bad = self.http_origin(fail_once, "bad")
        for workers in (1, 2):
            with self.subTest(workers=workers):
                gate.close()
                weir = self.weir_with(self.http([good.endpoint(max_connections=1), bad], "first_fit", workers=workers,
                                                queue={"size": 10, "timeout": "60s"},
                                                retry={"budget": 100, "budget_min": 1000, "backoff": 0}))
                first = self.asking(weir, "/first")
                self.assertTrue(gate.wait_for(1))
                waiting, = self.line_up(weir, ["/x"])
                for _ in range(6):
                    client = self.client(weir, timeout=3)
                    self.assertEqual(client.get("/y").get("x-origin"), "bad", "it had room")
                    client.close()
                self.wait_for(weir, waiting=1, queued=1)
                gate.open()
                self.assertEqual(self.answered([first, waiting]), {"good": 2})

    def test_no_more_than_so_many_at_a_time(self):
        gate = self.gate()
        good = self.http_origin(gate, "good")
        bad = self.http_origin(lambda call: (call.body(), call.reset()), "bad")
        endpoints = [bad.endpoint(), good.endpoint(tier=1)]
        for workers in (1, 2):
            with self.subTest(workers=workers):
                gate.close()
                weir = self.weir_with(self.http(endpoints, max_retries=3, workers=workers,
                                                retry={"budget": 100, "budget_min": 1000, "backoff": 0}))
                retried = []
                for number in range(3):
                    retried.append(self.asking(weir, f"/{number}"))
                    self.assertTrue(gate.wait_for(number + 1))
                self.wait_for(weir, retrying=3, retries_refused=0)
                begun = time.monotonic()
                for _ in range(4):
                    self.assertEqual(told(self.get(weir, "/one-too-many")), (502, "origin_reset"))
                self.assertLess(time.monotonic() - begun, 5 * PATIENCE)
                self.wait_for(weir, retrying=3, retries_refused=4)
                retried.pop().reset()
                self.wait_for(weir, retrying=2)
                retried.append(self.asking(weir, "/instead"))
                self.wait_for(weir, retrying=3)
                gate.open()
                self.assertEqual(self.answered(retried), {"good": 3})
                self.wait_for(weir, retrying=0, retries_refused=4)


class Pending(Overload):
    def test_no_more_than_so_many_without_a_connection(self):
        """Those that wait for an answer to their connect."""
        for mode in ("http", "tcp"):
            for workers in (1, 2):
                with self.subTest(mode=mode, workers=workers):
                    make = self.http if mode == "http" else self.tcp
                    weir = self.weir_with(make([{"name": "silent", "address": self.silence_at()}], max_pending=3,
                                               tries=1, workers=workers, timeouts={"connect": "60s"}))
                    clients = [self.asking(weir) for _ in range(3)]
                    self.wait_for(weir, pending=3)
                    begun = time.monotonic()
                    for _ in range(4):
                        if mode == "http":
                            self.assertEqual(told(self.get(weir)), (503, "too_many_pending"))
                        else:
                            with contextlib.suppress(ConnectionResetError):
                                self.assertEqual(receive_all(self.connect(weir.address())), b"")
                    self.assertLess(time.monotonic() - begun, 5 * PATIENCE)
                    self.wait_for(weir, pending=3, pending_refused=4)
                    if mode == "tcp":
                        self.assertEqual(weir.closed("too_many_pending"), 4)
                    for client in clients:
                        client.reset()
                    self.wait_for(weir, pending=0, pending_refused=4)

    def test_those_in_the_queue_count(self):
        gate = self.gate()
        weir = self.weir_with(self.queued([self.http_origin(gate)], max_pending=2))
        held = self.occupy(weir, gate, 1)
        self.wait_for(weir, pending=0)
        clients = self.line_up(weir, ["/1", "/2"])
        self.assertEqual(told(self.get(weir)), (503, "too_many_pending"))
        self.wait_for(weir, pending=2, waiting=2, pending_refused=1, queue_full=0)
        gate.open()
        self.assertEqual(self.answered([*held, *clients]), {"origin": 3})

    def test_the_figure_is_zero_after_traffic(self):
        """Thousands of requests, connects that fail, retries: nothing is left over."""
        good, = self.web("good")
        weir = self.weir_with(self.http([good, {"name": "dead", "address": self.nobody_at()}], max_pending=50,
                                        workers=2))
        for _ in range(50):
            self.assertEqual(self.served(weir, 20), {"good": 20})
        self.wait_for(weir, pending=0, pending_refused=0, retrying=0)


class Reloads(Overload):
    """While somebody waits."""

    def setUp(self):
        self.first = self.gate()
        self.there = self.http_origin(self.first, "there")
        self.config = self.queued([self.there])
        self.weir = self.weir_with(self.config)
        self.held = self.occupy(self.weir, self.first, 1)
        self.waiting = self.line_up(self.weir, ["/1", "/2", "/3"])

    def changed(self, **upstream):
        return {**self.config, "upstreams": [{**self.config["upstreams"][0], **upstream}]}

    def test_that_change_nothing(self):
        self.weir.reload(self.config)
        self.wait_for(self.weir, waiting=3)
        self.first.open()
        self.assertEqual(self.answered([*self.held, *self.waiting]), {"there": 4})
        self.assertEqual(self.there.targets()[1:], ["/1", "/2", "/3"])

    def test_that_make_room(self):
        """They are served without anybody leaving."""
        self.weir.reload(self.changed(endpoints=[self.there.endpoint(max_connections=3)]))
        self.wait_for(self.weir, waiting=1)
        self.assertTrue(self.first.wait_for(3))
        self.weir.reload(self.changed(endpoints=[self.there.endpoint(max_connections=4)]))
        self.assertTrue(self.first.wait_for(4))
        self.first.open()
        self.assertEqual(self.answered([*self.held, *self.waiting]), {"there": 4})

    def test_that_bring_another_endpoint(self):
        other = self.http_origin(name="other")
        self.weir.reload(self.changed(endpoints=[self.there.endpoint(max_connections=1), other.endpoint()]))
        self.assertEqual(self.answered(self.waiting), {"other": 3})
        self.first.open()
        self.assertEqual(self.answered(self.held), {"there": 1})

    def test_that_remove_the_queue_and_the_limit(self):
        without = {key: value for key, value in self.config["upstreams"][0].items() if key != "queue"}
        self.weir.reload({**self.config, "upstreams": [{**without, "endpoints": [self.there.endpoint()]}]})
        self.assertTrue(self.first.wait_for(4), "nobody has to wait any more")
        self.first.open()
        self.assertEqual(self.answered([*self.held, *self.waiting]), {"there": 4})

    def test_that_remove_the_queue_alone(self):
        """Nobody is forgotten: each is served or turned away, and who comes now is refused at once."""
        without = {key: value for key, value in self.config["upstreams"][0].items() if key != "queue"}
        self.weir.reload({**self.config, "upstreams": [without]})
        self.assertEqual(told(self.get(self.weir)), (503, "endpoints_full"))
        self.first.open()
        self.assertEqual(self.answered(self.held), {"there": 1})
        for client in self.waiting:
            self.assertIn(client.answer().status, (200, 503))
        self.expect_nobody_waits(self.weir)

    def test_that_remove_the_upstream(self):
        other = self.http_origin(name="other")
        self.weir.reload(self.http([other]) | {"upstreams": [{"name": "other", "endpoints": [other.endpoint()]}],
                                               "listeners": [{**self.config["listeners"][0], "upstream": "other"}]})
        for client in self.waiting:
            self.assertEqual(told(client.answer()), (503, "no_upstream"))
        self.assertEqual(self.waiting[0].get("/").get("x-origin"), "other", "the connection goes on")
        self.first.open()
        self.assertEqual(self.answered(self.held), {"there": 1}, "what was under way comes to its end")
        self.expect_ends(self.weir, done=2, no_upstream=3)

    def test_drain_of_the_whole(self):
        """SIGTERM: who waits is under way, and is served."""
        self.weir.signal(15)
        eventually(lambda: self.weir.info()["draining"])
        self.first.open()
        self.assertEqual(self.answered([*self.held, *self.waiting]), {"there": 4})
        self.assertEqual(self.weir.wait(), 0)


class Steering(Overload):
    def test_who_waits_is_served_by_an_endpoint_that_comes_back(self):
        gate = self.gate()
        a, b = (self.http_origin(gate, name) for name in "ab")
        weir = self.weir_with(self.queued([a, b]))
        self.steer(weir, "set server app/b state maint")
        held = self.occupy(weir, gate, 1)
        waiting, = self.line_up(weir, ["/x"])
        self.steer(weir, "set server app/b state ready")
        self.assertTrue(gate.wait_for(2))
        self.wait_for(weir, waiting=0)
        gate.open()
        self.assertEqual(self.answered([*held, waiting]), {"a": 1, "b": 1})

    def test_all_of_them_go_while_somebody_waits(self):
        """Nobody is there to wait for: it is said, not waited for in vain."""
        gate = self.gate()
        weir = self.weir_with(self.queued([self.http_origin(gate)]))
        held = self.occupy(weir, gate, 1)
        waiting = self.line_up(weir, ["/1", "/2"])
        self.steer(weir, "set server app/origin state maint")
        for client in waiting:
            self.assertEqual(told(client.answer()), (503, "no_endpoint"))
        gate.open()
        self.assertEqual(self.answered(held), {"origin": 1})


if __name__ == "__main__":
    main()
