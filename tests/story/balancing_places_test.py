#!/usr/bin/env python3
"""A place at an endpoint: taken as long as work is there, whatever kind of work it is, and given back whatever way it
ends. max_connections, least_connections and bounded load all stand on that."""

import contextlib
import random
import socket
from collections import Counter
from threading import Event

from balanced import Balanced
from harness import PATIENCE, eventually, main, scaled
from http_client import HttpClient
from http_message import written_answer, written_request
from sockets import connect, exchange, receive_all, receive_line, reset
from together import together

ASK = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
       "Sec-WebSocket-Key": "c2l4dGVlbiBieXRlcyBpdA=="}
SWITCH = written_answer(101, {"Connection": "Upgrade", "Upgrade": "websocket"}, reason="Switching Protocols")


def tunnels(call):
    """Accepts every upgrade, and echoes behind it."""
    if not call.request.fields.has("upgrade"):
        return call.answer(200, {"X-Origin": call.origin.name})
    call.send(SWITCH)
    call.over = True
    while data := call.sock.recv(1 << 16):
        call.send(data)
    return None


class Taken(Balanced):
    def test_by_a_tunnel_for_as_long_as_it_is_open(self):
        origin = self.http_origin(tunnels, "a")
        weir = self.weir_with(self.http([origin.endpoint(max_connections=2)]))
        opened = []
        for _ in range(2):
            client = self.client(weir)
            self.assertEqual(client.get("/", ASK).status, 101)
            opened.append(client)
        self.assertEqual(self.get(weir).status, 503)
        for client in opened:
            self.assertEqual(exchange(client.sock, b"alive"), b"alive")
        opened[0].close()
        eventually(lambda: weir.endpoint("a")["connections"] == 1)
        self.assertEqual(self.get(weir).status, 200)

    def test_while_the_body_of_an_answer_is_under_way(self):
        a, = self.web("a")
        weir = self.weir_with(self.http([a.endpoint(max_connections=1)]))
        client = self.client(weir, receive_buffer=4096)
        client.request("GET", "/endless")
        self.assertEqual(client.head().status, 200)
        self.assertEqual(self.get(weir).status, 503)
        client.reset()
        eventually(lambda: self.get(weir).status == 200)

    def test_while_an_endpoint_is_out_of_the_file(self):
        """It comes back while connections from before are still there: they count."""
        a, b = (self.origin("--raw", "banner", name=name) for name in "ab")
        with_a = self.tcp([a.endpoint(max_connections=2), b.endpoint(max_connections=1)], "first_fit")
        weir = self.weir_with(with_a)
        held = self.hold_connections(weir, 2)
        self.assertEqual([name for _, name in held], ["a", "a"])
        weir.reload(self.tcp([b]))
        weir.reload(with_a)
        self.assertEqual(weir.endpoint("a")["connections"], 2)
        self.assertEqual(receive_line(self.connect(weir.address())), "banner b")
        for sock, _ in held:
            self.assertEqual(exchange(sock, b"alive"), b"alive")
            sock.close()
        eventually(lambda: weir.endpoint("a")["connections"] == 0)
        self.assertEqual(receive_line(self.connect(weir.address())), "banner a")

    def test_by_retries_one_after_the_other(self):
        """Who answered 503 has no place any more while another one works on the request."""
        gate = self.gate()

        def fails(call):
            call.body()
            call.answer(503, {"X-Origin": call.origin.name})
        bad, good = self.http_origin(fails, "bad"), self.http_origin(gate, "good")
        weir = self.weir_with(self.http([bad.endpoint(max_connections=1), good.endpoint(tier=1)], tries=2,
                                        retry={"on": ["connect", "503"], "backoff": 0}))
        clients = self.hold(weir, gate, 3)
        self.assertEqual((weir.endpoint("bad")["connections"], weir.endpoint("good")["connections"]), (0, 3))
        gate.open()
        self.assertEqual(self.answered(clients), {"good": 3})

    def test_not_by_who_only_holds_a_connection_open(self):
        a, = self.web("a")
        weir = self.weir_with(self.http([a.endpoint(max_connections=1)], "least_connections"))
        for _ in range(5):
            self.assertEqual(self.client(weir).get("/").status, 200)
        self.assertEqual(weir.info()["connections"], 5)
        self.assertEqual(weir.endpoint("a")["connections"], 0)

    def test_by_copies_too(self):
        gate = self.gate()
        shadow = self.http_origin(gate, "shadow")
        config = self.http(self.web("a"), listener={"routes": [
            {"upstream": "app", "mirror": {"upstream": "shadow"}}]})
        config["upstreams"].append({"name": "shadow", "endpoints": [shadow.endpoint(max_connections=2)]})
        weir = self.weir_with(config)
        self.assertEqual(self.served(weir, 10), {"a": 10})
        self.assertTrue(gate.wait_for(2))
        self.assertEqual(weir.endpoint("shadow", "shadow")["connections"], 2)
        self.assertEqual(gate.most["shadow"], 2)
        gate.open()
        eventually(lambda: weir.endpoint("shadow", "shadow")["connections"] == 0)
        self.assertEqual(len(shadow.requests), 2, "what found no place was dropped")
        self.assertEqual(self.served(weir, 1), {"a": 1})
        eventually(lambda: len(shadow.requests) == 3)
        self.assertEqual(gate.most["shadow"], 2)


