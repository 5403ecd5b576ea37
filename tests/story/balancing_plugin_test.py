#!/usr/bin/env python3
"""Balancing by a plug-in: the example that comes with weir, plug-ins that are replaced while they are used, and bad
ones, which are refused with the reason."""

import os
from collections import Counter

from balanced import PEOPLE, Balanced
from harness import eventually, main, run_weir
from load import Load
from shared_objects import EXAMPLE, compile_file, compile_text, source


class Plugins(Balanced):
    def made(self, file="plugin.so", **more):
        return compile_text(source(**more), self.path(file))

    def example(self, name="example.so"):
        return compile_file(EXAMPLE, self.path(name))

    def plugged(self, origins, path, options=None, make=None, **more):
        plugin = {"path": path} if options is None else {"path": path, "options": options}
        return (make or self.http)(origins, "plugin", plugin=plugin, **more)


class Example(Plugins):
    def test_each_client_has_a_home(self):
        weir = self.weir_with(self.plugged(self.named("a", "b", "c", "d"), self.example(), "loyalty=1000",
                                           make=self.tcp, workers=2))
        owners = {source: self.connected(weir, 5, [source]) for source in PEOPLE[:40]}
        at_home = sum(len(owner) == 1 for owner in owners.values())
        self.assertGreater(at_home, 30, "but for a hiccup, nobody waits a thousand times as long there")
        self.assertEqual({name for owner in owners.values() for name in owner}, {"a", "b", "c", "d"})
        self.assertEqual(self.upstream(weir)["plugin"]["name"], "home_or_better")
        self.assertEqual(self.upstream(weir)["plugin"]["misbehaved"], 0)

    def test_who_is_slow_at_home_goes_elsewhere(self):
        origins = [*self.web("a", "b", "c"), *self.web("slow", delay="60ms")]
        weir = self.weir_with(self.plugged(origins, self.example(), hash_by="header:X-User"))
        users = [{"X-User": f"user {i}"} for i in range(60)]
        self.assertEqual(len({self.owner(weir, fields=user) for user in users[:40]}), 4)
        counts = Counter(self.owner(weir, fields=user) for user in users * 3)
        self.assertLess(counts["slow"] / sum(counts.values()), 0.15, dict(counts))

    def test_steering_and_the_dead(self):
        dead = {"name": "dead", "address": self.nobody_at()}
        weir = self.weir_with(self.plugged([*self.web("a", "b", "c"), dead], self.example()))
        self.assertEqual(sum(self.served(weir, 40).values()), 40)
        self.steer(weir, "disable server app/a", "set server app/b health down")
        self.assertEqual(self.served(weir, 20), {"c": 20})
        self.steer(weir, "disable server app/c", "disable server app/dead")
        self.assertEqual(self.get(weir).status, 503)
        self.steer(weir, "enable server app/a")
        self.assertEqual(self.served(weir, 20), {"a": 20})

    def test_options_that_it_refuses(self):
        a, b = self.web("a", "b")
        weir = self.weir_with(self.plugged([a, b], self.example(), "loyalty=3"))
        weir.write(self.plugged([a, b], self.example(), "loyalty=much"))
        report = run_weir("check", "-c", weir.config_path)
        self.assertEqual(report.returncode, 3)
        self.assertIn("options are 'loyalty=much', but should be loyalty=N", report.stderr)
        self.assertEqual(weir.hang_up(), "reloads_refused")
        self.assertIn("options are 'loyalty=much'", weir.log())
        self.assertEqual(sum(self.served(weir, 10).values()), 10)


