#!/usr/bin/env python3
"""Outliers: who does worse than it should, or than the others, is ejected for a while, and longer each time."""

from failing import BACK, EJECTED, SPARED, OutlierStory, says, sometimes, well
from harness import PATIENCE, eventually, main


class Ejected(OutlierStory):
    def test_three_of_ten_fail(self):
        """It is ejected, comes back, is ejected for twice as long, and stays when it is well again."""
        moody, origins = self.moody("a", "b", "c")
        moody.feels("b", sometimes(says(500), 3, 10))
        weir = self.app(origins, error_rate=20)
        with self.flood(weir, 6) as flood:
            self.expect_state(weir, "b", "ejected", by="outliers")
            eventually(lambda: weir.endpoint("b")["connections"] == 0)
            picked, answered = moody.count("b"), flood.answered
            eventually(lambda: flood.answered > answered + 50)
            if self.state(weir, "b") == "ejected":
                self.assertEqual(moody.count("b"), picked, "it gets nothing")
            self.expect_state(weir, "b", "ready")
            eventually(lambda: moody.count("b") > picked, what="it is used again")
            eventually(lambda: len(self.told(weir, EJECTED)) == 2)
            self.assertEqual(self.resilience(weir, "b")["ejections"], 2)
            moody.feels("b", well)
            eventually(lambda: len(self.told(weir, BACK)) == 2)
            eventually(lambda: self.resilience(weir, "b")["ejections"] == 0, what="it is forgotten by and by")
        self.expect_told(weir, EJECTED, BACK, EJECTED, BACK, among=(EJECTED, BACK, SPARED))
        told = self.told(weir, EJECTED, BACK)
        for _, text, line in told:
            self.assertIn("endpoint=app/b", line)
            if text == EJECTED:
                self.assertRegex(line, r"3\d.* ?%|2\d.* ?%", "the reason says how many failed")
        lasted = [told[1][0] - told[0][0], told[3][0] - told[2][0]]
        for took, length in zip(lasted, (0.5, 1.0)):
            self.assertGreaterEqual(took, (length - 0.01) * PATIENCE)
            self.assertLess(took, (length + 0.5) * PATIENCE)
        self.assertEqual(set(flood.statuses), {200, 500})
        self.assertEqual(self.rows(weir, "state"), {"a": "ready", "b": "ready", "c": "ready"})

    def test_failures_in_a_row(self):
        moody, origins = self.moody("a", "b", "c")
        moody.feels("b", says(503))
        weir = self.app(origins, failures=5, error_rate=0, ejection="60s")
        client = self.client(weir)
        self.assertEqual([client.get().status for _ in range(12)].count(503), 4)
        self.assertEqual(self.resilience(weir, "b")["failures_in_row"], 4)
        self.expect_nobody_ejected(weir)
        self.assertEqual([client.get().status for _ in range(3)].count(503), 1)
        self.expect_state(weir, "b", "ejected", by="outliers")
        self.assertEqual(self.served(weir, 6), {"a": 3, "c": 3})
        self.assertRegex(self.line_of(weir, "b"), "ejected +outliers .* 5 +1 ")
        self.assertRegex(weir.log(), f"{EJECTED} endpoint=app/b reason=\"?5 failures in a row.* for_s=60")

    def test_failures_with_good_ones_between_are_no_row(self):
        moody, origins = self.moody("a", "b")
        moody.feels("b", sometimes(says(500), 4, 5))
        weir = self.app(origins, failures=5, error_rate=0)
        client = self.client(weir)
        for _ in range(60):
            client.get()
        self.expect_nobody_ejected(weir)

    def test_from_the_first_moment(self):
        """What has failed before weir looked for the first time has failed, too."""
        moody, origins = self.moody("a", "b", "c")
        moody.feels("b", says(503))
        weir = self.app(origins, failures=5, error_rate=0, ejection="60s")
        client = self.client(weir)
        for _ in range(15):
            client.get()
        self.expect_state(weir, "b", "ejected")

    def test_too_few_prove_nothing(self):
        moody, origins = self.moody("a", "b")
        moody.feels("b", sometimes(says(500), 4, 5))
        weir = self.app(origins, failures=0, error_rate=20, window="60s", requests=40)
        client = self.client(weir)
        for _ in range(78):  # half of them are b's
            client.get()
        self.expect_nobody_ejected(weir)
        eventually(lambda: client.get() and self.ejected(weir), what="enough of them do")
        self.assertGreaterEqual(moody.count("b"), 40)


if __name__ == "__main__":
    main()
