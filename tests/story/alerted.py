"""What stories about alerts share: a receiver that a story plays itself, rules, and ways to have something to tell."""

import json
import threading

from failing import Failing, ms, says
from harness import eventually
from http_origin import HttpOrigin

FIELDS = {"alert", "group", "severity", "time", "upstream", "endpoint", "reason", "text", "healthy", "total",
          "error_rate", "p99_ms", "host", "rule", "number", "suppressed", "lost"}


class Hook:
    """Takes alerts, as a web hook does, and keeps them."""

    def __init__(self, mood):
        self.bodies = []
        self._lock = threading.Lock()
        self.origin = HttpOrigin(self.taking(mood), "hook")
        self.url = f"http://{self.origin.address}/secret-path"

    def taking(self, mood):
        """A handler that keeps what comes, and answers so."""
        def take(call):
            body = call.body()
            with self._lock:
                self.bodies.append(body)
            mood(call)
        return take

    def alerts(self):
        with self._lock:
            return [json.loads(body) for body in self.bodies]

    def wait_for(self, count):
        """Exactly so many; all of them."""
        self.wait_for_some(count)
        alerts = self.alerts()
        if len(alerts) > count:
            raise AssertionError(f"{len(alerts)} alerts instead of {count}: {[each['text'] for each in alerts]}")
        return alerts

    def wait_for_some(self, count):
        """At least so many."""
        eventually(lambda: len(self.alerts()) >= count, what=f"{count} alerts come")

    def wait_for_alerts(self, *names):
        eventually(lambda: set(names) <= {each["alert"] for each in self.alerts()}, what=f"{names} come")


class AlertStory(Failing):
    def run(self, result=None):
        self.ends = []
        return super().run(result)

    def tearDown(self):
        """Rules end with a reload without them, and their programs and connections with them: nothing may be left."""
        try:
            for end in self.ends:
                end()
        finally:
            super().tearDown()

    def hook(self, mood=says(204)):
        hook = Hook(mood)
        self.origins.append(hook.origin)
        return hook

    def alerted(self, origins, rules, **upstream):
        weir = self.weir_with(self.http(origins, sections={"alerts": rules}, **upstream))
        self.ends.append(lambda: weir.reload(self.http(origins, workers=upstream.get("workers", 1))))
        return weir

    def rule(self, hook, **more):
        return {"name": "ops", "webhook": hook.url, "timeout": ms(1000), "backoff": ms(50), **more}

    def target(self, weir, rule="ops", kind="webhook"):
        """Its row of `show stat json`."""
        return next(row for row in weir.stat()["alerts"] if (row["rule"], row["target"]) == (rule, kind))

    def take_down(self, weir, *names):
        for name in names:
            self.steer(weir, f"set server app/{name} health down")
            self.expect_state(weir, name, "down")

    def take_up(self, weir, *names):
        for name in names:
            self.steer(weir, f"set server app/{name} health up")
            self.expect_state(weir, name, "ready")
