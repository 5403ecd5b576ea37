#!/usr/bin/env python3
"""Rate limits under full load: one limit over all workers, within 5 % of what is configured."""

import time

from harness import main, scaled
from overload import Overload
from programs import Program

RATE = 400


class UnderLoad(Overload):
    def offered(self, limit, seconds, warm_up, fields=("",)):
        """Ten times the rate, from each of `fields` at the same time. What came of it."""
        origin, = self.web("origin")
        weir = self.weir_with(self.http([origin], workers=2, listener={
            "rate_limits": [limit], "trusted_proxies": ["127.0.0.0/8"]}))
        rate = max(scaled(10 * RATE), 4 * RATE) / len(fields)
        programs = [Program(self, "offer.py", address=weir.address(), connections=40, seconds=seconds,
                            warm_up=warm_up, rate=rate, fields=each) for each in fields]
        begun = time.monotonic()
        for program in programs:
            program.go()
        results = [program.line() for program in programs]
        self.lasted = time.monotonic() - begun
        for program, result in zip(programs, results):
            self.assertEqual(program.wait(), 0)
            self.assertEqual(set(result["counted"]), {"200", "429 rate_limited"}, result)
            self.assertGreater(result["sent"], 1.3 * RATE / len(fields), "more than it admits was asked for")
        self.assertEqual([worker["exchanges"] > 50 for worker in weir.info()["worker"]], [True, True])
        return weir, results

    def expect_rate(self, result, rate=RATE):
        self.assertAlmostEqual(result["per_second"]["200"], rate, delta=0.05 * rate, msg=result)

    def test_token_bucket(self):
        limit = {"by": "all", "requests": RATE, "per": "1s", "burst": 100}
        weir, _ = self.offered(limit, seconds=2.0, warm_up=0.0)
        admitted = weir.endpoint("origin")["requests"]
        self.assertLessEqual(admitted, 100 + 1.05 * RATE * self.lasted)
        self.assertGreaterEqual(admitted, 0.95 * (100 + RATE * 2.0))
        self.assertEqual(weir.listener()["requests"], admitted + weir.listener()["rate_limited"])

    def test_sliding_window(self):
        limit = {"by": "all", "algorithm": "sliding_window", "requests": RATE, "per": "1s"}
        _, (result,) = self.offered(limit, seconds=1.5, warm_up=1.1)
        self.expect_rate(result)

    def test_of_several_clients_each(self):
        limit = {"requests": RATE // 2, "per": "1s", "burst": 20}
        _, results = self.offered(limit, seconds=1.5, warm_up=0.3,
                                  fields=("X-Forwarded-For: 10.0.0.1|", "X-Forwarded-For: 10.0.0.2|"))
        for result in results:
            self.expect_rate(result, RATE // 2)


if __name__ == "__main__":
    main()
