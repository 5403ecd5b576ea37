#!/usr/bin/env python3
"""What origins say of themselves: a score in their answers (resource_aware), and agents beside them."""

import contextlib
import errno
import socket
import threading
from collections import Counter

from balanced import PEOPLE, Balanced
from harness import eventually, main, simple_config
from sockets import ask_once


class Scores(Balanced):
    def fit(self, name, score, header="X-Weir-Score"):
        """An origin that says how fit it is; `score` is a list of one text, which may be changed."""
        def answers(call):
            call.body()
            fields = {"X-Origin": call.origin.name}
            if score[0] is not None:
                fields[header] = score[0]
            call.answer(200, fields)
        return self.http_origin(answers, name)

    def parts(self, weir, times=300):
        self.served(weir, 20)  # so that both have said it
        return self.served(weir, times)

    def test_a_quarter_of_the_score_is_a_quarter_of_the_work(self):
        low, high = ["0.25"], ["1"]
        weir = self.weir_with(self.http([self.fit("a", low), self.fit("b", high)], "resource_aware"))
        self.expect_parts(self.parts(weir), {"a": 0.2, "b": 0.8}, 0.11)
        self.assertEqual(self.rows(weir, "score"), {"a": 0.25, "b": 1})
        low[0], high[0] = "100%", "25%"
        eventually(lambda: self.served(weir, 5) and self.rows(weir, "score") == {"a": 1, "b": 0.25})
        self.expect_parts(self.served(weir, 300), {"a": 0.8, "b": 0.2}, 0.11)

    def test_nothing_but_numbers_is_believed(self):
        said = ["0.5"]
        weir = self.weir_with(self.http([self.fit("a", said), self.fit("b", ["1"])], "resource_aware"))
        eventually(lambda: self.served(weir, 5) and self.rows(weir, "score")["a"] == 0.5)
        for text in ("", "good", "-1", "1.5", "101%", "nan", "inf", "0.9 0.9", "0x1", "1e0%", "%", "0,7"):
            with self.subTest(text):
                said[0] = text
                self.served(weir, 12)
                self.assertEqual(self.rows(weir, "score")["a"], 0.5)
        said[0] = "0.75"
        eventually(lambda: self.served(weir, 5) and self.rows(weir, "score")["a"] == 0.75)

    def test_by_weight_too(self):
        weir = self.weir_with(self.http([self.fit("a", ["0.5"]).endpoint(weight=4), self.fit("b", ["1"])],
                                        "resource_aware"))
        self.expect_parts(self.parts(weir), {"a": 2 / 3, "b": 1 / 3}, 0.12)

    def test_another_header(self):
        weir = self.weir_with(self.http([self.fit("a", ["0.25"], "X-Fit"), self.fit("b", ["1"], "X-Fit")],
                                        "resource_aware", resource_aware={"header": "X-Fit"}))
        self.expect_parts(self.parts(weir), {"a": 0.2, "b": 0.8}, 0.11)

    def test_what_was_said_expires(self):
        said = ["0.1"]
        weir = self.weir_with(self.http([self.fit("a", said), self.fit("b", ["1"])], "resource_aware",
                                        resource_aware={"expiry": "300ms"}))
        self.assertLess(self.parts(weir, 200)["a"], 60)
        said[0] = None
        eventually(lambda: self.served(weir, 5) and self.rows(weir, "score")["a"] is None, within=3)
        self.expect_parts(self.served(weir, 300), {"a": 0.5, "b": 0.5}, 0.12)

    def test_an_operator_may_say_it(self):
        """Of TCP, too, where no answer can."""
        weir = self.weir_with(self.tcp(self.named("a", "b"), "resource_aware",
                                       resource_aware={"expiry": "1m"}))
        self.steer(weir, "set server app/a score 0.3")
        self.assertEqual(self.rows(weir, "score"), {"a": 0.3, "b": None})
        self.expect_parts(self.connected(weir, 300, PEOPLE), {"a": 0.5, "b": 0.5}, 0.12)  # b is taken for as fit
        self.steer(weir, "set server app/b score 1")
        self.expect_parts(self.connected(weir, 300, PEOPLE), {"a": 0.3 / 1.3, "b": 1 / 1.3}, 0.11)
        self.assertRegex(weir.ask("show balance app"), r"(?m)^ +a .* 0\.30$")

    def test_of_others_it_means_nothing(self):
        weir = self.weir_with(self.http([self.fit("a", ["0"]), self.fit("b", ["1"])], "round_robin"))
        self.assertEqual(self.served(weir, 20), {"a": 10, "b": 10})

    def test_a_score_of_0(self):
        """It asks to be spared; but when it is the only one left, it is better than nobody."""
        dead = {"name": "b", "address": self.nobody_at()}
        weir = self.weir_with(self.http([self.fit("a", ["0"]), dead], "resource_aware"))
        self.assertEqual(self.served(weir, 20), {"a": 20})