class OfOnesOwn(Plugins):
    def test_it_sees_metadata_and_shares(self):
        cast = self.named("a", "b", "c")
        endpoints = [cast[0], cast[1].endpoint(metadata={"role": "main", "zz": "1"}),
                     cast[2].endpoint(weight=7, metadata={"role": "spare"})]
        path = self.made(wanted='strcmp(label(member, "role"), "main") == 0')
        weir = self.weir_with(self.plugged(endpoints, path, make=self.tcp))
        self.assertEqual(self.connected(weir, 10), {"b": 10})
        weir.reload(self.plugged(endpoints, self.made("other.so", wanted="member->share == 700"), make=self.tcp))
        self.assertEqual(self.connected(weir, 10), {"c": 10})

    def test_it_is_made_anew_when_shares_change(self):
        a, b = self.named("a", "b")
        path = self.made(wanted="member->share >= 300")
        weir = self.weir_with(self.plugged([a.endpoint(weight=3), b], path, make=self.tcp))
        self.assertEqual(self.connected(weir, 5), {"a": 5})
        self.steer(weir, "set weight app/b 3", "set weight app/a 1")
        self.assertEqual(self.connected(weir, 5), {"b": 5})
        self.steer(weir, "set server app/b health 0.5")
        self.assertEqual(self.upstream(weir)["plugin"]["name"], "story")

    def test_what_is_full_is_not_usable(self):
        origins = [self.origin("--raw", "banner", name=name) for name in "abc"]
        weir = self.weir_with(self.plugged([each.endpoint(max_connections=2) for each in origins], self.made(),
                                           make=self.tcp))
        self.assertEqual([name for _, name in self.hold_connections(weir, 6)], list("aabbcc"))

    def test_nonsense_now_and_then_is_counted_and_harms_nobody(self):
        path = self.made(first="if (turn > 2000 && turn % 2 == 0) return 4711;")
        weir = self.weir_with(self.plugged(self.web("a", "b"), path))
        counts = self.served(weir, 3000)
        self.assertEqual(sum(counts.values()), 3000)
        self.assertGreater(self.upstream(weir)["plugin"]["misbehaved"], 400)

    def test_tiers(self):
        cast = self.named("a", "b")
        weir = self.weir_with(self.plugged([cast[0], cast[1].endpoint(tier=1)], self.made(), make=self.tcp))
        self.assertEqual(self.connected(weir, 5), {"a": 5})
        cast[0].kill()
        self.assertEqual(self.connected(weir, 5), {"b": 5})


class Replaced(Plugins):
    first = {}
    last = {"first": "for (uint32_t i = balancer->count; i-- > 0;) { if (pick->usable(pick, i)) return i; }"}

    def test_by_another_file_at_a_reload(self):
        cast = self.named("a", "b", "c")
        config = self.plugged(cast, self.made(**self.first, name='"one"'), make=self.tcp)
        weir = self.weir_with(config)
        for name, changes, expected in (("two", self.last, "c"), ("three", self.first, "a"), ("four", self.last, "c")):
            self.made("plugin.so", **{**changes, "name": f'"{name}"'})
            before = self.connected(weir, 3)
            self.assertEqual(before, {"a" if expected == "c" else "c": 3}, "a file that was replaced changes nothing")
            weir.reload(config)
            self.assertEqual(self.connected(weir, 3), {expected: 3})
            self.assertEqual(self.upstream(weir)["plugin"]["name"], name)

    def test_under_load(self):
        cast = [self.echo(name) for name in "abc"]
        config = self.plugged(cast, self.made(), make=self.tcp, workers=2)
        weir = self.weir_with(config)
        with Load(weir.address(), threads=3) as load:
            for number in range(8):
                served = load.served
                self.made("plugin.so", **(self.last if number % 2 == 0 else self.first))
                weir.reload(config)
                self.steer(weir, f"set weight app/b {number + 2}")
                eventually(lambda served=served: load.served > served + 10)
        self.assertEqual(load.failures, [])

    def test_it_may_go_while_work_of_it_is_under_way(self):
        gate = self.gate()
        cast = [self.http_origin(gate, name) for name in "ab"]
        weir = self.weir_with(self.plugged(cast, self.made()))
        clients = self.hold(weir, gate, 5)
        weir.reload(self.http(cast))
        os.unlink(self.path("plugin.so"))
        gate.open()
        self.assertEqual(self.answered(clients), {"a": 5})
        self.assertEqual(self.served(weir, 10), {"a": 5, "b": 5})
        self.assertNotIn("plugin", self.upstream(weir))


