#!/usr/bin/env python3
"""What routes do: redirect, answer, rewrite, change headers, share by weight."""

from collections import Counter

from harness import main, scaled
from http_client import HttpClient
from http_message import written_request
from http_story import RoutedStory


class Redirects(RoutedStory):
    def test_each_status(self):
        routes = [{"match": {"path": f"/{status}"}, "redirect": {"status": status, "location": "https://to.test/"}}
                  for status in (301, 302, 303, 307, 308)]
        routes.append({"match": {"path": "/unsaid"}, "redirect": {"location": "/elsewhere"}})
        weir = self.routed(routes)
        client = self.client(weir)
        for status in (301, 302, 303, 307, 308):
            answer = client.get(f"/{status}")
            self.assertEqual((answer.status, answer.get("location"), answer.body), (status, "https://to.test/", b""))
        answer = client.get("/unsaid")
        self.assertEqual((answer.status, answer.get("location")), (302, "/elsewhere"))
        self.expect_counts(weir.listener, requests=6, answers_3xx=6, connections_total=1)
        self.assertEqual(self.by_name["otherwise"].requests, [])

    def test_the_location_is_a_template(self):
        location = "https://{host}{path}{query}#{{{method}}}"
        client = self.client(self.routed([{"redirect": {"status": 308, "location": location}}]))
        for target, host, wanted in (
                ("/a/b?x=1&y=2", "Weir.TEST:8080", "https://weir.test/a/b?x=1&y=2#{GET}"),
                ("/", "weir.test", "https://weir.test/#{GET}"), ("/?", "weir.test", "https://weir.test/?#{GET}"),
                ("/%0d%0aX:%20y", "weir.test", "https://weir.test/%0d%0aX:%20y#{GET}"),
                ("//evil.test", "weir.test", "https://weir.test//evil.test#{GET}"),
                ("/x", "[::1]:80", "https://[::1]/x#{GET}")):
            self.assertEqual(client.get(target, host=host).get("location"), wanted, target)

    def test_authority_and_scheme(self):
        client = self.client(self.routed([{"redirect": {"location": "{scheme}://{authority}/to/{route}"}}]))
        self.assertEqual(client.get(host="a.test:81").get("location"), "http://a.test:81/to/route 1")

    def test_a_location_that_fits_nowhere(self):
        """Sixteen times a path of 8000 bytes is no header any more; that is answered, too."""
        client = self.client(self.routed([{"redirect": {"location": "https://to.test" + "{path}" * 16}}]))
        self.assertEqual(client.get("/" + "x" * 500).get("location"), "https://to.test" + ("/" + "x" * 500) * 16)
        answer = client.get("/" + "x" * 8000)
        self.assertGreaterEqual(answer.status, 400)

    def test_of_a_request_with_a_body(self):
        client = self.client(self.routed([{"match": {"path": "/r"}, "redirect": {"location": "/to"}}]))
        for more in ({"body": b"x" * 50_000}, {"chunks": [b"x" * 20_000] * 2}, {"body": b""}):
            self.assertEqual(client.ask("POST", "/r", **more).status, 302)
            self.assertEqual(client.get("/on").status, 200, "the connection is in step")

    def test_head_of_one(self):
        client = self.client(self.routed([{"match": {"path": "/r"}, "redirect": {"location": "/to"}}]))
        self.assertEqual(client.ask("HEAD", "/r").get("location"), "/to")
        self.assertEqual(client.get("/on").status, 200)


class Answers(RoutedStory):
    def test_fixed_ones(self):
        weir = self.routed([
            {"match": {"path": "/pong"}, "answer": {"body": "pong"}},
            {"match": {"path": "/json"},
             "answer": {"status": 418, "body": '{"a": 1}', "content_type": "application/json"}},
            {"match": {"path": "/none"}, "answer": {"status": 204}},
            {"match": {"path": "/long"}, "answer": {"body": "0123456789abcdef" * 512}},
            {"match": {"path": "/down"}, "answer": {"status": 503, "body": "later"}},
        ])
        client = self.client(weir)
        for _ in range(2):
            answer = client.get("/pong")
            self.assertEqual((answer.status, answer.body, answer.get("content-type")),
                             (200, b"pong", "text/plain; charset=utf-8"))
            answer = client.get("/json")
            self.assertEqual((answer.status, answer.body, answer.get("content-type")),
                             (418, b'{"a": 1}', "application/json"))
            self.assertEqual((client.get("/none").status, client.get("/none").framing), (204, "none"))
            self.assertEqual(client.get("/long").body, b"0123456789abcdef" * 512)
            answer = client.ask("HEAD", "/long")
            self.assertEqual((answer.body, answer.get("content-length")), (b"", "8192"))
            self.assertEqual(client.get("/down").body, b"later")
        self.expect_counts(weir.listener, requests=14, connections_total=1)

    def test_many_sent_ahead(self):
        client = self.client(self.routed([{"match": {"path": "/pong"}, "answer": {"body": "pong"}}]))
        count = scaled(2000)
        client.send(written_request(target="/pong") * count)
        self.assertEqual({client.answer().body for _ in range(count)}, {b"pong"})