class Agents:
    """An agent beside each origin, all on one port: each has an address of its own."""

    def __init__(self, count):
        self.said = {}    # what each is to answer, by index; None: it says nothing
        self.heard = {}   # what it was sent
        self.asked = Counter()
        self._doors = []
        self._open = []
        self._bind(count)
        for index, door in enumerate(self._doors):
            self.said[index] = "up"
            threading.Thread(target=self._serve, args=(index, door), daemon=True).start()

    def _bind(self, count):
        while True:
            doors = []
            port = 0
            try:
                for index in range(count):
                    doors.append(socket.create_server((f"127.0.0.{index + 2}", port)))
                    port = doors[0].getsockname()[1]
            except OSError as error:
                for door in doors:
                    door.close()
                if error.errno == errno.EADDRINUSE:
                    continue  # the port is free at one address, but not at all
                raise
            self._doors, self.port = doors, port
            return

    def _serve(self, index, door):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = door.accept()
                threading.Thread(target=self._answer, args=(index, sock), daemon=True).start()

    def _answer(self, index, sock):
        with contextlib.suppress(OSError), sock:
            sock.settimeout(10)
            self.asked[index] += 1
            text = self.said[index]
            if self.heard.get(index) is not None:
                self.heard[index] += sock.recv(100)
            if text is None:
                sock.recv(1)  # until weir gives up
                return
            sock.sendall(text.encode() + b"\n")

    def close(self):
        for door in self._doors:
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            door.close()


