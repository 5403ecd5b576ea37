#!/usr/bin/env python3
"""An origin dies under load: what it had in hand is asked elsewhere, and clients hear nothing of it."""

from failing import Failing, ms
from freezing import frozen
from harness import SCALE, eventually, main, scaled

CONNECTIONS = 24
# Besides what was in flight: who does not know yet that it is gone finds it closed, and each worker looks from time to
# time whether it is back.
FEW = 10


class Dying(Failing):
    def three(self, *options, **upstream):
        """Three origins that take 2 ms for an answer, behind two workers."""
        origins = [self.origin("--delay", "2ms", *options, name=name) for name in "abc"]
        return origins, self.weir_with(self.http(origins, "least_connections", workers=2, **upstream))

    def tried_again(self, weir):
        return weir.total("retries")

    def expect_no_errors(self, flood, requests):
        self.assertEqual((dict(flood.statuses), flood.broken), ({200: requests}, 0))

    def test_killed_under_20_000_requests(self):
        origins, weir = self.three()
        requests = scaled(20_000)
        with self.flood(weir, CONNECTIONS, requests=requests) as flood:
            eventually(lambda: flood.answered > requests // 10)
            self.assertEqual(self.tried_again(weir), 0)
            origins[1].kill()
            killed_at = flood.answered
            flood.finish()
        self.assertLess(killed_at, requests // 2, "most of the load came after it")
        self.expect_no_errors(flood, requests)
        self.assertLessEqual(self.tried_again(weir), CONNECTIONS + FEW)
        self.assertGreater(weir.endpoint("b")["requests"], 0)
        self.assertEqual([row["answers_5xx"] for row in weir.stat()["listeners"]], [0])

    def test_exactly_what_was_in_flight(self):
        """It stands still first, so that it is known how many it has in hand when it dies."""
        origins, weir = self.three(health={"interval": ms(200), "timeout": ms(200)})
        with frozen(origins[1]):
            with self.flood(weir, 9, requests=scaled(4000)) as flood:
                eventually(lambda: weir.endpoint("b")["connections"] >= 3, what="it has requests in hand")
                # The other six go back and forth between the others, who have three each at most.
                eventually(lambda: flood.answered > scaled(500))
                in_flight = weir.endpoint("b")["connections"]
                self.assertIn(in_flight, range(3, 6))
                self.assertEqual(self.tried_again(weir), 0)
                origins[1].kill()
                flood.finish()
        self.expect_no_errors(flood, scaled(4000))
        self.assertIn(self.tried_again(weir), range(in_flight, in_flight + FEW + 1))
        self.expect_state(weir, "b", "down", by="probe")
        self.assertEqual(self.tried_again(weir), weir.endpoint("b")["retries"])

    def test_it_comes_back(self):
        origins, weir = self.three(health={"interval": ms(200), "timeout": ms(200)})
        with self.flood(weir, CONNECTIONS) as flood:
            for _ in range(2 if SCALE >= 1 else 1):
                origins[1].kill()
                self.expect_state(weir, "b", "down", by="probe")
                after = weir.endpoint("b")["picked"]
                served = flood.answered
                eventually(lambda: flood.answered > served + scaled(1000))
                self.assertEqual(weir.endpoint("b")["picked"], after, "who is down is not tried")
                origins[1] = origins[1].again()
                self.expect_state(weir, "b", "ready")
                eventually(lambda: weir.endpoint("b")["picked"] > after + scaled(100), what="it is used again")
        self.expect_no_errors(flood, flood.answered)

    def test_what_must_not_be_repeated_is_not(self):
        """As many failures as were in flight at most, and no request reached two origins."""
        origins, weir = self.three()
        body = b"POST / HTTP/1.1\r\nHost: weir.test\r\nContent-Length: 2\r\n\r\nhi"
        with self.flood(weir, CONNECTIONS, request=body, requests=scaled(4000)) as flood:
            eventually(lambda: flood.answered > scaled(500))
            origins[1].kill()
            flood.finish()
        failed = flood.statuses[502] + flood.statuses[503] + flood.broken
        self.assertLessEqual(failed, CONNECTIONS)
        self.assertEqual(flood.statuses[200] + failed, flood.answered + flood.broken)
        self.assertEqual(flood.statuses[503], 0, "who was not reached may be asked again elsewhere")


if __name__ == "__main__":
    main()
