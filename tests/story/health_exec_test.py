#!/usr/bin/env python3
"""Probes by a program: its status counts, and it never outlives its timeout."""

import contextlib
import os

from failing import ProbeStory, ms, quick
from harness import eventually, main


def is_alive(pid):
    """Not so if it only waits for somebody to notice that it is not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    return False


class Exec(ProbeStory):
    def script(self, text):
        path = self.path("probe")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return ["/bin/sh", path, self.folder]

    def say(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_its_status_counts(self):
        a, b = self.web("a", "b")
        command = self.script('env | grep ^WEIR_ | sort >"$1/env.$WEIR_ENDPOINT.$$"\n'
                              'mv "$1/env.$WEIR_ENDPOINT.$$" "$1/env.$WEIR_ENDPOINT"\n'
                              'exit "$(cat "$1/$WEIR_ENDPOINT")"\n')
        self.say("a", "0")
        self.say("b", "0")
        weir = self.weir_with(self.http([a, b], health=quick(probe="exec", exec={"command": command})))
        for name in "ab":
            self.wait_for_rounds(weir, name, 1)
        with open(self.path("env.a"), encoding="utf-8") as file:
            told = dict(line.split("=", 1) for line in file.read().splitlines())
        host, _, port = a.address.rpartition(":")
        self.assertEqual(told, {"WEIR_UPSTREAM": "app", "WEIR_ENDPOINT": "a", "WEIR_ADDRESS": a.address,
                                "WEIR_HOST": host, "WEIR_PORT": port})
        self.say("a", "7")
        self.expect_sick(weir, "a", "exit(ed)? .*7")
        self.assertEqual(self.served(weir, 4), {"b": 4})
        self.say("a", "0")
        self.expect_well(weir, "a")
        self.expect_times_down(weir, a=1, b=0)

    def test_one_that_hangs_is_killed_with_all_it_has_started(self):
        origin, = self.web("a")
        command = self.script('if [ -e "$1/hang" ]; then cat "$1/pipe" & echo "$$ $!" >>"$1/pids"; wait; fi\n')
        os.mkfifo(self.path("pipe"))
        weir = self.weir_with(self.http([origin], health=quick(probe="exec", exec={"command": command})))
        self.wait_for_rounds(weir, "a", 1)
        self.say("hang", "")
        self.expect_sick(weir, "a", "killed after")
        os.unlink(self.path("hang"))
        self.expect_well(weir, "a")
        with open(self.path("pids"), encoding="utf-8") as file:
            pids = file.read().split()
        self.assertGreaterEqual(len(pids), 6)
        eventually(lambda: not any(is_alive(pid) for pid in pids), what="all of them are gone")

    def test_no_more_than_32_at_a_time(self):
        """Further ones wait for their turn, and all of them have one."""
        command = self.script('mkdir "$1/run/$$"\n[ -e "$1/go" ] || cat "$1/pipe"\n')
        os.mkdir(self.path("run"))
        os.mkfifo(self.path("pipe"))
        endpoints = [{"name": f"e{i}", "address": f"127.0.0.1:{i + 1}"} for i in range(60)]
        weir = self.weir_with(self.http(endpoints, health={
            "probe": "exec", "interval": ms(6000), "interval_in_doubt": ms(6000), "timeout": ms(6000),
            "exec": {"command": command}}))

        def begun():
            return len(os.listdir(self.path("run")))
        eventually(lambda: begun() >= 32)
        with self.assertRaises(AssertionError):
            eventually(lambda: begun() > 32, within=1.2)  # 12 more would have begun
        self.say("go", "")
        with open(self.path("pipe"), "w", encoding="utf-8"):
            pass  # all who read come to its end
        eventually(lambda: begun() >= 60)
        eventually(lambda: all(row["resilience"]["probes"]["rounds"] for row in self.upstream(weir)["endpoints"]))
        troubles = [row["resilience"]["probes"]["last"]["reason"] for row in self.upstream(weir)["endpoints"]]
        self.assertEqual(set(troubles), {""})

    def test_a_program_that_is_not_there(self):
        origin, = self.web("a")
        weir = self.weir_with(self.http([origin], health=quick(probe="exec", exec={"command": ["/nowhere/probe"]})))
        self.expect_sick(weir, "a", "ENOENT")


if __name__ == "__main__":
    main()
