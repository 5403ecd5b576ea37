#!/usr/bin/env python3
"""Ten times more than the origin can do, where weir finds out by itself how much that is; and who goes first then."""

from goodput import ALLOWANCE, CAPACITY, PLACES, SERVICE, SLOTS, Goodput
from harness import main


class TenTimesTooMuch(Goodput):
    def test_a_limit_that_finds_itself(self):
        """No max_connections: `concurrency` learns it from the latency."""
        weir = self.weir_with(self.config({}, concurrency={"min": 4, "max": 1000, "start": 20}))

        @self.best_of_three
        def _():
            capacity = self.measured_capacity()
            result = self.overload(weir, seconds=2.0, warm_up=1.0)
            self.expect_overloaded(result)
            self.expect_goodput(capacity, result)
            # Below four times its slots it does not thrash.
            self.measured("less", result["latency"]["200"]["p99"], 5 * SERVICE + ALLOWANCE + self.hiccup(result),
                          result)
            limit = weir.endpoint("origin")["resilience"]["limit"]
            self.assertGreaterEqual(limit, SLOTS // 2)
            self.assertLessEqual(limit, 5 * SLOTS)
            self.assertEqual(set(result["counted"]), {"200", "503 endpoints_full"})

    def test_who_matters_most_notices_nothing(self):
        """Half of what can be done is asked for by the important ones; they have it, and the others the rest."""
        weir = self.weir_with(self.config({"max_connections": PLACES}, {"priority_header": "X-Priority"},
                                          queue={"size": 2 * SLOTS, "timeout": "5s"}, workers=1))

        @self.best_of_three
        def _():
            capacity = self.measured_capacity()
            many, important = self.offers(
                weir.address(),
                {"connections": 300, "rate": 8 * CAPACITY, "seconds": 1.5, "fields": "X-Priority: 2|"},
                {"connections": 100, "rate": 0.5 * CAPACITY, "seconds": 1.5, "fields": "X-Priority: 8|"})
            served = important["counted"].get("200", 0)
            self.assertGreater(served, 0, important)
            refused = sum(important["counted"].values()) - served
            self.measured("less", refused, 0.02 * served, important)
            self.measured("less", important["latency"]["200"]["p99"], 3 * SERVICE + ALLOWANCE, important)
            self.expect_goodput(capacity, many, important)
            self.assertGreater(many["per_second"].get("503 queue_displaced", 0), 0)


if __name__ == "__main__":
    main()
