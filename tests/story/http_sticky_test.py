#!/usr/bin/env python3
"""A client finds back to its endpoint: by weir's cookie, by the origin's session, by its address."""

import threading
from collections import Counter

from harness import eventually, main
from http_client import HttpClient
from http_story import HttpStory, http_config

SECRET = "nobody will ever guess this"


def say_name(call):
    call.body()
    call.answer(200, {"X-Origin": call.origin.name}, call.origin.name.encode())


class Sessions:
    """A handler that begins a session with whoever has none, by a cookie or a header."""

    def __init__(self, header=None):
        self._header = header
        self._count = 0
        self._lock = threading.Lock()

    def __call__(self, call):
        fields = {"X-Origin": call.origin.name}
        known = call.request.get(self._header) if self._header else call.request.get("cookie")
        if not known:
            with self._lock:
                self._count += 1
                session = f"{call.origin.name}-{self._count}"
            fields.update({self._header: session} if self._header else
                          {"Set-Cookie": f"JSESSIONID={session}; Path=/; HttpOnly"})
        call.answer(200, fields, call.origin.name.encode())


class Sticky(HttpStory):
    def named(self, *names, handler=say_name):
        return [self.http_origin(handler, name=name) for name in names]

    def sticky(self, origins, by="cookie", workers=1, **more):
        return http_config(origins, workers=workers, upstream={"sticky": {"by": by, **more}})

    def served_by(self, weir, times, fields=(), source=None):
        """Which origins answer to so many requests, each on a connection of its own."""
        names = Counter()
        for _ in range(times):
            client = HttpClient(self.connect(weir.address(), source))
            names[client.get("/", fields).get("x-origin")] += 1
            client.close()
        return names


