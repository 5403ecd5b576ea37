#!/usr/bin/env python3
"""When a service counts as degraded by its errors, and when it has recovered."""

from alerted import AlertStory
from failing import ms, says, well
from harness import PATIENCE, eventually, main


class Degraded(AlertStory):
    def test_by_errors(self):
        hook = self.hook()
        moody, origins = self.moody("a", "b")
        weir = self.alerted(origins, [self.rule(hook, on=["degraded"])], workers=2,
                            degraded={"error_rate": 10, "window": ms(500)})
        with self.flood(weir, 4):
            eventually(lambda: self.upstream(weir)["resilience"]["degradation"]["requests"] > 50)
            moody.feels("a", says(500))
            degraded, = hook.wait_for(1)
            eventually(lambda: self.upstream(weir)["resilience"]["degradation"]["degraded"])
            moody.feels("a", well)
            _, recovered = hook.wait_for(2)
        self.assertEqual([(each["alert"], each["group"], each["severity"], each["upstream"], each["endpoint"])
                          for each in (degraded, recovered)],
                         [("degraded", "degraded", "warning", "app", ""), ("recovered", "degraded", "info", "app", "")])
        self.assertGreaterEqual(degraded["error_rate"], 10)
        self.assertLessEqual(recovered["error_rate"], 8)
        self.assertIn("errors", degraded["reason"])
        self.expect_told(weir, "an upstream is degraded", "an upstream has recovered")
        took = self.told(weir, "an upstream has recovered")[0][0] - self.told(weir, "an upstream is degraded")[0][0]
        self.assertGreaterEqual(took, 0.45 * PATIENCE, "calm for a whole window")

    def test_few_answers_mean_nothing(self):
        hook = self.hook()
        moody, origins = self.moody("a", mood=says(500))
        weir = self.alerted(origins, [self.rule(hook, on=["degraded"])], degraded={"error_rate": 10, "window": "60s"})
        client = self.client(weir)
        for _ in range(19):
            self.assertEqual(client.get().status, 500)
        with self.assertRaises(AssertionError):
            eventually(hook.alerts, within=1.5)
        eventually(lambda: client.get() and hook.alerts())
        self.assertGreaterEqual(moody.count(), 20)


if __name__ == "__main__":
    main()