class GivenBack(Balanced):
    """tearDown() sees that every place is given back; these stories end work in every way they can think of."""

    def test_by_clients_that_leave_at_any_moment(self):
        a, b = self.web("a", "b")
        dead = {"name": "dead", "address": self.nobody_at()}
        limits = {"max_connections": 6}
        weir = self.weir_with(self.http([a.endpoint(**limits), dead, b.endpoint(**limits)], "least_connections",
                                        workers=2))
        address = weir.address()
        targets = ("/", "/delay/20", "/bytes/200KiB", "/fail?mode=reset", "/fail?mode=half", "/fail/delay/5?mode=close",
                   "/status/503", "/dribble?bytes=50&every=1", "/fail?mode=garbage")

        def work(number):
            dice = random.Random(number)
            for _ in range(scaled(20)):
                with connect(address) as sock, contextlib.suppress(OSError):
                    method = dice.choice(("GET", "POST", "HEAD"))
                    request = written_request(method, dice.choice(targets), {}, b"x" * dice.choice((0, 10, 5000)))
                    sock.sendall(request[:dice.choice((len(request), len(request), dice.randrange(len(request))))])
                    sock.settimeout(dice.choice((0.001, 0.02, 1)))
                    sock.recv(1000)
                    if dice.random() < 0.5:
                        reset(sock)
        together(12, work)
        self.wait_until_over(weir)
        eventually(lambda: set(self.counts_at_endpoints(weir)) == {0})
        names = Counter(self.owner(weir) for _ in range(12))
        self.assertEqual(set(names), {"a", "b"})

    def test_by_connections_that_end_at_any_moment(self):
        a, b = (self.origin("--raw", kind, name=kind) for kind in ("echo", "reset"))
        endpoints = [a.endpoint(max_connections=4), b.endpoint(max_connections=4),
                     {"name": "dead", "address": self.nobody_at()}]
        weir = self.weir_with(self.tcp(endpoints, workers=2))
        address = weir.address()

        def work(number):
            dice = random.Random(number)
            for _ in range(scaled(40)):
                with connect(address) as sock, contextlib.suppress(OSError):
                    sock.settimeout(dice.choice((0.001, 0.02, 1)))
                    sock.sendall(b"x" * dice.choice((1, 1000, 100_000)))
                    if dice.random() < 0.7:
                        sock.recv(1000)
                    if dice.random() < 0.3:
                        reset(sock)
        together(12, work)
        self.wait_until_over(weir)
        eventually(lambda: set(self.counts_at_endpoints(weir)) == {0})

    def test_across_reloads_and_steering(self):
        names = "abc"
        cast = self.web(*names)
        variants = [self.http([each.endpoint(max_connections=20) for each in cast], balance, workers=2)
                    for balance in ("least_connections", "maglev", "adaptive", "two_choices", "least_time")]
        variants.append(self.http(cast[1:], workers=2))
        weir = self.weir_with(variants[0])
        address = weir.address()
        ended = Event()
        troubles = []

        def work(number):
            client = HttpClient(connect(address))
            while not ended.is_set():
                answer = client.get("/delay/2" if number % 2 else "/")
                if answer.status != 200:
                    troubles.append(answer.status)
            client.close()

        def steer(_):
            try:
                for turn in range(scaled(30)):
                    weir.reload(variants[turn % len(variants)])
                    for line in (f"set weight app/b {turn % 3 + 1}", "set server app/c state drain",
                                 "set server app/c health 0.5", "set server app/c state ready",
                                 "set server app/c health 1"):
                        self.steer(weir, line)
            finally:
                ended.set()
        together(9, lambda number: steer(number) if number == 8 else work(number))
        self.assertEqual(troubles, [])
        weir.reload(variants[0])
        eventually(lambda: set(self.counts_at_endpoints(weir)) == {0})


