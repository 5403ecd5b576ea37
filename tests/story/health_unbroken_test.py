#!/usr/bin/env python3
"""Whatever operators change, and however often: a running exchange goes on to its end."""

import itertools

from failing import Failing
from harness import eventually, main, scaled
from sockets import exchange


class Unbroken(Failing):
    CHANGES = ("set server app/{} state drain", "set weight app/{} 3", "set server app/{} state maint",
               "set server app/{} health 0.3", "set server app/{} state ready", "set server app/{} health down",
               "set weight app/{} 0", "set server app/{} health up", "set server app/{} health 0.5 1s",
               "set weight app/{} 100%")

    def changes(self):
        """Without end. One at a time of a and b; c and d are always there."""
        for name in itertools.cycle("ab"):
            for words in self.CHANGES:
                yield words.format(name)

    def configs(self, make, origins):
        """Without end: what a reload may change. In turn a gets more, nothing new, is not there at all, and is back."""
        a, *others = origins
        yield from itertools.cycle([
            make([a.endpoint(weight=5), *others]), make([a.endpoint(weight=0), *others]), make(others),
            make([*others, a]), make(origins, breaker={}, outliers={}), make(origins, health={"interval": "1s"})])

    def begin_slow_ones(self, weir, count=8):
        """Downloads that drip until the story is through with its changes; each origin has some."""
        clients = [self.client(weir) for _ in range(count)]
        for client in clients:
            client.request("GET", "/dribble?bytes=300&every=10")
        heads = [client.head() for client in clients]
        self.assertEqual({head.get("x-origin") for head in heads}, set("abcd"))
        return list(zip(clients, heads))

    def expect_whole(self, slow_ones):
        for client, head in slow_ones:
            self.assertEqual(len(client.stream.with_body(head).body), 300)

    def test_200_changes_by_hand(self):
        origins = [self.origin(name=name) for name in "abcd"]
        weir = self.weir_with(self.http(origins, workers=2))
        slow_ones = self.begin_slow_ones(weir)
        changes = self.changes()
        with self.flood(weir) as flood:
            for _ in range(200):
                answered = flood.answered
                self.steer(weir, next(changes))
                eventually(lambda answered=answered: flood.answered > answered + scaled(20))
            self.expect_whole(slow_ones)
        self.assertEqual((set(flood.statuses), flood.broken), ({200}, 0))
        self.assertGreater(min(self.rows(weir, "requests").values()), 50)
        self.assertEqual(weir.total("retries"), 0)

    def test_reloads(self):
        origins = [self.origin(name=name) for name in "abcd"]

        def make(endpoints, **more):
            return self.http(endpoints, workers=2, **more)
        weir = self.weir_with(make(origins))
        slow_ones = self.begin_slow_ones(weir)
        configs = self.configs(make, origins)
        with self.flood(weir) as flood:
            for _ in range(30):
                answered = flood.answered
                weir.reload(next(configs))
                eventually(lambda answered=answered: flood.answered > answered + scaled(100))
            self.expect_whole(slow_ones)
        self.assertEqual((set(flood.statuses), flood.broken), ({200}, 0))

    def test_connections(self):
        origins = [self.echo(name) for name in "abcd"]
        weir = self.weir_with(self.tcp(origins, workers=2))
        held = [self.connect(weir.address()) for _ in range(12)]
        for _, change in zip(range(60), self.changes()):
            self.steer(weir, change)
            for sock in held:
                self.assertEqual(exchange(sock, change.encode()), change.encode())
        configs = self.configs(lambda endpoints, **more: self.tcp(endpoints, workers=2, **more), origins)
        for number, config in zip(range(12), configs):
            weir.reload(config)
            for sock in held:
                self.assertEqual(exchange(sock, b"%d" % number), b"%d" % number)


if __name__ == "__main__":
    main()
