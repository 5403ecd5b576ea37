#!/usr/bin/env python3
"""Connections that stop being HTTP: an upgrade that the origin accepts, and CONNECT."""

import base64
import hashlib
import json
import random
import signal
import threading

from harness import PATIENCE, eventually, main, scaled
from http_message import written_answer, written_request
from http_story import HttpStory, http_config
from sockets import exchange, receive_all

KEY = base64.b64encode(b"sixteen bytes it").decode()
ACCEPT = base64.b64encode(hashlib.sha1(KEY.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
ASK = {"Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": KEY,
       "Sec-WebSocket-Version": "13"}
EARLY = b"GET /early HTTP/1.1\r\nHost: weir.test\r\n\r\n"
SWITCH = written_answer(101, {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Accept": ACCEPT},
                        reason="Switching Protocols")


def switch(then):
    """A handler that accepts every upgrade and CONNECT, and does `then` with the bytes behind it."""
    def handler(call):
        if call.request.method == "CONNECT":
            call.send(written_answer(200))
        elif call.request.fields.has("upgrade"):
            call.send(SWITCH)
        else:
            return call.answer(200, {}, b"plain " + call.body())
        call.over = True
        then(call)
        return None
    return handler


def echo(call):
    if call.stream.left:
        call.send(call.stream.take(len(call.stream.left)))
    while data := call.sock.recv(1 << 16):
        call.send(data)


class Tunnels(HttpStory):
    def opened(self, weir, fields=(), **more):
        """A client behind its upgrade."""
        client = self.client(weir, **more)
        answer = client.get("/ws", [*ASK.items(), *fields])
        self.assertEqual(answer.status, 101)
        return client

    def expect_echo(self, client, data=b"hello"):
        self.assertEqual(exchange(client.sock, data), data)

    def expect_open(self, origin, count):
        eventually(lambda: origin.open == count, what=f"{origin.name} has {count} connections, and not {origin.open}")


class Upgrade(Tunnels):
    def test_both_sides_hear_what_was_agreed(self):
        origin = self.http_origin(switch(echo))
        weir = self.http_weir([origin])
        client = self.client(weir)
        answer = client.get("/ws?a=1", ASK)
        self.assertEqual((answer.status, answer.get("connection").lower(), answer.get("upgrade")),
                         (101, "upgrade", "websocket"))
        self.assertEqual(answer.get("sec-websocket-accept"), ACCEPT)
        request = origin.requests[0]
        self.assertEqual((request.target, request.get("connection").lower(), request.get("upgrade")),
                         ("/ws?a=1", "upgrade", "websocket"))
        self.assertEqual(request.get("sec-websocket-key"), KEY)
        for data in (b"hello", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 1000):
            self.expect_echo(client, data)
        client.close()
        self.expect_open(origin, 0)
        eventually(lambda: weir.closed("done") == 1)
        self.assertEqual(weir.endpoint("origin")["connections"], 0)
        self.assertEqual(weir.listener()["answers_1xx"], 1)

    def test_over_a_connection_that_has_served_requests_before(self):
        origin = self.http_origin(switch(echo))
        weir = self.http_weir([origin])
        client = self.client(weir)
        self.assertEqual(client.ask("POST", body=b"before").body, b"plain before")
        self.assertEqual(client.get("/ws", ASK).status, 101)
        self.expect_echo(client)
        self.assertEqual((origin.connections, weir.total("origin_reused")), (1, 1))
        client.close()
        self.expect_open(origin, 0)
        self.assertEqual(self.get(weir).status, 200)
        self.assertEqual(origin.connections, 2, "what was a tunnel serves no request")

    def test_nothing_that_came_early_is_lost(self):
        def speak_first(call):
            call.send(SWITCH + b"welcome")
            call.over = True
            echo(call)
        origin = self.http_origin(speak_first)
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.send(written_request(target="/ws", fields=ASK) + EARLY)
        self.assertEqual(client.answer().status, 101)
        self.assertEqual(client.stream.exactly(7), b"welcome")
        self.assertEqual(client.stream.exactly(len(EARLY)), EARLY)
        self.assertEqual(origin.targets(), ["/ws"], "that was not a request")
        client.close()
        self.wait_until_over(weir)
        row = weir.endpoint("origin")
        self.assertEqual(row["bytes_down"], len(SWITCH) + 7 + len(EARLY), "early bytes are bytes")
        self.assertGreaterEqual(row["bytes_up"], len(EARLY) + len(written_request(target="/ws", fields=ASK)))

    def test_refused_it_stays_http(self):
        for status in (200, 400, 426):
            with self.subTest(status=status):
                origin = self.http_origin(lambda call, status=status: call.answer(status, {}, b"no"))
                client = self.client(self.http_weir([origin]))
                answer = client.get("/ws", ASK)
                self.assertEqual((answer.status, answer.body), (status, b"no"))
                self.assertFalse(answer.fields.has("upgrade"))
                self.assertEqual(client.get("/again").status, status)
                self.assertEqual((origin.targets(), origin.connections), (["/ws", "/again"], 1))

    def test_refused_what_follows_is_a_request(self):
        origin = self.http_origin(lambda call: call.answer(200, {}, call.request.target.encode()))
        client = self.client(self.http_weir([origin]))
        client.send(written_request(target="/ws", fields=ASK) + EARLY)
        self.assertEqual([client.answer().body for _ in range(2)], [b"/ws", b"/early"])

    def test_not_what_weir_cannot_pass_on(self):
        """HTTP/2 would come out of the tunnel unseen: no routes, no limits, no log."""
        origin = self.http_origin(switch(echo))
        weir = self.http_weir([origin])
        for protocol in ("h2c", "H2C", "h2c, websocket"):
            with self.subTest(protocol=protocol):
                answer = self.get(weir, "/", {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": protocol,
                                              "HTTP2-Settings": "AAMAAABkAAQAAP__"})
                offered = origin.requests[-1].get("upgrade", "")
                self.assertNotIn("h2c", offered.lower())
                self.assertFalse(origin.requests[-1].fields.has("http2-settings"))
                self.assertIn(answer.status, (200, 101))

    def test_not_without_connection_and_not_for_old_clients(self):
        origin = self.http_origin(switch(echo))
        weir = self.http_weir([origin])
        for name, fields, version in (("no Connection", {"Upgrade": "websocket"}, "1.1"), ("1.0", ASK, "1.0")):
            with self.subTest(name):
                self.assertEqual(self.get(weir, "/", fields, version=version).body, b"plain ")
                self.assertFalse(origin.requests[-1].fields.has("upgrade"))

    def test_nobody_asked_for_it(self):
        origin = self.http_origin(lambda call: call.send(SWITCH) or call.stream.ended() and call.close())
        weir = self.http_weir([origin])
        client = self.client(weir)
        answer = client.get("/")
        self.assertEqual((answer.status, json.loads(answer.body)["reason"]), (502, "answer_malformed"))
        self.assertEqual(weir.endpoint("origin")["answers_malformed"], 1)
        self.expect_open(origin, 0)

    def test_a_dead_endpoint_is_passed_over(self):
        weir = self.http_weir([self.nobody_at(), self.http_origin(switch(echo))])
        for _ in range(4):
            client = self.opened(weir)
            self.expect_echo(client)
            client.close()


class InTheTunnel(Tunnels):
    def test_across_reloads(self):
        origins = [self.http_origin(switch(echo), name=name) for name in "ab"]
        weir = self.http_weir(origins, workers=2)
        clients = [self.opened(weir) for _ in range(10)]
        stop = threading.Event()
        failures, echoed = [], [0] * len(clients)

        def talk(index):
            dice = random.Random(index)
            try:
                while not stop.is_set():
                    data = dice.randbytes(dice.choice((1, 100, 70_000)))
                    if exchange(clients[index].sock, data) != data:
                        raise ValueError("other bytes came back")
                    echoed[index] += 1
            except (OSError, EOFError, ValueError) as error:
                failures.append(f"{index}: {type(error).__name__}: {error}")
        threads = [threading.Thread(target=talk, args=(index,)) for index in range(len(clients))]
        for thread in threads:
            thread.start()
        variants = (http_config(origins[1:], workers=2), http_config(origins[:1], workers=2),
                    http_config(origins, listener={"mode": "tcp"}, workers=2), http_config(origins, workers=2))
        for i in range(10):
            before = min(echoed)
            weir.reload(variants[i % 4])
            eventually(lambda: failures or min(echoed) > before, what="everybody goes on")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(weir.info()["connections"], 10)

    def test_each_side_ends_for_itself(self):
        def answer_afterwards(call):
            heard = receive_all(call.sock)
            call.send(b"I heard %d bytes" % len(heard))
            call.close()
        client = self.opened(self.http_weir([self.http_origin(switch(answer_afterwards))]))
        client.send(b"x" * 100_000)
        client.end()
        self.assertEqual(receive_all(client.sock), b"I heard 100000 bytes")

        def end_first(call):
            call.sock.shutdown(1)
            heard.append(receive_all(call.sock))
        heard = []
        client = self.opened(self.http_weir([self.http_origin(switch(end_first), name="other")]))
        self.assertEqual(receive_all(client.sock), b"")
        client.send(b"y" * 100_000)
        client.end()
        eventually(lambda: heard == [b"y" * 100_000])

    def test_a_reset_is_passed_on(self):
        seen = []

        def wait_for_end(call):
            try:
                seen.append(call.sock.recv(1))
            except ConnectionResetError:
                seen.append("reset")
        origin = self.http_origin(switch(wait_for_end))
        client = self.opened(self.http_weir([origin]))
        client.reset()
        eventually(lambda: seen == ["reset"])

        origin = self.http_origin(switch(lambda call: call.sock.recv(1) and call.reset()), name="other")
        client = self.opened(self.http_weir([origin]))
        client.send(b"x")
        with self.assertRaises(ConnectionResetError):
            receive_all(client.sock)

    def test_much_both_ways_at_once(self):
        size = scaled(24 << 20)
        down = random.Random(1).randbytes(1 << 20)
        up = random.Random(2).randbytes(1 << 20)
        heard = hashlib.sha256()
        done = threading.Event()

        def talk(call):
            def hear():
                left = size
                while left > 0:
                    data = call.sock.recv(min(left, 1 << 18))
                    if not data:
                        return
                    heard.update(data)
                    left -= len(data)
                done.set()
            listener = threading.Thread(target=hear)
            listener.start()
            send_so_much(call.sock, down, size)
            listener.join()

        weir = self.http_weir([self.http_origin(switch(talk))])
        client = self.opened(weir)
        sender = threading.Thread(target=send_so_much, args=(client.sock, up, size))
        sender.start()
        received = hashlib.sha256(client.stream.left)  # what came with the 101
        left = size - len(client.stream.left)
        while left > 0:
            data = client.sock.recv(min(left, 1 << 18))
            self.assertTrue(data, f"{left} bytes are missing")
            received.update(data)
            left -= len(data)
        sender.join()
        self.assertTrue(done.wait(10 * PATIENCE))
        self.assertEqual(received.digest(), digest_of(down, size))
        self.assertEqual(heard.digest(), digest_of(up, size))
        self.assertGreater(weir.total("bytes_spliced"), size, "what is much goes through the kernel alone")
        row = weir.endpoint("origin")
        self.assertGreaterEqual(row["bytes_down"], size)
        self.assertGreaterEqual(row["bytes_up"], size)

    def test_the_patience_for_requests_is_over_that_for_silence_is_not(self):
        quick = {name: "300ms" for name in ("header", "client_body", "keep_alive", "half_close", "first_byte", "body",
                                            "request")}
        weir = self.http_weir([self.http_origin(switch(echo))], timeouts={**quick, "idle": "1200ms"})
        client = self.opened(weir)
        client.sock.settimeout(0.8)
        with self.assertRaises(TimeoutError):
            client.sock.recv(1)
        client.sock.settimeout(10 * PATIENCE)
        self.expect_echo(client)
        self.assertTrue(client.gone())
        eventually(lambda: weir.closed("idle_timeout") == 1)

    def test_draining_waits_for_its_end(self):
        weir = self.http_weir([self.http_origin(switch(echo))])
        client = self.opened(weir)
        self.expect_echo(client)
        weir.signal(signal.SIGTERM)
        eventually(lambda: weir.info()["draining"])
        for _ in range(20):
            self.expect_echo(client)
        client.close()
        self.assertEqual(weir.wait(within=5), 0)
        self.assertIn("every connection had ended", weir.log())

    def test_but_not_for_ever(self):
        weir = self.http_weir([self.http_origin(switch(echo))], timeouts={"drain": "400ms"})
        client = self.opened(weir)
        self.expect_echo(client)
        weir.signal(signal.SIGTERM)
        self.assertTrue(client.gone())
        self.assertEqual(weir.wait(within=5), 0)


class Connect(Tunnels):
    def connect_to(self, weir, authority="example.com:443"):
        client = self.client(weir)
        client.request("CONNECT", authority, host=authority)
        return client, client.answer("CONNECT")

    def test_off_unless_allowed(self):
        origin = self.http_origin(switch(echo))
        weir = self.http_weir([origin])
        client = self.client(weir)
        client.send(written_request("CONNECT", "example.com:443", host="example.com:443") + b"GET / HTTP/1.1\r\n")
        answer = client.answer()
        self.assertEqual((answer.status, json.loads(answer.body)["reason"]), (405, "method_not_allowed"))
        self.assertNotIn("CONNECT", answer.get("allow"))
        self.assertEqual(answer.get("connection"), "close")
        self.assertTrue(client.gone(), "what follows was meant for somebody else")
        self.assertEqual(origin.requests, [])

    def test_allowed(self):
        origin = self.http_origin(switch(echo))
        weir = self.http_weir([origin], listener={"allow_connect": True})
        client, answer = self.connect_to(weir)
        self.assertEqual(answer.status, 200)
        self.assertEqual((origin.requests[0].method, origin.requests[0].target), ("CONNECT", "example.com:443"))
        for data in (b"hello", bytes(range(256)) * 1000):
            self.expect_echo(client, data)
        client.end()
        self.assertEqual(receive_all(client.sock), b"")
        self.expect_open(origin, 0)

    def test_what_the_client_sends_along(self):
        origin = self.http_origin(switch(echo))
        weir = self.http_weir([origin], listener={"allow_connect": True})
        client = self.client(weir)
        client.send(written_request("CONNECT", "example.com:443", host="example.com:443") + b"at once")
        self.assertEqual(client.answer("CONNECT").status, 200)
        self.assertEqual(client.stream.exactly(7), b"at once")

    def test_refused_by_the_origin(self):
        origin = self.http_origin(lambda call: call.answer(403, {}, b"not there"))
        weir = self.http_weir([origin], listener={"allow_connect": True})
        client, answer = self.connect_to(weir)
        self.assertEqual((answer.status, answer.body, answer.get("connection")), (403, b"not there", "close"))
        self.assertTrue(client.ended())


def send_so_much(sock, pattern, size):
    for _ in range(size // len(pattern)):
        sock.sendall(pattern)
    sock.sendall(pattern[:size % len(pattern)])


def digest_of(pattern, size):
    whole = hashlib.sha256()
    for _ in range(size // len(pattern)):
        whole.update(pattern)
    whole.update(pattern[:size % len(pattern)])
    return whole.digest()


if __name__ == "__main__":
    main()