class OverUnixSockets(Balanced):
    def test_an_origin_that_speaks_and_leaves_at_once(self):
        """Its words and its end come together, while weir begins to listen to it. No end may be missed."""
        local = self.origin("--raw", "name", name="local", listen=f"unix:{self.path('o.sock')}")
        weir = self.weir_with(self.tcp([local.address]))
        address = weir.address()

        def work(_):
            for _ in range(scaled(1500)):
                with connect(address, timeout=3 * PATIENCE) as sock:
                    sock.shutdown(socket.SHUT_WR)
                    self.assertEqual(receive_all(sock), b"local\n")
        together(4, work)


class Sessions(Balanced):
    """Who draws work from where, when sessions belong to an endpoint: by cookie, by what was learned, by address."""

    def cast(self):
        def answers(call):
            call.body()
            fields = [("X-Origin", call.origin.name)]
            if not call.request.fields.has("x-session"):
                fields.append(("X-Session", f"{call.origin.name}-{call.connection}-{call.number}"))
            call.answer(200, fields)
        return [self.http_origin(answers, name) for name in "ab"]

    def each_kind(self, story, **more):
        cast = self.cast()
        kinds = ({"by": "cookie"}, {"by": "learned", "source": "header:X-Session"}, {"by": "client_ip"})
        for kind in kinds:
            with self.subTest(kind["by"]):
                weir = self.weir_with(self.http(cast, sticky=kind, **more))
                answer = self.get(weir)
                cookie = answer.fields.all("set-cookie")
                fields = {"X-Session": answer.get("x-session")}
                if cookie:
                    fields["Cookie"] = cookie[0].partition(";")[0]
                home = answer.get("x-origin")
                self.assertEqual(self.served(weir, 6, fields), {home: 6})
                story(weir, home, {"a": "b", "b": "a"}[home], fields)

    def test_drain_and_maintenance(self):
        def story(weir, home, other, fields):
            self.steer(weir, f"set server app/{home} state drain")
            self.assertEqual(self.served(weir, 6, fields), {home: 6})
            self.steer(weir, f"set server app/{home} state maint")
            self.assertEqual(self.served(weir, 6, fields), {other: 6})
        self.each_kind(story)

    def test_who_is_down(self):
        def story(weir, home, other, fields):
            self.steer(weir, f"set server app/{home} health down")
            self.assertEqual(self.served(weir, 6, fields), {other: 6})
        self.each_kind(story)

    def test_in_a_panic_all_are_used_as_if_they_were_well(self):
        def story(weir, home, other, fields):
            self.steer(weir, f"set server app/{home} health down", f"set server app/{other} health 0")
            self.assertTrue(self.upstream(weir)["panic"])
            self.assertEqual(self.served(weir, 6, fields), {home: 6})
        self.each_kind(story, panic_threshold=60)

    def test_a_low_share_keeps_its_sessions(self):
        def story(weir, home, _, fields):
            self.steer(weir, f"set server app/{home} health 0.01", f"set weight app/{home} 1")
            self.assertEqual(self.served(weir, 12, fields), {home: 12})
        self.each_kind(story)


class Names(Balanced):
    def test_a_unix_socket_and_an_address(self):
        """Endpoints without a name are called as their address, slashes included."""
        path = self.path("o.sock")
        local = self.origin("--raw", "name", name="local", listen=f"unix:{path}")
        remote, = self.named("remote")
        weir = self.weir_with(self.tcp([local.address, remote.address]))
        self.assertEqual(self.connected(weir, 4), {"local": 2, "remote": 2})
        self.steer(weir, f"set weight app/{local.address} 3")
        self.assertEqual(self.connected(weir, 8), {"local": 6, "remote": 2})
        self.steer(weir, f"disable server app/{remote.address}")
        self.assertEqual(self.connected(weir, 4), {"local": 4})


if __name__ == "__main__":
    main()
