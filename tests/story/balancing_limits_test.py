#!/usr/bin/env python3
"""max_connections of an endpoint: never exceeded, whoever asks; others are used meanwhile; and what clients are told
when all are full."""

import contextlib
import socket
import threading
from collections import Counter

from balanced import Balanced
from harness import eventually, main, scaled
from http_client import HttpClient
from sockets import ask_once, connect, receive_all, receive_line
from together import together


class CountingOrigin:
    """Listens, and answers a line by its name after a moment. How many it served at a time at most is in `most`.

    It counts one as gone before it closes, so that weir, which sees the close, cannot know of it earlier.
    """

    def __init__(self, name, pause):
        self.name = name
        self.most = 0
        self.served = 0
        self._now = 0
        self._pause = pause
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = "127.0.0.1:%d" % self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def endpoint(self, **more):
        return {"name": self.name, "address": self.address, **more}

    def close(self):
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._door.accept()
                with self._lock:
                    self._now += 1
                    self.most = max(self.most, self._now)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError):
            sock.recv(100)
            self._pause.wait(0.003)  # nobody sets it: work that takes a while
        with self._lock:
            self._now -= 1
            self.served += 1
        with contextlib.suppress(OSError):
            sock.sendall(self.name.encode())
        sock.close()


class NeverExceeded(Balanced):
    def test_connections_by_every_algorithm(self):
        origins = [CountingOrigin(name, threading.Event()) for name in "ab"]
        for origin in origins:
            self._kept(origin)
        a, b = origins
        endpoints = [a.endpoint(max_connections=3), b.endpoint(max_connections=5)]
        weir = self.weir_with(self.tcp(endpoints, workers=2))
        for balance in ("round_robin", "least_connections", "random", "two_choices", "least_time", "maglev",
                        "resource_aware", "first_fit"):
            with self.subTest(balance):
                weir.reload(self.tcp(endpoints, balance, workers=2))
                address = weir.address()
                answers = Counter()

                def work(_, address=address, answers=answers):
                    for _ in range(scaled(12)):
                        with contextlib.suppress(ConnectionError):
                            answers[ask_once(address, b"hello")] += 1
                together(16, work)
                self.assertGreater(answers[b"a"], 0)
                self.assertGreater(answers[b"b"], 0)
                self.assertEqual(set(answers) - {b"a", b"b", b""}, set())
                self.assertLessEqual(a.most, 3)
                self.assertLessEqual(b.most, 5)
        self.assertEqual((a.most, b.most), (3, 5), "and they were reached")
        self.assertEqual([worker["accepted"] > 0 for worker in weir.info()["worker"]], [True, True])
        self.assertGreater(weir.closed("endpoints_full"), 0)

    def test_requests(self):
        gate = self.gate()  # counts
        gate.open()
        a, b = (self.http_origin(gate, name) for name in "ab")
        weir = self.weir_with(self.http([a.endpoint(max_connections=2), b.endpoint(max_connections=3)], workers=2))
        statuses = Counter()
        address = weir.address()

        def work(_):
            client = HttpClient(connect(address))
            for _ in range(scaled(80)):
                statuses[client.get("/").status] += 1
            client.close()
        together(16, work)
        self.assertLessEqual(gate.most["a"], 2)
        self.assertLessEqual(gate.most["b"], 3)
        self.assertEqual(set(statuses), {200, 503}, dict(statuses))
        self.assertEqual([worker["accepted"] > 0 for worker in weir.info()["worker"]], [True, True])
        self.expect_ends(weir, done=statuses[200], endpoints_full=statuses[503])

    def test_idle_connections_to_an_origin_take_no_place(self):
        a, = self.web("a")
        weir = self.weir_with(self.http([a.endpoint(max_connections=1)]))
        clients = [self.client(weir) for _ in range(5)]
        for _ in range(3):
            for client in clients:
                self.assertEqual(client.get("/").status, 200)
        self.assertEqual(weir.endpoint("a")["connections"], 0)


