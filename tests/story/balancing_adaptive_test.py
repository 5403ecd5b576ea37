#!/usr/bin/env python3
"""adaptive: begins in turn, watches what comes, and follows another algorithm once the evidence is there."""

import re
import threading

from balanced import Balanced
from harness import eventually, main
from http_client import HttpClient
from http_message import written_request
from sockets import connect, receive_all

QUICK = {"window": "200ms", "windows": 2, "requests": 20}


class Busy:
    """Threads that call one(number) again and again, until the `with` block ends."""

    def __init__(self, one, threads=8):
        self.troubles = []
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(one, number)) for number in range(threads)]

    def _work(self, one, number):
        while not self._ending.is_set():
            try:
                one(number)
            except Exception as trouble:
                self.troubles.append(trouble)
                return

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join()


class Adaptive(Balanced):
    def setUp(self):
        self.cast = [*self.web("a", "b", "c", delay="2ms"), *self.web("slow", delay="50ms")]

    def decides(self, weir):
        return re.search(r"adaptive: (\w+) decides", weir.ask("show balance app")).group(1)

    def requests(self, weir):
        clients = [HttpClient(connect(weir.address())) for _ in range(8)]
        for client in clients:
            self._kept(client)

        def one(number):
            assert clients[number].get("/").status == 200
        return Busy(one)

    def connections(self, weir):
        address = weir.address()
        request = written_request("GET", "/", {"Connection": "close"})

        def one(_):
            with connect(address) as sock:
                sock.sendall(request)
                assert b" 200 " in receive_all(sock)
        return Busy(one)

    def slow_part(self, weir, times=200):
        """Of so many picks from now on, those of the slow one."""
        before = self.rows(weir, "picked")

        def gone():
            now = {name: count - before[name] for name, count in self.rows(weir, "picked").items()}
            return now if sum(now.values()) >= times else None
        now = eventually(gone)
        return now["slow"] / sum(now.values())

    def expect_change(self, weir, busy):
        self.assertEqual(self.decides(weir), "round_robin")
        with busy:
            self.assertAlmostEqual(self.slow_part(weir, 60), 0.25, delta=0.05)
            eventually(lambda: self.decides(weir) != "round_robin", what="another algorithm decides")
            self.assertLess(self.slow_part(weir), 0.15)
        self.assertEqual(busy.troubles, [])
        lines = [line for line in weir.log().splitlines() if "adaptive balancing changes its algorithm" in line]
        self.assertRegex(lines[0], r"upstream=app from=round_robin to=(least_time|two_choices) why=\"?.*(mean|p99)")
        return lines

    def test_requests(self):
        weir = self.weir_with(self.http(self.cast, "adaptive", adaptive=QUICK))
        self.expect_change(weir, self.requests(weir))

    def test_connections(self):
        weir = self.weir_with(self.tcp(self.cast, "adaptive", adaptive=QUICK))
        self.expect_change(weir, self.connections(weir))

    def test_two_workers(self):
        weir = self.weir_with(self.http(self.cast, "adaptive", adaptive=QUICK, workers=2))
        self.expect_change(weir, self.requests(weir))

    def test_what_is_told_of_it(self):
        weir = self.weir_with(self.http(self.cast, "adaptive", adaptive=QUICK))
        with self.requests(weir):
            eventually(lambda: self.decides(weir) != "round_robin")
            eventually(lambda: not re.search("decides, [0-9]+ switches, 0 arrivals", weir.ask("show balance")))
            text = weir.ask("show balance app")
        self.assertRegex(text, r"adaptive: \w+ decides, [1-9][0-9]* switches, [1-9][0-9]* arrivals in the last window")
        for name in ("round_robin", "two_choices", "least_time"):
            self.assertRegex(text, rf"(?m)^ +{name}: predicted mean [0-9.]+ m?u?s, p50 [0-9.]+ \S+, p99 [0-9.]+ \S+")
        self.assertRegex(text, "last switch: .+")
        slow = float(re.search(r"round_robin: predicted mean ([0-9.]+) ms", text).group(1))
        self.assertGreater(slow, 10, "a quarter of the requests takes 50 ms")

    def test_a_reload_keeps_what_it_has_learned(self):
        config = self.http(self.cast, "adaptive", adaptive=QUICK)
        weir = self.weir_with(config)
        with self.requests(weir) as busy:
            eventually(lambda: self.decides(weir) != "round_robin")
            weir.reload(config)
            self.assertNotEqual(self.decides(weir), "round_robin")
            self.assertLess(self.slow_part(weir), 0.15)
        self.assertEqual(busy.troubles, [])

    def test_too_little_proves_nothing(self):
        weir = self.weir_with(self.http(self.cast, "adaptive", adaptive={**QUICK, "requests": 1_000_000}))
        with self.requests(weir):
            for _ in range(5):  # windows, at least
                self.assertGreater(self.slow_part(weir), 0.2)
        self.assertEqual(self.decides(weir), "round_robin")
        self.assertNotIn("changes its algorithm", weir.log())

    def test_steering_goes_on(self):
        weir = self.weir_with(self.http(self.cast, "adaptive", adaptive=QUICK))
        with self.requests(weir):
            eventually(lambda: self.decides(weir) != "round_robin")
            self.steer(weir, "disable server app/a")
            before = weir.endpoint("a")["picked"]
            self.slow_part(weir)
            self.assertEqual(weir.endpoint("a")["picked"], before)
            self.steer(weir, "enable server app/a")
            eventually(lambda: weir.endpoint("a")["picked"] > before)


if __name__ == "__main__":
    main()
