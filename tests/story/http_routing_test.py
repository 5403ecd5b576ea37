#!/usr/bin/env python3
"""Which request goes where: hosts, paths, methods, headers, parameters, cookies, clients; and what reloads change."""

import threading

from harness import main, scaled
from http_client import HttpClient
from http_message import written_request
from http_story import HttpStory, RoutedStory


class Hosts(RoutedStory):
    def test_the_most_specific_one(self):
        self.names("exact", "wild", "deeper", "any")
        client = self.client(self.routed([  # the least specific ones first: their order says nothing
            {"match": {"path_prefix": "/any"}, "upstream": "any"},
            {"match": {"hosts": ["*.example.com"]}, "upstream": "wild"},
            {"match": {"hosts": ["*.api.example.com", "other.test"]}, "upstream": "deeper"},
            {"match": {"hosts": "www.example.com"}, "upstream": "exact"},
        ]))
        for host, wanted in (
                ("www.example.com", "exact"), ("WWW.Example.COM", "exact"), ("www.example.com:8080", "exact"),
                ("a.example.com", "wild"), ("a.b.c.example.com", "wild"), ("api.example.com", "wild"),
                ("v1.api.example.com", "deeper"), ("a.b.API.example.com", "deeper"), ("other.test", "deeper"),
                ("example.com", "otherwise"), ("notexample.com", "otherwise"), ("www.example.com.evil", "otherwise"),
                ("x.other.test", "otherwise"), ("127.0.0.1", "otherwise"), ("[::1]:80", "otherwise")):
            self.assertEqual(self.where(client, host=host), wanted, host)
        self.assertEqual(self.where(client, "/any", host="elsewhere.test"), "any")
        self.assertEqual(self.where(client, "/any", host="www.example.com"), "exact", "hosts come before paths")

    def test_where_no_path_of_a_host_fits_the_next_host_is_asked(self):
        self.names("a", "b")
        client = self.client(self.routed([
            {"match": {"hosts": ["www.test"], "path_prefix": "/a"}, "upstream": "a"},
            {"match": {"hosts": ["*.test"]}, "upstream": "b"},
        ]))
        self.assertEqual([self.where(client, target, host="www.test") for target in ("/a", "/other")], ["a", "b"])

    def test_the_host_of_an_absolute_target(self):
        self.names("a")
        client = self.client(self.routed([{"match": {"hosts": ["a.test"]}, "upstream": "a"}]))
        self.assertEqual(self.where(client, "http://a.test/x", host="a.test"), "a")
        self.assertEqual(client.ask("GET", "http://a.test/", host="b.test").status, 400, "two hosts are no host")

    def test_a_client_of_1_0_without_one(self):
        self.names("a")
        weir = self.routed([{"match": {"hosts": ["a.test"]}, "upstream": "a"}])
        self.assertEqual(self.where(self.client(weir), host=None, version="1.0"), "otherwise")
        self.assertEqual(self.where(self.client(weir), host="a.test", version="1.0"), "a")


