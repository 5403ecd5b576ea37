#!/usr/bin/env python3
"""The command line: a balancer from flags alone, checking, refusing, suggesting; exit codes are promises."""

import json
import os
import signal

from harness import Process, Story, eventually, main, run_weir, simple_config
from http_client import HttpClient
from sockets import ask_once, is_refused, split_address


class Commands(Story):
    def file(self, text, name="weir.yaml"):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def expect_refused(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "")
        for word in words:
            self.assertIn(word, result.stderr)

    # --- run

    def test_run_from_flags_alone(self):
        a, b = self.named("a", "b")
        weir = Process(self, "weir", ["run", "--listen", "127.0.0.1:0", "--workers", "1",
                                      "--to", f"{a.address},weight=2", "--to", b.address])
        eventually(lambda: "listening" in weir.log())
        address = weir.log().split(" address=")[1].split()[0]
        said = sorted(ask_once(address).decode().strip() for _ in range(9))
        self.assertEqual(said, ["a"] * 6 + ["b"] * 3)
        self.assertEqual(weir.stop(), 0)

    def test_run_with_balance_and_stats(self):
        a, b = self.named("a", "b")
        stats = self.path("stats.sock")
        weir = Process(self, "weir", ["run", "--listen", f"unix:{self.path('f.sock')}", "--stats", stats,
                                      "--to", a.address, "--to", b.address, "--balance", "maglev"])
        eventually(lambda: "listening" in weir.log())
        self.assertEqual(len({ask_once(f"unix:{self.path('f.sock')}") for _ in range(5)}), 1)
        asked = run_weir("ctl", "--stats", stats, "show", "stat", "json")
        self.assertEqual(json.loads(asked.stdout)["upstreams"][0]["balance"], "maglev")
        self.assertEqual(weir.stop(), 0)

    def test_run_finds_weir_yaml_where_it_stands(self):
        a, = self.named("a")
        self.file(json.dumps(simple_config([a])))
        weir = Process(self, "weir", ["run"])
        eventually(lambda: "listening" in weir.log())
        self.assertEqual(weir.stop(), 0)

    def test_variables_come_from_the_environment_and_dot_env(self):
        a, = self.named("a")
        self.file("ORIGIN=127.0.0.1:1\nLEVEL=debug\n", ".env")
        self.file("listeners: [{name: web, address: '127.0.0.1:${PORT:-0}', upstream: app}]\n"
                  "upstreams: [{name: app, endpoints: ['${ORIGIN}']}]\nlog: {level: '${LEVEL}'}\n")
        weir = Process(self, "weir", ["run"], environment={"ORIGIN": a.address})
        eventually(lambda: "listening" in weir.log())
        self.assertEqual(ask_once(weir.log().split(" address=")[1].split()[0]), b"a\n")
        self.assertEqual(weir.stop(), 0)

    def test_run_with_a_bad_file_starts_nothing(self):
        path = self.file("listeners: []\n")
        self.expect_refused(run_weir("run", "-c", path), 3, f"{path}:1:12: error: there is no listener")

    def test_run_without_anything(self):
        self.expect_refused(run_weir("run", folder=self.folder), 2, "no configuration", "weir run --listen")

    def test_run_with_both(self):
        self.expect_refused(run_weir("run", "-c", "x", "--listen", ":0", "--to", "127.0.0.1:1"), 2, "not both")

    def test_run_in_mode_http(self):
        origins = [self.origin(name=name) for name in "ab"]
        weir = Process(self, "weir", ["run", "--listen", "127.0.0.1:0", "--workers", "1", "--mode", "http",
                                      *(word for origin in origins for word in ("--to", origin.address))])
        eventually(lambda: "listening" in weir.log())
        # One connection of the client, and each of its requests goes where it should: in mode tcp, all would go to one.
        client = HttpClient(self.connect(weir.log().split(" address=")[1].split()[0]))
        answers = [client.get() for _ in range(6)]
        self.assertEqual([answer.status for answer in answers], [200] * 6)
        self.assertEqual(sorted(answer.get("x-origin") for answer in answers), ["a"] * 3 + ["b"] * 3)
        client.close()
        self.assertEqual(weir.stop(), 0)

    def test_an_unknown_mode_gets_a_suggestion(self):
        self.expect_refused(run_weir("run", "--listen", ":0", "--to", "127.0.0.1:1", "--mode", "htpp"), 2,
                            "unknown mode `htpp`", "did you mean `http`?")

    def test_an_address_that_is_taken(self):
        for family in ("127.0.0.1:0", f"unix:{self.path('taken.sock')}"):
            with self.subTest(family=family):
                taken = self.listen(family).address
                result = run_weir("run", "--listen", taken, "--to", "127.0.0.1:1")
                self.expect_refused(result, 5, f"cannot listen on {taken}", "in use")

    def test_an_address_of_another_machine(self):
        result = run_weir("run", "--listen", "192.0.2.1:8080", "--to", "127.0.0.1:1")
        self.expect_refused(result, 5, "cannot listen on 192.0.2.1:8080", "not one of this machine")

    def test_two_weirs_do_not_share_a_port_by_accident(self):
        weir = self.weir(self.named("a"))
        result = run_weir("run", "--listen", weir.address(), "--to", "127.0.0.1:1")
        self.expect_refused(result, 5, "in use")

    def test_a_stats_socket_that_cannot_be(self):
        result = run_weir("run", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--stats", "/nowhere/s.sock")
        self.expect_refused(result, 5, "/nowhere/s.sock")

    def test_a_unix_socket_left_behind_is_replaced(self):
        path = self.path("left.sock")
        a, = self.named("a")
        dead = Process(self, "weir", ["run", "--listen", f"unix:{path}", "--to", a.address])
        eventually(lambda: "listening" in dead.log())
        dead.signal(signal.SIGKILL)
        dead.wait()
        self.assertTrue(os.path.exists(path))
        eventually(lambda: is_refused(f"unix:{path}"), what="the kernel has cleared away what was killed")
        weir = Process(self, "weir", ["run", "--listen", f"unix:{path}", "--to", a.address])
        eventually(lambda: "listening" in weir.log())
        self.assertEqual(ask_once(f"unix:{path}"), b"a\n")
        self.assertEqual(weir.stop(), 0)

    # --- check

    def test_check_good(self):
        path = self.file(json.dumps(simple_config(["127.0.0.1:1", "127.0.0.1:2"])))
        result = run_weir("check", "-c", path)
        self.assertEqual((result.returncode, result.stdout), (0, f"{path}: ok\n1 listener, 1 upstream, 2 endpoints\n"))

    def test_check_bad_reports_every_mistake_with_its_place(self):
        path = self.file("listeners:\n"
                         "  - {name: web, address: ':8080', upstream: ap}\n"
                         "upstreams:\n"
                         "  - name: app\n"
                         "    blance: maglev\n"
                         "    endpoints: [10.0.0.1]\n"
                         "timeouts: {connect: 5}\n")
        self.expect_refused(run_weir("check", "-c", path), 3,
                            f"{path}:2:45: error: there is no upstream `ap`", "did you mean `app`?",
                            f"{path}:5:5: error: unknown key `blance`", "  5 |     blance: maglev\n    |     ^\n",
                            "did you mean `balance`?", f"{path}:6:17: error:", f"{path}:7:21: error:")

    def test_check_schema(self):
        result = run_weir("check", "--schema")
        self.assertEqual(result.returncode, 0)
        self.assertIn("listeners", json.loads(result.stdout)["properties"])

    def test_check_of_nothing(self):
        self.expect_refused(run_weir("check", "-c", self.path("none.yaml")), 3, "none.yaml")
        self.expect_refused(run_weir("check"), 2, "which file?")

    # --- words

    def test_unknown_words_get_a_suggestion(self):
        self.expect_refused(run_weir("rum"), 2, "unknown command `rum`; did you mean `run`?")
        self.expect_refused(run_weir("run", "--lisen", ":1"), 2, "did you mean `--listen`?")
        self.expect_refused(run_weir("run", "--listen", ":0", "--to", "127.0.0.1:1", "--balance", "maglew"), 2,
                            "did you mean `maglev`?")
        self.expect_refused(run_weir("origin", "--raw", "ecko"), 2, "one of echo")

    def test_help_reads_well_at_80_columns(self):
        for words in ((), ("run",), ("check",), ("ctl",), ("origin",), ("version",)):
            with self.subTest(words=words):
                result = run_weir(*words, "--help")
                self.assertEqual(result.returncode, 0)
                self.assertLessEqual(max(len(line) for line in result.stdout.splitlines()), 80)
                self.assertIn("Usage", result.stdout)
        self.assertIn("Exit codes", run_weir("--help").stdout)

    def test_version(self):
        result = run_weir("version")
        self.assertEqual(result.returncode, 0)
        for word in ("weir ", "build", "kernel", "io_uring", "multishot receive"):
            self.assertIn(word, result.stdout)
        as_json = json.loads(run_weir("version", "--json").stdout)
        self.assertTrue(as_json["usable"])
        self.assertEqual(as_json["kernel"], os.uname().release)
        self.assertTrue(all(feature["present"] for feature in as_json["features"] if feature["required"]))

    def test_origin_says_where_it_listens(self):
        origin = self.origin("--raw", "name", name="here")
        self.assertGreater(split_address(origin.address)[1][1], 0)
        self.assertEqual(ask_once(origin.address), b"here\n")
        self.assertEqual(origin.stop(), 0)


if __name__ == "__main__":
    main()
