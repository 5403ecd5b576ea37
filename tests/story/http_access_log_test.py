#!/usr/bin/env python3
"""The access log: a line for each request, true to the last field, lost only when it says so, and never in the way."""

import calendar
import contextlib
import json
import os
import re
import signal
import socket
import threading
import time

from harness import PATIENCE, eventually, main, scaled
from http_story import HttpStory
from sockets import reset

COMBINED = re.compile(
    r'(?P<client>\S+) - - \[(?P<time>\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000)\] "(?P<request>[^"]*)" '
    r'(?P<status>\d{3}) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)"')
FIELDS = {
    "time": str, "request_id": str, "client": str, "listener": str, "route": str, "upstream": str, "endpoint": str,
    "method": str, "host": str, "target": str, "protocol": str, "status": int, "bytes_in": int, "bytes_out": int,
    "user_agent": str, "referer": str, "tries": int, "reused": bool, "end": str, "total_us": int, "queue_us": int,
    "connect_us": int, "first_byte_us": int, "body_us": int, "weir_us": int,
}


class AccessLog(HttpStory):
    def logging_weir(self, origins, to=None, log=None, **more):
        return self.http_weir(origins, access_log={"to": to or self.path("access.log"), **(log or {})}, **more)

    def lines_of(self, name="access.log"):
        with contextlib.suppress(FileNotFoundError), open(self.path(name), encoding="utf-8") as file:
            return file.read().splitlines()
        return []

    def records(self, count, name="access.log"):
        """The lines, parsed, when there are so many."""
        eventually(lambda: len(self.lines_of(name)) >= count, what=f"{name} has {count} lines")
        lines = self.lines_of(name)
        self.assertEqual(len(lines), count)
        return [json.loads(line) for line in lines]

    def collector(self):
        receiver = self._kept(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        receiver.bind(self.path("collector"))
        receiver.settimeout(10 * PATIENCE)
        return receiver

    def figure(self, weir, name):
        return weir.info()["access_log"][name]

    def dropped(self, weir):
        return self.figure(weir, "lost") + weir.total("access_log_dropped")


class Lines(AccessLog):
    def test_every_field(self):
        def answers(call):
            call.answer(201, {}, b"z" * 3000 + call.body())
        origin = self.http_origin(answers, name="o1")
        routes = [{"name": "things", "match": {"path_prefix": "/things"}, "upstream": "app"}]
        weir = self.logging_weir([origin], listener={"routes": routes})
        before = time.time()
        client = self.client(weir)
        for _ in range(2):
            answer = client.ask("POST", "/things/1?a=b", {"User-Agent": "story/1", "Referer": "http://else.where/"},
                                body=b"x" * 1234, host="shop.test:81")
            self.assertEqual(answer.status, 201)
        first, second = self.records(2)
        self.assertEqual({name: type(value) for name, value in first.items()}, FIELDS)
        expected = {"client": "127.0.0.1", "listener": "web", "route": "things", "upstream": "app", "endpoint": "o1",
                    "method": "POST", "host": "shop.test:81", "target": "/things/1?a=b", "protocol": "HTTP/1.1",
                    "status": 201, "bytes_in": 1234, "bytes_out": 4234, "user_agent": "story/1",
                    "referer": "http://else.where/", "tries": 1, "end": "done"}
        for record in (first, second):
            self.assertEqual({name: record[name] for name in expected}, expected)
        self.assertEqual([first["reused"], second["reused"]], [False, True])
        self.assertEqual([each["request_id"] for each in (first, second)],
                         [request.get("x-request-id") for request in origin.requests])
        self.assertRegex(first["time"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
        stamp = time.strptime(first["time"][:19], "%Y-%m-%dT%H:%M:%S")
        self.assertLess(abs(before - calendar.timegm(stamp)), 5 * PATIENCE)

    def test_where_the_time_went(self):
        def answers(call):
            call.body()
            if call.request.target == "/late":
                time.sleep(0.3)  # tidy-allow: sleep, an origin that takes its time
            call.send(b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nx")
            if call.request.target == "/slow":
                time.sleep(0.3)  # tidy-allow: sleep, an origin that takes its time
            call.send(b"y")
        weir = self.logging_weir([self.http_origin(answers)])
        client = self.client(weir)
        for target in ("/late", "/slow"):
            self.assertEqual(client.get(target).body, b"xy")
        late, slow = self.records(2)
        self.assertGreater(late["first_byte_us"], 290_000)
        self.assertLess(late["body_us"], 250_000 * PATIENCE)
        self.assertGreater(slow["body_us"], 290_000)
        self.assertLess(slow["first_byte_us"], 250_000 * PATIENCE)
        for record in (late, slow):
            parts = sum(record[name] for name in ("queue_us", "connect_us", "first_byte_us", "body_us"))
            self.assertLessEqual(abs(record["total_us"] - parts), 5000, record)
            self.assertGreater(record["weir_us"], 0)
            self.assertLess(record["weir_us"], 100_000)

    def test_retries(self):
        def answers(call):
            if call.number == 0 and call.origin.name == "bad":
                call.reset()
            else:
                call.answer()
        weir = self.logging_weir([self.http_origin(answers, name=name) for name in ("bad", "good")])
        for _ in range(2):
            self.assertEqual(self.get(weir).status, 200)
        records = self.records(2)
        self.assertEqual(sorted(record["tries"] for record in records), [1, 2])
        self.assertEqual({record["endpoint"] for record in records}, {"good"})

    def test_how_each_request_ended(self):
        def answers(call):
            if call.request.target == "/reset":
                call.reset()
            elif call.request.target == "/garbage":
                call.send(b"garbage\r\n\r\n")
                call.close()
            elif call.request.target == "/cut":
                call.send(b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\n\r\nx")
                call.close()
            elif call.request.target == "/silent":
                call.stream.ended()
                call.over = True
            else:
                call.answer(200, {}, b"hello")
        dead = {"name": "dead", "endpoints": [{"name": "nobody", "address": self.nobody_at()}]}
        app = {"name": "app", "endpoints": [self.http_origin(answers).endpoint()], "retry": {"on": "off"}}
        routes = [{"name": "pong", "match": {"path": "/ping"}, "answer": {"status": 200, "body": "pong"}},
                  {"name": "moved", "match": {"path": "/old"}, "redirect": {"status": 308, "location": "/new"}},
                  {"match": {"path": "/dead"}, "upstream": "dead"},
                  {"match": {"path_prefix": "/app"}, "upstream": "app", "rewrite": {"prefix": "/"}}]
        weir = self.weir_with({
            "workers": 1,
            "listeners": [{"name": "web", "address": "127.0.0.1:0", "mode": "http", "routes": routes}],
            "upstreams": [dead, app],
            "timeouts": {"first_byte": "300ms"},
            "access_log": {"to": self.path("access.log")},
        })
        expected = (
            ("/ping", 200, "answered_here"), ("/old", 308, "answered_here"), ("/nowhere", 404, "unrouted"),
            ("/dead", 503, "connect_failed"), ("/app/reset", 502, "origin_reset"), ("/app/x", 200, "done"),
            ("/app/garbage", 502, "answer_malformed"), ("/app/silent", 504, "first_byte_timeout"),
            ("/app/cut", 200, "answer_cut"),
        )
        for target, _, _ in expected:
            with contextlib.suppress(EOFError):
                self.get(weir, target)
        records = self.records(len(expected))
        self.assertEqual([(record["target"], record["status"], record["end"]) for record in records], list(expected))
        self.assertEqual([record["route"] for record in records[:3]], ["pong", "moved", ""])

    def test_who_left(self):
        origin = self.http_origin(lambda call: call.stream.ended() and call.close())
        weir = self.logging_weir([origin], timeouts={"half_close": "300ms"})
        for i, leave in enumerate((lambda client: reset(client.sock), lambda client: client.end())):
            client = self.client(weir)
            client.request()
            self.wait_for_requests(origin, i + 1)
            leave(client)
            self.records(i + 1)
        records = self.records(2)
        self.assertEqual([record["end"] for record in records], ["client_reset", "client_left"])
        self.assertEqual([record["status"] for record in records], [499, 499])

    def test_what_was_no_request(self):
        refused = (
            (b"GET / HTTP/1.1\r\n\r\n", 400, "host_missing"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nFoo : b\r\n\r\n", 400, "field_name_malformed"),
            (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "version_unsupported"),
            (b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 9000), 414, "request_line_too_long"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n" % (b"x" * 16000), 431, "head_too_large"),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
             "length_with_chunks"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, None),
        )
        weir = self.logging_weir([self.http_origin()])
        for data, status, _ in refused:
            client = self.client(weir)
            client.send(data)
            self.assertEqual(client.answer().status, status)
        for record, (_, status, refusal) in zip(self.records(len(refused)), refused):
            with self.subTest(refusal=refusal):
                self.assertEqual((record["status"], record["end"], record["tries"]), (status, "refused", 0))
                self.assertEqual(record["client"], "127.0.0.1")
                if refusal:
                    self.assertEqual(record["refusal"], refusal)
                else:
                    self.assertTrue(record["refusal"])

    def test_combined(self):
        weir = self.logging_weir([self.http_origin()], log={"format": "combined"})
        client = self.client(weir)
        client.get("/a?b=c", {"User-Agent": "Mozilla/5.0 (X11)", "Referer": "http://else.where/"})
        client.get("/plain")
        client.send(b"\x01\x02\r\n\r\n")
        self.assertEqual(client.answer().status, 400)
        eventually(lambda: len(self.lines_of()) == 3)
        lines = [COMBINED.fullmatch(line).groupdict() for line in self.lines_of()]
        self.assertEqual([(each["request"], each["status"], each["referer"], each["agent"]) for each in lines], [
            ("GET /a?b=c HTTP/1.1", "200", "http://else.where/", "Mozilla/5.0 (X11)"),
            ("GET /plain HTTP/1.1", "200", "-", "-"),
            ("-", "400", "-", "-"),
        ])
        self.assertEqual([each["bytes"] for each in lines[:2]], ["5", "5"])

    def test_nobody_writes_a_line_of_his_own(self):
        """Whatever a client sends, it makes one line, which says what it sent and nothing else."""
        texts = ('"', '\\"', "\\", '","status":200,"x":"', "\\n", "\\u000a", "<script>", "\xff\xfe", "caf\xc3\xa9",
                 '" 200 5 "-" "-', "\t", "%0a%0d", "\xe2\x80\xa8")
        for form in ("json", "combined"):
            name = f"{form}.log"
            weir = self.logging_weir([self.http_origin(name=form)], self.path(name), {"format": form})
            client = self.client(weir)
            for text in texts:
                fields = {"User-Agent": f"a{text}b", "Referer": f"c{text}d"}
                self.assertEqual(client.get("/", fields).status, 200)
            for text in ('"', '\\"', "<script>", "\xff"):
                refused = self.client(weir)
                refused.send(b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % text.encode("latin-1"))
                refused.answer()
            for data in (b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\ny\r\n\r\n", b"GET /\r/ HTTP/1.1\r\n\r\n",
                         b"GET /\x00\n{\"status\":1}\n HTTP/1.1\r\n\r\n"):
                refused = self.client(weir)
                refused.send(data)
                self.assertEqual(refused.answer().status, 400)
            eventually(lambda name=name: len(self.lines_of(name)) >= len(texts) + 7, what="all are logged")
            with open(self.path(name), "rb") as file:
                lines = file.read().split(b"\n")
            self.assertEqual(len(lines), len(texts) + 8, "one for each, and nothing behind the last one")
            for line, text in zip(lines, texts):
                self.assertNotRegex(line, rb"[\x00-\x1f\x7f]")
                if form == "combined":
                    self.assertTrue(COMBINED.fullmatch(line.decode("ascii")), line)
                else:
                    record = json.loads(line)
                    self.assertEqual((record["status"], set(record)), (200, set(FIELDS)))
                    if text.isascii():
                        self.assertEqual((record["user_agent"], record["referer"]), (f"a{text}b", f"c{text}d"))
            for line in lines[len(texts):-1]:
                self.assertTrue(COMBINED.fullmatch(line.decode("ascii")) if form == "combined" else json.loads(line))

    def test_not_of_a_listener_that_does_not_want_it(self):
        origin = self.http_origin()
        config = {
            "workers": 1,
            "listeners": [{"name": name, "address": "127.0.0.1:0", "mode": "http", "upstream": "app", "access_log": log}
                          for name, log in (("web", True), ("quiet", False))],
            "upstreams": [{"name": "app", "endpoints": [origin.endpoint()]}],
            "access_log": {"to": self.path("access.log")},
        }
        weir = self.weir_with(config)
        for listener in ("quiet", "web", "quiet"):
            client = self.client(weir, listener)
            self.assertEqual(client.get(f"/{listener}").status, 200)
            client.close()
        self.assertEqual([record["target"] for record in self.records(1)], ["/web"])
        self.assertEqual(weir.stop(), 0)
        self.assertEqual(len(self.lines_of()), 1)


class Places(AccessLog):
    def test_a_file_and_its_permissions(self):
        for mode, expected in ((None, 0o640), ("0600", 0o600), ("0664", 0o664)):
            with self.subTest(mode=mode):
                name = f"{expected:o}.log"
                before = os.umask(0)
                try:
                    weir = self.logging_weir([self.http_origin(name=name)], self.path(name),
                                             {"mode": mode} if mode else {})
                finally:
                    os.umask(before)
                self.get(weir)
                self.records(1, name)
                self.assertEqual(os.stat(self.path(name)).st_mode & 0o777, expected)

    def test_what_was_there_stays(self):
        with open(self.path("access.log"), "w", encoding="utf-8") as file:
            file.write('{"old": true}\n')
        weir = self.logging_weir([self.http_origin()])
        self.get(weir, "/new")
        old, new = self.records(2)
        self.assertEqual((old, new["target"]), ({"old": True}, "/new"))

    def test_stdout(self):
        weir = self.logging_weir([self.http_origin()], "stdout")
        self.get(weir, "/hello")
        eventually(lambda: '"target":"/hello"' in weir.log())

    def test_datagrams(self):
        receiver = self.collector()
        weir = self.logging_weir([self.http_origin()], f"unix:{self.path('collector')}")
        client = self.client(weir)
        for i in range(20):
            client.get(f"/{i}")
        targets = [json.loads(receiver.recv(65536))["target"] for _ in range(20)]
        self.assertEqual(targets, [f"/{i}" for i in range(20)])
        self.assertEqual(self.dropped(weir), 0)

    def test_a_collector_that_goes_and_comes_back(self):
        receiver = self.collector()
        weir = self.logging_weir([self.http_origin()], f"unix:{self.path('collector')}")
        client = self.client(weir)
        for i in range(3):
            client.get(f"/{i}")
            self.assertEqual(json.loads(receiver.recv(65536))["target"], f"/{i}")
            receiver.close()
            os.unlink(self.path("collector"))
            client.get("/lost")
            eventually(lambda lost=i + 1: self.figure(weir, "lost") == lost, what="what nobody took is counted")
            receiver = self.collector()
        client.get("/last")
        self.assertEqual(json.loads(receiver.recv(65536))["target"], "/last")
        eventually(lambda: self.figure(weir, "lines") == 4)
        self.assertEqual(self.figure(weir, "lost"), 3)

    def test_a_collector_that_is_started_later(self):
        weir = self.logging_weir([self.http_origin()], f"unix:{self.path('collector')}")
        client = self.client(weir)
        client.get("/lost")
        eventually(lambda: self.figure(weir, "lost") == 1)
        receiver = self.collector()
        client.get("/found")
        self.assertEqual(json.loads(receiver.recv(65536))["target"], "/found")
        weir.descriptors_at_start += 1  # the socket to it

    def test_what_cannot_be_opened(self):
        os.mkdir(self.path("folder"))
        for to in (self.path("folder"), self.path("no/such/file")):
            with self.subTest(to=to), self.assertRaisesRegex(AssertionError, re.escape(to)):
                self.logging_weir([self.http_origin(name=os.path.basename(to))], to)


class Trouble(AccessLog):
    def load(self, weir, requests, clients=4):
        """So many good requests of each; how long they took."""
        failures = []

        def work(number):
            client = self.client(weir)
            for i in range(requests):
                answer = client.get(f"/{number}/{i}")
                if answer.status != 200:
                    failures.append(answer.status)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        return threads, failures

    def expect_good(self, threads, failures):
        for thread in threads:
            thread.join(60 * PATIENCE)
            self.assertFalse(thread.is_alive())
        self.assertEqual(failures, [])

    def test_rotation_loses_nothing(self):
        """Renamed, reopened on SIGUSR1, renamed again, under load: each line is in one of the files, once."""
        weir = self.logging_weir([self.http_origin()], workers=2)
        requests = scaled(400)
        threads, failures = self.load(weir, requests)
        for i in range(5):
            eventually(lambda: self.lines_of(), what="it is written to")
            os.rename(self.path("access.log"), self.path(f"access.log.{i}"))
            reopened = self.figure(weir, "reopened")
            weir.signal(signal.SIGUSR1)
            eventually(lambda before=reopened: self.figure(weir, "reopened") > before)
            self.assertTrue(os.path.exists(self.path("access.log")))
            self.get(weir, f"/extra/{i}")
        self.expect_good(threads, failures)
        self.assertEqual(weir.stop(), 0)
        names = ["access.log", *(f"access.log.{i}" for i in range(5))]
        targets = [json.loads(line)["target"] for name in names for line in self.lines_of(name)]
        expected = [f"/{number}/{i}" for number in range(4) for i in range(requests)]
        self.assertEqual(sorted(targets), sorted([*expected, *(f"/extra/{i}" for i in range(5))]))

    def test_stopping_writes_what_is_left(self):
        weir = self.logging_weir([self.http_origin()], workers=2)
        requests = scaled(100)
        self.expect_good(*self.load(weir, requests))
        self.assertEqual(weir.stop(), 0)
        self.assertEqual(len(self.lines_of()), 4 * requests)

    def test_a_full_disk_is_nobody_elses_business(self):
        weir = self.logging_weir([self.http_origin()], "/dev/full")
        requests = scaled(100)
        self.expect_good(*self.load(weir, requests))
        eventually(lambda: self.dropped(weir) == 4 * requests, what="every line is counted as lost")
        self.assertEqual(self.figure(weir, "lines"), 0)
        self.assertEqual(weir.listener()["answers_2xx"], 4 * requests)
        self.assertIn("no space is left", weir.log())
        self.assertLess(weir.log().count("lines are lost"), 20, "it does not fill the other log instead")

    def test_a_collector_that_does_not_read(self):
        self.collector()
        weir = self.logging_weir([self.http_origin()], f"unix:{self.path('collector')}", {"queue": "64KiB"})
        requests = scaled(400)
        self.expect_good(*self.load(weir, requests))
        eventually(lambda: self.figure(weir, "lines") + self.dropped(weir) == 4 * requests,
                   what="all are accounted for")
        self.assertGreater(self.dropped(weir), 0)
        self.assertEqual(weir.listener()["answers_2xx"], 4 * requests)

    def test_a_name_that_is_gone_when_it_is_reopened(self):
        os.mkdir(self.path("logs"))
        weir = self.logging_weir([self.http_origin()], self.path("logs/access.log"))
        self.get(weir, "/1")
        self.records(1, "logs/access.log")
        os.rename(self.path("logs"), self.path("moved"))
        weir.signal(signal.SIGUSR1)
        eventually(lambda: "not reopened" in weir.log())
        self.get(weir, "/2")
        self.assertEqual([each["target"] for each in self.records(2, "moved/access.log")], ["/1", "/2"])


if __name__ == "__main__":
    main()
