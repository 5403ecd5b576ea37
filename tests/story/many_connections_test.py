#!/usr/bin/env python3
"""5,000 connections at a time, all of them served."""

from harness import Story, eventually, main, scaled
from sockets import receive_exactly


class ManyConnections(Story):
    def test_all_are_served(self):
        count = scaled(5000)
        weir = self.weir([self.echo("a"), self.echo("b")], workers=2)
        address = weir.address()
        clients = [self.connect(address) for _ in range(count)]
        eventually(lambda: weir.info()["connections"] == count, within=20)
        for round_ in range(3):
            for i, client in enumerate(clients):
                client.sendall(b"%07d%d" % (i, round_))
            for i, client in enumerate(clients):
                self.assertEqual(receive_exactly(client, 8), b"%07d%d" % (i, round_))
        self.assertEqual(weir.info()["connections"], count)
        self.assertEqual(weir.endpoint("a")["connections"] + weir.endpoint("b")["connections"], count)
        self.assertAlmostEqual(weir.endpoint("a")["connections"], count / 2, delta=2)
        for client in clients:
            client.close()
        eventually(lambda: weir.closed("done") == count, within=20)

    def test_idle_ones_hold_no_buffers(self):
        weir = self.weir([self.echo()])
        clients = [self.connect(weir.address()) for _ in range(scaled(500))]
        for client in clients:
            client.sendall(b"x")
        for client in clients:
            receive_exactly(client, 1)
        eventually(lambda: weir.info()["buffers_in_use"] == 0)
        self.assertEqual(weir.info()["connections"], len(clients))

    def test_the_same_slots_again_and_again(self):
        weir = self.weir([self.echo()], limits={"connections": 100})
        for _ in range(scaled(20)):
            clients = [self.connect(weir.address()) for _ in range(100)]
            for client in clients:
                client.sendall(b"again")
            for client in clients:
                self.assertEqual(receive_exactly(client, 5), b"again")
                client.close()
        self.assertEqual(weir.info()["connections_total"], scaled(20) * 100)


if __name__ == "__main__":
    main()
