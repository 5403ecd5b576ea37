#!/usr/bin/env python3
"""A slow reader costs a bounded, small amount of memory, in either direction, and starves nobody."""

import contextlib
import threading

from harness import PATIENCE, Story, eventually, main, scaled
from sockets import receive_exactly, send_until_full

MIB = 1 << 20


class Backpressure(Story):
    def both(self, slow_origin, slow_address="127.0.0.1:0", **config):
        """Weir with a listener `slow` before the one origin, and `web` before an echo."""
        return self.weir_with({
            "workers": 1,
            "listeners": [{"name": "web", "address": "127.0.0.1:0", "upstream": "app"},
                          {"name": "slow", "address": slow_address, "upstream": "slow"}],
            "upstreams": [{"name": "app", "endpoints": [self.echo().endpoint()]},
                          {"name": "slow", "endpoints": [{"name": "slow", "address": slow_origin.address}]}],
            **config,
        })

    def settled(self, weir, counter):
        """Waits until a counter has stopped growing. Its value."""
        seen = []

        def stands_still():
            seen.append(weir.listener("slow")[counter])
            return len(seen) > 50 and seen[-1] == seen[-50] > 0
        eventually(stands_still, within=20, what=f"{counter} stops growing")
        return seen[-1]

    def warm(self, weir):
        """Touches the memory that any connection needs, so that growth from now on is growth."""
        client = self.connect(weir.address())
        self.expect_quick_answers(client)
        return client

    def test_a_client_that_reads_nothing(self):
        weir = self.both(self.origin("--raw", "endless", name="endless"))
        other = self.warm(weir)
        before = weir.memory()
        slow = self.connect(weir.address("slow"))
        taken = self.settled(weir, "bytes_out")
        self.expect_quick_answers(other)
        self.assertLess(weir.memory() - before, 8 * MIB * PATIENCE)
        # What was held back goes on when it reads again, in order and from the first byte.
        data = receive_exactly(slow, taken + 4 * MIB)
        expected = b"".join(b"%015d\n" % offset for offset in range(0, 1_000_000, 16))
        self.assertEqual(data, (expected * (len(data) // len(expected) + 1))[:len(data)])

    def test_an_origin_that_reads_nothing(self):
        silent = self.origin("--raw", "silent", name="silent")
        weir = self.both(silent)
        other = self.warm(weir)
        before = weir.memory()
        slow = self.connect(weir.address("slow"))
        self.assertGreater(send_until_full(slow), 0)
        taken = self.settled(weir, "bytes_in")
        self.expect_quick_answers(other)
        self.assertLess(weir.memory() - before, 8 * MIB * PATIENCE)
        self.assertEqual(weir.listener("slow")["bytes_in"], taken)
        silent.kill()  # what is stuck in front of it would hold up the client's end, too

    def test_many_slow_clients_do_not_starve_a_normal_one(self):
        count = scaled(300)
        weir = self.both(self.origin("--raw", "endless", name="endless"))
        other = self.warm(weir)
        before = weir.memory()
        for _ in range(count):
            self.connect(weir.address("slow"), receive_buffer=4096)
        eventually(lambda: weir.listener("slow")["connections"] == count)
        self.settled(weir, "bytes_out")
        self.expect_quick_answers(other)
        self.expect_quick_answers(self.connect(weir.address()))
        # At most what `buffers_per_worker` allows by default, and little besides.
        self.assertLess(weir.memory() - before, (64 + 8) * MIB * PATIENCE)

    def test_more_slow_clients_than_pipes(self):
        """Who gets no pipe is copied, and may hold a few buffers, not as many as its origin can fill."""
        limits = {"buffers_per_worker": "4MiB", "pipes_per_worker": 8}
        weir = self.both(self.origin("--raw", "endless", name="endless"), limits=limits)
        other = self.warm(weir)
        for _ in range(40):
            self.connect(weir.address("slow"), receive_buffer=4096)
        eventually(lambda: weir.listener("slow")["connections"] == 40)
        self.settled(weir, "bytes_out")
        self.expect_quick_answers(other)
        self.expect_quick_answers(self.connect(weir.address()))
        # 32 without a pipe; a flow stops to read when 4 buffers wait, and some more may be on their way to it.
        self.assertLess(weir.info()["buffers_in_use"], 32 * 6)

    def test_with_few_buffers_for_many_slow_clients(self):
        """1 MiB is 64 buffers; 100 clients whose origin sends for ever want more. All others go on."""
        weir = self.both(self.origin("--raw", "endless", name="endless"), limits={"buffers_per_worker": "1MiB"})
        other = self.warm(weir)
        for _ in range(100):
            self.connect(weir.address("slow"), receive_buffer=4096)
        eventually(lambda: weir.listener("slow")["connections"] == 100)
        self.expect_quick_answers(other)
        self.settled(weir, "bytes_out")
        self.expect_quick_answers(other)
        self.expect_quick_answers(self.connect(weir.address()))

    def test_with_few_buffers_for_many_silent_origins(self):
        """The same upwards: 100 clients that send without end to an origin that does not read."""
        silent = self.origin("--raw", "silent", name="silent")
        weir = self.both(silent, limits={"buffers_per_worker": "1MiB"})
        other = self.warm(weir)
        clients = [self.connect(weir.address("slow")) for _ in range(100)]
        senders = [threading.Thread(target=send_until_full, args=(client,)) for client in clients]
        for sender in senders:
            sender.start()
        self.expect_quick_answers(other)
        for sender in senders:
            sender.join()
        self.expect_quick_answers(other)
        self.expect_quick_answers(self.connect(weir.address()))
        silent.kill()

    def test_slow_clients_of_an_origin_that_says_little_at_a_time(self):
        """Pieces below a buffer's size are never bulk: each is copied into a buffer, and waits there for its client.
        Over UNIX sockets, because in front of TCP clients the kernel would take megabytes before anything waits."""
        door = self.listen(f"unix:{self.path('back.sock')}")
        weir = self.both(door, slow_address=f"unix:{self.path('slow.sock')}", limits={"buffers_per_worker": "1MiB"})
        other = self.warm(weir)
        origins = []
        for _ in range(40):
            self.connect(weir.address("slow"))
            origins.append(door.accept())
            origins[-1].setblocking(False)

        def passed_on(total):
            with contextlib.suppress(AssertionError):
                return eventually(lambda: weir.listener("slow")["bytes_out"] >= total, within=1)
            return False
        total = 0
        for _ in range(500):
            for origin in origins:
                with contextlib.suppress(BlockingIOError):
                    total += origin.send(b"x" * 5000)
            if not passed_on(total):
                break
        self.expect_quick_answers(other)
        self.expect_quick_answers(self.connect(weir.address()))

    def test_a_slow_client_gets_everything_in_the_end(self):
        weir = self.both(self.origin(name="slow"))
        client = self.connect(weir.address("slow"), receive_buffer=4096)
        size = scaled(16) * MIB
        client.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n" % size)
        total = 0
        while piece := client.recv(3000):
            total += len(piece)
        self.assertGreater(total, size)
        self.assertGreater(weir.total("backpressure") + weir.total("bulk_entered"), 0)


if __name__ == "__main__":
    main()
