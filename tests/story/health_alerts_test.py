#!/usr/bin/env python3
"""Alerts by web hook: who is named is told of what changes, once and in order, or as soon as it can be told."""

import socket
from datetime import datetime, timezone

from alerted import FIELDS, AlertStory
from failing import ms, quick, says, well
from harness import eventually, main


class Webhook(AlertStory):
    def test_down_and_up(self):
        """By probes, with all that is promised to stand in the message."""
        hook = self.hook()
        a, b = self.web("a", "b")
        weir = self.alerted([a, b], [self.rule(hook)], health=quick())
        a.kill()
        down, = hook.wait_for(1)
        a.again()
        _, up = hook.wait_for(2)
        self.expect_state(weir, "a", "ready")
        for alert in (down, up):
            self.assertEqual(set(alert), FIELDS)
            self.assertEqual({key: alert[key] for key in ("group", "upstream", "endpoint", "total", "host", "rule",
                                                          "suppressed", "lost")},
                             {"group": "endpoint", "upstream": "app", "endpoint": "a", "total": 2,
                              "host": socket.gethostname(), "rule": "ops", "suppressed": 0, "lost": 0})
            when = datetime.fromisoformat(alert["time"])
            self.assertLess(abs((datetime.now(timezone.utc) - when).total_seconds()), 60)
            self.assertTrue(alert["time"].endswith("Z"))
            self.assertIn(alert["reason"], alert["text"])
        self.assertEqual((down["alert"], down["severity"], down["healthy"], down["number"]),
                         ("endpoint_down", "warning", 1, 1))
        self.assertEqual((up["alert"], up["severity"], up["healthy"], up["number"]), ("endpoint_up", "info", 2, 2))
        self.assertIn("refused", down["reason"])
        request = hook.origin.requests[0]
        self.assertEqual((request.method, request.target, request.get("content-type")),
                         ("POST", "/secret-path", "application/json"))
        eventually(lambda: hook.origin.open == 0, what="no connection is kept for the next one")
        self.assertNotIn("secret-path", weir.log() + weir.ask("show alerts") + weir.ask("show stat json"))

    def test_what_there_is(self):
        """One of each that can be had by hand, in their order."""
        hook = self.hook()
        moody, origins = self.moody("a", "b")
        weir = self.alerted(origins, [self.rule(hook)])
        self.steer(weir, "set server app/a state drain")
        self.steer(weir, "set server app/a state ready")
        told = hook.wait_for(2)
        self.assertEqual([(each["alert"], each["endpoint"]) for each in told], [("endpoint_state", "a")] * 2)
        self.take_down(weir, "a", "b")
        told = hook.wait_for(5)
        self.assertEqual([(each["alert"], each["severity"], each["endpoint"]) for each in told[2:]],
                         [("endpoint_down", "warning", "a"), ("endpoint_down", "warning", "b"),
                          ("upstream_down", "critical", "")])
        self.assertEqual((told[4]["group"], told[4]["healthy"], told[4]["total"]), ("upstream", 0, 2))
        self.take_up(weir, "b", "a")
        told = hook.wait_for(8)
        self.assertEqual(sorted((each["alert"], each["endpoint"]) for each in told[5:]),
                         [("endpoint_up", "a"), ("endpoint_up", "b"), ("upstream_up", "")])
        self.assertEqual([each["number"] for each in hook.alerts()], list(range(1, 9)))

    def test_what_traffic_shows(self):
        for section, alerts in (({"outliers": {"ejection": ms(300)}}, ["endpoint_ejected", "endpoint_returned"]),
                                ({"breaker": {"recovery": ms(300), "trials": 1}},
                                 ["breaker_opened", "breaker_half_opened", "breaker_closed"])):
            with self.subTest(alerts[0]):
                hook = self.hook()
                moody, origins = self.moody("a", "b")
                weir = self.alerted(origins, [self.rule(hook)], **section)
                with self.flood(weir, 2):
                    eventually(lambda moody=moody: moody.count("a") > 10)
                    moody.feels("a", says(500))
                    hook.wait_for_alerts(alerts[0])
                    moody.feels("a", well)
                    hook.wait_for_alerts(alerts[-1])
                told = [(each["alert"], each["endpoint"]) for each in hook.alerts()]
                self.assertEqual(told[:len(alerts) - 1], [(name, "a") for name in alerts[:-1]])
                self.assertEqual(told[-1], (alerts[-1], "a"))
                self.assertRegex(hook.alerts()[0]["reason"], "5 failures in a row")

    def test_tried_again_until_it_is_taken(self):
        answers = iter([500, 503, 302, 200, 200])
        hook = self.hook(lambda call: says(next(answers))(call))
        weir = self.alerted(self.web("a", "b"), [self.rule(hook, retries=5)])
        self.take_down(weir, "a")
        eventually(lambda: self.target(weir)["sent"] == 1)
        self.assertEqual(len(hook.bodies), 4)
        self.assertEqual(len(set(hook.bodies)), 1, "the same to the byte")
        row = self.target(weir)
        self.assertEqual({key: row[key] for key in ("raised", "sent", "failed", "retries", "queued", "failing")},
                         {"raised": 1, "sent": 1, "failed": 0, "retries": 3, "queued": 0, "failing": False})
        self.take_up(weir, "a")
        self.assertEqual([each["alert"] for each in hook.wait_for(5)[3:]], ["endpoint_down", "endpoint_up"])

    def test_given_up_and_said_so(self):
        """The next one that arrives says how many did not; and so does the log, once."""
        hook = self.hook(says(500))
        weir = self.alerted(self.web("a", "b"), [self.rule(hook, retries=1, backoff=ms(10))])
        self.take_down(weir, "a")
        self.take_up(weir, "a")
        eventually(lambda: self.target(weir)["failed"] == 2)
        self.assertEqual(len(hook.bodies), 4)
        self.assertTrue(self.target(weir)["failing"])
        hook.origin.handler = hook.taking(says(200))
        self.take_down(weir, "b")
        last = hook.wait_for(5)[4]
        self.assertEqual((last["endpoint"], last["lost"], last["number"]), ("b", 2, 3))
        self.expect_told(weir, "alerts do not arrive", "alerts arrive again")
        self.assertRegex(weir.log(), "alerts do not arrive rule=ops target=webhook tries=2 reason=.*500")
        self.assertRegex(weir.log(), "alerts arrive again rule=ops target=webhook lost=2")

    def test_no_more_than_the_limit(self):
        hook = self.hook()
        weir = self.alerted(self.web("a", "b"), [self.rule(hook, limit=3, per="2s", on=["endpoint"])])
        for _ in range(10):
            self.take_down(weir, "a")
            self.take_up(weir, "a")
        self.assertEqual(self.target(weir)["raised"], 20)
        hook.wait_for_some(3)
        self.assertGreaterEqual(self.target(weir)["suppressed"], 10)

        def told():  # one after the other, until `per` gives room for one
            self.take_down(weir, "a")
            self.take_up(weir, "a")
            return len(hook.alerts()) > 3
        eventually(told)
        eventually(lambda: self.target(weir)["queued"] == 0)
        row, alerts = self.target(weir), hook.alerts()
        self.assertEqual(row["raised"], row["suppressed"] + row["sent"])
        self.assertEqual(len(alerts), row["sent"])
        self.assertLessEqual(len(alerts), 8, "3, and as many as there was time for")
        missing = alerts[-1]["number"] - len(alerts)  # up to it; those after it are for the next one to tell
        self.assertGreaterEqual(sum(each["suppressed"] for each in alerts), missing)
        self.assertLessEqual(sum(each["suppressed"] for each in alerts), row["suppressed"])

    def test_only_what_it_is_for(self):
        mine, others = self.hook(), self.hook()
        origins = self.web("a", "b", "c")
        config = self.http(origins[:2], sections={"alerts": [
            self.rule(mine, on=["upstream"], upstreams=["app"]),
            {**self.rule(others, upstreams=["other"]), "name": "others"}]})
        config["upstreams"].append({"name": "other", "endpoints": [origins[2].endpoint()]})
        weir = self.weir_with(config)
        self.take_down(weir, "a", "b")
        self.steer(weir, "set server other/c health down")
        self.assertEqual([each["alert"] for each in mine.wait_for(1)], ["upstream_down"])
        self.assertEqual([(each["alert"], each["upstream"]) for each in others.wait_for(2)],
                         [("endpoint_down", "other"), ("upstream_down", "other")])
        self.assertEqual([each["rule"] for each in others.alerts()], ["others"] * 2)
        self.take_up(weir, "b")
        self.assertEqual([each["alert"] for each in mine.wait_for(2)], ["upstream_down", "upstream_up"])

    def test_a_reload_keeps_what_waits(self):
        hook = self.hook(says(500))
        origins = self.web("a", "b")
        rules = [self.rule(hook, retries=10, backoff=ms(200))]
        weir = self.alerted(origins, rules)
        self.take_down(weir, "a")
        hook.wait_for(1)
        weir.reload(self.http(origins, slow_start="1s", sections={"alerts": rules}))
        hook.origin.handler = hook.taking(says(200))
        eventually(lambda: self.target(weir)["sent"] == 1)
        self.assertEqual(hook.alerts()[-1]["alert"], "endpoint_down")


if __name__ == "__main__":
    main()
