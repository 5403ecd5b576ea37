#!/usr/bin/env python3
"""Ten times more than the origin can do: what it does stays what it can do, and who is let in is served in time."""

from goodput import ALLOWANCE, PLACES, SERVICE, SLOTS, Goodput
from harness import main


class TenTimesTooMuch(Goodput):
    def test_without_any_limit_it_breaks_down(self):
        """Else the others would show nothing."""
        weir = self.weir_with(self.config({}))
        capacity = self.measured_capacity()
        result = self.overload(weir, seconds=0.8)
        self.measured("less", result["per_second"].get("200", 0), 0.5 * capacity, result)

    def test_a_limit_and_a_short_queue(self):
        weir = self.weir_with(self.config({"max_connections": PLACES}, queue={"size": 2 * SLOTS, "timeout": "5s"}))

        @self.best_of_three
        def _():
            capacity = self.measured_capacity()
            result = self.overload(weir)
            self.expect_overloaded(result)
            self.expect_goodput(capacity, result)
            # Two rounds of waiting, one of being served.
            self.measured("less", result["latency"]["200"]["p99"], 2 * 3 * SERVICE + ALLOWANCE + self.hiccup(result),
                            result)
            self.measured("less", result["latency"]["503"]["median"], SERVICE + ALLOWANCE, result)
            self.assertEqual(set(result["counted"]), {"200", "503 queue_full"})
        self.expect_nobody_waits(weir)

    def test_a_long_queue_with_a_short_time(self):
        """Its bound is then the time: nobody is served who has waited longer."""
        timeout = 10 * SERVICE
        weir = self.weir_with(self.config({"max_connections": PLACES},
                                          queue={"size": 5000, "timeout": f"{int(timeout * 1000)}ms"}))

        @self.best_of_three
        def _():
            capacity = self.measured_capacity()
            result = self.overload(weir)
            self.expect_goodput(capacity, result)
            self.measured("less", result["latency"]["200"]["max"], timeout + SERVICE + 2 * ALLOWANCE, result)
            self.assertEqual(set(result["counted"]), {"200", "503 queue_timeout"})
        self.assertGreater(self.figures(weir)["queue_timeouts"], 0)
        self.expect_nobody_waits(weir)


if __name__ == "__main__":
    main()
