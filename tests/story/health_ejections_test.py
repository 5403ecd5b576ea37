#!/usr/bin/env python3
"""Outliers: who is slow among its peers, how many may be ejected at a time, and who comes and goes."""

from failing import BACK, EJECTED, SPARED, OutlierStory, by_turns, ms, resets, says, slow
from harness import PATIENCE, eventually, main


class Latency(OutlierStory):
    def test_much_slower_than_its_peers(self):
        moody, origins = self.moody("a", "b", "c", "d", mood=slow(0.005))
        moody.feels("c", slow(0.1 * PATIENCE))
        weir = self.app(origins, failures=0, error_rate=0, latency=3, window=ms(2000), ejection="60s")
        with self.flood(weir, 12):
            self.expect_state(weir, "c", "ejected", by="outliers")
        self.assertEqual(self.ejected(weir), ["c"])
        self.assertRegex(weir.log(), f"{EJECTED} endpoint=app/c reason=.*(median|peers|others)")

    def test_two_others_are_too_few_to_compare(self):
        moody, origins = self.moody("a", "b", "c", mood=slow(0.002))
        moody.feels("c", slow(0.05))
        weir = self.app(origins, failures=0, error_rate=0, latency=3)
        with self.flood(weir, 12):
            eventually(lambda: moody.count("c") > 40)
        self.assertEqual(self.ejected(weir), [])
        self.assertEqual(self.told(weir, EJECTED), [])


class TooMany(OutlierStory):
    def test_all_are_bad(self):
        """Half of them are out at most, at any time; and it is said that more would be."""
        moody, origins = self.moody("a", "b", "c", "d", mood=says(500))
        weir = self.app(origins, failures=5, max_ejected=50, ejection=ms(300))
        most = 0
        with self.flood(weir, 8):
            while len(self.told(weir, BACK)) < 4:
                most = max(most, len(self.ejected(weir)))
                self.assertLessEqual(most, 2)
        self.assertEqual(most, 2)
        self.assertGreater(len(self.told(weir, SPARED)), 0)
        self.assertGreater(min(moody.count(name) for name in "abcd"), 0)

    def test_one_of_two_always_may_be(self):
        moody, origins = self.moody("a", "b", mood=says(500))
        weir = self.app(origins, failures=5, max_ejected=1, ejection="60s")
        with self.flood(weir, 4):
            eventually(lambda: len(self.ejected(weir)) == 1)
            eventually(lambda: self.told(weir, SPARED))
        self.assertEqual(len(self.ejected(weir)), 1)

    def test_the_last_one_is_not(self):
        _, origins = self.moody("a", mood=says(500))
        weir = self.app(origins, failures=5)
        with self.flood(weir, 4):
            eventually(lambda: self.told(weir, SPARED))
        self.assertEqual(self.ejected(weir), [])

    def test_back_before_its_time_if_the_others_fail(self):
        moody, origins = self.moody("a", "b")
        moody.feels("a", says(500))
        weir = self.app(origins, failures=5, ejection="60s")
        with self.flood(weir, 4):
            self.expect_state(weir, "a", "ejected")
        self.steer(weir, "set server app/b health down")
        self.expect_state(weir, "a", "ready")
        self.assertEqual(self.get(weir).status, 500, "it is the only one there is")
        self.expect_told(weir, EJECTED, BACK)


class Flapping(OutlierStory):
    def test_it_is_damped(self):
        """It changes every 300 ms; weir's mind about it does not. And clients hear nothing of it."""
        moody, origins = self.moody("a", "b", "c")
        moody.feels("b", by_turns(resets, 0.3 * PATIENCE))
        weir = self.weir_with(self.http(
            origins, workers=2, outliers={"ejection": ms(500), "failures": 5, "error_rate": 0},
            retry={"backoff": 0, "budget": 100, "budget_min": 1000}))
        with self.flood(weir, 8) as flood:
            eventually(lambda: self.told(weir, EJECTED))
            first = moody.times()[0]
            eventually(lambda: moody.times()[-1] - first > 4 * PATIENCE)
        told = self.told(weir, EJECTED, BACK)
        # 0.5 s, 1 s, 1.5 s, 2 s: there is no room for more; undamped it would be seven.
        self.assertIn(len([each for each in told if each[1] == EJECTED]), range(2, 6), told)
        self.assertEqual((set(flood.statuses), flood.broken), ({200}, 0))


if __name__ == "__main__":
    main()
