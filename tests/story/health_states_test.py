#!/usr/bin/env python3
"""drain and maint: no new work, what runs goes on, sessions end, and idle connections to the origin are closed."""

from failing import Failing, ms
from harness import eventually, main
from sockets import exchange


class States(Failing):
    def sticky(self, *names, **upstream):
        moody, origins = self.moody(*names)
        return moody, origins, self.weir_with(self.http(origins, sticky={"by": "cookie"}, **upstream))

    def session(self, weir, home):
        """The cookie of somebody who belongs there."""
        for _ in range(20):
            answer = self.get(weir)
            if answer.get("x-origin") == home:
                return {"Cookie": answer.get("set-cookie").partition(";")[0]}
        return self.fail(f"{home} is never picked")


class Drain(States):
    def test_sessions_go_on_and_nobody_else_comes(self):
        moody, _, weir = self.sticky("a", "b")
        cookie = self.session(weir, "a")
        self.steer(weir, "set server app/a state drain")
        self.expect_state(weir, "a", "drain", by="operator")
        client = self.client(weir)
        self.assertEqual(self.served(weir, 5, cookie, client=client), {"a": 5}, "also on a new connection")
        asked = moody.count("a")
        self.assertEqual(self.served(weir, 20), {"b": 20})
        self.assertEqual(moody.count("a"), asked)
        self.assertRegex(self.line_of(weir, "a"), "drain +operator")
        self.steer(weir, "set server app/a state ready")
        self.expect_row(weir, "a", state="ready", in_play=True)
        self.assertEqual(self.served(weir, 20), {"a": 10, "b": 10})

    def test_idle_connections_are_closed(self):
        for state in ("drain", "maint"):
            with self.subTest(state):
                _, origins, weir = self.sticky("a", "b")
                gate = self.gate()
                for origin in origins:
                    origin.handler = gate
                clients = self.hold(weir, gate, 8)
                gate.open()
                self.assertEqual(self.answered(clients), {"a": 4, "b": 4})
                self.assertEqual([origin.open for origin in origins], [4, 4])
                self.steer(weir, f"set server app/a state {state}")
                eventually(lambda origins=origins: origins[0].open == 0, what="those to a are closed")
                self.assertEqual(origins[1].open, 4, "those to b are not")

    def test_what_runs_goes_on(self):
        """A request that is under way, and its connection afterwards is not kept."""
        for state in ("drain", "maint"):
            with self.subTest(state):
                moody, (origin, _), weir = self.sticky("a", "b")
                gate = self.gate()
                moody.feels("a", gate)
                cookie = self.session_of_held(weir, gate)
                self.steer(weir, f"set server app/a state {state}")
                self.expect_state(weir, "a", state)
                gate.open()
                self.assertEqual(self.answered(cookie), {"a": 1})
                eventually(lambda origin=origin: origin.open == 0, what="its connection is closed, too")

    def session_of_held(self, weir, gate):
        """One request that a holds; others are b's."""
        self.steer(weir, "set server app/b state drain")
        held = self.hold(weir, gate, 1)
        self.steer(weir, "set server app/b state ready")
        return held

    def test_connections_stay(self):
        origins = [self.origin("--raw", "banner", name=name) for name in "ab"]
        for state in ("drain", "maint"):
            with self.subTest(state):
                weir = self.weir_with(self.tcp(origins))
                held = self.hold_connections(weir, 4)
                self.steer(weir, f"set server app/a state {state}")
                self.expect_state(weir, "a", state)
                self.assertEqual([name for _, name in self.hold_connections(weir, 4)], ["b"] * 4)
                for sock, name in held:
                    self.assertEqual(exchange(sock, name.encode()), name.encode())


