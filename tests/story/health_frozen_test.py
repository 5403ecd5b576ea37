#!/usr/bin/env python3
"""An origin that stands still: its kernel still takes connections, and nobody answers. It is out in a known time."""

import time

from failing import Failing, ms
from freezing import frozen
from harness import PATIENCE, eventually, main

FALL = 3
LATE = 0.2  # seconds by which somebody who looks from outside may be later than weir


class Frozen(Failing):
    def three(self, health, listener=None, **upstream):
        origins = [self.origin(name=name) for name in "abc"]
        health = {"probe": "http", "fall": FALL, "http": {"path": "/health"}, **health}
        return origins, self.weir_with(self.http(origins, health=health, listener=listener, workers=2, **upstream))

    def out_after(self, weir, name, begun):
        """Seconds from then until it is down."""
        self.expect_state(weir, name, "down", by="probe")
        return time.monotonic() - begun

    def bound(self, interval, timeout):
        """timeout + interval x threshold; intervals are up to a tenth longer, by chance."""
        return (timeout + 1.1 * interval * FALL + LATE) * PATIENCE

    def test_without_traffic(self):
        """With `interval_in_doubt` as long as `interval`, it cannot be much sooner either."""
        origins, weir = self.three({"interval": ms(300), "interval_in_doubt": ms(300), "timeout": ms(200)})
        self.wait_for_rounds(weir, "b", 1)
        begun = time.monotonic()
        with frozen(origins[1]):
            took = self.out_after(weir, "b", begun)
            self.assertLessEqual(took, self.bound(0.3, 0.2))
            self.assertGreaterEqual(took, 0.9 * 0.3 * PATIENCE * (FALL - 1), "three probes, and two intervals between")
            self.assertRegex(self.line_of(weir, "b"), "down +probe .*no answer in time")
        self.expect_state(weir, "b", "ready")
        self.assertEqual(self.served(weir, 6), {"a": 2, "b": 2, "c": 2})

    def test_under_traffic_that_tries_again(self):
        """Its traffic had proven it well, so that probes were rare; yet it is out as soon, and no client notices."""
        origins, weir = self.three(
            {"interval": ms(500), "timeout": ms(200)}, balance="round_robin", timeouts={"first_byte": ms(200)},
            retry={"on": ["connect", "reset", "timeout"], "backoff": 0, "budget": 100, "budget_min": 1000})
        with self.flood(weir) as flood:
            eventually(lambda: flood.answered > 1000)
            begun = time.monotonic()
            with frozen(origins[1]):
                self.assertLessEqual(self.out_after(weir, "b", begun), self.bound(0.5, 0.2))
                picked = weir.endpoint("b")["picked"]
                before = flood.answered
                eventually(lambda: flood.answered > before + 1000)
                self.assertEqual(weir.endpoint("b")["picked"], picked, "nobody asks it any more")
            self.expect_state(weir, "b", "ready")
            eventually(lambda: weir.endpoint("b")["picked"] > picked + 100, what="it is used again")
        self.assertEqual((set(flood.statuses), flood.broken), ({200}, 0))
        b = weir.endpoint("b")
        self.assertGreater(b["first_byte_timeouts"], 0)
        self.assertEqual(weir.total("retries"), b["first_byte_timeouts"], "each that waited in vain was tried again")

    def test_under_traffic_that_waits(self):
        """Requests that hang are no failures yet; that none goes well any more is noticed as soon."""
        origins, weir = self.three({"interval": ms(500), "timeout": ms(200)}, timeouts={"first_byte": "60s"})
        with self.flood(weir) as flood:
            eventually(lambda: flood.answered > 1000)
            begun = time.monotonic()
            with frozen(origins[1]):
                self.assertLessEqual(self.out_after(weir, "b", begun), self.bound(0.5, 0.2))
                self.assertGreater(weir.endpoint("b")["connections"], 0, "what it has, it may finish")
        self.assertEqual((set(flood.statuses), flood.broken), ({200}, 0), "and it did, when it went on")
        self.assertEqual(weir.total("retries"), 0)

    def test_all_of_them(self):
        """There is nobody else; clients are told at once, and all is well again when they go on."""
        origins, weir = self.three({"interval": ms(300), "interval_in_doubt": ms(100), "timeout": ms(200)})
        with frozen(origins[0]), frozen(origins[1]), frozen(origins[2]):
            for name in "abc":
                self.expect_state(weir, name, "down", by="probe")
            begun = time.monotonic()
            self.assertEqual(self.get(weir).status, 503)
            self.assertLess(time.monotonic() - begun, 1 * PATIENCE)
        for name in "abc":
            self.expect_state(weir, name, "ready")
        self.assertEqual(self.served(weir, 6), {"a": 2, "b": 2, "c": 2})


if __name__ == "__main__":
    main()