class Rewrites(RoutedStory):
    def arrives(self, route, target, host="weir.test"):
        """What the origin is asked for, and as whom."""
        self.names("app")
        client = self.client(self.routed([{"upstream": "app", **route}]))
        self.assertEqual(client.get(target, host=host).get("x-origin"), "app", target)
        request = self.by_name["app"].requests[-1]
        return request.target, request.get("host")

    def expect_targets(self, route, *pairs):
        for target, wanted in pairs:
            self.assertEqual(self.arrives(route, target), (wanted, "weir.test"))

    def test_prefix(self):
        self.expect_targets({"match": {"path_prefix": "/v1"}, "rewrite": {"prefix": "/internal"}},
                            ("/v1", "/internal"), ("/v1/", "/internal/"), ("/v1/x?y=1", "/internal/x?y=1"),
                            ("/v1//x", "/internal/x"), ("/v1/v1", "/internal/v1"))
        self.expect_targets({"match": {"path_prefix": "/v1"}, "rewrite": {"prefix": "/"}},
                            ("/v1", "/"), ("/v1/x", "/x"), ("/v1/?q", "/?q"))
        self.expect_targets({"match": {"path_prefix": "/v1/"}, "rewrite": {"prefix": "/"}},
                            ("/v1/", "/"), ("/v1/x", "/x"))
        self.expect_targets({"match": {"path_prefix": "/"}, "rewrite": {"prefix": "/all"}},
                            ("/", "/all/"), ("/x", "/all/x"))

    def test_path(self):
        self.expect_targets({"rewrite": {"path": "/fixed"}},
                            ("/", "/fixed"), ("/a/b?c=d", "/fixed?c=d"), ("/?", "/fixed?"))

    def test_regex(self):
        self.expect_targets({"rewrite": {"regex": r"^/u/(\d+)", "to": r"/users/\1"}},
                            ("/u/7", "/users/7"), ("/u/7/u/8?x=/u/9", "/users/7/u/8?x=/u/9"), ("/x", "/x"))
        self.expect_targets({"rewrite": {"regex": "/old/", "to": "/"}}, ("/a/old/b/old/c", "/a/b/old/c"))

    def test_host(self):
        self.assertEqual(self.arrives({"rewrite": {"host": "inner.test:81"}}, "/x?y"), ("/x?y", "inner.test:81"))
        self.assertEqual(self.arrives({"rewrite": {"host": "{host}.inner", "path": "/p"}}, "/x", host="A.test:80"),
                         ("/p", "a.test.inner"))
        request = self.by_name["app"].requests[-1]
        self.assertEqual(request.get("x-forwarded-host"), "A.test:80", "what the client asked for is still told")

    def test_one_that_becomes_too_long(self):
        self.names("app")
        client = self.client(self.routed([{"upstream": "app", "rewrite": {"regex": "/(x+)", "to": r"/\1\1\1"}}]))
        self.assertEqual(client.get("/" + "x" * 2000).status, 200)
        answer = client.get("/" + "x" * 8000)
        self.assertIn(answer.status, (414, 431))
        self.expect_in_step(client, answer)
        self.assertEqual(len(self.by_name["app"].requests[0].target), 6001)

    def test_a_rewritten_body_request_is_whole(self):
        self.names("app", handler=lambda call: call.answer(200, (), call.body()))
        client = self.client(self.routed([{"upstream": "app", "rewrite": {"path": "/longer/than/before"}}]))
        for more in ({"body": b"x" * 100_000}, {"chunks": [b"x"] * 20}):
            self.assertEqual(client.ask("POST", "/s", **more).body, b"".join(more.get("chunks", [more.get("body")])))


