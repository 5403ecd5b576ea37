#!/usr/bin/env python3
"""Bulk is spliced: 200 MiB each way arrive bit by bit, and go through the kernel's pipes instead of our memory."""

import hashlib
import threading

from harness import Story, eventually, main, scaled
from sockets import receive_exactly

BULK = scaled(200) << 20
PIECE = bytes(range(256)) * 4096  # 1 MiB


def hash_of_pattern(length):
    """Of the bytes of `weir origin`'s /bytes/N: each line of 16 says its own offset, modulo 1,000,000."""
    period = b"".join(b"%015d\n" % offset for offset in range(0, 1_000_000, 16))
    digest = hashlib.sha256()
    for _ in range(length // len(period)):
        digest.update(period)
    digest.update(period[:length % len(period)])
    return digest.hexdigest()


def hash_of_received(sock, length=None):
    digest = hashlib.sha256()
    buffer = bytearray(1 << 20)
    received = 0
    while received != length:
        count = sock.recv_into(buffer, 0 if length is None else min(len(buffer), length - received))
        if count == 0:
            break
        digest.update(memoryview(buffer)[:count])
        received += count
    return digest.hexdigest(), received


def send_pieces(sock, total):
    for _ in range(total // len(PIECE)):
        sock.sendall(PIECE)


def hash_of_pieces(total):
    digest = hashlib.sha256()
    for _ in range(total // len(PIECE)):
        digest.update(PIECE)
    return digest.hexdigest()


class Bulk(Story):
    def download(self, weir, length):
        client = self.connect(weir.address())
        client.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n" % length)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += receive_exactly(client, 1)
        self.assertIn(b"200 OK", head)
        return hash_of_received(client)

    def test_down(self):
        weir = self.weir([self.origin()])
        self.assertEqual(self.download(weir, BULK), (hash_of_pattern(BULK), BULK))
        self.assertGreater(weir.total("bytes_spliced"), BULK * 0.9)
        self.assertGreaterEqual(weir.listener()["bytes_out"], BULK)

    def test_up(self):
        origin = self.listen()
        weir = self.weir([origin.address])
        client = self.connect(weir.address())
        sender = threading.Thread(target=lambda: (send_pieces(client, BULK), client.shutdown(1)))
        sender.start()
        self.assertEqual(hash_of_received(origin.accept()), (hash_of_pieces(BULK), BULK))
        sender.join()
        self.assertGreater(weir.total("bytes_spliced"), BULK * 0.9)
        self.assertEqual(weir.listener()["bytes_in"], BULK)

    def test_both_ways_at_once(self):
        size = BULK // 2
        weir = self.weir([self.echo()])
        client = self.connect(weir.address())
        sender = threading.Thread(target=send_pieces, args=(client, size))
        sender.start()
        self.assertEqual(hash_of_received(client, size), (hash_of_pieces(size), size))
        sender.join()
        self.assertGreater(weir.total("bytes_spliced"), 0)

    def test_between_unix_sockets(self):
        origin = self.origin(listen=f"unix:{self.path('back.sock')}")
        weir = self.weir([origin], listener={"address": f"unix:{self.path('front.sock')}"})
        self.assertEqual(self.download(weir, BULK // 4), (hash_of_pattern(BULK // 4), BULK // 4))

    def test_without_pipes_it_is_copied(self):
        weir = self.weir([self.origin()], limits={"pipes_per_worker": 0})
        self.assertEqual(self.download(weir, BULK // 4), (hash_of_pattern(BULK // 4), BULK // 4))
        self.assertEqual(weir.total("bytes_spliced"), 0)

    def test_more_transfers_than_pipes(self):
        size = 4 << 20
        weir = self.weir([self.origin()], limits={"pipes_per_worker": 1, "pipe_size": "64KiB"}, workers=2)
        results = []
        clients = [threading.Thread(target=lambda: results.append(self.download(weir, size))) for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(results, [(hash_of_pattern(size), size)] * 8)

    def test_after_bulk_small_pieces_are_copied_again(self):
        weir = self.weir([self.echo()])
        client = self.connect(weir.address())
        sender = threading.Thread(target=send_pieces, args=(client, 16 << 20))
        sender.start()
        receive_exactly(client, 16 << 20)
        sender.join()
        for _ in range(20):  # some small pieces are needed until the flow believes in them
            client.sendall(b"x" * 100)
            receive_exactly(client, 100)
        eventually(lambda: weir.total("bulk_left") >= 1 and weir.total("bulk_entered") == weir.total("bulk_left"))
        spliced = weir.total("bytes_spliced")
        client.sendall(b"x" * 100)
        receive_exactly(client, 100)
        self.assertEqual(weir.total("bytes_spliced"), spliced)

    def test_small_talk_beside_bulk_stays_quick(self):
        weir = self.weir([self.echo()])
        bulk = self.connect(weir.address())
        small = self.connect(weir.address())
        sender = threading.Thread(target=send_pieces, args=(bulk, BULK // 4))
        sender.start()
        reader = threading.Thread(target=hash_of_received, args=(bulk, BULK // 4))
        reader.start()
        self.expect_quick_answers(small)
        sender.join()
        reader.join()


if __name__ == "__main__":
    main()