class Refused(Plugins):
    def test_bad_ones(self):
        with open(self.path("text.so"), "w", encoding="utf-8") as file:
            file.write("no shared object")
        other = compile_text("int nothing(void) { return 0; }\n", self.path("empty.so"))
        writable = self.made("writable.so")
        os.chmod(writable, 0o777)
        needs = compile_text(source() + "\nextern int not_there(void);\nint f(void) { return not_there(); }\n",
                             self.path("needs.so"))
        mistakes = (
            (self.path("none.so"), "there is no such file"),
            (self.folder, "this is not a file"),
            ("plugin.so", "has to begin with '/'"),
            (writable, "chmod go-w"),
            (self.path("text.so"), "it cannot be loaded"),
            (needs, "not_there"),
            (other, "it does not export weir_balancer_entry()"),
            (self.made("null.so", entry="NULL"), "returned NULL"),
            (self.made("abi.so", abi="99"), "version 99"),
            (self.made("nameless.so", name='""'), "`name`"),
            (self.made("wants.so", wants="64"), "`wants` is 64"),
            (self.made("pickless.so", pick="NULL"), "no function `pick`"),
            (self.made("far.so", first="if (turn == 500) return 4711;"), "member 4711"),
            (self.made("blind.so", first="return 1;"), "pick->usable()"),
            (self.made("wild.so", first="((char*)state)[sizeof(uint64_t) + turn % 8] = 7;"), "`state_size`"),
        )
        cast = self.web("a", "b")
        weir = self.weir_with(self.http(cast))
        for path, reason in mistakes:
            with self.subTest(reason):
                weir.write(self.plugged(cast, path))
                report = run_weir("check", "-c", weir.config_path, folder=self.folder)
                self.assertEqual(report.returncode, 3, report.stderr)
                self.assertIn(reason, report.stderr)
                self.assertIn(path, report.stderr)
                self.assertEqual(weir.hang_up(), "reloads_refused")
                self.assertIn(reason, weir.log())
                self.assertEqual(self.served(weir, 4), {"a": 2, "b": 2})
        self.assertEqual(weir.info()["reloads"], 0)

    def test_a_bad_one_in_place_of_a_good_one(self):
        cast = self.named("a", "b")
        config = self.plugged(cast, self.made(), make=self.tcp)
        weir = self.weir_with(config)
        self.made("plugin.so", abi="99")
        self.assertEqual(weir.hang_up(), "reloads_refused")
        self.assertEqual(self.connected(weir, 5), {"a": 5}, "the good one goes on")
        self.steer(weir, "disable server app/a")
        self.assertEqual(self.connected(weir, 5), {"b": 5}, "and is asked anew")
        self.made("plugin.so", **Replaced.last)
        weir.reload(config)
        self.steer(weir, "enable server app/a")
        self.assertEqual(self.connected(weir, 5), {"b": 5})

    def test_without_a_path(self):
        cast = self.web("a")
        weir = self.weir_with(self.http(cast))
        for config, reason in ((self.http(cast, "plugin"), "`plugin` is not told which"),
                               (self.http(cast, "random", plugin={"path": self.made()}), "balance: plugin")):
            with self.subTest(reason):
                weir.write(config)
                report = run_weir("check", "-c", weir.config_path)
                self.assertEqual(report.returncode, 3)
                self.assertIn(reason, report.stderr)

    def test_one_that_refuses_a_change_of_shares_keeps_the_shares_that_were(self):
        """It makes no balancer for a share of 500: the operator's word is not acted on, and the log says why."""
        text = source().replace("struct balancer* made", """for (uint32_t i = 0; i < members->count; ++i) {
            if (weir_member_at(members, i)->share == 500) { strncpy(error, "no fives", size); return NULL; }
          }
          struct balancer* made""")
        weir = self.weir_with(self.plugged(self.named("a", "b"), compile_text(text, self.path("picky.so")),
                                           make=self.tcp))
        weir.ask("set weight app/a 5")
        eventually(lambda: "no fives" in weir.log())
        self.assertEqual(self.connected(weir, 5), {"a": 5})
        self.assertEqual(weir.endpoint("a")["effective_weight"], 1)
        self.steer(weir, "set weight app/a 6")
        self.assertEqual(weir.endpoint("a")["effective_weight"], 6)


if __name__ == "__main__":
    main()