class Paths(RoutedStory):
    def test_the_most_specific_one(self):
        self.names("prefix", "longer", "regex", "second", "exact", "slash")
        client = self.client(self.routed([
            {"match": {"path_prefix": "/v1"}, "upstream": "prefix"},
            {"match": {"path_prefix": "/v1/users"}, "upstream": "longer"},
            {"match": {"path_prefix": "/dir/"}, "upstream": "slash"},
            {"match": {"path_regex": r"\.(png|css)$"}, "upstream": "regex"},
            {"match": {"path_regex": "^/v1/.*special"}, "upstream": "second"},
            {"match": {"path": "/v1/users/logo.png"}, "upstream": "exact"},
        ]))
        for target, wanted in (
                ("/v1", "prefix"), ("/v1/", "prefix"), ("/v1/x", "prefix"), ("/v1?x=/v1/users", "prefix"),
                ("/v1x", "otherwise"), ("/V1", "otherwise"), ("/v1/users", "longer"), ("/v1/users/7", "longer"),
                ("/v1/usersx", "prefix"), ("/dir/", "slash"), ("/dir/x", "slash"), ("/dir", "otherwise"),
                ("/a.png", "regex"), ("/v1/a.css", "regex"), ("/v1/special.css", "regex"), ("/v1/special", "second"),
                ("/v1/users/special", "second"), ("/v1/users/logo.png", "exact"), ("/v1/users/logo.png?q", "exact"),
                ("/v1/users/logo.png/", "longer"), ("/a.png?x=1", "regex"), ("/a.pngx", "otherwise"),
                ("/x?f=a.png", "otherwise"), ("/%76%31", "otherwise"), ("/x/../v1", "otherwise"),
                ("//v1", "otherwise"), ("/", "otherwise")):
            self.assertEqual(self.where(client, target), wanted, target)

    def test_of_equals_the_first_one_whose_conditions_hold(self):
        self.names("post", "json", "rest")
        client = self.client(self.routed([
            {"match": {"path_prefix": "/v1", "methods": ["POST", "PUT"]}, "upstream": "post"},
            {"match": {"path_prefix": "/v1", "headers": [{"name": "accept", "value": "application/json"}]},
             "upstream": "json"},
            {"match": {"path_prefix": "/v1"}, "upstream": "rest"},
        ]))
        json = [("Accept", "application/json")]
        self.assertEqual(self.where(client, "/v1", json, method="POST", body=b"x"), "post")
        self.assertEqual(self.where(client, "/v1", json), "json")
        self.assertEqual(self.where(client, "/v1"), "rest")

    def test_where_no_condition_holds_a_shorter_prefix_is_asked(self):
        self.names("long", "short")
        client = self.client(self.routed([
            {"match": {"path_prefix": "/a/b", "methods": ["POST"]}, "upstream": "long"},
            {"match": {"path_prefix": "/a"}, "upstream": "short"},
        ]))
        self.assertEqual(self.where(client, "/a/b/c"), "short")
        self.assertEqual(self.where(client, "/a/b/c", method="POST", body=b""), "long")


class Conditions(RoutedStory):
    def expect(self, match, *, taken=(), not_taken=()):
        """Each of `taken` and `not_taken` is what ask() is told."""
        self.by_name = {name: origin for name, origin in self.by_name.items() if name == "otherwise"}
        self.names("taken")
        client = self.client(self.routed([{"match": match, "upstream": "taken"}]))
        for wanted, asked in (("taken", taken), ("otherwise", not_taken)):
            for each in asked:
                each = each if isinstance(each, dict) else {"fields": each}
                self.assertEqual(self.where(client, **each), wanted, f"{match}: {each}")

    def test_headers(self):
        self.expect({"headers": ["x-debug"]},
                    taken=[[("X-Debug", "")], [("X-DEBUG", "no")]], not_taken=[[], [("X", "")]])
        self.expect({"headers": [{"name": "x-debug", "not": True}]}, taken=[[]], not_taken=[[("X-Debug", "1")]])
        self.expect({"headers": [{"name": "X-A", "value": "yes"}]},
                    taken=[[("x-a", "yes")], [("x-a", " yes ")], [("X-A", "no"), ("X-A", "yes")]],
                    not_taken=[[], [("x-a", "Yes")], [("x-a", "yes, no")], [("x-b", "yes")]])
        self.expect({"headers": [{"name": "X-A", "value": "yes", "not": True}]},
                    taken=[[], [("x-a", "no")]], not_taken=[[("X-A", "no"), ("X-A", "yes")]])
        self.expect({"headers": [{"name": "user-agent", "prefix": "curl/"}]},
                    taken=[[("User-Agent", "curl/8")]], not_taken=[[("User-Agent", "a curl/8")], []])
        self.expect({"headers": [{"name": "user-agent", "regex": "(?i)bot|spider"}]},
                    taken=[[("User-Agent", "GoogleBOT/2")]], not_taken=[[("User-Agent", "human")], []])
        self.expect({"headers": ["x-a", {"name": "x-b", "value": "2"}]},
                    taken=[[("X-A", ""), ("X-B", "2")]], not_taken=[[("X-A", "")], [("X-B", "2")]])

    def test_query(self):
        self.expect({"query": [{"name": "v", "value": "2"}]},
                    taken=[{"target": target} for target in ("/?v=2", "/?a&v=2&b=", "/?v=1&v=2", "/?%76=%32")],
                    not_taken=[{"target": target} for target in ("/", "/?v=22", "/?v", "/?V=2", "/v=2", "/?xv=2")])
        self.expect({"query": [{"name": "a b", "value": "c d"}]},
                    taken=[{"target": "/?a+b=c+d"}, {"target": "/?a%20b=c%20d"}], not_taken=[{"target": "/?a=c"}])
        self.expect({"query": ["flag"]}, taken=[{"target": "/?flag"}, {"target": "/?flag="}],
                    not_taken=[{"target": "/?flags"}, {"target": "/"}])
        self.expect({"query": [{"name": "id", "regex": "^[0-9]+$"}]},
                    taken=[{"target": "/?id=42"}], not_taken=[{"target": "/?id=4x"}, {"target": "/?id="}])

    def test_cookies(self):
        self.expect({"cookies": ["beta"]},
                    taken=[[("Cookie", "beta=1")], [("Cookie", "a=b; beta=")],
                           [("Cookie", "a=b"), ("Cookie", "beta=2")]],
                    not_taken=[[], [("Cookie", "BETA=1")], [("Cookie", "a=beta")], [("Cookie", "xbeta=1")]])
        self.expect({"cookies": [{"name": "group", "prefix": "b-"}]},
                    taken=[[("Cookie", "x=1; group=b-7; y=2")]], not_taken=[[("Cookie", "group=a-b-")]])

    def test_methods(self):
        self.expect({"methods": ["POST", "PURGE"]},
                    taken=[{"method": "POST", "body": b"x"}, {"method": "PURGE"}],
                    not_taken=[{}, {"method": "PUT", "body": b"x"}, {"method": "post", "body": b"x"}])


