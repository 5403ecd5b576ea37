#!/usr/bin/env python3
"""Hedging under load: one origin of four is slow now and then. The tail gets short, what it costs is bounded, and no
answer is mixed up with another one."""

import hashlib
import select
import threading
import time
from collections import Counter

from harness import PATIENCE, eventually, main, scaled
from http_client import HttpClient
from overload import Overload
from sockets import connect
from together import together

SLOW = 0.5  # seconds, one request in twenty of the first origin


def body_of(name):
    """Between 0 and 3 KB that nothing else has."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return (digest * 50)[:int(digest[:3], 16) * 3 // 4].encode()


class SometimesSlow:
    """A handler for several origins. Every answer is made from the name of its request."""

    def __init__(self):
        self.armed = False
        self.slow = 0
        self.given_up = 0  # connections that weir closed while it was slow
        self.seen = Counter()  # by name of the request
        self._count = 0
        self._lock = threading.Lock()

    def __call__(self, call):
        name = call.request.target
        sent = call.body()
        with self._lock:
            self.seen[name] += 1
            mine = self.armed and call.origin.name == "o0"
            self._count += mine
            slow = mine and self._count % 20 == 0
            self.slow += slow
        if slow:
            ready, _, _ = select.select([call.sock], (), (), SLOW)
            if ready:  # nothing else than its end can come: the request is complete
                call.over = True
                with self._lock:
                    self.given_up += 1
                return None
        return call.answer(200, {"X-Name": name, "X-Origin": call.origin.name}, body_of(name) + sent)


class Tail(Overload):
    def four(self, hedge=None, workers=2):
        self.handler = SometimesSlow()
        origins = [self.http_origin(self.handler, f"o{number}") for number in range(4)]
        more = {"hedge": hedge} if hedge else {}
        return self.weir_with(self.http(origins, workers=workers, **more))

    def ask_many(self, weir, count, method="GET", threads=6):
        """Every answer is looked at, byte by byte. How long they took."""
        self.handler.armed = True
        address = weir.address()
        lasted, lock = [], threading.Lock()

        def work(number):
            client = HttpClient(connect(address, timeout=20 * PATIENCE))
            mine = []
            for i in range(count // threads):
                name = f"/{method}/{number}/{i}"
                sent = body_of("sent" + name) if method != "GET" else b""
                begun = time.monotonic()
                answer = client.ask(method, name, body=sent if method != "GET" else None)
                mine.append(time.monotonic() - begun)
                self.assertEqual((answer.status, answer.get("x-name")), (200, name))
                self.assertTrue(answer.body == body_of(name) + sent, f"{name} got another one's body")
            client.close()
            with lock:
                lasted.extend(mine)
        together(threads, work)
        return sorted(lasted)

    def test_without_it_the_tail_is_long(self):
        weir = self.four()
        lasted = self.ask_many(weir, scaled(1200))
        self.assertGreater(lasted[len(lasted) * 99 // 100], 0.9 * SLOW)
        self.assertEqual(self.handler.given_up, 0)

    def test_with_it_the_tail_is_short(self):
        weir = self.four({"percentile": 95, "min_wait": "10ms", "budget": 5})
        self.warm_up(weir)
        lasted = self.ask_many(weir, scaled(4000))
        self.assertLess(lasted[len(lasted) * 99 // 100], 0.5 * SLOW)
        figures = self.figures(weir)
        self.assertGreater(figures["hedges_won"], 0)
        self.assertLessEqual(figures["hedges_won"], figures["hedged"])
        requests = weir.listener()["requests"]
        self.assertLessEqual(figures["hedged"], 0.05 * requests + 2 * 10, "the budget, and what each worker has saved")
        # Who was overtaken is told so: its connection is closed, and it is not kept busy.
        self.assertGreater(self.handler.slow, 0)
        self.assertGreater(self.handler.given_up, 0)
        self.assertGreaterEqual(self.handler.given_up, 0.5 * self.handler.slow)
        self.assertLessEqual(max(self.handler.seen.values()), 2, "nobody is asked a third time")
        extra = sum(self.handler.seen.values()) - len(self.handler.seen)
        self.assertLessEqual(extra, figures["hedged"])
        self.expect_ends(weir, done=requests)

    def test_the_budget_is_held_where_much_is_slow(self):
        """Half of all requests are slower than the median; one in a hundred may be sent twice."""
        weir = self.four({"percentile": 50, "min_wait": "1ms", "budget": 1}, workers=1)
        self.warm_up(weir)
        self.ask_many(weir, scaled(1500))
        figures = self.figures(weir)
        requests = weir.listener()["requests"]
        self.assertLessEqual(figures["hedged"], 0.01 * requests + 10)
        self.assertGreater(figures["hedged"], 0)
        self.assertGreater(figures["hedges_over_budget"], 0)

    def test_what_must_not_be_repeated_never_is(self):
        weir = self.four({"percentile": 50, "min_wait": "1ms", "budget": 100})
        self.warm_up(weir)
        hedged = self.figures(weir)["hedged"]
        self.ask_many(weir, scaled(900), "POST")
        self.assertEqual(self.figures(weir)["hedged"], hedged)
        self.assertEqual({count for name, count in self.handler.seen.items() if name.startswith("/POST")}, {1})

    def test_bodies_go_twice_and_whole(self):
        weir = self.four({"percentile": 50, "min_wait": "1ms", "budget": 100})
        self.warm_up(weir)
        self.ask_many(weir, scaled(900), "PUT")
        self.assertGreater(self.figures(weir)["hedged"], 0)

    def warm_up(self, weir):
        """Until each worker knows what is slow: it has a hundred answers, and has looked at them."""
        begun = time.monotonic()

        def knows():
            for _ in range(20):
                self.assertEqual(self.get(weir, "/warm").status, 200)
            enough = min(worker["exchanges"] for worker in weir.info()["worker"]) >= 150
            return enough and time.monotonic() > begun + 0.4
        eventually(knows, what="each worker has seen enough")
        self.handler.seen.clear()


if __name__ == "__main__":
    main()
