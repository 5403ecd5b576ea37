#!/usr/bin/env python3
"""Who may come in at all: lists of blocks, in the configuration and in files; and how many connections a client may
have."""

import contextlib
import json
import random
import threading
import time

from harness import PATIENCE, eventually, main, run_weir, scaled
from overload import Overload, told
from sockets import connect, port_of, receive_line, reset
from together import together


class Clients(Overload):
    """Weir before an origin that says who it is, to all that it gets to see."""

    def setUp(self):
        self.raw = self.origin("--raw", "banner", name="raw")

    def config(self, listener, workers=1):
        return self.tcp([self.raw], listener=listener, workers=workers)

    def told_by_proxy(self, **listener):
        return self.config({"accept_proxy": ["127.0.0.1"], **listener})

    def enter(self, weir, source=None, header=b"", listener="web"):
        """A connection that was let in, or None."""
        try:
            sock = self.connect(weir.address(listener), source)
            sock.sendall(header)
            if receive_line(sock) == "banner raw":
                return sock
        except ConnectionResetError:
            return None
        except EOFError:
            self.fail("closed without a reset, and not served")
        return self.fail("other bytes than the origin's")

    def is_let_in(self, weir, source=None, header=b""):
        sock = self.enter(weir, source, header)
        if sock is not None:
            sock.close()
        return sock is not None

    def header_of(self, address):
        family = "TCP6" if ":" in address else "TCP4"
        return f"PROXY {family} {address} {'::1' if family == 'TCP6' else '10.9.9.9'} 1000 80\r\n".encode()

    def expect(self, weir, **who_may):
        """`ok` and `not_ok`: addresses, as a PROXY header tells them."""
        for ok, addresses in ((True, who_may.get("ok", ())), (False, who_may.get("not_ok", ()))):
            for address in addresses:
                self.assertEqual(self.is_let_in(weir, header=self.header_of(address)), ok, address)

    def write(self, name, *lines):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path


class Lists(Clients):
    def test_who_is_denied_is_reset(self):
        weir = self.weir_with(self.config({"deny": ["127.0.0.5", "127.0.1.0/24"]}))
        for source, ok in (("127.0.0.1", True), ("127.0.0.5", False), ("127.0.0.6", True), ("127.0.1.77", False),
                           ("127.0.2.1", True)):
            self.assertEqual(self.is_let_in(weir, source), ok, source)
        self.assertEqual((weir.closed("denied"), weir.listener()["denied"]), (2, 2))
        self.assertEqual(weir.endpoint("raw")["connections_total"], 3, "who is denied is no origin's business")

    def test_with_an_allow_list_all_others_are(self):
        weir = self.weir_with(self.told_by_proxy(allow=["10.0.0.0/8", "2001:db8::/32"]))
        self.expect(weir, ok=("10.0.0.0", "10.255.255.255", "2001:db8:ffff::1"),
                    not_ok=("9.255.255.255", "11.0.0.0", "2001:db9::1", "::1"))

    def test_the_smallest_block_decides(self):
        weir = self.weir_with(self.told_by_proxy(
            allow=["10.0.0.0/8", "10.1.2.0/24", "2001:db8:5::/48"], deny=["10.1.0.0/16", "10.1.2.3", "2001:db8::/32"]))
        self.expect(weir, ok=("10.2.0.1", "10.1.2.4", "10.0.255.255", "2001:db8:5::7"),
                    not_ok=("10.1.0.1", "10.1.2.3", "10.1.3.1", "2001:db8:6::1", "192.168.0.1"))

    def test_everybody_by_the_shortest(self):
        weir = self.weir_with(self.told_by_proxy(deny=["0.0.0.0/0"], allow=["10.0.0.1"]))
        self.expect(weir, ok=("10.0.0.1",), not_ok=("10.0.0.2", "1.1.1.1", "2001:db8::1"))

    def test_ipv4_clients_of_a_listener_on_both(self):
        """The kernel hands them over as IPv6."""
        weir = self.weir_with(self.config({"address": ":0", "deny": ["127.0.0.5"]}))
        address = f"127.0.0.1:{port_of(weir.address())}"
        for source, ok in (("127.0.0.5", False), ("127.0.0.6", True)):
            try:
                sock = self.connect(address, source)
                self.assertEqual((receive_line(sock), ok), ("banner raw", True))
            except ConnectionResetError:
                self.assertFalse(ok)

    def test_each_listener_has_its_own(self):
        config = self.config({"deny": ["127.0.0.5"]})
        config["listeners"].append({"name": "other", "address": "127.0.0.1:0", "upstream": "app",
                                    "allow": ["127.0.0.5"]})
        weir = self.weir_with(config)
        self.assertIsNone(self.enter(weir, "127.0.0.5"))
        self.assertIsNotNone(self.enter(weir, "127.0.0.5", listener="other"))
        self.assertIsNone(self.enter(weir, "127.0.0.6", listener="other"))

    def test_a_reload_changes_them(self):
        """Who is in already stays."""
        config = self.config({})
        weir = self.weir_with(config)
        inside = self.enter(weir, "127.0.0.5")
        weir.reload(self.config({"deny": ["127.0.0.5"]}))
        self.assertFalse(self.is_let_in(weir, "127.0.0.5"))
        inside.sendall(b"still here")
        self.assertEqual(inside.recv(100), b"still here")
        weir.reload(config)
        self.assertTrue(self.is_let_in(weir, "127.0.0.5"))