class Cookie(Sticky):
    def new_cookie(self, answer, name="SERVERID"):
        """The value of the cookie that this answer sets."""
        found = [value for value in answer.fields.all("set-cookie") if value.startswith(name + "=")]
        self.assertEqual(len(found), 1, answer.fields)
        return found[0].partition(";")[0].partition("=")[2]

    def expect_sticks(self, weir, cookie, name, times=10):
        client = self.client(weir)
        for _ in range(times):
            answer = client.get("/", {"Cookie": f"SERVERID={cookie}"})
            self.assertEqual((answer.status, answer.get("x-origin")), (200, name))
            self.assertFalse(answer.fields.has("set-cookie"), "it has the right one already")
            self.assertFalse(answer.fields.has("cache-control"), "and this answer sets none")

    def test_who_comes_back_with_it_is_at_home(self):
        weir = self.weir_with(self.sticky(self.named("a", "b", "c"), workers=2))
        homes = {}
        for _ in range(12):
            answer = self.get(weir)
            cookie = self.new_cookie(answer)
            self.assertRegex(cookie, r"\A[A-Za-z0-9_-]{22}\Z")
            self.assertEqual(answer.get("cache-control"), "private")
            self.assertEqual(homes.setdefault(answer.get("x-origin"), cookie), cookie, "one value for each endpoint")
        self.assertEqual(set(homes), {"a", "b", "c"})
        self.assertEqual(len(set(homes.values())), 3)
        for name, cookie in homes.items():
            self.expect_sticks(weir, cookie, name)
            self.assertEqual(self.served_by(weir, 8, {"Cookie": f"SERVERID={cookie}"}), {name: 8})

    def test_its_attributes(self):
        options = (
            ({}, "; Path=/; HttpOnly; SameSite=Lax"),
            ({"http_only": False, "same_site": "unset"}, "; Path=/"),
            ({"same_site": "strict", "path": "/app"}, "; Path=/app; HttpOnly; SameSite=Strict"),
            ({"same_site": "none", "secure": True}, "; Path=/; Secure; HttpOnly; SameSite=None"),
            ({"domain": "example.com", "max_age": "1h"},
             "; Path=/; Domain=example.com; Max-Age=3600; HttpOnly; SameSite=Lax"),
        )
        origins = self.named("a")
        weir = self.weir_with(self.sticky(origins, cookie="HOME"))
        for more, expected in options:
            with self.subTest(**more):
                weir.reload(self.sticky(origins, cookie="HOME", **more))
                answer = self.get(weir)
                self.assertEqual(answer.get("set-cookie"), f"HOME={self.new_cookie(answer, 'HOME')}{expected}")

    def test_the_origin_does_not_see_it(self):
        origin, = self.named("a")
        weir = self.weir_with(self.sticky([origin]))
        cookie = self.new_cookie(self.get(weir))
        seen = (
            (f"SERVERID={cookie}", None),
            (f"a=1; SERVERID={cookie}; b=2", "a=1; b=2"),
            (f"SERVERID={cookie}; b=2", "b=2"),
            (f"a=1; SERVERID={cookie}", "a=1"),
            ("SERVERID=forged; b=2", "b=2"),
            ("XSERVERID=1; serverid=2", "XSERVERID=1; serverid=2"),
        )
        for sent, expected in seen:
            with self.subTest(sent=sent):
                self.get(weir, "/", {"Cookie": sent})
                self.assertEqual(origin.requests[-1].get("cookie"), expected)
        weir.reload(self.sticky([origin], indirect=False))
        self.get(weir, "/", {"Cookie": f"a=1; SERVERID={cookie}"})
        self.assertEqual(origin.requests[-1].get("cookie"), f"a=1; SERVERID={cookie}")

    def test_caches(self):
        def answers(call):
            call.answer(200, {"Cache-Control": "max-age=60", "Set-Cookie": "own=1"})
        origins = [self.http_origin(answers)]
        weir = self.weir_with(self.sticky(origins))
        answer = self.get(weir)
        self.assertIn("private", answer.fields.all("cache-control"))
        self.assertEqual(len(answer.fields.all("set-cookie")), 2, "the origin's own cookies stay")
        answer = self.get(weir, "/", {"Cookie": f"SERVERID={self.new_cookie(answer)}"})
        self.assertEqual(answer.fields.all("cache-control"), ["max-age=60"])
        weir.reload(self.sticky(origins, no_cache=False))
        self.assertEqual(self.get(weir).fields.all("cache-control"), ["max-age=60"])

    def test_nobody_can_make_one_up(self):
        weir = self.weir_with(self.sticky(self.named("a", "b")))
        cookie = self.new_cookie(self.get(weir))
        other = "A" if cookie[0] != "A" else "B"
        forged = ("", "a", "0", "A" * 22, other + cookie[1:], cookie[:-1], cookie + "A", cookie.swapcase(),
                  f"%{cookie}", "127.0.0.1:80", "x" * 4000)
        for value in forged:
            with self.subTest(value=value[:30]):
                answer = self.get(weir, "/", {"Cookie": f"SERVERID={value}"})
                self.assertEqual(answer.status, 200)
                self.assertRegex(self.new_cookie(answer), r"\A[A-Za-z0-9_-]{22}\Z")
                served = self.served_by(weir, 4, {"Cookie": f"SERVERID={value}"})
                self.assertEqual(served, {"a": 2, "b": 2}, "it leads nowhere")

    def test_an_endpoint_that_is_gone_is_replaced_for_good(self):
        a, b = self.named("a", "b")
        weir = self.weir_with(self.sticky([a, b]))
        cookies = {}
        for _ in range(2):
            answer = self.get(weir)
            cookies[answer.get("x-origin")] = self.new_cookie(answer)
        address = a.address
        a.close()
        answer = self.get(weir, "/", {"Cookie": f"SERVERID={cookies['a']}"})
        self.assertEqual((answer.status, answer.get("x-origin")), (200, "b"))
        self.assertEqual(self.new_cookie(answer), cookies["b"])
        self.http_origin(say_name, name="a", address=address)
        self.expect_sticks(weir, cookies["b"], "b")
        self.expect_sticks(weir, cookies["a"], "a")

    def test_reloads(self):
        a, b, c = self.named("a", "b", "c")
        weir = self.weir_with(self.sticky([a, b]))
        answer = self.get(weir)
        name, cookie = answer.get("x-origin"), self.new_cookie(answer)
        home = {"a": a, "b": b}[name]
        others = [each for each in (a, b, c) if each is not home]
        for origins in ([c, b, a], [home], [*others, home], [home.endpoint(weight=5), *others]):
            weir.reload(self.sticky(origins))
            self.expect_sticks(weir, cookie, name)
        weir.reload(self.sticky(others))
        self.assertNotEqual(self.new_cookie(self.get(weir, "/", {"Cookie": f"SERVERID={cookie}"})), cookie)

    def test_a_secret_makes_it_fit_other_nodes(self):
        origins = self.named("a", "b")
        with_secret = [self.weir_with(self.sticky(origins, secret=SECRET)) for _ in range(2)]
        without = [self.weir_with(self.sticky(origins)) for _ in range(2)]
        answer = self.get(with_secret[0])
        cookie = self.new_cookie(answer)
        self.expect_sticks(with_secret[1], cookie, answer.get("x-origin"))
        for weir in without:
            self.assertEqual(len(self.served_by(weir, 4, {"Cookie": f"SERVERID={cookie}"})), 2)
        cookie = self.new_cookie(self.get(without[0]))
        self.assertEqual(len(self.served_by(without[1], 4, {"Cookie": f"SERVERID={cookie}"})), 2)


