"""The base of stories about HTTP: weir in mode http, origins that answer as told, clients that read strictly."""

from harness import Story, Weir, eventually, simple_config
from http_client import HttpClient
from http_origin import HttpOrigin, say_hello


def http_config(endpoints, listener=None, **sections):
    """As simple_config(); the listener `web` speaks HTTP."""
    plain = [each.endpoint() if isinstance(each, HttpOrigin) else each for each in endpoints]
    return simple_config(plain, listener={"mode": "http", **(listener or {})}, **sections)


def counts(row, *names):
    return {name: row[name] for name in names}


class HttpStory(Story):
    def run(self, result=None):
        self.origins = []
        return super().run(result)

    def tearDown(self):
        """The origins played here go first: what they hold back is theirs. Weir has to notice that they are gone."""
        for origin in self.origins:
            origin.close()
        try:
            super().tearDown()
        finally:
            for origin in self.origins:
                self.assertEqual(origin.troubles, [])

    # --- the cast

    def http_origin(self, handler=say_hello, name="origin", **more):
        origin = HttpOrigin(handler, name, **more)
        self.origins.append(origin)
        return origin

    def http_weir(self, endpoints, **config):
        """One listener `web` in mode http, one upstream `app` of these: HttpOrigins, Origins, addresses, mappings."""
        return Weir(self, http_config(endpoints, **config))

    def client(self, weir, listener="web", **more):
        """An HttpClient; `more` as for connect()."""
        return HttpClient(self.connect(weir.address(listener), **more))

    def get(self, weir, target="/", fields=(), **more):
        """One request on a connection of its own."""
        client = self.client(weir)
        answer = client.get(target, fields, **more)
        client.close()
        return answer

    # --- states

    def wait_for_requests(self, origin, count):
        eventually(lambda: len(origin.requests) >= count, what=f"{origin.name} got {count} requests")

    def wait_until_over(self, weir, listener="web"):
        eventually(lambda: weir.listener(listener)["connections"] == 0, what="all clients are gone")

    def expect_counts(self, ask, **expected):
        """`ask()` returns a row of counters, which may be written a moment after the client has its answer."""
        try:
            eventually(lambda: counts(ask(), *expected) == expected, within=3)
        except AssertionError:
            self.assertEqual(counts(ask(), *expected), expected)

    def expect_in_step(self, client, answer):
        """After `answer` the connection goes on with the next request, or ends as announced."""
        if answer.get("connection") == "close":
            self.assertTrue(client.gone())
        else:
            self.assertEqual(client.ask("PUT", body=b"").status, 200)

    def expect_ends(self, weir, **expected):
        """How many exchanges have ended in which way (core/model/exchange_ends.def); those not named: none."""
        def ends():
            return {name: count for name, count in weir.stat()["exchange_ends"].items() if count}
        try:
            eventually(lambda: ends() == expected, within=3)
        except AssertionError:
            self.assertEqual(ends(), expected)


class RoutedStory(HttpStory):
    """Weir with routes to upstreams of one origin each, who says its name; `otherwise` gets what no route takes."""

    def names(self, *names, handler=say_hello):
        for name in names:
            self.by_name[name] = self.http_origin(handler, name)
        return self.by_name

    def setUp(self):
        self.by_name = {}
        self.names("otherwise")

    def config(self, routes, listener=None, **sections):
        """The upstreams that `routes` speak of have to be there: see names()."""
        upstreams = [{"name": name, "endpoints": [origin.endpoint()]} for name, origin in self.by_name.items()]
        return {
            "workers": 1,
            "listeners": [{"name": "web", "address": "127.0.0.1:0", "mode": "http", "upstream": "otherwise",
                           "routes": routes, **(listener or {})}],
            "upstreams": upstreams,
            **sections,
        }

    def routed(self, routes, **more):
        return self.weir_with(self.config(routes, **more))

    def where(self, client, target="/", fields=(), method="GET", **more):
        """Who answers."""
        answer = client.ask(method, target, fields, **more)
        self.assertEqual(answer.status, 200, target)
        return answer.get("x-origin")
