#!/usr/bin/env python3
"""Bodies of every size arrive bit by bit; large ones, slow clients and slow origins cost no memory."""

import hashlib
import os
import threading

from harness import PATIENCE, eventually, main, scaled
from http_message import written_answer
from http_story import HttpStory

MIB = 1 << 20
SIZES = (0, 1, 2, 511, 16383, 16384, 16385, 32768, 65535, 65536, 65537, 262_144, MIB)
LARGE = scaled(128) * 8 * MIB  # each way, and an eighth of it is whole pieces, too
PIECE = bytes(range(256)) * 4096  # 1 MiB


def hash_of(pieces):
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def hash_of_pieces(total):
    return hash_of(PIECE for _ in range(total // MIB))


def hash_of_pattern(total):
    """Of `weir origin`'s /bytes/N; docs/operating/origin.md describes it."""
    period = b"".join(b"%015d\n" % offset for offset in range(0, 1_000_000, 16))
    whole, rest = divmod(total, len(period))
    return hash_of([*(period for _ in range(whole)), period[:rest]])


def echo(call):
    call.answer(200, {"X-Length": len(call.body())}, call.body())


class Sizes(HttpStory):
    def test_with_a_length_both_ways(self):
        origin = self.http_origin(echo)
        weir = self.http_weir([origin])
        client = self.client(weir)
        for size in SIZES:
            body = os.urandom(size)
            answer = client.ask("PUT", f"/{size}", body=body)
            self.assertEqual((answer.status, answer.framing, answer.get("x-length")), (200, "length", str(size)))
            self.assertEqual(hash_of([answer.body]), hash_of([body]), f"{size} bytes")
        self.assertEqual(origin.connections, 1)
        self.assertEqual([request.get("content-length") for request in origin.requests], [str(size) for size in SIZES])
        self.expect_counts(weir.listener, requests=len(SIZES), answers_2xx=len(SIZES))
        self.assertGreaterEqual(weir.listener()["bytes_in"], sum(SIZES))
        self.assertGreaterEqual(weir.listener()["bytes_out"], sum(SIZES))
        self.assertGreaterEqual(weir.endpoint("origin")["bytes_up"], sum(SIZES))
        self.assertGreaterEqual(weir.endpoint("origin")["bytes_down"], sum(SIZES))

    def test_chunked_both_ways(self):
        def echo_chunked(call):
            body = call.body()
            call.answer(200, chunks=[body[i:i + 50_000] for i in range(0, len(body), 50_000)])
        origin = self.http_origin(echo_chunked)
        client = self.client(self.http_weir([origin]))
        for size in SIZES:
            body = os.urandom(size)
            answer = client.ask("PUT", "/", chunks=[body[i:i + 30_000] for i in range(0, len(body), 30_000)])
            self.assertEqual((answer.framing, hash_of([answer.body])), ("chunked", hash_of([body])), f"{size} bytes")
        self.assertEqual(origin.connections, 1)

    def test_head_and_body_in_one_piece_or_in_two(self):
        origin = self.http_origin(echo)
        client = self.client(self.http_weir([origin]))
        for size in (1, 100, 20_000):
            body = os.urandom(size)
            before = len(origin.requests)
            client.request("PUT", fields=[("Content-Length", size)])
            self.wait_for_requests(origin, before + 1)
            client.send(body)
            self.assertEqual(client.answer().body, body)
            self.assertEqual(client.ask("PUT", body=body).body, body)

    def test_get_and_delete_may_have_one(self):
        client = self.client(self.http_weir([self.http_origin(echo)]))
        for method in ("GET", "DELETE", "OPTIONS", "PATCH", "PROPFIND"):
            self.assertEqual(client.ask(method, body=b"unusual").body, b"unusual")


class Large(HttpStory):
    """Each way, with memory as before."""

    def expect_memory(self, weir, before):
        self.assertLess(weir.memory() - before, 6 * MIB * PATIENCE)

    def warm(self, weir, target="/bytes/1MiB"):
        """Touches what any transfer needs, so that growth from now on is growth."""
        client = self.client(weir)
        client.get(target)
        client.close()
        return weir.memory()

    def download(self, weir, target):
        client = self.client(weir)
        client.request(target=target)
        answer = client.answer(body=False)
        return answer, hash_of(client.stream.pieces(answer))

    def test_down(self):
        weir = self.http_weir([self.origin()])
        before = self.warm(weir)
        answer, outcome = self.download(weir, f"/bytes/{LARGE}")
        self.assertEqual((answer.framing, outcome), ("length", hash_of_pattern(LARGE)))
        self.expect_memory(weir, before)
        self.assertGreater(weir.total("bytes_spliced"), LARGE * 0.9)
        self.expect_counts(lambda: {"enough": weir.listener()["bytes_out"] >= LARGE
                                    and weir.endpoint("origin")["bytes_down"] >= LARGE}, enough=True)

    def test_down_in_chunks(self):
        size = LARGE // 8
        weir = self.http_weir([self.origin()])
        before = self.warm(weir)
        answer, outcome = self.download(weir, f"/bytes/{size}?chunked=1")
        self.assertEqual((answer.framing, outcome), ("chunked", hash_of_pattern(size)))
        self.expect_memory(weir, before)

    def test_up(self):
        outcome = []

        def take(call):
            outcome.append(hash_of(call.pieces()))
            call.answer()
        weir = self.http_weir([self.http_origin(take)])
        client = self.client(weir)
        self.assertEqual(client.ask("PUT", body=PIECE).status, 200)
        before = weir.memory()
        client.request("PUT", fields=[("Content-Length", LARGE)])
        for _ in range(LARGE // MIB):
            client.send(PIECE)
        self.assertEqual(client.answer().status, 200)
        self.assertEqual(outcome[-1], hash_of_pieces(LARGE))
        self.expect_memory(weir, before)
        self.assertGreater(weir.total("bytes_spliced"), LARGE * 0.9)
        self.assertGreaterEqual(weir.listener()["bytes_in"], LARGE)

    def test_up_in_chunks(self):
        size, outcome = LARGE // 8, []

        def take(call):
            outcome.append(hash_of(call.pieces()))
            call.answer()
        weir = self.http_weir([self.http_origin(take)])
        client = self.client(weir)
        self.assertEqual(client.ask("PUT", chunks=[PIECE]).status, 200)
        before = weir.memory()
        client.request("PUT", fields=[("Transfer-Encoding", "chunked")])
        for _ in range(size // MIB):
            client.send(b"%x\r\n%s\r\n" % (MIB, PIECE))
        client.send(b"0\r\n\r\n")
        self.assertEqual(client.answer().status, 200)
        self.assertEqual(outcome[-1], hash_of_pieces(size))
        self.expect_memory(weir, before)

    def test_both_ways_at_once(self):
        """An echo that answers while it still reads."""
        size = LARGE // 8

        def mirror(call):
            call.send(written_answer(fields={"Content-Length": call.request.length}))
            for piece in call.pieces():
                call.send(piece)
        weir = self.http_weir([self.http_origin(mirror)])
        client = self.client(weir)
        client.request("PUT", fields=[("Content-Length", size)])
        sender = threading.Thread(target=lambda: [client.send(PIECE) for _ in range(size // MIB)])
        sender.start()
        answer = client.answer(body=False)
        self.assertEqual(hash_of(client.stream.pieces(answer)), hash_of_pieces(size))
        sender.join()
        self.expect_in_step(client, answer)

    def test_one_after_the_other_on_one_connection(self):
        """Spliced, copied, spliced: each answer begins where the one before it ended."""
        weir = self.http_weir([self.origin()])
        client = self.client(weir)
        for size in (8 * MIB, 10, 3 * MIB + 1, MIB, 0, 8 * MIB - 1):
            client.request(target=f"/bytes/{size}")
            answer = client.answer(body=False)
            self.assertEqual(hash_of(client.stream.pieces(answer)), hash_of_pattern(size))
        self.expect_counts(lambda: weir.endpoint("origin"), connections_total=1)

    def test_without_pipes(self):
        size = LARGE // 8
        weir = self.http_weir([self.origin()], limits={"pipes_per_worker": 0})
        before = self.warm(weir)
        self.assertEqual(self.download(weir, f"/bytes/{size}")[1], hash_of_pattern(size))
        self.assertEqual(weir.total("bytes_spliced"), 0)
        self.expect_memory(weir, before)

    def test_between_unix_sockets(self):
        size = LARGE // 8
        origin = self.origin(listen=f"unix:{self.path('back.sock')}")
        weir = self.http_weir([origin], listener={"address": f"unix:{self.path('front.sock')}"})
        self.assertEqual(self.download(weir, f"/bytes/{size}")[1], hash_of_pattern(size))

    def test_more_transfers_than_pipes(self):
        size = 8 * MIB
        weir = self.http_weir([self.origin()], limits={"pipes_per_worker": 1, "pipe_size": "64KiB"}, workers=2)
        outcomes = []
        clients = [threading.Thread(target=lambda: outcomes.append(self.download(weir, f"/bytes/{size}")[1]))
                   for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(outcomes, [hash_of_pattern(size)] * 8)


class Slow(HttpStory):
    def settled(self, ask):
        """Waits until a figure has stopped to grow, and returns it."""
        seen = []

        def stands_still():
            seen.append(ask())
            return len(seen) > 50 and seen[-1] == seen[-50] > 0
        eventually(stands_still, within=20)
        return seen[-1]

    def test_clients_that_do_not_read(self):
        for target in ("/bytes/64MiB", "/bytes/64MiB?chunked=1", "/endless"):
            with self.subTest(target=target):
                weir = self.http_weir([self.origin()])
                other = self.client(weir)
                other.get("/bytes/1MiB")
                before = weir.memory()
                slow = [self.client(weir, receive_buffer=4096) for _ in range(20)]
                for client in slow:
                    client.request(target=target)
                self.settled(lambda: weir.listener()["bytes_out"])
                # Their buffers, and what a sanitizer keeps beside; all that they asked for is 1,280 MiB.
                self.assertLess(weir.memory() - before, 20 * 10 * 16384 + 16 * MIB * PATIENCE)
                self.assertEqual(other.get("/bytes/100").status, 200, "others go on")
                # And it goes on where it stopped, when it is read.
                answer = slow[0].answer(body=False)
                pieces, got = slow[0].stream.pieces(answer), b""
                while len(got) < 200_000:
                    got += next(pieces)
                self.assertEqual(hash_of([got]), hash_of_pattern(len(got)))
                for client in slow:
                    client.close()
                self.wait_until_only(weir, 1)

    def wait_until_only(self, weir, count):
        eventually(lambda: weir.listener()["connections"] == count, what=f"{count} clients are left")

    def test_an_origin_that_does_not_read(self):
        release = threading.Event()

        def wait(call):
            release.wait(30 * PATIENCE)
            call.answer(200, (), hash_of(call.pieces())[0].encode())
        size = 64 * MIB
        weir = self.http_weir([self.http_origin(wait, receive_buffer=65536)])
        client = self.client(weir)
        before = weir.memory()
        client.request("PUT", fields=[("Content-Length", size)])
        sender = threading.Thread(target=lambda: [client.send(PIECE) for _ in range(size // MIB)])
        sender.start()
        sent = self.settled(lambda: weir.listener()["bytes_in"])
        self.assertLess(sent, size)
        self.assertLess(weir.memory() - before, 6 * MIB * PATIENCE)
        release.set()
        sender.join()
        self.assertEqual(client.answer().body.decode(), hash_of_pieces(size)[0])

    def test_a_chunked_body_for_an_origin_that_does_not_read(self):
        release = threading.Event()

        def wait(call):
            release.wait(30 * PATIENCE)
            call.answer(200, (), hash_of(call.pieces())[0].encode())
        weir = self.http_weir([self.http_origin(wait, receive_buffer=65536)])
        client = self.client(weir)
        before = weir.memory()
        client.request("PUT", fields=[("Transfer-Encoding", "chunked")])
        chunk = b"%x\r\n%s\r\n" % (MIB, PIECE)
        sender = threading.Thread(target=lambda: [client.send(chunk) for _ in range(64)])
        sender.start()
        self.settled(lambda: weir.listener()["bytes_in"])
        self.assertLess(weir.memory() - before, 6 * MIB * PATIENCE)
        release.set()
        sender.join()
        client.send(b"0\r\n\r\n")
        self.assertEqual(client.answer().body.decode(), hash_of_pieces(64 * MIB)[0])

    def test_a_dribbling_origin(self):
        weir = self.http_weir([self.origin()])
        answer = self.get(weir, "/dribble?bytes=200&every=2")
        self.assertEqual(hash_of([answer.body]), hash_of_pattern(200))

    def test_a_client_that_takes_little_at_a_time(self):
        size = scaled(16) * MIB
        weir = self.http_weir([self.origin()])
        client = self.client(weir, receive_buffer=4096)
        client.request(target=f"/bytes/{size}", fields=[("Connection", "close")])
        answer = client.answer(body=False)
        self.assertEqual(hash_of(client.stream.pieces(answer)), hash_of_pattern(size))
        self.assertTrue(client.ended())


if __name__ == "__main__":
    main()
