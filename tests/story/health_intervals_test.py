#!/usr/bin/env python3
"""When probes are made: more of them in doubt, fewer where traffic proves that all is well."""

import threading

from failing import Failing, ms, says, well
from harness import PATIENCE, eventually, main


def pause(seconds):
    threading.Event().wait(seconds * PATIENCE)


def gaps(times):
    return [after - before for before, after in zip(times, times[1:])]


class Doubt(Failing):
    def test_it_does_not_last(self):
        """The interval is so long that the verdict would not be there in time, were it not for the doubt."""
        interval = 0.6 * PATIENCE
        moody, (origin,) = self.moody("a")
        weir = self.weir_with(self.http([origin], health={
            "probe": "http", "interval": ms(600), "interval_in_doubt": ms(60), "timeout": ms(600), "fall": 4,
            "rise": 3, "http": {"path": "/health"}}))
        self.wait_for_rounds(weir, "a", 2)
        self.assertGreaterEqual(min(gaps(moody.times())), 0.85 * interval, "as long as all is well")
        asked = moody.count()
        moody.feels("a", says(500))
        self.expect_state(weir, "a", "down")
        failed = moody.times()[asked:]
        self.assertEqual(len(failed), 4)
        self.assertLess(sum(gaps(failed)), interval, "3 intervals in doubt; three intervals last 1.8 s")
        moody.feels("a", well)
        self.expect_state(weir, "a", "ready")
        passed = moody.times()[asked + 4:]
        self.assertEqual(len(passed), 3)
        self.assertGreaterEqual(passed[0] - failed[-1], 0.85 * interval, "no doubt that it was down")
        self.assertLess(sum(gaps(passed)), 0.8 * interval)
        self.wait_for_rounds(weir, "a", 1)
        self.assertGreaterEqual(gaps(moody.times())[-1], 0.85 * interval, "nor that it is up")

    def test_a_single_failure(self):
        """It takes nobody out, and is asked about soon."""
        failures = []

        def fails_once(call):
            failures.append(call)
            (well if len(failures) > 1 else says(500))(call)
        moody, (origin,) = self.moody("a", mood=fails_once)
        weir = self.weir_with(self.http([origin], health={"probe": "http", "interval": ms(500), "timeout": ms(500),
                                                          "interval_in_doubt": ms(50)}))
        eventually(lambda: moody.count() >= 3)
        eventually(lambda: self.probes(weir, "a")["rounds"] >= 3)
        first, second = gaps(moody.times()[:3])
        self.assertLess(first, 0.4 * PATIENCE)
        self.assertGreater(second, 0.4 * PATIENCE)
        self.assertEqual([self.probes(weir, "a")[key] for key in ("rounds_failed", "times_down")], [1, 0])


class Proven(Failing):
    health = {"probe": "http", "interval": ms(100), "interval_proven": ms(1500), "timeout": ms(100), "fall": 3,
              "http": {"path": "/health"}}

    def test_live_traffic_takes_the_place_of_probes(self):
        moody, (busy, idle) = self.moody("busy", "idle")
        config = self.http([busy, idle.endpoint(weight=0)], health=self.health)
        weir = self.weir_with(config)
        with self.flood(weir, 1):
            eventually(lambda: moody.count("busy", "/") > 20)
            before = {name: moody.count(name, "/health") for name in ("busy", "idle")}
            eventually(lambda: moody.count("idle", "/health") >= before["idle"] + 20)
            during = moody.count("busy", "/health") - before["busy"]
        self.assertLessEqual(during, 4, "probes, while one without traffic was asked 20 times")
        asked = moody.count("busy", "/health")
        eventually(lambda: moody.count("busy", "/health") >= asked + 5, within=4, what="its traffic has ended")

    def test_traffic_that_goes_badly_proves_nothing(self):
        """It is asked soon, although the next probe would have been due much later."""
        moody, (origin,) = self.moody("a")
        health = {**self.health, "interval_proven": "30s", "interval": ms(500), "timeout": ms(100)}
        weir = self.weir_with(self.http([origin], health=health))
        with self.flood(weir, 1):
            eventually(lambda: moody.count("a", "/") > 20)
            self.wait_for_rounds(weir, "a", 1)
            asked = moody.count("a", "/health")
            pause(1)
            self.assertLessEqual(moody.count("a", "/health") - asked, 1)
            moody.feels("a", says(500))
            self.expect_state(weir, "a", "down", within=5)


if __name__ == "__main__":
    main()