class Clients(RoutedStory):
    def test_by_the_address_they_come_from(self):
        self.names("inside")
        weir = self.routed([{"match": {"clients": ["127.0.0.2/31", "10.0.0.0/8"]}, "upstream": "inside"}])
        for source, wanted in (("127.0.0.1", "otherwise"), ("127.0.0.2", "inside"), ("127.0.0.3", "inside"),
                               ("127.0.0.4", "otherwise")):
            client = HttpClient(self.connect(weir.address(), source=source))
            self.assertEqual(self.where(client), wanted, source)
            self.assertEqual(self.where(client, "/", [("X-Forwarded-For", "10.1.1.1")]), wanted, "not trusted")

    def test_by_what_trusted_proxies_say(self):
        self.names("inside")
        weir = self.routed([{"match": {"clients": ["10.0.0.0/8", "2001:db8::/32"]}, "upstream": "inside"}],
                           listener={"trusted_proxies": ["127.0.0.0/8"]})
        client = self.client(weir)
        for said, wanted in (("10.1.1.1", "inside"), ("10.1.1.1, 192.0.2.1", "otherwise"), ("2001:db8::1", "inside"),
                             ("192.0.2.1, 10.1.1.1", "inside"), ("192.0.2.1", "otherwise")):
            self.assertEqual(self.where(client, "/", [("X-Forwarded-For", said)]), wanted, said)
        self.assertEqual(self.where(client), "otherwise")

    def test_each_request_of_a_connection_is_judged_anew(self):
        self.names("a", "b")
        client = self.client(self.routed([{"match": {"path_prefix": f"/{name}"}, "upstream": name} for name in "ab"]))
        client.send(b"".join(written_request(target=target) for target in ("/a", "/b", "/c", "/b", "/a")))
        self.assertEqual([client.answer().get("x-origin") for _ in range(5)], ["a", "b", "otherwise", "b", "a"])


