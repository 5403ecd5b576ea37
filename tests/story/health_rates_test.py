#!/usr/bin/env python3
"""Circuit breakers that open because of a rate: of failures, or of slow answers."""

from failing import CLOSED, HALF_OPEN, OPENED, BreakerStory, ms, says, slow, sometimes, well
from harness import PATIENCE, eventually, main


class Rates(BreakerStory):
    def test_failures(self):
        """Never two of them in a row, but one of three."""
        moody, origins = self.moody("a", "b")
        moody.feels("a", sometimes(says(500), 1, 3))
        weir = self.broken(origins, failures=0, error_rate=30, window=ms(2000), requests=20)
        with self.flood(weir, 2):
            self.expect_state(weir, "a", "broken", by="breaker")
            moody.feels("a", well)
            self.expect_breaker(weir, "a", "closed")
        self.expect_told(weir, OPENED, HALF_OPEN, CLOSED)
        self.assertRegex(self.told(weir, OPENED)[0][2], r"reason=.*3\d %")

    def test_fewer_failures(self):
        moody, origins = self.moody("a", "b")
        moody.feels("a", sometimes(says(500), 1, 5))
        weir = self.broken(origins, failures=0, error_rate=30, window=ms(2000), requests=20)
        with self.flood(weir, 2):
            eventually(lambda: moody.count("a") > 200)
        self.assertEqual(self.told(weir, OPENED), [])

    def test_too_few_prove_nothing(self):
        moody, origins = self.moody("a", "b")
        moody.feels("a", says(500))
        weir = self.broken(origins, failures=0, error_rate=30, window="60s", requests=20)
        client = self.client(weir)
        for _ in range(38):
            client.get()
        with self.assertRaises(AssertionError):
            eventually(lambda: self.told(weir, OPENED), within=0.3)
        self.assertEqual(moody.count("a"), 19)
        eventually(lambda: client.get() and self.told(weir, OPENED))
        self.assertGreaterEqual(moody.count("a"), 20)

    def test_slow_answers(self):
        """Good ones, but too late."""
        moody, origins = self.moody("a", "b")
        moody.feels("a", slow(0.06 * PATIENCE))
        weir = self.broken(origins, failures=0, slow_rate=50, slow=ms(30), window=ms(3000), requests=20)
        with self.flood(weir, 4) as flood:
            self.expect_state(weir, "a", "broken", by="breaker")
            self.assertGreaterEqual(weir.endpoint("a")["answers_slow"], 10)
            moody.feels("a", well)
            self.expect_breaker(weir, "a", "closed")
        self.expect_told(weir, OPENED, HALF_OPEN, CLOSED)
        self.assertRegex(self.told(weir, OPENED)[0][2], "reason=.*took longer than")
        self.assertEqual(set(flood.statuses), {200})


if __name__ == "__main__":
    main()