class HeaderRules(RoutedStory):
    def test_of_requests(self):
        self.names("app")
        client = self.client(self.routed([{"name": "r1", "upstream": "app", "request_headers": {
            "remove": ["X-Gone", "user-agent"], "set": ["X-Set: new", "X-Both: set"],
            "add": ["X-Add: one", "X-Add: two", "X-Both: added"]}}]))
        client.get("/", [("X-Gone", "1"), ("x-gone", "2"), ("User-Agent", "me"), ("X-Set", "old"), ("x-set", "older"),
                         ("X-Add", "theirs"), ("X-Both", "theirs"), ("X-Kept", "yes")])
        fields = self.by_name["app"].requests[-1].fields
        wanted = {"X-Gone": [], "User-Agent": [], "X-Set": ["new"], "X-Add": ["theirs", "one", "two"],
                  "X-Both": ["set", "added"], "X-Kept": ["yes"]}
        self.assertEqual({name: fields.all(name) for name in wanted}, wanted)

    def test_of_answers(self):
        self.names("app", handler=lambda call: call.answer(200, [
            ("Server", "theirs"), ("X-Old", "1"), ("Set-Cookie", "a=1"), ("Cache-Control", "no-store")]))
        client = self.client(self.routed([{"upstream": "app", "answer_headers": {
            "remove": ["Server", "x-old", "Via"],
            "set": ["Cache-Control: public", "Strict-Transport-Security: max-age=1"],
            "add": ["Set-Cookie: b=2"]}}]))
        fields = client.get().fields
        self.assertEqual([fields.all(name) for name in ("server", "x-old", "via", "cache-control", "set-cookie")],
                         [[], [], [], ["public"], ["a=1", "b=2"]])
        self.assertEqual(fields.get("strict-transport-security"), "max-age=1")

    FACTS = "{scheme} {method} {host} {authority} {path} {query} {client_ip} {route} {upstream} {{}}"
    WANTED = "http POST weir.test Weir.test:81 /p/a ?x=1&y 127.0.0.1 r1 app {}"

    def ask(self, weir):
        return self.client(weir).ask("POST", "/p/a?x=1&y", body=b"x", host="Weir.test:81")

    def test_templates_of_requests(self):
        self.names("app")
        self.ask(self.routed([{"name": "r1", "match": {"path_prefix": "/p"}, "upstream": "app",
                               "request_headers": {"set": [f"X-Facts: {self.FACTS}", "X-Id: <{request_id}>"]}}]))
        fields = self.by_name["app"].requests[-1].fields
        self.assertEqual(fields.get("x-facts"), self.WANTED)
        self.assertEqual(fields.get("x-id"), f"<{fields.get('x-request-id')}>")

    def test_templates_of_answers(self):
        self.names("app")
        answer = self.ask(self.routed([{"name": "r1", "match": {"path_prefix": "/p"}, "upstream": "app",
                                        "answer_headers": {"set": [f"X-Facts: {self.FACTS} {{endpoint}}",
                                                                   "X-Id: {request_id}"]}}]))
        self.assertEqual(answer.get("x-facts"), self.WANTED + " app")
        self.assertEqual(answer.get("x-id"), self.by_name["app"].requests[-1].get("x-request-id"))

    def test_templates_of_an_answer_that_weir_gives(self):
        """A redirect, a fixed answer, an error: rules for the answer hold for them, too."""
        facts = "X-Facts: {method} {host} {authority} {path} {query} {client_ip} {route}"
        rules = {"answer_headers": {"set": [facts]}, "match": {"path_prefix": "/p"}, "name": "r1"}
        wanted = "POST weir.test Weir.test:81 /p/a ?x=1&y 127.0.0.1 r1"
        for action in ({"answer": {"body": "x"}}, {"redirect": {"location": "/to"}}, {"upstream": "dead"}):
            with self.subTest(action=action):
                config = self.config([{**rules, **action}])
                config["upstreams"].append({"name": "dead", "endpoints": [self.nobody_at()]})
                self.assertEqual(self.ask(self.weir_with(config)).get("x-facts"), wanted)

    def test_facts_behind_a_trusted_proxy(self):
        """The scheme and the client are those that it tells of, before and behind the origin."""
        self.names("app")
        rule = {"set": ["X-Facts: {scheme} {client_ip}"]}
        client = self.client(self.routed([{"upstream": "app", "request_headers": rule, "answer_headers": rule}],
                                         listener={"trusted_proxies": ["127.0.0.0/8"]}))
        answer = client.get("/", [("X-Forwarded-For", "192.0.2.9"), ("X-Forwarded-Proto", "https")])
        self.assertEqual(self.by_name["app"].requests[-1].get("x-facts"), "https 192.0.2.9")
        self.assertEqual(answer.get("x-facts"), "https 192.0.2.9")

    def test_facts_of_an_absolute_target_and_an_ipv6_host(self):
        self.names("app")
        rule = {"set": ["X-Facts: {host} {authority} {path}{query}"]}
        client = self.client(self.routed([{"upstream": "app", "request_headers": rule, "answer_headers": rule}]))
        for target, host, wanted in (("http://a.test:81/p?q", "a.test:81", "a.test a.test:81 /p?q"),
                                     ("/p", "[::1]", "[::1] [::1] /p"), ("/p?", "A.test", "a.test A.test /p?")):
            answer = client.get(target, host=host)
            self.assertEqual(self.by_name["app"].requests[-1].get("x-facts"), wanted)
            self.assertEqual(answer.get("x-facts"), wanted)

    def test_an_answer_that_outgrows_what_a_head_may_have(self):
        """That is not for want of memory, so nobody is asked to come again."""
        self.names("app", handler=lambda call: call.answer(200, {"X-A": "a" * 15_000}))
        weir = self.routed([{"upstream": "app", "answer_headers": {"add": ["X-B: " + "b" * 2000]}}])
        answer = self.client(weir).get()
        self.assertIn(answer.status, (500, 502))
        self.assertEqual(weir.stat()["exchange_ends"]["no_buffers"], 0)

    def test_a_request_cannot_break_out_of_a_header(self):
        self.names("app")
        client = self.client(self.routed([{"upstream": "app", "request_headers": {"set": ["X-Path: {path}{query}"]},
                                           "answer_headers": {"set": ["X-Path: {path}{query}"]}}]))
        for target in ("/%0d%0aX-Evil:1", "/a?%0aX-Evil:1", "/\\r\\n"):
            answer = client.get(target)
            self.assertEqual(answer.get("x-path"), target)
            self.assertFalse(answer.fields.has("x-evil") or self.by_name["app"].requests[-1].fields.has("x-evil"))


