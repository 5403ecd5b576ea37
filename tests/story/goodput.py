"""Stories about goodput: an origin that can do so much and no more, and clients that ask it for ten times that.

The origin works on 8 requests at a time, 20 ms each: 400 per second (fewer where a sanitizer makes weir slow). Asked
for more it thrashes: it gets slower, and does less. What it can do is measured first.

How much is done and how fast is promised of weir, not of weir with a sanitizer in it: there, only who is let in and who
is refused is looked at.
"""

import time

from harness import SCALE, eventually
from http_message import written_request
from overload import Overload
from programs import Program

SLOTS = 8
SERVICE = 0.02 / min(1, SCALE)
CAPACITY = SLOTS / SERVICE
PLACES = SLOTS + 4  # what weir lets through: a few more, so that the origin need not wait for the next one
ALLOWANCE = 0.1 / min(1, SCALE)  # seconds, for a machine that is busy otherwise


class Goodput(Overload):
    def setUp(self):
        self.address = Program(self, "capacity_origin.py", slots=SLOTS, service=SERVICE, thrash=1).ready["address"]

    def config(self, limits, listener=None, workers=2, **upstream):
        endpoint = {"name": "origin", "address": self.address, **limits}
        return self.http([endpoint], workers=workers, listener=listener, **upstream)

    def offers(self, address, *several):
        """What came of these offers, made at the same time."""
        programs = [Program(self, "offer.py", address=address, **options) for options in several]
        for program in programs:
            program.go()
        results = [program.line() for program in programs]
        for program in programs:
            self.assertEqual(program.wait(), 0)
        return results

    def measured_capacity(self):
        """What it does when it is kept busy and not overloaded, without weir. Measured beside what is compared with it:
        the machine is not always as quick."""
        eventually(self.is_idle, what="nothing of what was measured before is left at the origin")
        result, = self.offers(self.address, {"connections": 2 * SLOTS, "seconds": 0.5, "warm_up": 0.1})
        self.assertEqual(set(result["counted"]), {"200"}, result)
        self.measured("more", result["per_second"]["200"], 0.7 * CAPACITY, result)
        return result["per_second"]["200"]

    def is_idle(self):
        """It answers as one does who has nothing else to do."""
        begun = time.monotonic()
        with self.connect(self.address) as client:
            client.sendall(written_request("GET", "/"))
            self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 200 "))
        return time.monotonic() - begun < 1.5 * SERVICE

    def overload(self, weir, seconds=1.2, warm_up=0.3):
        """Offers ten times the capacity; for longer where all is slower."""
        longer = 1 if SCALE >= 1 else 2.5
        result, = self.offers(weir.address(), {"connections": 400, "rate": 10 * CAPACITY, "seconds": longer * seconds,
                                               "warm_up": longer * warm_up})
        self.assertEqual(result["broken"], 0, result)
        return result

    def expect_overloaded(self, result):
        """It was really asked for several times more. (All of ten times, if the machine is quick enough.)"""
        self.measured("more", result["sent"], 5 * CAPACITY, result)

    def expect_goodput(self, capacity, *results):
        done = sum(result["per_second"].get("200", 0) for result in results)
        self.measured("more", done, 0.9 * capacity, results)

    @staticmethod
    def hiccup(result):
        """Who is refused at once is told so at once: where that took long, the machine stood still."""
        return result["latency"]["503"]["p99"]