class Full(Balanced):
    def test_others_take_what_does_not_fit(self):
        gate = self.gate()
        a, b = (self.http_origin(gate, name) for name in "ab")
        for balance in ("round_robin", "random", "maglev", "rendezvous"):
            with self.subTest(balance):
                gate.close()
                weir = self.weir_with(self.http([a.endpoint(max_connections=2), b], balance))
                clients = self.hold(weir, gate, 30, [f"127.0.0.{i + 2}" for i in range(30)])
                self.assertEqual((gate.now["a"], gate.now["b"]), (2, 28))
                gate.open()
                self.assertEqual(self.answered(clients), {"a": 2, "b": 28})

    def test_requests_when_all_are_full(self):
        gate = self.gate()
        origins = [self.http_origin(gate, name) for name in "ab"]
        weir = self.weir_with(self.http([origin.endpoint(max_connections=2) for origin in origins]))
        clients = self.hold(weir, gate, 4)
        refused = self.client(weir)
        for _ in range(3):
            self.assertEqual(refused.get("/").status, 503)
        self.expect_ends(weir, endpoints_full=3)
        gate.open()
        self.assertEqual(self.answered(clients), {"a": 2, "b": 2})
        self.assertEqual(refused.get("/").status, 200, "the connection has outlived it")

    def test_connections_when_all_are_full(self):
        origins = [self.origin("--raw", "banner", name=name) for name in "ab"]
        weir = self.weir_with(self.tcp([origin.endpoint(max_connections=2) for origin in origins]))
        held = self.hold_connections(weir, 4)
        refused = self.connect(weir.address())
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(receive_all(refused), b"")
        eventually(lambda: weir.closed("endpoints_full") == 1)
        held[0][0].close()
        eventually(lambda: weir.endpoint(held[0][1])["connections"] == 1)
        self.assertEqual(receive_line(self.connect(weir.address())), f"banner {held[0][1]}")

    def test_a_session_at_a_full_endpoint_goes_elsewhere(self):
        gate = self.gate()
        gate.open()
        origins = [self.http_origin(gate, name) for name in "ab"]
        weir = self.weir_with(self.http([origin.endpoint(max_connections=1) for origin in origins],
                                        sticky={"by": "cookie"}))
        first = self.get(weir)
        home = first.get("x-origin")
        cookie = {"Cookie": first.get("set-cookie").partition(";")[0]}
        self.assertEqual(self.served(weir, 6, cookie), {home: 6})
        gate.close()
        held = self.hold(weir, gate, 1, fields=cookie)
        self.assertEqual(gate.now[home], 1)
        moved = self.hold(weir, gate, 1, fields=cookie)
        self.assertEqual(gate.now, {"a": 1, "b": 1})
        gate.open()
        self.assertEqual(self.answered(held), {home: 1})
        self.assertEqual(self.answered(moved), {"b" if home == "a" else "a": 1})

    def test_a_dead_one_and_a_full_one(self):
        """What is told is that there is no room: it is what more room would help against."""
        gate = self.gate()
        a = self.http_origin(gate, "a")
        weir = self.weir_with(self.http([a.endpoint(max_connections=1),
                                         {"name": "dead", "address": self.nobody_at()}]))
        clients = self.hold(weir, gate, 1)
        self.assertEqual(self.get(weir).status, 503)
        gate.open()
        self.assertEqual(self.answered(clients), {"a": 1})

    def test_a_reload_changes_how_many_and_closes_nothing(self):
        origin = self.origin("--raw", "banner", name="a")
        weir = self.weir_with(self.tcp([origin.endpoint(max_connections=4)]))
        held = self.hold_connections(weir, 4)
        weir.reload(self.tcp([origin.endpoint(max_connections=2)]))
        self.assertEqual(weir.endpoint("a")["max_connections"], 2)
        self.assertEqual(weir.endpoint("a")["connections"], 4)
        for sock, _ in held[:2]:
            sock.close()
        eventually(lambda: weir.endpoint("a")["connections"] == 2)
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(ask_once(weir.address()), b"", "still as many as may be")
        weir.reload(self.tcp([origin.endpoint(max_connections=3)]))
        self.assertEqual(receive_line(self.connect(weir.address())), "banner a")


if __name__ == "__main__":
    main()
