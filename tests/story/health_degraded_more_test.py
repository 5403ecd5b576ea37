#!/usr/bin/env python3
"""When a service counts as degraded by its latency, or by how many endpoints are left."""

from alerted import AlertStory
from failing import ms, slow, well
from harness import PATIENCE, eventually, main


class Degraded(AlertStory):
    def test_by_latency(self):
        hook = self.hook()
        moody, origins = self.moody("a", "b")
        weir = self.alerted(origins, [self.rule(hook, on=["degraded"])], workers=2,
                            degraded={"p99": ms(50), "window": ms(500)})
        with self.flood(weir, 4):
            eventually(lambda: self.upstream(weir)["resilience"]["degradation"]["requests"] > 50)
            self.assertEqual(hook.alerts(), [])
            moody.feels("a", slow(0.08 * PATIENCE))
            degraded, = hook.wait_for(1)
            moody.feels("a", well)
            _, recovered = hook.wait_for(2)
        self.assertGreaterEqual(degraded["p99_ms"], 50 * PATIENCE)
        self.assertLessEqual(recovered["p99_ms"], 40 * PATIENCE)
        self.assertEqual([each["alert"] for each in (degraded, recovered)], ["degraded", "recovered"])
        self.assertEqual((degraded["healthy"], degraded["total"]), (2, 2))

    def test_by_too_few_healthy_ones(self):
        """It needs no traffic."""
        hook = self.hook()
        weir = self.alerted(self.web("a", "b", "c"), [self.rule(hook, on=["degraded"])],
                            degraded={"healthy": 60, "window": ms(300)})
        self.take_down(weir, "a")
        with self.assertRaises(AssertionError):
            eventually(hook.alerts, within=1.2)
        self.take_down(weir, "b")
        degraded, = hook.wait_for(1)
        self.assertEqual((degraded["alert"], degraded["healthy"], degraded["total"]), ("degraded", 1, 3))
        self.take_up(weir, "a", "b")
        self.assertEqual([each["alert"] for each in hook.wait_for(2)], ["degraded", "recovered"])


if __name__ == "__main__":
    main()
