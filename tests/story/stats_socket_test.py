#!/usr/bin/env python3
"""The stats socket: what HAProxy's tools say to it, and what `weir ctl` does."""

import csv
import io
import json
import os
import stat
import threading
import time

from harness import PATIENCE, Story, eventually, main, run_weir
from http_client import HttpClient
from http_story import HttpStory
from sockets import ask_once, connect, exchange, receive_all


def stat_rows(weir):
    """HAProxy's table, by the names of the rows."""
    text = weir.ask("show stat")
    assert text.startswith("# pxname,svname,"), text
    table = csv.DictReader(io.StringIO(text.strip().removeprefix("# ")))
    return {(row["pxname"], row["svname"]): row for row in table}


def cells(row, *columns):
    return {column: row[column] for column in columns}


class StatsSocket(Story):
    def setUp(self):
        self.weir_ = self.weir([self.echo("a"), self.echo("b")], workers=2)

    def rows(self):
        return stat_rows(self.weir_)

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
        self.assertEqual({row["mode"] for row in rows.values()}, {"tcp"})
        self.assertEqual({row["req_tot"] + row["hrsp_2xx"] for row in rows.values()}, {""})

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


def answer_by_target(call):
    call.body()
    if call.request.target == "/cut":
        call.send(b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\n\r\nhalf")
        return call.close()
    if call.request.target == "/hints":
        call.send(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
        return call.answer(200, body=b"with a hint before")
    return call.answer(int(call.request.target.removeprefix("/")), body=b"as asked")


class StatsOfHttp(HttpStory):
    def listener(self, name, **more):
        return {"name": name, "address": "127.0.0.1:0", "mode": "http", **more}

    def upstream(self, name, *origins):
        return {"name": name, "endpoints": [origin.endpoint() for origin in origins]}

    def test_answers_by_status(self):
        weir = self.http_weir([self.http_origin(answer_by_target)])
        client = self.client(weir)
        for target in ("/200", "/201", "/301", "/404", "/404", "/404", "/500", "/hints"):
            client.get(target)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        self.assertEqual(client.answer().status, 400)
        self.wait_until_over(weir)
        rows = stat_rows(weir)
        both = {"mode": "http", "stot": "1", "hrsp_1xx": "1", "hrsp_2xx": "3", "hrsp_3xx": "1", "hrsp_5xx": "1",
                "hrsp_other": "0"}
        front = {**both, "req_tot": "9", "hrsp_4xx": "4", "ereq": "1", "cli_abrt": "0"}
        back = {**both, "req_tot": "8", "hrsp_4xx": "3", "reuse": "7", "eresp": "0", "srv_abrt": "0"}
        self.assertEqual(cells(rows["web", "FRONTEND"], *front), front)
        self.assertEqual(cells(rows["app", "origin"], *back), back)
        self.assertEqual(cells(rows["app", "BACKEND"], *back), back)

    def test_how_exchanges_ended(self):
        weir = self.http_weir([self.http_origin(answer_by_target)])
        self.get(weir, "/200")
        with self.assertRaises(EOFError):
            self.get(weir, "/cut")
        self.wait_until_over(weir)
        ends = weir.stat()["exchange_ends"]
        self.assertEqual({name: count for name, count in ends.items() if count > 0}, {"done": 1, "answer_cut": 1})
        of_worker = [worker["exchange_ends"] for worker in weir.info()["worker"]]
        self.assertEqual(of_worker, [ends])
        self.assertIn("\nended_answer_cut: 1 [ 1 ]\n", weir.ask("show activity"))
        self.assertEqual(cells(stat_rows(weir)["app", "origin"], "eresp", "srv_abrt"), {"eresp": "1", "srv_abrt": "1"})

    def test_what_is_open(self):
        def hold(call):
            call.body()
            if call.request.target == "/held":
                self.assertTrue(release.wait(30))
            call.answer(200, body=b"done")

        release = threading.Event()
        self.addCleanup(release.set)
        origin = self.http_origin(hold)
        weir = self.http_weir([origin])
        held, idle = self.client(weir), self.client(weir)
        held.request("GET", "/held")
        self.wait_for_requests(origin, 1)
        idle.get("/now")

        def figures():
            info, row = weir.info(), stat_rows(weir)["app", "origin"]
            names = ("exchanges_now", "origin_connections", "origin_connections_idle")
            now = [[each[name] for name in names] for each in (info, *info["worker"])]
            return now, row["scur"], row["used_conn_cur"]
        eventually(lambda: figures() == ([[1, 2, 1]] * 2, "1", "1"), what="one of two connections is idle")
        release.set()
        self.assertEqual(held.answer().body, b"done")
        eventually(lambda: figures() == ([[0, 2, 2]] * 2, "0", "0"), what="both connections are idle")
        lines = dict(line.split(": ", 1) for line in weir.ask("show info").strip().splitlines())
        expected = {"CumReq": "2", "Exchanges_now": "0", "Origin_connections": "2", "Origin_connections_idle": "2"}
        self.assertEqual(cells(lines, *expected), expected)

    def test_a_client_that_leaves(self):
        origin = self.http_origin(lambda call: call.send(b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\n\r\nhalf"))
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.request("GET", "/")
        client.head()
        client.reset()
        self.wait_until_over(weir)
        self.assertEqual(stat_rows(weir)["web", "FRONTEND"]["cli_abrt"], "1")
        self.assertEqual(weir.stat()["exchange_ends"]["client_reset"], 1)

    def test_modes_and_routes(self):
        main_, routed, mirror, plain = (self.http_origin(name=name) for name in ("main", "routed", "mirror", "plain"))
        weir = self.weir_with({
            "workers": 1,
            "listeners": [
                self.listener("web", upstream="main", routes=[
                    {"match": {"path_prefix": "/r"}, "upstream": "routed", "mirror": {"upstream": "mirror"}},
                    {"match": {"path": "/here"}, "answer": {"status": 200, "body": "weir"}}]),
                self.listener("bare", routes=[{"upstream": "routed"}]),
                {"name": "tcp", "address": "127.0.0.1:0", "upstream": "plain"}],
            "upstreams": [self.upstream(each.name, each) for each in (main_, routed, mirror, plain)]})
        listeners = {row["name"]: (row["mode"], row["upstream"], row.get("routes")) for row in weir.stat()["listeners"]}
        self.assertEqual(listeners, {"web": ("http", "main", 2), "bare": ("http", None, 1),
                                     "tcp": ("tcp", "plain", None)})
        modes = {names: row["mode"] for names, row in stat_rows(weir).items()}
        self.assertEqual({proxy: {mode for (name, _), mode in modes.items() if name == proxy} for proxy, _ in modes},
                         {"web": {"http"}, "bare": {"http"}, "tcp": {"tcp"}, "main": {"http"}, "routed": {"http"},
                          "mirror": {"http"}, "plain": {"tcp"}})


if __name__ == "__main__":
    main()
