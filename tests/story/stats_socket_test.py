#!/usr/bin/env python3
"""The stats socket: what HAProxy's tools say to it, and what `weir ctl` does."""

import csv
import io
import json
import os
import stat
import time

from harness import PATIENCE, Story, eventually, main, run_weir
from sockets import ask_once, connect, exchange, receive_all


class StatsSocket(Story):
    def setUp(self):
        self.weir_ = self.weir([self.echo("a"), self.echo("b")], workers=2)

    def rows(self):
        text = self.weir_.ask("show stat")
        self.assertTrue(text.startswith("# pxname,svname,"))
        table = csv.DictReader(io.StringIO(text.strip().removeprefix("# ")))
        return {(row["pxname"], row["svname"]): row for row in table}

    def test_show_stat_has_haproxys_rows_and_columns(self):
        for _ in range(4):
            ask_once(self.weir_.address(), b"12345")
        held = self.connect(self.weir_.address())
        exchange(held, b"held")
        # A worker counts what was sent once the kernel has told it so, which the client may outrun.
        eventually(lambda: self.rows()["app", "BACKEND"]["bout"] == "24", what="every answer is counted")
        rows = self.rows()
        self.assertEqual(set(rows), {("web", "FRONTEND"), ("app", "a"), ("app", "b"), ("app", "BACKEND")})
        front, back = rows["web", "FRONTEND"], rows["app", "BACKEND"]
        self.assertEqual((front["scur"], front["stot"], front["bin"], front["bout"]), ("1", "5", "24", "24"))
        self.assertEqual((back["scur"], back["stot"], back["bin"], back["bout"]), ("1", "5", "24", "24"))
        self.assertEqual(sum(int(rows["app", name]["stot"]) for name in "ab"), 5)

    def test_show_info_speaks_both(self):
        lines = dict(line.split(": ", 1) for line in self.weir_.ask("show info").strip().splitlines())
        info = self.weir_.info()
        self.assertEqual(lines["Name"], "weir")
        self.assertEqual(lines["Pid"], str(self.weir_.pid))
        self.assertEqual((info["pid"], info["workers"], len(info["worker"])), (self.weir_.pid, 2, 2))
        self.assertEqual(lines["Nbthread"], "2")
        self.assertEqual(int(lines["Maxconn"]), info["max_connections"])

    def test_show_version_is_that_of_the_program(self):
        version = json.loads(run_weir("version", "--json").stdout)["version"]
        self.assertEqual(self.weir_.ask("show version").strip(), version)
        self.assertEqual(json.loads(self.weir_.ask("show version json")), {"name": "weir", "version": version})

    def test_several_commands_in_a_line(self):
        answers = self.weir_.ask("show version; show info json ;help")
        version, info, help_, rest = answers.split("\n\n")
        self.assertRegex(version, r"^\d+\.\d+\.\d+$")
        self.assertEqual(json.loads(info)["pid"], self.weir_.pid)
        self.assertIn("show stat", help_)
        self.assertEqual(rest, "")

    def test_unknown_words_get_a_suggestion(self):
        self.assertIn("did you mean `show stat`?", self.weir_.ask("show stats"))
        self.assertIn("show info [json]", self.weir_.ask("show info yaml"))

    def test_who_says_nothing_holds_up_nobody(self):
        silent = [self.connect(f"unix:{self.weir_.stats_path}") for _ in range(20)]
        self.assertEqual(self.weir_.info()["workers"], 2)
        del silent

    def test_a_half_line_and_a_client_that_leaves(self):
        path = f"unix:{self.weir_.stats_path}"
        with connect(path) as client:
            client.sendall(b"show in")
        with connect(path) as client:
            client.sendall(b"show info json\n")  # and leaves without reading
        with connect(path) as client:
            client.sendall(b"show version")
            client.shutdown(1)
            self.assertRegex(receive_all(client).decode(), r"\d+\.\d+\.\d+")
        self.assertEqual(self.weir_.info()["workers"], 2)

    def test_a_line_without_end_is_refused(self):
        with connect(f"unix:{self.weir_.stats_path}", timeout=10 * PATIENCE) as client:
            try:
                for _ in range(100):
                    client.sendall(b"x" * 10000)
                receive_all(client)
            except ConnectionError:
                pass
        self.assertEqual(self.weir_.info()["workers"], 2)

    def test_the_file_is_for_its_owner_and_gone_afterwards(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.weir_.stats_path).st_mode), 0o600)
        self.assertEqual(self.weir_.stop(), 0)
        self.assertFalse(os.path.exists(self.weir_.stats_path))

    def test_uptime(self):
        before = self.weir_.info()["uptime_s"]
        begun = time.monotonic()
        eventually(lambda: self.weir_.info()["uptime_s"] == before + 1)
        self.assertLess(time.monotonic() - begun, 2 * PATIENCE)

    def test_weir_ctl(self):
        asked = run_weir("ctl", "--stats", self.weir_.stats_path, "show", "info", "json")
        self.assertEqual(asked.returncode, 0)
        self.assertEqual(json.loads(asked.stdout)["pid"], self.weir_.pid)
        by_variable = run_weir("ctl", "show", "version", environment={"WEIR_STATS": self.weir_.stats_path})
        self.assertEqual(by_variable.returncode, 0)
        unknown = run_weir("ctl", "--stats", self.weir_.stats_path, "show", "stats")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("did you mean `show stat`?", unknown.stderr)

    def test_weir_ctl_without_a_weir(self):
        result = run_weir("ctl", "--stats", self.path("nothing.sock"), "show", "info")
        self.assertEqual(result.returncode, 6)
        self.assertIn("there is no such file", result.stderr)


if __name__ == "__main__":
    main()