class Files(Clients):
    def test_remarks_and_all_forms(self):
        deny = self.write("deny.txt", "# bad ones", "", "10.0.0.0/8   # a whole network", "  192.168.1.1  ",
                          "2001:db8::/32", "\t172.16.0.0/12")
        allow = self.write("allow.txt", "10.5.0.0/16", "0.0.0.0/0", "::/0")
        weir = self.weir_with(self.told_by_proxy(deny_file=deny, allow_file=allow, deny=["10.5.5.5"]))
        self.expect(weir, ok=("10.5.0.1", "192.168.1.2", "9.9.9.9", "2001:db9::1"),
                    not_ok=("10.0.0.1", "192.168.1.1", "2001:db8::1", "172.31.0.1", "10.5.5.5"))

    def test_a_hundred_thousand_lines(self):
        dice = random.Random(5)
        blocks = {f"{dice.randrange(1, 224)}.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}"
                  for _ in range(scaled(100000))}
        path = self.write("many.txt", *blocks)
        begun = time.monotonic()
        weir = self.weir_with(self.told_by_proxy(deny_file=path))
        self.assertLess(time.monotonic() - begun, 5 * PATIENCE, "seconds until it serves")
        some = dice.sample(sorted(blocks), 20)
        others = [address for address in (address.rsplit(".", 1)[0] + ".255" for address in some)
                  if address not in blocks]
        self.expect(weir, not_ok=some, ok=others)
        self.assertGreater(len(others), 10)

    def test_a_reload_reads_them_again(self):
        path = self.write("deny.txt", "10.0.0.1")
        config = self.told_by_proxy(deny_file=path)
        weir = self.weir_with(config)
        self.expect(weir, not_ok=("10.0.0.1",), ok=("10.0.0.2",))
        self.write("deny.txt", "10.0.0.2")
        self.expect(weir, not_ok=("10.0.0.1",), ok=("10.0.0.2",))
        weir.reload(config)
        self.expect(weir, not_ok=("10.0.0.2",), ok=("10.0.0.1",))

    def test_a_mistake_in_one_starts_nothing(self):
        for line in ("10.0.0.0/33", "10.0.0", "example.com", "10.0.0.1 10.0.0.2", "10.0.0.0/", "2001:db8::/129",
                     "::1::"):
            with self.subTest(line):
                path = self.write("bad.txt", "10.0.0.1", "# fine so far", line)
                ended = self.start(self.told_by_proxy(deny_file=path))
                self.assertEqual(ended.returncode, 3, ended.stderr)
                self.assertIn(f"{path}:3", ended.stderr)
        ended = self.start(self.told_by_proxy(allow_file=self.path("nowhere.txt")))
        self.assertEqual(ended.returncode, 3, ended.stderr)
        self.assertIn(self.path("nowhere.txt"), ended.stderr)

    def start(self, config):
        with open(self.path("weir.yaml"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)
        checked = run_weir("check", "-c", self.path("weir.yaml"))
        self.assertEqual(checked.returncode, 3, checked.stdout)
        return run_weir("run", "-c", self.path("weir.yaml"))

    def test_a_mistake_in_one_changes_nothing(self):
        path = self.write("deny.txt", "10.0.0.1")
        config = self.told_by_proxy(deny_file=path)
        weir = self.weir_with(config)
        self.write("deny.txt", "10.0.0.2", "nonsense")
        self.assertEqual(weir.hang_up(), "reloads_refused")
        self.assertIn(f"{path}:2", weir.log())
        self.expect(weir, not_ok=("10.0.0.1",), ok=("10.0.0.2",))


class Http(Clients):
    def forwarded(self, **listener):
        origin, = self.web("origin")
        return self.http([origin], listener={"trusted_proxies": ["127.0.0.1"], **listener})

    def ask(self, client, address):
        return client.get("/", {"X-Forwarded-For": address})

    def test_who_the_request_comes_from_counts(self):
        weir = self.weir_with(self.forwarded(deny=["10.0.0.0/8"]))
        client = self.client(weir)
        self.assertEqual(self.ask(client, "192.168.0.1").status, 200)
        self.assertEqual(told(self.ask(client, "10.0.0.1")), (403, "denied"))
        self.assertEqual(self.ask(client, "10.0.0.1, 192.168.0.1").status, 200, "the last that is not trusted counts")
        self.assertEqual(self.ask(client, "192.168.0.1, 10.0.0.1").status, 403)
        self.assertEqual(self.ask(client, "192.168.0.1").status, 200, "the connection goes on")
        self.assertEqual(client.get("/").status, 200, "the proxy itself")
        self.expect_ends(weir, done=4, denied=2)
        self.assertEqual(weir.listener()["denied"], 2)

    def test_who_is_not_trusted_is_who_connects(self):
        weir = self.weir_with(self.forwarded(deny=["127.0.0.5", "10.0.0.1"]))
        for source, address, status in (("127.0.0.5", "192.168.0.1", 403), ("127.0.0.6", "10.0.0.1", 200)):
            client = self.client(weir, source=source)
            self.assertEqual(self.ask(client, address).status, status)

    def test_only_some_are_allowed(self):
        weir = self.weir_with(self.forwarded(allow=["10.0.0.0/8"]))
        client = self.client(weir)
        self.assertEqual(self.ask(client, "10.1.1.1").status, 200)
        self.assertEqual(self.ask(client, "11.1.1.1").status, 403)

    def test_denied_requests_use_up_no_rate_limit(self):
        weir = self.weir_with(self.forwarded(
            deny=["10.0.0.1"], rate_limits=[{"by": "all", "requests": 2, "per": "60s"}]))
        client = self.client(weir)
        self.assertEqual([self.ask(client, "10.0.0.1").status for _ in range(5)], [403] * 5)
        self.assertEqual([self.ask(client, "10.0.0.2").status for _ in range(3)], [200, 200, 429])


class Several(Clients):
    """max_connections_per_client."""

    def test_exactly_so_many_of_each(self):
        for mode in ("tcp", "http"):
            with self.subTest(mode=mode):
                limit = {"max_connections_per_client": 3}
                weir = self.weir_with(self.config(limit, workers=2) if mode == "tcp" else
                                      self.http(self.web("origin"), listener=limit, workers=2))
                come_in = self.enter if mode == "tcp" else self.enter_http
                for source in ("127.0.0.2", "127.0.0.3"):
                    inside = [come_in(weir, source) for _ in range(10)]
                    self.assertEqual([each is not None for each in inside], [True] * 3 + [False] * 7)
                self.assertEqual((weir.closed("client_full"), weir.listener()["clients_full"]), (14, 14))

    def enter_http(self, weir, source, header=b""):
        try:
            client = self.client(weir, source=source)
            client.send(header)
            self.assertEqual(client.get("/").status, 200)
        except ConnectionResetError:
            return None
        return client

    def test_a_place_is_given_back_however_a_connection_ends(self):
        weir = self.weir_with(self.config({"max_connections_per_client": 2}, workers=2))
        inside = [self.enter(weir, "127.0.0.2") for _ in range(2)]
        for leave in (lambda sock: sock.close(), reset, lambda sock: sock.shutdown(1)) * 3:
            self.assertIsNone(self.enter(weir, "127.0.0.2"))
            leave(inside.pop(0))
            inside.append(eventually(lambda: self.enter(weir, "127.0.0.2"), what="its place is free again"))
            self.assertIsNone(self.enter(weir, "127.0.0.2"))

    def test_also_where_no_origin_could_be_reached(self):
        weir = self.weir_with(self.tcp([self.nobody_at()], listener={"max_connections_per_client": 1}, workers=2))
        for number in range(1, 21):
            with contextlib.suppress(ConnectionResetError), connect(weir.address(), "127.0.0.2") as sock:
                sock.recv(1)
            eventually(lambda: weir.listener()["connections"] == 0)
            self.assertEqual(weir.closed("connect_failed"), number)

    def test_many_at_the_same_moment(self):
        """Never more than allowed, and after all have left, as many again: over two workers, leaving in every way."""
        weir = self.weir_with(self.config({"max_connections_per_client": 4}, workers=2))
        address = weir.address()
        most, now, lock = [0], [0], threading.Lock()
        served = [0]

        def work(number):
            dice = random.Random(number)
            for _ in range(scaled(60)):
                sock = None
                try:
                    sock = connect(address, "127.0.0.9", 20 * PATIENCE)
                    receive_line(sock)
                except ConnectionResetError:
                    if sock is not None:
                        sock.close()
                    continue
                with lock:
                    now[0] += 1
                    served[0] += 1
                    most[0] = max(most[0], now[0])
                with lock:
                    now[0] -= 1  # before weir can know of it
                dice.choice((reset, lambda each: each.close()))(sock)
        together(12, work)
        self.assertLessEqual(most[0], 4)
        self.assertGreaterEqual(served[0], scaled(60))
        eventually(lambda: weir.listener()["connections"] == 0)
        inside = [self.enter(weir, "127.0.0.9") for _ in range(6)]
        self.assertEqual([each is not None for each in inside], [True] * 4 + [False] * 2)

    def test_who_a_proxy_header_names(self):
        weir = self.weir_with(self.config({"max_connections_per_client": 2, "accept_proxy": ["127.0.0.1"]}, workers=2))
        for address in ("10.0.0.1", "10.0.0.2"):
            inside = [self.enter(weir, header=self.header_of(address)) for _ in range(4)]
            self.assertEqual([each is not None for each in inside], [True, True, False, False], address)
            reset(inside[0])
            eventually(lambda address=address: self.enter(weir, header=self.header_of(address)))

    def test_ipv6_by_64(self):
        weir = self.weir_with(self.config({"max_connections_per_client": 2, "accept_proxy": ["127.0.0.1"]}))
        seen = [self.enter(weir, header=self.header_of(address)) is not None
                for address in ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:0:5::1", "2001:db8:0:1::1")]
        self.assertEqual(seen, [True, True, False, True])

    def test_through_reloads(self):
        """Those that came while there was no limit, and those that came before, are all counted right in the end."""
        limited = self.config({"max_connections_per_client": 2}, workers=2)
        weir = self.weir_with(limited)
        inside = [self.enter(weir, "127.0.0.2") for _ in range(2)]
        weir.reload(limited)
        self.assertIsNone(self.enter(weir, "127.0.0.2"), "a reload forgets nobody")
        weir.reload(self.config({}, workers=2))
        inside += [self.enter(weir, "127.0.0.2") for _ in range(3)]
        self.assertNotIn(None, inside)
        weir.reload(limited)
        for sock in inside:
            sock.close()
        eventually(lambda: weir.listener()["connections"] == 0)
        inside = [self.enter(weir, "127.0.0.2") for _ in range(4)]
        self.assertEqual([each is not None for each in inside], [True, True, False, False])
        weir.reload(self.config({"max_connections_per_client": 3}, workers=2))
        self.assertIsNotNone(self.enter(weir, "127.0.0.2"))
        self.assertIsNone(self.enter(weir, "127.0.0.2"))

    def test_a_thousand_clients(self):
        """One after the other and side by side: each has its own count."""
        weir = self.weir_with(self.http(self.web("origin"), workers=2, listener={
            "max_connections_per_client": 1, "accept_proxy": ["127.0.0.1"]}))

        def come(number):
            return self.enter_http(weir, None, self.header_of(f"10.1.{number >> 8}.{number & 255}"))
        inside = [come(number) for number in range(scaled(1000))]
        self.assertNotIn(None, inside)
        for number in range(0, scaled(1000), 17):
            self.assertIsNone(come(number))
        self.assertEqual(weir.listener()["clients_uncounted"], 0)


if __name__ == "__main__":
    main()
