#!/usr/bin/env python3
"""Probes by TCP and HTTP: they find who is sick and who is well again, and say why."""

import contextlib
import socket
import threading

from failing import ProbeStory, quick, resets, says, silent, well
from harness import eventually, main


class Talker:
    """A TCP server that speaks: answers what it is told to, once it has heard a line. None: nothing."""

    def __init__(self, answer):
        self.answer = answer
        self.heard = []
        self._door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = "127.0.0.1:%d" % self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self):
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._door.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock:
            sock.settimeout(10)
            try:
                self.heard.append(sock.recv(100))
                if self.answer is not None:
                    sock.sendall(self.answer)
                sock.recv(100)  # until the other side hangs up
            except OSError:
                pass


class Tcp(ProbeStory):
    def test_connect(self):
        a, b = self.web("a", "b")
        weir = self.weir_with(self.http([a, b], health=quick()))
        self.wait_for_rounds(weir, "a", 2)
        self.assertEqual(self.served(weir, 4), {"a": 2, "b": 2})
        a.kill()
        self.expect_sick(weir, "a", "connection refused")
        self.assertEqual(self.served(weir, 4), {"b": 4})
        a.again()
        self.expect_well(weir, "a")
        self.assertEqual(self.served(weir, 4), {"a": 2, "b": 2})
        self.expect_times_down(weir, a=1, b=0)

    def test_send_and_expect(self):
        talkers = {name: Talker(b"+PONG\r\n") for name in "abc"}
        for talker in talkers.values():
            self._kept(talker)
        endpoints = [{"name": name, "address": talker.address} for name, talker in talkers.items()]
        tcp = {"send": "PING\r\n", "expect": "+PONG"}
        weir = self.weir_with(self.tcp(endpoints, health=quick(probe="tcp", tcp=tcp)))
        for name in talkers:
            self.wait_for_rounds(weir, name, 2)
        self.assertEqual(set(talkers["a"].heard), {b"PING\r\n"})
        talkers["a"].answer = b"-LOADING\r\n"
        talkers["b"].answer = None
        self.expect_sick(weir, "a", "LOADING.*, expected `[+]PONG`")
        self.expect_sick(weir, "b", "did not say anything in time")
        self.assertEqual(self.state(weir, "c"), "ready")
        talkers["a"].answer = talkers["b"].answer = b"and now: +PONG\r\n"
        self.expect_well(weir, "a")
        self.expect_well(weir, "b")
        self.expect_times_down(weir, a=1, b=1, c=0)


class Http(ProbeStory):
    def test_what_is_asked_for(self):
        asked = []

        def answers(call):
            asked.append(call.request)
            well(call)
        weir = self.weir_with(self.http([self.http_origin(answers, "a"), self.http_origin(answers, "b")],
                                        health=quick(probe="http", http={
                                            "method": "OPTIONS", "path": "/ready?deep=1", "host": "app.example",
                                            "headers": {"X-Probe": "weir", "Authorization": "Basic eDp5"}})))
        for name in "ab":
            self.wait_for_rounds(weir, name, 1)
        for request in asked:
            self.assertEqual((request.method, request.target, request.get("host"), request.get("x-probe"),
                              request.get("authorization")),
                             ("OPTIONS", "/ready?deep=1", "app.example", "weir", "Basic eDp5"))

    def test_what_is_asked_for_if_nobody_says(self):
        moody, (origin,) = self.moody("a")
        weir = self.weir_with(self.http([origin], health=quick(probe="http")))
        eventually(lambda: moody.count() > 0)
        request = origin.requests[0]
        self.assertEqual((request.method, request.target, request.get("host")), ("HEAD", "/", origin.address))
        self.wait_for_rounds(weir, "a", 1)

    def test_ways_to_be_sick(self):
        def garbage(call):
            call.send(b"SSH-2.0-OpenSSH_9.2\r\n")
            call.close()

        def half(call):
            call.send(b"HTTP/1.1 200 Fine\r\nContent-Length: 100\r\n\r\nonly this")
            call.close()

        def drips(call):
            """Each byte comes soon; all of them never."""
            for byte in b"HTTP/1.1 200 Fine\r\nX-Long: " + b"x" * 1000:
                call.send(bytes([byte]))
                if call.sock.fileno() < 0 or threading.Event().wait(0.05):
                    return

        def unready(call):
            call.body()
            call.answer(200, {}, b"warming up")

        def ready(call):
            call.body()
            call.answer(200, {}, b"all is ready here")
        sick = {"status": (says(500), "status 500"), "redirect": (says(302), "status 302"),
                "body": (unready, "the body does not contain"), "silent": (silent, "no answer in time"),
                "resets": (resets, "the connection broke: .*ECONNRESET"), "garbage": (garbage, "not an answer of HTTP"),
                "half": (half, "closed in the middle of the body"), "drips": (drips, "no answer in time")}
        moody, origins = self.moody(*sick, "well", mood=ready)
        http = {"method": "GET", "path": "/health", "statuses": ["200", "204-205"], "body": "ready"}
        weir = self.weir_with(self.http(origins, health=quick(probe="http", http=http)))
        for name in sick:
            self.wait_for_rounds(weir, name, 1)
        self.expect_times_down(weir, **{name: 0 for name in sick})
        for name, (mood, _) in sick.items():
            moody.feels(name, mood)
        for name, (_, why) in sick.items():
            with self.subTest(name):
                self.expect_sick(weir, name, why)
        self.assertEqual(self.state(weir, "well"), "ready")
        for name in sick:
            moody.feels(name, ready)
        for name in sick:
            with self.subTest(name):
                self.expect_well(weir, name)

    def test_another_port_tells(self):
        """What counts is what is said there, whatever the endpoint itself does."""
        moody, (a, b, teller) = self.moody("a", "b", "teller")
        weir = self.weir_with(self.http([a, b], health=quick(
            probe="http", port=int(teller.address.rpartition(":")[2]), http={"path": "/health"})))
        for name in "ab":
            self.wait_for_rounds(weir, name, 1)
        self.assertEqual((moody.count("a"), moody.count("b")), (0, 0))
        moody.feels("teller", says(503))
        for name in "ab":
            self.expect_sick(weir, name, "status 503")
        self.assertEqual(self.get(weir).status, 503)
        self.assertEqual((moody.count("a"), moody.count("b")), (0, 0))
        moody.feels("teller", well)
        for name in "ab":
            self.expect_well(weir, name)
        self.assertEqual(self.served(weir, 2), {"a": 1, "b": 1})


if __name__ == "__main__":
    main()
