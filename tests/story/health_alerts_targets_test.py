#!/usr/bin/env python3
"""Alerts to a program and to the log; and receivers that are gone, which disturb nobody."""

import json
import os
import re

from alerted import FIELDS, AlertStory
from failing import ms, quick
from harness import eventually, main, run_weir, scaled


class Others(AlertStory):
    def shell(self, words):
        """For a configuration, where a dollar sign is written twice; $1 is the story's folder."""
        return ["/bin/sh", "-c", words.replace("$", "$$"), "page", self.folder]

    def test_the_example_of_the_docs(self):
        folder = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(folder, "../../docs/operating/alerts.md"), encoding="utf-8") as file:
            examples = re.findall(r"^exec: .*$", file.read(), re.MULTILINE)
        self.assertEqual(len(examples), 1)
        path = self.path("example.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(json.dumps(self.http(self.web("a")))[:-1] + f', "alerts": [{{name: pager, {examples[0]}}}]}}')
        checked = run_weir("check", "-c", path)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_exec(self):
        command = self.shell('cat >"$1/$WEIR_ALERT.new"; env | grep ^WEIR_ >"$1/$WEIR_ALERT.env"; '
                             'mv "$1/$WEIR_ALERT.new" "$1/$WEIR_ALERT.json"')
        weir = self.alerted(self.web("a", "b"), [{"name": "pager", "exec": command, "timeout": ms(5000)}])
        self.take_down(weir, "a")
        eventually(lambda: os.path.exists(self.path("endpoint_down.json")))
        with open(self.path("endpoint_down.json"), encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.endswith("}\n"))
        alert = json.loads(text)
        self.assertEqual(set(alert), FIELDS)
        with open(self.path("endpoint_down.env"), encoding="utf-8") as file:
            told = dict(line.split("=", 1) for line in file.read().splitlines())
        self.assertEqual(told, {"WEIR_ALERT": "endpoint_down", "WEIR_SEVERITY": "warning", "WEIR_UPSTREAM": "app",
                                "WEIR_ENDPOINT": "a", "WEIR_REASON": alert["reason"], "WEIR_TEXT": alert["text"]})
        eventually(lambda: self.target(weir, "pager", "exec")["sent"] == 1)

    def test_exec_that_fails_is_tried_again(self):
        command = self.shell('cat >>"$1/taken"; test "$(wc -l <"$1/taken")" -ge 3')
        weir = self.alerted(self.web("a", "b"), [{"name": "pager", "exec": command, "timeout": ms(5000),
                                                 "backoff": ms(20)}])
        self.take_down(weir, "a")
        eventually(lambda: self.target(weir, "pager", "exec")["sent"] == 1)
        with open(self.path("taken"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual((len(lines), len(set(lines))), (3, 1))
        self.assertEqual(self.target(weir, "pager", "exec")["retries"], 2)

    def test_log(self):
        weir = self.alerted(self.web("a", "b"), [{"name": "log", "log": True}])
        self.take_down(weir, "a", "b")
        self.take_up(weir, "a", "b")
        self.expect_told(weir, "the endpoint is down", "the endpoint is down", "no endpoint takes work",
                         among={"the endpoint is down", "no endpoint takes work"})
        levels = {"the endpoint is down": "warn  alert", "no endpoint takes work": "error alert",
                  "the endpoint is up again": "info  alert"}
        for text, level in levels.items():
            eventually(lambda text=text: self.told(weir, text), what=text)
            self.assertRegex(weir.log(), f"{level}: {text} alert=.* upstream=app")


class Dead(AlertStory):
    def test_it_disturbs_nobody(self):
        """One that does not answer, one that cannot be reached, one that is not there: traffic and probes go on, and
        the others are told."""
        well_hook, silent_hook = self.hook(), self.hook(lambda call: call.stream.ended())
        rules = [self.rule(well_hook), {**self.rule(silent_hook, timeout="60s"), "name": "silent"},
                 {**self.rule(well_hook, timeout="60s"), "name": "lost", "webhook": f"http://{self.silence_at()}/"},
                 {**self.rule(well_hook), "name": "dead", "webhook": f"http://{self.nobody_at()}/"},
                 {"name": "hanging", "exec": ["/bin/sh", "-c", "read line; cat pipe"], "timeout": "60s"}]
        os.mkfifo(self.path("pipe"))
        moody, (a, b, c) = self.moody("a", "b", "c")
        weir = self.alerted([a, b, c], rules, health=quick(probe="http", http={"path": "/health"}), workers=2)
        changes = scaled(5)
        with self.flood(weir, 8) as flood:
            for _ in range(changes):
                # Its probes alone find out; its traffic goes well. b and c, well all the time, stay in.
                self.steer(weir, "set server app/a health down")
                self.expect_state(weir, "a", "down")
                served = flood.answered
                eventually(lambda served=served: flood.answered > served + 100)
                self.expect_state(weir, "a", "ready", by=None)
        self.assertEqual((set(flood.statuses), flood.broken), ({200}, 0))
        self.assertEqual([each["alert"] for each in well_hook.wait_for(2 * changes)],
                         ["endpoint_down", "endpoint_up"] * changes)
        self.assertEqual([self.probes(weir, name)["rounds_failed"] for name in "abc"], [0, 0, 0])
        for rule in ("silent", "lost"):
            self.assertEqual([self.target(weir, rule)[key] for key in ("raised", "sent", "queued")],
                             [2 * changes, 0, 2 * changes], rule)


if __name__ == "__main__":
    main()
