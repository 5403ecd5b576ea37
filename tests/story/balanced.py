"""What stories about balancing share: who is served by whom, requests that are held, steering by the stats socket."""

import contextlib
import threading
from collections import Counter

from harness import Weir, eventually
from http_client import HttpClient
from http_story import HttpStory, http_config
from sockets import ask_once, receive_line

PEOPLE = [f"127.0.{i // 200 + 1}.{i % 200 + 1}" for i in range(400)]  # the whole block is this machine


class Gate:
    """A handler of an HttpOrigin that answers nobody until it is opened, and knows how many wait at each origin."""

    def __init__(self, patience=20):
        self.now = Counter()
        self.most = Counter()
        self._changed = threading.Condition()
        self._opened = False
        self._patience = patience

    def __call__(self, call):
        call.body()
        name = call.origin.name
        with self._changed:
            self.now[name] += 1
            self.most[name] = max(self.most[name], self.now[name])
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._opened, self._patience)
            self.now[name] -= 1  # before weir can know of it, so that it never counts less than this
        with contextlib.suppress(OSError):
            call.answer(200, {"X-Origin": name}, b"")

    def open(self):
        with self._changed:
            self._opened = True
            self._changed.notify_all()

    def close(self):
        with self._changed:
            self._opened = False

    @property
    def waiting(self):
        with self._changed:
            return sum(self.now.values())

    def wait_for(self, count):
        """Until so many wait. Whether they do."""
        with self._changed:
            return self._changed.wait_for(lambda: sum(self.now.values()) == count, self._patience)


class Balanced(HttpStory):
    def run(self, result=None):
        self.gates = []
        return super().run(result)

    def tearDown(self):
        for gate in self.gates:
            gate.open()
        try:
            self.expect_all_given_back()
        finally:
            super().tearDown()

    def expect_all_given_back(self):
        """With all clients gone, nothing is counted at any endpoint: a count that leaked would be a place lost."""
        for each in self.sockets:
            each.close()
        for process in self.processes:
            if isinstance(process, Weir) and process.running:
                eventually(lambda weir=process: set(self.counts_at_endpoints(weir)) <= {0},
                           what="all places are given back")

    @staticmethod
    def counts_at_endpoints(weir):
        return [row["connections"] for upstream in weir.stat()["upstreams"]
                for row in (upstream, *upstream["endpoints"])]

    # --- the cast

    def gate(self):
        self.gates.append(Gate())
        return self.gates[-1]

    def web(self, *names, **options):
        """Quick HTTP origins that say who they are."""
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return [self.origin(*words, name=name) for name in names]

    def http(self, endpoints, balance="round_robin", listener=None, workers=1, sections=None, **upstream):
        """A configuration: one listener `web` in mode http, one upstream `app`."""
        return http_config([self.as_endpoint(each) for each in endpoints], listener=listener, workers=workers,
                           upstream={"balance": balance, **upstream}, **(sections or {}))

    def tcp(self, endpoints, balance="round_robin", listener=None, workers=1, sections=None, **upstream):
        return self.http(endpoints, balance, {"mode": "tcp", **(listener or {})}, workers, sections, **upstream)

    @staticmethod
    def as_endpoint(each):
        return each.endpoint() if hasattr(each, "endpoint") else each

    # --- who is served by whom

    def served(self, weir, times, fields=(), target="/", client=None, listener="web"):
        """So many requests, one after the other on one connection, and how many each origin has answered."""
        mine = client or self.client(weir, listener)
        names = Counter()
        for _ in range(times):
            answer = mine.get(target, fields)
            self.assertEqual(answer.status, 200, answer.body)
            names[answer.get("x-origin")] += 1
        if client is None:
            mine.close()
        return names

    def owner(self, weir, source=None, fields=(), target="/"):
        """Who answers a request on a connection of its own."""
        client = HttpClient(self.connect(weir.address(), source))
        answer = client.get(target, fields)
        client.close()
        self.assertEqual(answer.status, 200, answer.body)
        return answer.get("x-origin")

    def connected(self, weir, times, sources=None):
        """As served(), by connections to raw origins that say their name."""
        address = weir.address()
        return Counter(ask_once(address, source=sources[i % len(sources)] if sources else None).decode().strip()
                       for i in range(times))

    def hold(self, weir, gate, times, sources=None, fields=()):
        """So many requests at a time that are not answered before the gate opens. Their clients."""
        already = gate.waiting
        clients = []
        for i in range(times):
            client = HttpClient(self.connect(weir.address(), sources[i % len(sources)] if sources else None))
            client.request("GET", f"/{i}", fields)
            clients.append(client)
            # One at a time: which of two comes first is chance otherwise.
            self.assertTrue(gate.wait_for(already + len(clients)), f"request {i} did not come to an origin")
        return clients

    def answered(self, clients):
        """By whom, once their gate is open."""
        names = Counter()
        for client in clients:
            answer = client.answer()
            names[answer.get("x-origin") if answer.status == 200 else answer.status] += 1
            client.close()
        return names

    def hold_connections(self, weir, times, sources=None):
        """So many connections to raw origins with a banner: pairs of a socket and a name."""
        held = []
        for i in range(times):
            sock = self.connect(weir.address(), sources[i % len(sources)] if sources else None)
            held.append((sock, receive_line(sock).removeprefix("banner ")))
        return held

    # --- steering

    def steer(self, weir, *lines):
        for line in lines:
            self.assertEqual(weir.ask(line).strip(), "", line)

    def upstream(self, weir, name="app"):
        return next(row for row in weir.stat()["upstreams"] if row["name"] == name)

    def rows(self, weir, field, upstream="app"):
        return {row["name"]: row[field] for row in self.upstream(weir, upstream)["endpoints"]}

    def expect_row(self, weir, name, **expected):
        def now():
            row = weir.endpoint(name)
            return {key: row[key] for key in expected}
        with contextlib.suppress(AssertionError):
            eventually(lambda: now() == expected, within=5)
        self.assertEqual(now(), expected)

    # --- judging

    def expect_parts(self, counts, parts, within):
        """Each one's part of all, give or take `within`. Nobody else has any."""
        total = sum(counts.values())
        self.assertEqual({name for name in counts if counts[name]} - set(parts), set(), dict(counts))
        for name, part in parts.items():
            self.assertAlmostEqual(counts[name] / total, part, delta=within, msg=f"{name} of {dict(counts)}")
