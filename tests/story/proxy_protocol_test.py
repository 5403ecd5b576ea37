#!/usr/bin/env python3
"""The PROXY protocol: who must send a header, what becomes of it, and what origins are told."""

import socket
import struct
import time

from harness import PATIENCE, Story, eventually, main
from sockets import ask_once, connect, exchange, join_address, receive_all, receive_exactly, receive_line

V1 = b"PROXY TCP4 10.1.2.3 10.4.5.6 1111 80\r\n"
V1_IPV6 = b"PROXY TCP6 2001:db8::1 2001:db8::2 1111 80\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TRUSTED = "127.0.0.2"
UNTRUSTED = "127.0.0.1"


def v2(source, destination, source_port=1111, destination_port=80, extra=b""):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    body = addresses + struct.pack("!HH", source_port, destination_port) + extra
    return SIGNATURE + bytes((0x21, 0x21 if family == socket.AF_INET6 else 0x11)) + struct.pack("!H", len(body)) + body


V2 = v2("10.1.2.3", "10.4.5.6")
V2_IPV6 = v2("2001:db8::1", "2001:db8::2")
V2_LOCAL = SIGNATURE + bytes((0x20, 0)) + struct.pack("!H", 0)


class In(Story):
    def setUp(self):
        self.weir_ = self.weir([self.echo()], listener={"accept_proxy": [f"{TRUSTED}/32"]},
                               timeouts={"proxy_header": "500ms"})
        self.address = self.weir_.address()

    def expect_closed(self, client, reason):
        self.assertEqual(receive_all(client), b"")
        eventually(lambda: self.weir_.closed(reason) == 1, what=f"closed for {reason}")
        self.assertEqual(self.weir_.endpoint("echo")["picked"], 0, "no origin was asked")

    def test_headers_of_the_trusted_are_taken_off(self):
        with_tlv = v2("10.1.2.3", "10.4.5.6", extra=b"\x04\0\3abc")
        for header in (V1, V1_IPV6, b"PROXY UNKNOWN\r\n", V2, V2_IPV6, V2_LOCAL, with_tlv):
            with self.subTest(header=header):
                self.assertEqual(ask_once(self.address, header + b"payload", source=TRUSTED), b"payload")

    def test_others_are_taken_as_they_are(self):
        self.assertEqual(ask_once(self.address, b"no header", source=UNTRUSTED), b"no header")
        for header in (V1, V2):
            self.assertEqual(ask_once(self.address, header + b"payload", source=UNTRUSTED), header + b"payload")

    def test_an_origin_that_speaks_first_is_not_held_up(self):
        """The header is no word of the client's: that nobody has to wait for the origin's first one is learned."""
        weir = self.weir([self.origin("--raw", "banner", name="polite")],
                         listener={"accept_proxy": [f"{TRUSTED}/32"]}, workers=1)
        slow = 0
        for _ in range(40):
            began = time.monotonic()
            client = self.connect(weir.address(), source=TRUSTED)
            client.sendall(V1)
            self.assertEqual(receive_line(client), "banner polite")
            slow += time.monotonic() - began > 0.03
            client.close()
        self.assertLess(slow, 20, "none has to wait for the 40 ms that were held back")

    def test_byte_by_byte(self):
        for header in (V1, V2):
            with self.subTest(header=header):
                client = self.connect(self.address, source=TRUSTED)
                for i in range(len(header)):
                    seen = self.weir_.listener()["bytes_in"]
                    client.send(header[i:i + 1])
                    eventually(lambda seen=seen: self.weir_.listener()["bytes_in"] == seen + 1)
                self.assertEqual(exchange(client, b"payload"), b"payload")

    def test_malformed_is_closed_and_counted(self):
        client = self.connect(self.address, source=TRUSTED)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.expect_closed(client, "proxy_header_bad")
        self.assertEqual(self.weir_.listener()["proxy_headers_bad"], 1)

    def test_every_malformed_one(self):
        bad = [b"PROXY TCP4 10.1.2.3 10.4.5.6 1111\r\n", b"PROXY TCP4 10.1.2.300 10.4.5.6 1 2\r\n", b"PROXY  TCP4",
               b"PROXY" + b"x" * 200, SIGNATURE + b"\x31", SIGNATURE + b"\x21\x12",
               V2[:15] + b"\x01" + V2[16:], SIGNATURE[:5] + b"x"]
        for i, header in enumerate(bad, start=1):
            with self.subTest(header=header):
                client = self.connect(self.address, source=TRUSTED)
                client.sendall(header)
                self.assertEqual(receive_all(client), b"")
                eventually(lambda i=i: self.weir_.closed("proxy_header_bad") == i)

    def test_an_end_inside_the_header(self):
        client = self.connect(self.address, source=TRUSTED)
        client.sendall(V1[:10])
        client.shutdown(socket.SHUT_WR)
        self.expect_closed(client, "proxy_header_bad")

    def test_late_is_closed_and_counted(self):
        client = self.connect(self.address, source=TRUSTED)
        begun = time.monotonic()
        client.sendall(V1[:10])
        self.expect_closed(client, "proxy_header_timeout")
        self.assertGreater(time.monotonic() - begun, 0.4)
        self.assertLess(time.monotonic() - begun, 0.5 + 1 * PATIENCE)

    def test_over_unix_sockets(self):
        listener = {"address": f"unix:{self.path('front.sock')}", "accept_proxy": ["unix"]}
        weir = self.weir([self.echo("other")], listener=listener)
        self.assertEqual(ask_once(weir.address(), V2 + b"payload"), b"payload")
        self.assertEqual(ask_once(weir.address(), b"no header"), b"")
        self.assertEqual(weir.closed("proxy_header_bad"), 1)

    def test_a_great_payload_right_behind_the_header(self):
        client = self.connect(self.address, source=TRUSTED)
        payload = b"p" * 100_000
        client.sendall(V1 + payload)
        self.assertEqual(receive_exactly(client, len(payload)), payload)


