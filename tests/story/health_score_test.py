#!/usr/bin/env python3
"""A computed score: who does badly gets a smaller share, and grows back."""

from failing import Failing, ms, says, well
from harness import eventually, main


class Score(Failing):
    def test_errors_cost_a_share_and_are_forgotten(self):
        moody, origins = self.moody("a", "b")
        weir = self.weir_with(self.http(origins, workers=2, health_score={"half_life": ms(500), "floor": 20}))
        client = self.client(weir)
        self.assertEqual(self.served(weir, 40, client=client), {"a": 20, "b": 20})
        self.assertEqual(weir.endpoint("a")["measured_health"], 1.0)
        moody.feels("a", says(500))
        # Not more than it takes: what has failed counts for 10 s.
        eventually(lambda: client.get() and weir.endpoint("a")["measured_health"] <= 0.21, what="down to its floor")
        self.expect_row(weir, "a", measured_health=0.2, effective_weight=0.2, state="ready")
        self.assertEqual(weir.endpoint("b")["measured_health"], 1.0)
        self.assertRegex(self.line_of(weir, "a"), "ready .* 0.20 ")
        before = moody.count("a")
        for _ in range(60):
            client.get()
        self.assertIn(moody.count("a") - before, range(9, 12), "a sixth")
        moody.feels("a", well)
        with self.flood(weir, 16):
            eventually(lambda: weir.endpoint("a")["measured_health"] >= 0.5, within=20, what="it is trusted again")

    def test_failed_probes_cost_a_share(self):
        """The first one half of it, while `fall` is being counted; nobody has to fail for that."""
        moody, origins = self.moody("a", "b")
        health = {"probe": "http", "interval": ms(700), "interval_in_doubt": ms(700), "timeout": ms(300), "fall": 100,
                  "http": {"path": "/health"}}
        weir = self.weir_with(self.http(origins, health=health, health_score={"half_life": ms(300)}))
        self.wait_for_rounds(weir, "a", 1)
        self.assertEqual(self.rows(weir, "measured_health"), {"a": 1.0, "b": 1.0})
        moody.feels("a", says(500))
        eventually(lambda: weir.endpoint("a")["measured_health"] <= 0.5)
        self.expect_state(weir, "a", "ready")
        moody.feels("a", well)
        eventually(lambda: weir.endpoint("a")["measured_health"] == 1.0)
        self.assertEqual(weir.endpoint("b")["measured_health"], 1.0)

    def test_by_hand_and_computed(self):
        """Both are multiplied."""
        moody, origins = self.moody("a", "b")
        weir = self.weir_with(self.http(origins, health_score={"half_life": "1h", "floor": 50}))
        moody.feels("a", says(500))
        with self.flood(weir, 2):
            eventually(lambda: weir.endpoint("a")["measured_health"] <= 0.5)
        self.steer(weir, "set server app/a health 0.5")
        self.expect_row(weir, "a", measured_health=0.5, health=0.5, effective_weight=0.25)
        self.assertEqual(self.resilience(weir, "a")["score"], 0.25)


if __name__ == "__main__":
    main()
