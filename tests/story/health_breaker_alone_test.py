#!/usr/bin/env python3
"""Circuit breakers of all endpoints there are: clients are told at once, and origins have their peace."""

import contextlib
import json

from failing import CLOSED, HALF_OPEN, OPENED, BreakerStory, ms, resets, says, well
from harness import eventually, main
from sockets import ask_once


class Alone(BreakerStory):
    def test_clients_are_told_at_once(self):
        moody, origins = self.moody("a")
        moody.feels("a", says(500))
        weir = self.broken(origins, recovery=ms(1000), workers=1)
        client = self.client(weir)
        self.assertEqual([client.get().status for _ in range(5)], [500] * 5)
        for _ in range(20):
            answer = client.get()
            self.assertEqual((answer.status, json.loads(answer.body)["reason"]), (503, "breakers_open"))
            self.assertGreaterEqual(int(answer.get("retry-after")), 1)
        self.assertEqual(moody.count(), 5, "the origin has its peace")
        self.expect_ends(weir, done=5, breakers_open=20)
        self.assertGreaterEqual(weir.endpoint("a")["refused_by_gate"], 20)
        moody.feels("a", well)
        eventually(lambda: client.get().status == 200 and self.told(weir, CLOSED))
        self.expect_told(weir, OPENED, HALF_OPEN, CLOSED)

    def test_all_of_several(self):
        moody, origins = self.moody("a", "b", "c", mood=resets)
        weir = self.broken(origins, recovery="60s", retry={"on": "off"})
        client = self.client(weir)
        statuses = [client.get().status for _ in range(60)]
        self.assertEqual(statuses, [502] * 15 + [503] * 45)
        self.assertEqual([moody.count(name) for name in "abc"], [5] * 3)
        for name in "abc":
            self.expect_state(weir, name, "broken")

    def test_connections(self):
        weir = self.weir_with(self.tcp([{"name": "a", "address": self.nobody_at()}], breaker={"recovery": "60s"},
                                       tries=1))

        def refused(count):
            for _ in range(count):
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(ask_once(weir.address()), b"")
        refused(5)
        self.expect_state(weir, "a", "broken", by="breaker")
        refused(5)
        self.assertEqual(weir.endpoint("a")["connect_errors"], 5)
        eventually(lambda: (weir.closed("connect_failed"), weir.closed("breakers_open")) == (5, 5))
        self.expect_told(weir, OPENED, among=(OPENED, HALF_OPEN, CLOSED))


if __name__ == "__main__":
    main()
