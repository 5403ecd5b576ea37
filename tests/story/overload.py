"""What stories about overload share: origins that serve one at a time, who waits in which line, and what was counted.

Nobody waits for time here: a client is sent only when the one before it is known to wait.
"""

import json

from balanced import Balanced
from harness import SCALE, eventually
from http_client import HttpClient
from http_message import written_request


def reason_of(answer):
    """Of an answer that weir gave itself."""
    return json.loads(answer.body)["reason"]


def told(answer):
    """Status and reason, for comparing."""
    return answer.status, reason_of(answer)


class Overload(Balanced):
    # --- who waits

    def figures(self, weir, upstream="app"):
        """Who waits and what was counted, of one upstream."""
        return self.upstream(weir, upstream)["resilience"]

    def wait_for(self, weir, upstream="app", **figures):
        """Until the upstream's figures are these."""
        def now():
            row = self.figures(weir, upstream)
            return {name: row.get(name) or 0 for name in figures}  # what has no limit may be left uncounted
        try:
            eventually(lambda: now() == figures, what=str(figures))
        except AssertionError:
            self.assertEqual(now(), figures)

    def expect_nobody_waits(self, weir, upstream="app"):
        """Of what was counted while clients waited, nothing has leaked."""
        self.wait_for(weir, upstream, waiting=0, pending=0, retrying=0)

    def tearDown(self):
        for gate in self.gates:
            gate.open()
        for each in self.sockets:
            each.close()
        for process in self.processes:
            if hasattr(process, "stat") and process.running:
                for row in process.stat()["upstreams"]:
                    self.expect_nobody_waits(process, row["name"])
        super().tearDown()

    # --- clients that wait

    def line_up(self, weir, targets, fields=(), upstream="app", **more):
        """A client for each target, in this order: the next one comes when the one before waits in the queue."""
        clients = []
        for target in targets:
            waiting = self.figures(weir, upstream)["waiting"]
            client = self.asking(weir, target, fields, **more)
            clients.append(client)
            self.wait_for(weir, upstream, waiting=waiting + 1)
        return clients

    def asking(self, weir, target="/", fields=(), **more):
        """A client on a connection of its own whose request is sent, and whose answer is not read."""
        client = HttpClient(self.connect(weir.address(), **more))
        client.send(written_request("GET", target, fields))
        return client

    def occupy(self, weir, gate, places):
        """So many clients that hold their place at the origins until the gate opens."""
        return self.hold(weir, gate, places)

    def expect_nearly_in_order(self, served, came, places=6):
        """Over two workers: the order is exact in each one's line; between them a place may go to one that came a
        little later, if the worker whose turn it was sleeps on."""
        self.assertEqual(sorted(served), sorted(came))
        for place, who in enumerate(served):
            self.assertLessEqual(abs(place - came.index(who)), places, f"by who came first: {served}")

    # --- measuring

    def measured(self, word, figure, bound, why):
        """A figure is "more" or "less" than its bound. Not where a sanitizer makes weir another program."""
        if SCALE >= 1:
            {"more": self.assertGreaterEqual, "less": self.assertLessEqual}[word](figure, bound, why)

    @staticmethod
    def best_of_three(attempt):
        """For what is measured in seconds. The machine may have its troubles for a while; weir may not have them each
        time."""
        for last in (False, False, True):
            try:
                return attempt()
            except AssertionError:
                if last:
                    raise

    # --- configurations

    def queued(self, origins, places=1, queue=None, **more):
        """Endpoints of so many places each, with a queue before them that nobody leaves in vain unless told."""
        endpoints = [origin.endpoint(max_connections=places) for origin in origins]
        return self.http(endpoints, queue={"size": 100, "timeout": "60s", **(queue or {})}, **more)