class Splits(RoutedStory):
    def split(self, weights, split_by=None, **more):
        self.names(*weights)
        route = {"split": [{"upstream": name, "weight": weight} for name, weight in weights.items()],
                 **({"split_by": split_by} if split_by else {})}
        return self.routed([route], **more)

    def test_by_weight(self):
        client = self.client(self.split({"a": 70, "b": 25, "c": 5, "none": 0}))
        count = 2000
        shares = Counter(self.where(client) for _ in range(count))
        # Five standard deviations of a binomial distribution: wrong once in a million.
        for name, share in (("a", 0.7), ("b", 0.25), ("c", 0.05)):
            self.assertAlmostEqual(shares[name] / count, share, delta=5 * (share * (1 - share) / count) ** 0.5)
        self.assertEqual(shares["none"], 0)

    def test_by_a_key_it_stays_and_is_by_weight_too(self):
        for split_by, asked in (
                ("header:X-User", lambda key: {"fields": [("x-user", key)]}),
                ("cookie:user", lambda key: {"fields": [("Cookie", f"a=b; user={key}")]}),
                ("query:user", lambda key: {"target": f"/?a=b&user={key}"})):
            weir = self.split({"a": 3, "b": 1}, split_by)
            first = {key: self.where(self.client(weir), **asked(f"u{key}")) for key in range(200)}
            again = {key: self.where(self.client(weir), **asked(f"u{key}")) for key in range(200)}
            self.assertEqual(first, again, split_by)
            self.assertAlmostEqual(Counter(first.values())["a"] / 200, 0.75, delta=0.16)
            weir.reload(self.config([{"split": [{"upstream": "a", "weight": 3}, {"upstream": "b", "weight": 1}],
                                      "split_by": split_by}]))
            self.assertEqual({key: self.where(self.client(weir), **asked(f"u{key}")) for key in range(200)}, first,
                             "and over a reload")
            self.by_name = {"otherwise": self.by_name["otherwise"]}

    def test_by_client(self):
        weir = self.split({"a": 1, "b": 1}, "client_ip")
        sources = [f"127.0.0.{i}" for i in range(1, 41)]

        def shares():
            clients = {source: HttpClient(self.connect(weir.address(), source=source)) for source in sources}
            return {source: self.where(client) for source, client in clients.items()}
        first = shares()
        self.assertEqual(shares(), first)
        self.assertEqual(set(first.values()), {"a", "b"})

    def test_who_lacks_the_key_is_shared_out_at_random(self):
        client = self.client(self.split({"a": 1, "b": 1}, "header:X-User"))
        self.assertEqual({self.where(client) for _ in range(60)}, {"a", "b"})

    def test_the_template_names_who_was_chosen(self):
        self.names("a", "b")
        client = self.client(self.routed([{
            "split": [{"upstream": "a"}, {"upstream": "b"}], "answer_headers": {"set": ["X-Who: {upstream}"]}}]))
        for _ in range(20):
            answer = client.get()
            self.assertEqual(answer.get("x-who"), answer.get("x-origin"))


if __name__ == "__main__":
    main()