class Agent(Balanced):
    def setUp(self):
        self.agents = self._kept(Agents(3))
        self.cast = [self.origin("--raw", "name", name="abc"[i], listen=f"127.0.0.{i + 2}:0") for i in range(3)]

    def config(self, agent=True, **more):
        told = {"agent": {"port": self.agents.port, "interval": "100ms", "timeout": "500ms",
                          **(agent if isinstance(agent, dict) else {})}}
        endpoints = [origin.endpoint(weight=10, max_connections=50) for origin in self.cast]
        return self.tcp(endpoints, **(told if agent else {}), **more)

    def asking(self, agent=True, **more):
        """Weir, begun without agents: how many descriptors it has at its start does not depend on whom it asks then."""
        weir = self.weir_with(self.config(agent=False, **more))
        weir.reload(self.config(agent, **more))
        return weir

    def say(self, text, index=0):
        """And it has been asked for it twice: the first one may have been under way."""
        self.agents.said[index] = text
        before = self.agents.asked[index]
        eventually(lambda: self.agents.asked[index] >= before + 2, what=f"agent {index} is asked")

    def test_all_that_it_may_say(self):
        weir = self.asking()
        steps = (
            ("50%", {"effective_weight": 5, "capacity": 0.5, "state": "ready"}, {"a": 3, "b": 6, "c": 6}),
            ("100%", {"effective_weight": 10}, {"a": 5, "b": 5, "c": 5}),
            ("200%", {"effective_weight": 20, "capacity": 2}, {"a": 8, "b": 4, "c": 4}),
            ("100% drain", {"effective_weight": 0, "state": "drain"}, {"b": 5, "c": 5}),
            ("ready", {"effective_weight": 10, "state": "ready"}, {"a": 5, "b": 5, "c": 5}),
            ("maint # coffee", {"effective_weight": 0, "state": "maint"}, {"b": 5, "c": 5}),
            ("ready down", {"effective_weight": 0, "state": "down"}, {"b": 5, "c": 5}),
            ("75%", {"effective_weight": 0, "state": "down", "capacity": 0.75}, {"b": 5, "c": 5}),
            ("up", {"effective_weight": 7.5, "state": "ready"}, {"a": 3, "b": 4, "c": 4}),
            ("100%, maxconn:2", {"effective_weight": 10, "max_connections": 2}, {"a": 5, "b": 5, "c": 5}),
            ("0%", {"effective_weight": 0}, {"b": 5, "c": 5}),
            ("100% fail # disk", {"effective_weight": 0, "state": "down"}, {"b": 5, "c": 5}),
            ("UP\t100%", {"effective_weight": 10, "state": "ready"}, {"a": 5, "b": 5, "c": 5}),
        )
        for text, row, shares in steps:
            with self.subTest(text):
                self.agents.said[0] = text
                self.expect_row(weir, "a", **row)
                self.assertEqual(self.connected(weir, sum(shares.values())), shares)

    def test_no_answer_changes_nothing(self):
        weir = self.asking({"timeout": "100ms"})
        self.agents.said[0] = "50%"
        self.expect_row(weir, "a", effective_weight=5)
        self.say(None)
        eventually(lambda: "an agent does not answer" in weir.log())
        self.expect_row(weir, "a", effective_weight=5)
        self.agents.said[0] = "#"
        eventually(lambda: "an agent answers again" in weir.log())
        self.expect_row(weir, "a", effective_weight=5)
        self.say("what is this? 100 %")
        self.expect_row(weir, "a", effective_weight=5)
        self.agents.close()
        eventually(lambda: weir.log().count("an agent does not answer") >= 4, what="each of them is missed")
        self.assertEqual(self.connected(weir, 15), {"a": 3, "b": 6, "c": 6})

    def test_a_reload_keeps_what_was_said(self):
        weir = self.asking()
        self.agents.said[0] = "50%,maxconn:7"
        self.agents.said[1] = "drain"
        self.expect_row(weir, "a", effective_weight=5, max_connections=7)
        self.expect_row(weir, "b", state="drain")
        self.agents.said.update({0: None, 1: None})
        weir.reload(self.config())
        self.assertEqual(self.connected(weir, 15), {"a": 5, "c": 10})
        self.assertEqual(weir.endpoint("a")["max_connections"], 7)

    def test_without_an_agent_nothing_that_it_said_holds(self):
        weir = self.asking()
        self.agents.said.update({0: "50%,maxconn:7", 1: "drain", 2: "up"})
        self.expect_row(weir, "a", effective_weight=5, max_connections=7)
        self.expect_row(weir, "b", state="drain")
        weir.reload(self.config(agent=False))
        self.expect_row(weir, "a", effective_weight=10, capacity=1, max_connections=50)
        self.expect_row(weir, "b", effective_weight=10, state="ready")
        self.assertEqual(self.connected(weir, 15), {"a": 5, "b": 5, "c": 5})
        asked = dict(self.agents.asked)
        weir.reload(self.config())
        self.expect_row(weir, "a", effective_weight=5)
        self.assertGreater(self.agents.asked[0], asked[0])

    def test_the_sterner_of_agent_and_operator_counts(self):
        weir = self.asking()
        self.agents.said[0] = "drain"
        self.expect_row(weir, "a", state="drain")
        self.steer(weir, "disable server app/a")
        self.expect_row(weir, "a", state="maint")
        self.say("ready")
        self.expect_row(weir, "a", state="maint")
        self.steer(weir, "enable server app/a")
        self.expect_row(weir, "a", state="ready")
        self.agents.said[0] = "drain"
        self.expect_row(weir, "a", state="drain")
        self.steer(weir, "set server app/a state ready")
        self.expect_row(weir, "a", state="drain")

    def test_what_it_is_told_first(self):
        self.agents.heard[0] = b""
        self.asking({"send": "how is a?"})
        eventually(lambda: self.agents.heard[0].startswith(b"how is a?\n"))

    def test_maxconn_holds(self):
        origins = [self.origin("--raw", "banner", name="xy"[i], listen=f"127.0.0.{i + 2}:0") for i in range(2)]
        weir = self.weir_with(self.tcp(origins))
        weir.reload(self.tcp(origins, agent={"port": self.agents.port, "interval": "100ms"}))
        self.agents.said[0] = "maxconn:2"
        self.expect_row(weir, "x", max_connections=2)
        self.assertEqual(Counter(name for _, name in self.hold_connections(weir, 10)), {"x": 2, "y": 8})

    def test_slow_start_after_its_word(self):
        weir = self.asking(slow_start="1m")
        self.agents.said[0] = "down"
        self.expect_row(weir, "a", effective_weight=0)
        self.agents.said[0] = "up"
        eventually(lambda: weir.endpoint("a")["effective_weight"] > 0)
        self.assertLess(weir.endpoint("a")["effective_weight"], 5)

    def test_a_unix_socket_has_no_ports(self):
        config = simple_config(["unix:/tmp/nobody.sock"], upstream={"agent": {"port": 1}})
        weir = self.asking()
        weir.write(config)
        self.assertEqual(weir.hang_up(), "reloads_refused")
        self.assertIn("has no ports", weir.log())
        self.assertNotEqual(ask_once(weir.address()), b"")


if __name__ == "__main__":
    main()