class Learned(Sticky):
    def cookie_of(self, answer):
        return {"Cookie": answer.get("set-cookie").partition(";")[0]}

    def test_a_session_of_the_origins(self):
        weir = self.weir_with(self.sticky(self.named("a", "b", "c", handler=Sessions()), by="learned",
                                          source="cookie:JSESSIONID", workers=2))
        for _ in range(9):
            answer = self.get(weir)
            served = self.served_by(weir, 6, self.cookie_of(answer))
            self.assertEqual(served, {answer.get("x-origin"): 6})

    def test_other_cookies_beside_it(self):
        weir = self.weir_with(self.sticky(self.named("a", "b", handler=Sessions()), by="learned",
                                          source="cookie:JSESSIONID"))
        answer = self.get(weir)
        cookies = f"theme=dark; {self.cookie_of(answer)['Cookie']}; lang=de"
        self.assertEqual(self.served_by(weir, 6, {"Cookie": cookies}), {answer.get("x-origin"): 6})
        self.assertEqual(len(self.served_by(weir, 6, {"Cookie": "theme=dark; lang=de"})), 2)

    def test_by_a_header(self):
        weir = self.weir_with(self.sticky(self.named("a", "b", handler=Sessions("X-Session")), by="learned",
                                          source="header:X-Session"))
        for _ in range(6):
            answer = self.get(weir)
            session = {"X-Session": answer.get("x-session")}
            self.assertEqual(self.served_by(weir, 6, session), {answer.get("x-origin"): 6})

    def test_named_in_one_way_and_used_in_another(self):
        weir = self.weir_with(self.sticky(self.named("a", "b", handler=Sessions("X-Session")), by="learned",
                                          source="cookie:SID", learn="header:X-Session"))
        for _ in range(4):
            answer = self.get(weir)
            cookie = {"Cookie": f"SID={answer.get('x-session')}"}
            self.assertEqual(self.served_by(weir, 6, cookie), {answer.get("x-origin"): 6})

    def test_an_endpoint_that_is_gone(self):
        origins = self.named("a", "b", handler=Sessions())
        weir = self.weir_with(self.sticky(origins, by="learned", source="cookie:JSESSIONID"))
        answer = self.get(weir)
        cookie = self.cookie_of(answer)
        home, other = sorted(origins, key=lambda origin: origin.name != answer.get("x-origin"))
        home.close()
        self.assertEqual(self.served_by(weir, 6, cookie), {other.name: 6})
        self.http_origin(Sessions(), name=home.name, address=home.address)
        self.assertEqual(self.served_by(weir, 6, cookie), {other.name: 6}, "that is where the session is now")

    def test_a_reload_forgets_nothing(self):
        a, b, c = self.named("a", "b", "c", handler=Sessions())
        source = {"by": "learned", "source": "cookie:JSESSIONID"}
        weir = self.weir_with(self.sticky([a, b], **source))
        homes = []
        for _ in range(6):
            answer = self.get(weir)
            homes.append((self.cookie_of(answer), answer.get("x-origin")))
        for origins in ([b, a], [a, b, c], [a, b]):
            weir.reload(self.sticky(origins, **source))
            for cookie, name in homes:
                self.assertEqual(self.served_by(weir, 2, cookie), {name: 2})

    def test_what_is_not_used_for_long_is_forgotten(self):
        weir = self.weir_with(self.sticky(self.named("a", "b", handler=Sessions()), by="learned",
                                          source="cookie:JSESSIONID", ttl="1s"))
        homes = []
        for _ in range(8):
            answer = self.get(weir)
            homes.append((self.cookie_of(answer), answer.get("x-origin")))
        kept = homes.pop()

        def forgotten():
            """The one that is used all the time is never forgotten; the others are asked for once, when it is late."""
            self.assertEqual(self.served_by(weir, 1, kept[0]), {kept[1]: 1})
            return weir.info()["uptime_s"] >= started + 3
        started = weir.info()["uptime_s"]
        eventually(forgotten)
        self.get(weir)
        moved = sum(self.served_by(weir, 1, cookie) != {name: 1} for cookie, name in homes)
        self.assertGreater(moved, 0, "all of them went where they had been, although it is nobody's turn there")


class ClientAddress(Sticky):
    def homes(self, weir, count):
        return {f"127.0.0.{i}": self.served_by(weir, 4, source=f"127.0.0.{i}") for i in range(1, count + 1)}

    def test_each_address_has_its_endpoint(self):
        a, b, c = self.named("a", "b", "c")
        weir = self.weir_with(self.sticky([a, b, c], by="client_ip", workers=2))
        homes = self.homes(weir, 12)
        for served in homes.values():
            self.assertEqual(len(served), 1, homes)
        self.assertEqual({name for served in homes.values() for name in served}, {"a", "b", "c"})
        weir.reload(self.sticky([c, b, a], by="client_ip", workers=2))
        self.assertEqual(self.homes(weir, 12), homes)

    def test_whom_a_trusted_proxy_names(self):
        origins = self.named("a", "b")
        config = self.sticky(origins, by="client_ip")
        config["listeners"][0]["trusted_proxies"] = ["127.0.0.1"]
        weir = self.weir_with(config)
        homes = set()
        for i in range(6):
            served = self.served_by(weir, 4, {"X-Forwarded-For": f"10.1.1.{i}"}, source="127.0.0.1")
            self.assertEqual(len(served), 1)
            homes.update(served)
            self.served_by(weir, 1, source="127.0.0.9")  # so that it is another one's turn
        self.assertEqual(homes, {"a", "b"})


if __name__ == "__main__":
    main()
