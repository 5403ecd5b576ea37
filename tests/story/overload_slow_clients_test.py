#!/usr/bin/env python3
"""200 clients that send heads byte by byte, 1,000 idle ones and one with an endless body: the others notice nothing.

Measured with them and without them by turns, in rounds, on one worker, which all have to share. What counts is the
median of the rounds: the machine may have its own troubles in some.
"""

from statistics import median

from harness import PATIENCE, eventually, main, scaled
from overload import Overload
from programs import Program

ROUNDS = 6
ALLOWANCE = 0.002  # seconds, beside the fifth: all of this shares two cores, often with another story


class SlowClients(Overload):
    def p99(self, weir):
        program = Program(self, "offer.py", address=weir.address(), connections=30, rate=scaled(1000), seconds=0.4,
                          warm_up=0.05)
        program.go()
        result = program.line()
        self.assertEqual(program.wait(), 0)
        self.assertEqual(set(result["counted"]), {"200"}, result)
        self.assertEqual(result["broken"], 0)
        return result["latency"]["200"]["p99"]

    def test_they_do_no_harm(self):
        origin, = self.web("origin")
        weir = self.weir_with(self.http([origin]))
        crowd = {"slow": scaled(200), "idle": scaled(1000), "bodies": 1}
        nuisance = Program(self, "nuisance.py", address=weir.address(), **crowd)

        @self.best_of_three
        def _():
            without, beside = [], []
            for _ in range(ROUNDS):
                without.append(self.p99(weir))
                nuisance.go("on")
                nuisance.line()
                eventually(lambda: weir.info()["connections"] >= sum(crowd.values()), what="the whole crowd is there")
                beside.append(self.p99(weir))
                nuisance.go("off")
                said = nuisance.line()
                self.wait_until_over(weir)
            self.assertGreater(said["body_bytes"], ROUNDS * (1 << 20), "the endless body was really sent")
            self.measured("less", median(beside), 1.2 * median(without) + ALLOWANCE,
                          f"p99 in seconds, without: {without}, beside them: {beside}")

    def test_they_are_thrown_out_and_the_others_served(self):
        """Slow heads have a time; who comes again at once has it again, and no more."""
        origin, = self.web("origin")
        weir = self.weir_with(self.http([origin], sections={"timeouts": {"header": f"{150 * PATIENCE}ms"}}))
        nuisance = Program(self, "nuisance.py", address=weir.address(), slow=scaled(200), bodies=1)
        nuisance.go("on")
        nuisance.line()
        self.p99(weir)  # everybody is served
        eventually(lambda: weir.closed("header_timeout") >= 2 * scaled(200))
        nuisance.go("off")
        self.assertGreaterEqual(nuisance.line()["thrown_out"], scaled(200))


if __name__ == "__main__":
    main()