class Maint(States):
    def test_not_even_sessions(self):
        moody, _, weir = self.sticky("a", "b")
        cookie = self.session(weir, "a")
        asked = moody.count("a")
        for word, back in (("set server app/a state maint", "set server app/a state ready"),
                           ("disable server app/a", "enable server app/a")):
            self.steer(weir, word)
            self.expect_state(weir, "a", "maint", by="operator")
            self.assertEqual(self.served(weir, 5, cookie), {"b": 5})
            self.assertEqual(self.served(weir, 5), {"b": 5})
            self.assertEqual(moody.count("a"), asked)
            self.steer(weir, back)
            self.expect_row(weir, "a", state="ready", in_play=True)

    def test_it_is_out_whatever_anybody_finds(self):
        """Probes find it well, and go on doing so."""
        _, _, weir = self.sticky("a", "b", health={"interval": ms(100), "timeout": ms(100)})
        self.steer(weir, "disable server app/a")
        self.wait_for_rounds(weir, "a", 3)
        self.expect_state(weir, "a", "maint", by="operator")
        self.steer(weir, "set server app/a health up")
        self.expect_state(weir, "a", "maint", by="operator")
        self.assertEqual(self.served(weir, 6), {"b": 6})

    def test_nobody_is_left(self):
        _, _, weir = self.sticky("a", "b")
        self.steer(weir, "disable server app/a", "disable server app/b")
        self.assertEqual(self.get(weir).status, 503)
        self.steer(weir, "set server app/a state drain")
        self.assertEqual(self.get(weir).status, 503, "who drains takes nobody new either")


class ByHand(States):
    def test_down_and_up(self):
        """Probes go on from there: good ones bring it back."""
        moody, _, weir = self.sticky("a", "b", health={"interval": ms(300), "interval_in_doubt": ms(300),
                                                       "timeout": ms(200)})
        self.wait_for_rounds(weir, "a", 1)
        self.steer(weir, "disable health app/a", "set server app/a health down")
        self.expect_state(weir, "a", "down")
        asked = moody.count("a")
        rounds = self.probes(weir, "a")["rounds"]
        self.assertEqual(self.served(weir, 10), {"b": 10})
        self.wait_for_rounds(weir, "b", 4)
        self.assertTrue(self.probes(weir, "a")["paused"])
        self.assertLessEqual(self.probes(weir, "a")["rounds"], rounds + 1, "paused: one may have been under way")
        self.expect_state(weir, "a", "down")
        self.assertIn("(paused)", self.line_of(weir, "a"))
        self.assertEqual(moody.count("a"), asked)
        self.steer(weir, "enable health app/a")
        self.expect_state(weir, "a", "ready")
        self.assertFalse(self.probes(weir, "a")["paused"])

    def test_a_score(self):
        _, _, weir = self.sticky("a", "b")
        self.steer(weir, "set server app/a health 0.5")
        self.expect_row(weir, "a", health=0.5, effective_weight=0.5)
        client = self.client(weir)
        self.expect_parts(self.served(weir, 60, client=client), {"a": 1 / 3, "b": 2 / 3}, 0.02)
        self.steer(weir, "set server app/a health 1")
        self.expect_row(weir, "a", health=1.0, effective_weight=1.0)
        self.expect_parts(self.served(weir, 60, client=client), {"a": 1 / 2, "b": 1 / 2}, 0.02)

    def test_a_score_that_fades(self):
        """It never goes back, is never above 1, and its log says when it is over."""
        _, _, weir = self.sticky("a", "b")
        self.steer(weir, "set server app/a health 0.2 2s")
        seen = []

        def over():
            seen.append(weir.endpoint("a")["effective_weight"])
            return seen[-1] == 1.0
        eventually(over)
        self.assertEqual(seen, sorted(seen))
        self.assertLess(seen[0], 0.5)
        self.assertGreaterEqual(len(set(seen)), 4, "in steps")
        self.assertIn("a health score has faded", weir.log())
        for word in ("1.5", "-0.1", "half", "0.5 -1s", "0.5 1s 1s"):
            with self.subTest(word):
                self.assertNotEqual(weir.ask(f"set server app/a health {word}").strip(), "")
        self.assertEqual(weir.endpoint("a")["health"], 1.0)


if __name__ == "__main__":
    main()
