#!/usr/bin/env python3
"""Origins are killed and restarted under load: nobody but who was talking to one notices."""

from harness import Story, eventually, main, scaled
from load import Load


class OriginsRestarted(Story):
    threads = 6

    def test_one_of_three_again_and_again(self):
        origins = [self.echo(name) for name in "abc"]
        weir = self.weir(origins, workers=2)
        kills = scaled(10)
        with Load(weir.address(), threads=self.threads) as load:
            for i in range(kills):
                origin = origins[i % 3]
                served = load.served
                eventually(lambda served=served: load.served > served + 20, what="the load is served before the kill")
                origin.kill()
                served = load.served
                eventually(lambda served=served: load.served > served + 20, what="the load is served while one is dead")
                origins[i % 3] = origin.again()
        # A killed origin takes down what it was serving: no more than one connection of each thread.
        self.assertLessEqual(len(load.failures), kills * self.threads, load.failures)
        # Those had reached it; a connect that fails goes to another origin.
        self.assertEqual([failure for failure in load.failures if failure.startswith("connect")], [])
        self.assertEqual(weir.closed("connect_failed"), 0)
        self.assertGreater(weir.total("connect_retries"), 0)

    def test_one_dead_all_the_time(self):
        """Then nothing is in flight that could be lost."""
        origins = [self.echo(name) for name in "abc"]
        weir = self.weir(origins)
        origins[1].kill()
        with Load(weir.address(), threads=self.threads) as load:
            eventually(lambda: load.served > scaled(500))
        self.assertEqual(load.failures, [])
        dead = weir.endpoint("b")
        self.assertEqual(dead["retries"], dead["connect_errors"])
        self.assertEqual((dead["connections_total"], dead["connections"]), (0, 0))

    def test_all_dead_and_back(self):
        origins = [self.echo(name) for name in "ab"]
        weir = self.weir(origins)
        for origin in origins:
            origin.kill()
        with Load(weir.address(), threads=2) as load:
            eventually(lambda: weir.closed("connect_failed") > 10)
        self.assertEqual(load.served, 0)
        again = [origin.again() for origin in origins]
        with Load(weir.address(), threads=2) as load:
            eventually(lambda: load.served > 50)
            eventually(lambda: min(weir.endpoint(origin.name)["connections_total"] for origin in again) > 0,
                       what="both are asked again, each after its rest")
        self.assertEqual(load.failures, [])


if __name__ == "__main__":
    main()
