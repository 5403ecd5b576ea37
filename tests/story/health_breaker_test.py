#!/usr/bin/env python3
"""Circuit breakers: closed, open, half-open with a few trials; one endpoint among others."""

from failing import CLOSED, HALF_OPEN, OPENED, BreakerStory, ms, resets, says, well
from harness import eventually, main


class InARow(BreakerStory):
    def test_the_whole_circle(self):
        """Opens, lets trials through that are bad, then such that are good; its log says so in that order."""
        moody, origins = self.moody("a", "b")
        moody.feels("a", says(500))
        weir = self.broken(origins, failures=5, trials=3)
        with self.flood(weir, 4) as flood:
            self.expect_state(weir, "a", "broken", by="breaker")
            eventually(lambda: len(self.told(weir, OPENED)) >= 3, what="trials have failed twice")
            moody.feels("a", well)
            self.expect_breaker(weir, "a", "closed")
            good = moody.count("a")
            eventually(lambda: moody.count("a") > good + 50, what="it is used again")
        told = [text for _, text, _ in self.told(weir, OPENED, HALF_OPEN, CLOSED)]
        self.assertEqual(told, [OPENED, HALF_OPEN] * (len(told) // 2) + [CLOSED])
        self.assertTrue(all("endpoint=app/a" in line for _, _, line in self.told(weir, OPENED, HALF_OPEN, CLOSED)))
        self.assertRegex(self.told(weir, OPENED)[0][2], "5 failures in a row")
        # Five in a row, and what was on its way with the fifth; then each time a trial that failed and those beside it.
        opened = told.count(OPENED)
        self.assertIn(flood.statuses[500], range(5 + opened - 1, 5 + 4 + 3 * (opened - 1) + 1))
        self.assertEqual(set(flood.statuses), {200, 500})

    def test_it_stays_open_for_its_recovery(self):
        moody, origins = self.moody("a", "b")
        moody.feels("a", says(500))
        weir = self.broken(origins, recovery=ms(600))
        with self.flood(weir, 2):
            eventually(lambda: len(self.told(weir, OPENED)) >= 3)
        told = self.told(weir, OPENED, HALF_OPEN)
        for (opened, _, _), (half_open, _, _) in zip(told[::2], told[1::2]):
            self.assertGreaterEqual(half_open - opened, 0.5)

    def test_exactly_so_many_trials(self):
        """Many would like to try; three may, and the others go where they did before."""
        moody, (a, b) = self.moody("a", "b")
        gate = self.gate()
        moody.feels("a", says(500))
        weir = self.broken([a, b], trials=3, recovery=ms(1500))
        with self.flood(weir, 12) as flood:
            self.expect_state(weir, "a", "broken")
            eventually(lambda: weir.endpoint("a")["connections"] == 0)
            failed = flood.statuses[500]
            before = moody.count("a")
            moody.feels("a", gate)
            self.expect_breaker(weir, "a", "half-open")
            self.assertTrue(gate.wait_for(3))
            served = moody.count("b")
            eventually(lambda: moody.count("b") > served + 300)
            self.assertEqual(moody.count("a") - before, 3, "no more than that")
            self.assertEqual(self.resilience(weir, "a")["breaker"]["state"], "half-open")
            gate.open()
            self.expect_breaker(weir, "a", "closed")
            eventually(lambda: moody.count("a") > before + 50)
        self.assertEqual((set(flood.statuses), flood.statuses[500]), ({200, 500}, failed), "no client was hurt since")
        self.expect_told(weir, OPENED, HALF_OPEN, CLOSED)

    def test_one_bad_trial_is_enough(self):
        moody, origins = self.moody("a", "b")
        moody.feels("a", says(500))
        weir = self.broken(origins, trials=3)
        client = self.client(weir)
        eventually(lambda: client.get() and self.told(weir, OPENED))
        before = moody.count("a")
        eventually(lambda: client.get() and len(self.told(weir, OPENED)) == 2)
        self.assertEqual(moody.count("a"), before + 1)

    def test_trials_that_do_not_come_back(self):
        """Then as many are let through anew."""
        moody, origins = self.moody("a", "b")
        gate = self.gate()
        moody.feels("a", says(500))
        weir = self.broken(origins, trials=2)
        with self.flood(weir, 8):
            self.expect_state(weir, "a", "broken")
            moody.feels("a", gate)
            self.assertTrue(gate.wait_for(2))
            self.assertTrue(gate.wait_for(4), "two more")
            gate.open()
            self.expect_breaker(weir, "a", "closed")
        self.expect_told(weir, OPENED, HALF_OPEN, CLOSED)

    def test_a_reload_forgets_nothing(self):
        moody, origins = self.moody("a", "b")
        moody.feels("a", says(500))
        weir = self.broken(origins, recovery="60s")
        with self.flood(weir, 2):
            self.expect_state(weir, "a", "broken")
        asked = moody.count("a")
        weir.reload(self.http(origins, workers=2, breaker={"recovery": "60s", "failures": 7}))
        self.assertEqual(self.state(weir, "a"), "broken")
        self.assertEqual(self.served(weir, 10), {"b": 10})
        self.assertEqual(moody.count("a"), asked)
        weir.reload(self.http(origins, workers=2))
        moody.feels("a", well)
        self.expect_row(weir, "a", state="ready", in_play=True)
        self.assertEqual(self.served(weir, 10), {"a": 5, "b": 5}, "without a breaker nobody is broken")


class Others(BreakerStory):
    def test_they_take_over_and_no_client_notices(self):
        moody, origins = self.moody("a", "b", "c")
        weir = self.broken(origins, recovery=ms(300), retry={"backoff": 0, "budget": 100, "budget_min": 1000})
        with self.flood(weir, 8) as flood:
            eventually(lambda: flood.answered > 50)
            moody.feels("a", resets)
            self.expect_state(weir, "a", "broken")
            eventually(lambda: len(self.told(weir, OPENED)) >= 2)
            moody.feels("a", well)
            self.expect_breaker(weir, "a", "closed")
        self.assertEqual((set(flood.statuses), flood.broken), ({200}, 0))


if __name__ == "__main__":
    main()
