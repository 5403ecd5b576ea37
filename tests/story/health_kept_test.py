#!/usr/bin/env python3
"""What is known of an endpoint's health survives a reload, as long as somebody asks; and what a preset says."""

from failing import Failing, quick, says, well
from harness import eventually, main


class Reloads(Failing):
    http_probe = {"probe": "http", "http": {"path": "/health"}}

    def test_who_is_down_stays_down(self):
        moody, origins = self.moody("a", "b")
        moody.feels("a", says(500))
        weir = self.weir_with(self.http(origins, health=quick(**self.http_probe)))
        self.expect_state(weir, "a", "down", by="probe")
        rounds = self.probes(weir, "a")["rounds"]
        weir.reload(self.http(origins[::-1], "random", health=quick(**self.http_probe, fall=5, rise=3)))
        self.assertEqual(self.state(weir, "a"), "down")
        self.assertGreaterEqual(self.probes(weir, "a")["rounds"], rounds)
        self.assertEqual(self.served(weir, 10), {"b": 10})
        moody.feels("a", well)
        self.expect_state(weir, "a", "ready")
        self.assertGreaterEqual(self.probes(weir, "a")["rounds_in_row"], 3)
        self.assertRegex(weir.log(), "an endpoint is up again endpoint=app/a probes=3")
        self.assertEqual(self.probes(weir, "a")["times_down"], 1)

    def test_another_kind_of_probe(self):
        """It is sick by HTTP, and well by TCP."""
        moody, origins = self.moody("a", "b")
        moody.feels("a", says(500))
        weir = self.weir_with(self.http(origins, health=quick(**self.http_probe)))
        self.expect_state(weir, "a", "down")
        weir.reload(self.http(origins, health=quick(probe="tcp")))
        self.expect_state(weir, "a", "ready")
        self.assertEqual(self.probes(weir, "a")["kind"], "tcp")

    def test_nobody_asks_any_more(self):
        moody, origins = self.moody("a", "b")
        moody.feels("a", says(500))
        weir = self.weir_with(self.http(origins, health=quick(**self.http_probe)))
        self.expect_state(weir, "a", "down")
        weir.reload(self.http(origins))
        self.expect_row(weir, "a", state="ready", in_play=True)
        self.expect_told(weir, "an endpoint that was down is not probed any more, and counts as up")
        asked = moody.count("a", "/health")
        self.assertEqual(self.get(weir).status | self.get(weir).status, 500 | 200)
        self.assertEqual(moody.count("a", "/health"), asked)

    def test_paused_ones_stay_so(self):
        moody, origins = self.moody("a", "b")
        weir = self.weir_with(self.http(origins, health=quick(**self.http_probe)))
        self.wait_for_rounds(weir, "a", 1)
        self.steer(weir, "disable health app/a")
        self.assertTrue(self.probes(weir, "a")["paused"])
        weir.reload(self.http(origins, "random", health=quick(**self.http_probe)))
        self.assertTrue(self.probes(weir, "a")["paused"])
        moody.feels("a", says(500))
        asked = moody.count("a")
        self.wait_for_rounds(weir, "b", 5)
        self.assertLessEqual(moody.count("a") - asked, 1, "one may have been on its way")
        self.assertEqual(self.state(weir, "a"), "ready")
        self.steer(weir, "enable health app/a")
        self.expect_state(weir, "a", "down", by="probe")
        self.expect_told(weir, "probes are paused", "probes go on")

    def test_up_until_found_otherwise(self):
        """A newcomer serves from its first moment, one that the operator has taken down has to be found well first."""
        moody, origins = self.moody("a", "b")
        weir = self.weir_with(self.http(origins[:1], health={"interval": "10s", "timeout": "1s"}))
        self.assertEqual(self.served(weir, 3), {"a": 3})
        weir.reload(self.http(origins, health={"interval": "10s", "timeout": "1s"}))
        self.assertEqual(self.served(weir, 4), {"a": 2, "b": 2})
        self.steer(weir, "set server app/b health down")
        weir.reload(self.http(origins, health={"interval": "10s", "timeout": "1s"}))
        self.assertEqual(self.served(weir, 4), {"a": 4})
        weir.reload(self.http(origins, health=quick()))
        self.expect_state(weir, "b", "ready")
        self.assertGreaterEqual(self.probes(weir, "b")["rounds_in_row"], 2)
        self.assertEqual(moody.count(), 3 + 4 + 4)


class Patient(Failing):
    def test_what_it_says_and_what_is_written(self):
        _, origins = self.moody("a", "b")
        weir = self.weir_with(self.http([origins[0], origins[1].endpoint(max_connections=7)], preset="patient"))
        self.assertIn("app: tcp probes every 30s, fall 3, rise 2, breaker", weir.ask("show health"))
        self.assertEqual(self.rows(weir, "max_connections"), {"a": 100, "b": 7})
        self.assertEqual(self.resilience(weir, "a")["breaker"]["state"], "closed")
        weir.reload(self.http(origins, preset="patient", health={"interval": "2s", "timeout": "1s", "fall": 7},
                              breaker={"failures": 2}))
        self.assertIn("app: tcp probes every 2s, fall 7, rise 2, breaker", weir.ask("show health"))

    def test_its_breaker(self):
        moody, origins = self.moody("a", mood=says(500))
        weir = self.weir_with(self.http(origins, preset="patient"))
        client = self.client(weir)
        self.assertEqual([client.get().status for _ in range(10)], [500] * 5 + [503] * 5)
        eventually(lambda: self.state(weir, "a") == "broken")
        self.assertEqual(moody.count(), 5)


if __name__ == "__main__":
    main()