class Out(Story):
    def told(self, version, listen="127.0.0.1:0", header=b"", source=None, **listener):
        """What an origin is told of a client, and that client's address and weir's."""
        origin = self.origin("--raw", "banner", "--proxy-protocol", name="o")
        weir = self.weir([origin], listener={"address": listen, **listener}, upstream={"send_proxy": version})
        client = self._kept(connect(weir.address(), source))
        client.sendall(header)
        told = receive_line(client)
        self.assertEqual(receive_line(client), "banner o")
        self.assertEqual(exchange(client, b"payload"), b"payload")
        return told, join_address(client), weir.address()

    def test_ipv4(self):
        for version in ("v1", "v2"):
            with self.subTest(version=version):
                told, client, weir = self.told(version)
                self.assertEqual(told, f"proxy {version} TCP4 {client} -> {weir}")

    def test_ipv6(self):
        for version in ("v1", "v2"):
            with self.subTest(version=version):
                told, client, weir = self.told(version, "[::1]:0")
                self.assertEqual(told, f"proxy {version} TCP6 {client} -> {weir}")

    def test_ipv4_on_a_dual_stack_listener(self):
        for version in ("v1", "v2"):
            with self.subTest(version=version):
                origin = self.origin("--raw", "banner", "--proxy-protocol", name="o")
                weir = self.weir([origin], listener={"address": ":0"}, upstream={"send_proxy": version})
                port = weir.address().rsplit(":", 1)[1]
                client = self.connect(f"127.0.0.1:{port}")
                expected = f"proxy {version} TCP4 {join_address(client)} -> 127.0.0.1:{port}"
                self.assertEqual(receive_line(client), expected)

    def test_unix_names_nobody(self):
        told, _, _ = self.told("v1", f"unix:{self.path('one.sock')}")
        self.assertEqual(told, "proxy v1 UNKNOWN")
        told, _, _ = self.told("v2", f"unix:{self.path('two.sock')}")
        self.assertEqual(told, "proxy v2 LOCAL")

    def test_in_and_out_keeps_the_client(self):
        for version in ("v1", "v2"):
            for header, family, source, destination in ((V1, "TCP4", "10.1.2.3:1111", "10.4.5.6:80"),
                                                        (V2, "TCP4", "10.1.2.3:1111", "10.4.5.6:80"),
                                                        (V1_IPV6, "TCP6", "[2001:db8::1]:1111", "[2001:db8::2]:80"),
                                                        (V2_IPV6, "TCP6", "[2001:db8::1]:1111", "[2001:db8::2]:80")):
                with self.subTest(version=version, header=header):
                    told, _, _ = self.told(version, header=header, accept_proxy="all")
                    self.assertEqual(told, f"proxy {version} {family} {source} -> {destination}")

    def test_a_local_header_is_the_peer_itself(self):
        told, client, weir = self.told("v2", header=V2_LOCAL, accept_proxy="all")
        self.assertEqual(told, f"proxy v2 TCP4 {client} -> {weir}")

    def test_retries_send_it_once(self):
        origin = self.origin("--raw", "banner", "--proxy-protocol", name="o")
        weir = self.weir([self.nobody_at(), origin], upstream={"send_proxy": "v2"})
        for _ in range(4):
            client = self.connect(weir.address())
            self.assertIn(join_address(client), receive_line(client))
            self.assertEqual(receive_line(client), "banner o")
            self.assertEqual(exchange(client, b"payload"), b"payload")


class ForBalancing(Story):
    def test_maglev_looks_at_the_client_in_the_header(self):
        weir = self.weir(self.named("a", "b", "c"), listener={"accept_proxy": "all"}, upstream={"balance": "maglev"})

        def owner(client):
            return ask_once(weir.address(), v2(client, "10.4.5.6"))
        clients = [f"10.1.{i}.1" for i in range(40)]
        first = [owner(client) for client in clients]
        self.assertEqual(len(set(first)), 3)
        self.assertEqual([owner(client) for client in clients], first)


if __name__ == "__main__":
    main()
