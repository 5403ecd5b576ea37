#!/usr/bin/env python3
"""Bytes go through unchanged, over every family of address, in every size."""

import os
import random
import socket
import threading

from harness import Story, eventually, main, scaled
from sockets import ask_once, exchange, port_of, receive_all, receive_exactly, receive_line


class Families(Story):
    def relays(self, listen, origin_listen):
        origin = self.echo(listen=origin_listen)
        weir = self.weir([origin], listener={"address": listen})
        self.assertEqual(ask_once(weir.address(), b"as it was"), b"as it was")
        self.assertEqual(weir.endpoint("echo")["connections_total"], 1)

    def test_ipv4_to_ipv4(self):
        self.relays("127.0.0.1:0", "127.0.0.1:0")

    def test_ipv6_to_ipv6(self):
        self.relays("[::1]:0", "[::1]:0")

    def test_unix_to_unix(self):
        self.relays(f"unix:{self.path('front.sock')}", f"unix:{self.path('back.sock')}")

    def test_ipv4_to_unix(self):
        self.relays("127.0.0.1:0", f"unix:{self.path('back.sock')}")

    def test_unix_to_ipv6(self):
        self.relays(f"unix:{self.path('front.sock')}", "[::1]:0")

    def test_unix_with_two_workers(self):
        weir = self.weir([self.echo()], listener={"address": f"unix:{self.path('front.sock')}"}, workers=2)
        for _ in range(50):
            self.assertEqual(ask_once(weir.address(), b"hello"), b"hello")

    def test_a_bare_port_takes_both_families(self):
        weir = self.weir([self.echo()], listener={"address": ":0"})
        port = port_of(weir.address())
        self.assertEqual(ask_once(f"127.0.0.1:{port}", b"four"), b"four")
        self.assertEqual(ask_once(f"[::1]:{port}", b"six"), b"six")

    def test_several_listeners_share_an_upstream(self):
        origin = self.echo()
        addresses = ["127.0.0.1:0", "[::1]:0", f"unix:{self.path('front.sock')}"]
        config = {
            "listeners": [{"name": f"l{i}", "address": a, "upstream": "app"} for i, a in enumerate(addresses)],
            "upstreams": [{"name": "app", "endpoints": [origin.endpoint()]}],
        }
        weir = self.weir_with(config)
        for i in range(len(addresses)):
            self.assertEqual(ask_once(weir.address(f"l{i}"), b"to all"), b"to all")
            self.assertEqual(weir.listener(f"l{i}")["connections_total"], 1)
        self.assertEqual(weir.endpoint("echo")["connections_total"], 3)


class FirstWord(Story):
    """Who speaks first is learned, to save the origin a packet; whoever it is, nobody may wait for it."""

    def test_an_origin_that_begins_to_speak_first(self):
        """30 connections on which the client speaks first are trusted; then the origins change their mind."""
        door = self.listen()
        weir = self.weir([door.address])
        for _ in range(30):
            client = self.connect(weir.address())
            client.sendall(b"me first")
            origin = door.accept()
            self.assertEqual(receive_exactly(origin, 8), b"me first")
            origin.sendall(b"well")
            self.assertEqual(receive_exactly(client, 4), b"well")
        for _ in range(5):
            client = self.connect(weir.address())
            origin = door.accept()
            origin.sendall(b"no, me")
            self.assertEqual(receive_exactly(client, 6), b"no, me")

    def test_an_origin_that_always_speaks_first(self):
        weir = self.weir([self.origin("--raw", "banner", name="polite")])
        for _ in range(30):
            self.assertEqual(receive_line(self.connect(weir.address())), "banner polite")


class SocketFiles(Story):
    def test_the_file_goes_with_its_listener(self):
        path = self.path("front.sock")
        weir = self.weir([self.echo()], listener={"address": f"unix:{path}"})
        self.assertEqual(ask_once(weir.address(), b"here"), b"here")
        self.assertEqual(weir.stop(), 0)
        self.assertFalse(os.path.exists(path))


class Sizes(Story):
    def test_every_small_size(self):
        weir = self.weir([self.echo()])
        client = self.connect(weir.address())
        for size in (1, 2, 3, 100, 1448, 4095, 4096, 16383, 16384, 16385, 32768, 65536):
            data = os.urandom(size)
            self.assertEqual(exchange(client, data), data, f"{size} bytes")

    def test_small_pieces_are_copied_and_counted(self):
        weir = self.weir([self.echo()])
        client = self.connect(weir.address())
        for _ in range(100):
            exchange(client, b"x" * 500)
        # The client may have its last bytes before weir has heard that they were taken.
        eventually(lambda: weir.listener()["bytes_out"] == 50000)
        self.assertEqual(weir.total("bytes_spliced"), 0)
        self.assertEqual(weir.total("bytes_copied"), 2 * 100 * 500)
        self.assertEqual(weir.listener()["bytes_in"], 50000)
        endpoint = weir.endpoint("echo")
        self.assertEqual((endpoint["bytes_up"], endpoint["bytes_down"]), (50000, 50000))

    def test_one_byte_at_a_time_both_ways(self):
        weir = self.weir([self.echo()])
        client = self.connect(weir.address())
        for i in range(scaled(2000)):
            byte = bytes([i % 256])
            self.assertEqual(exchange(client, byte), byte)

    def test_one_byte_writes_without_waiting(self):
        weir = self.weir([self.echo()])
        client = self.connect(weir.address())
        data = os.urandom(scaled(20000))
        writer = threading.Thread(target=lambda: [client.send(data[i:i + 1]) for i in range(len(data))])
        writer.start()
        self.assertEqual(receive_exactly(client, len(data)), data)
        writer.join()

    def test_pieces_of_random_sizes_both_ways_at_once(self):
        dice = random.Random(7)
        weir = self.weir([self.echo()])
        client = self.connect(weir.address())
        pieces = [dice.randbytes(dice.choice((1, 10, 1000, 20000, 100000))) for _ in range(scaled(400))]
        writer = threading.Thread(target=lambda: [client.sendall(piece) for piece in pieces])
        writer.start()
        expected = b"".join(pieces)
        self.assertEqual(receive_exactly(client, len(expected)), expected)
        writer.join()

    def test_the_origin_may_speak_first(self):
        weir = self.weir([self.origin("--raw", "banner", name="a")])
        client = self.connect(weir.address())
        self.assertEqual(receive_line(client), "banner a")
        self.assertEqual(exchange(client, b"and then I"), b"and then I")

    def test_what_a_client_says_before_the_origin_is_reached_arrives(self):
        origin = self.listen()
        weir = self.weir([self.silence_at(), origin.address], upstream={"timeouts": {"connect": "200ms"}})
        clients = [self.connect(weir.address()) for _ in range(2)]
        for client in clients:
            client.sendall(b"early")
            client.shutdown(socket.SHUT_WR)
        for _ in clients:
            self.assertEqual(receive_all(origin.accept()), b"early")
        eventually(lambda: weir.info()["connections"] == 2)


if __name__ == "__main__":
    main()