class Nobody(HttpStory):
    def test_404_without_a_route(self):
        origin = self.http_origin()
        config = {
            "workers": 1,
            "listeners": [{"name": "web", "address": "127.0.0.1:0", "mode": "http",
                           "routes": [{"match": {"path_prefix": "/app"}, "upstream": "app"}]}],
            "upstreams": [{"name": "app", "endpoints": [origin.endpoint()]}],
        }
        weir = self.weir_with(config)
        client = self.client(weir)
        self.assertEqual([client.get(target).status for target in ("/app", "/", "/app/x", "/apps")],
                         [200, 404, 200, 404])
        self.assertEqual(client.ask("POST", "/none", body=b"x" * 1000).status, 404)
        self.assertEqual(client.get("/app").status, 200, "a body that nobody wanted is no request")
        self.expect_counts(weir.listener, requests=6, answers_2xx=3, answers_4xx=3, requests_refused=0)
        self.assertEqual(len(origin.requests), 3)


class Reloads(RoutedStory):
    def test_routes_change_under_a_live_connection(self):
        self.names("a", "b")
        to = {name: [{"match": {"path_prefix": "/x"}, "upstream": name}] for name in "ab"}
        weir = self.routed(to["a"])
        client = self.client(weir)
        for i in range(10):
            name = "ab"[i % 2]
            weir.reload(self.config(to[name]))
            self.assertEqual(self.where(client, "/x"), name)
            self.assertEqual(self.where(client, "/y"), "otherwise")
        self.assertEqual(weir.listener()["connections_total"], 1)

    def test_a_route_goes_and_its_upstream_too(self):
        self.names("a")
        weir = self.routed([{"match": {"path_prefix": "/x"}, "upstream": "a"}])
        client = self.client(weir)
        self.assertEqual(self.where(client, "/x"), "a")
        gone = self.by_name.pop("a")
        weir.reload(self.config([{"match": {"path": "/fixed"}, "answer": {"body": "here"}}]))
        self.assertEqual(self.where(client, "/x"), "otherwise")
        self.assertEqual(client.get("/fixed").body, b"here")
        self.assertEqual(len(gone.requests), 1)

    def test_a_request_on_its_way_keeps_its_route(self):
        """Rules for its answer are those that were there when it came."""
        go = threading.Event()
        self.names("a", handler=lambda call: (go.wait(20), call.answer(200, {"X-Origin": "a"})))
        weir = self.routed([{"match": {"path": "/x"}, "upstream": "a",
                             "answer_headers": {"set": ["X-Rule: old {path} {upstream}"]}}])
        client = self.client(weir)
        client.request(target="/x")
        self.wait_for_requests(self.by_name["a"], 1)
        weir.reload(self.config([{"match": {"path": "/x"}, "upstream": "a",
                                  "answer_headers": {"set": ["X-Rule: new"]}}]))
        go.set()
        self.assertEqual(client.answer().get("x-rule"), "old /x a")
        self.assertEqual(client.get("/x").get("x-rule"), "new")

    def test_under_load(self):
        """No request is lost or goes astray while routes change all the time."""
        self.names("a", "b")
        fixed = {"match": {"path": "/fixed"}, "answer": {"body": "fixed"}}
        weir = self.routed([{"match": {"path_prefix": "/ab"}, "upstream": "a"}, fixed])
        address, wrong, ending = weir.address(), [], threading.Event()

        def ask():
            client = HttpClient(self.connect(address))
            while not ending.is_set():
                for target, wanted in (("/ab", "ab"), ("/fixed", "fixed"), ("/o", "otherwise")):
                    answer = client.get(target)
                    who = answer.get("x-origin") or answer.body.decode()
                    if answer.status != 200 or who not in wanted:
                        wrong.append((target, answer))
        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        for i in range(scaled(40)):
            routes = [{"match": {"path_prefix": "/ab"}, "upstream": "ab"[i % 2]}, fixed,
                      *({"match": {"path": f"/more/{j}"}, "answer": {"body": "x"}} for j in range(i % 5))]
            weir.reload(self.config(routes))
        ending.set()
        for client in clients:
            client.join()
        self.assertEqual(wrong, [])
        self.assertEqual(weir.listener()["connections_total"], 4)


if __name__ == "__main__":
    main()
