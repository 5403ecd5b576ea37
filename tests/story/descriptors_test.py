#!/usr/bin/env python3
"""Descriptors run out: accepting pauses, nobody who is connected notices, and all who wait are served in the end."""

import json
import os
import resource
import time

from harness import PATIENCE, Story, eventually, main, run_weir, simple_config
from sockets import exchange, receive_exactly


class Descriptors(Story):
    def allow(self, weir, more):
        """Weir may open so many more descriptors than it has now."""
        taken = len(os.listdir(f"/proc/{weir.pid}/fd"))
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.prlimit(weir.pid, resource.RLIMIT_NOFILE, (taken + more, hard))

    def test_who_waits_is_served_when_others_leave(self):
        weir = self.weir([self.echo()])
        self.allow(weir, 20)  # ten connections
        inside = []
        while len(inside) < 8:
            inside.append(self.connect(weir.address()))
            self.assertEqual(exchange(inside[-1], b"in"), b"in")
        outside = [self.connect(weir.address()) for _ in range(20)]
        eventually(lambda: weir_paused(inside, weir), what="accepting paused")
        for client in inside:
            self.assertEqual(exchange(client, b"undisturbed"), b"undisturbed")
        for client in inside:
            client.close()
        served = self.serve_all(outside)
        lost = len(outside) - served
        self.assertEqual(weir.closed("no_descriptors"), lost)
        self.assertEqual(lost, 0, "clients were turned away although they only had to wait")

    def serve_all(self, clients):
        served = 0
        for client in clients:
            try:
                client.sendall(b"waited")
                if receive_exactly(client, 6) == b"waited":
                    served += 1
            except (EOFError, ConnectionError):
                pass
            client.close()
        return served

    def test_waiting_costs_nothing(self):
        weir = self.weir([self.echo()])
        self.allow(weir, 8)
        clients = [self.connect(weir.address()) for _ in range(20)]
        before = weir.cpu_seconds()
        begun = time.monotonic()
        clients[-1].settimeout(1)
        try:
            clients[-1].recv(1)  # a second in which nothing happens
        except TimeoutError:
            pass
        share = (weir.cpu_seconds() - before) / (time.monotonic() - begun)
        self.assertLess(share, 0.1 * PATIENCE)
        self.allow(weir, 1000)
        self.assertEqual(self.connect_and_echo(weir), b"room again")

    def connect_and_echo(self, weir):
        return exchange(self.connect(weir.address()), b"room again")

    def test_bulk_without_a_descriptor_for_a_pipe_is_copied(self):
        weir = self.weir([self.origin()])
        self.allow(weir, 2)
        client = self.connect(weir.address())
        client.sendall(b"GET /bytes/8MiB HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n")
        received = 0
        while piece := client.recv(1 << 16):
            received += len(piece)
        self.assertGreater(received, 8 << 20)
        self.allow(weir, 100)
        self.assertGreater(weir.total("pipes_exhausted"), 0)
        self.assertEqual(weir.total("bytes_spliced"), 0)

    def test_limits_that_do_not_fit_are_refused_at_start(self):
        path = self.path("weir.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(simple_config(["127.0.0.1:1"], limits={"connections": 1_000_000}), file)
        result = run_weir("run", "-c", path)
        self.assertEqual(result.returncode, 3)
        self.assertIn("RLIMIT_NOFILE is", result.stderr)
        self.assertIn("lower `limits.connections`", result.stderr)


def weir_paused(inside, weir):
    """Asked through a client that leaves first: the stats socket needs a descriptor too."""
    if inside:
        inside.pop().close()
    return weir.answers() and weir.total("accept_paused_descriptors") > 0


if __name__ == "__main__":
    main()
