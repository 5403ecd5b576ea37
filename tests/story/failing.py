"""What stories about health share: origins that are well or not as they are told, and asking weir who is well, since
when, and why not."""

import contextlib
import itertools
import threading
import time
from datetime import datetime

from balanced import Balanced
from flood import Flood
from harness import PATIENCE, eventually

EJECTED = "an endpoint is ejected"
BACK = "an endpoint is back from its ejection"
SPARED = "an outlier is not ejected, because too many are"
OPENED = "circuit breaker opened"
HALF_OPEN = "circuit breaker half-open"
CLOSED = "circuit breaker closed"


def ms(count):
    """A duration for weir.yaml, longer where everything takes longer."""
    return f"{int(count * PATIENCE)}ms"


def quick(**more):
    """The section `health`: down after three failures, which takes some tenths of a second."""
    return {"interval": ms(200), "interval_in_doubt": ms(50), "timeout": ms(200), **more}


# --- moods: what an origin does with a request


def well(call):
    call.body()
    call.answer(200, {"X-Origin": call.origin.name}, b"hello")


def says(status):
    def say(call):
        call.body()
        call.answer(status, {"X-Origin": call.origin.name}, b"")
    return say


def silent(call):
    """Until the other side has had enough."""
    call.stream.ended()
    call.over = True


def resets(call):
    call.reset()


def slow(seconds):
    def take_a_while(call):
        threading.Event().wait(seconds)  # nobody sets it: work that takes a while
        well(call)
    return take_a_while


def sometimes(mood, bad, of):
    """Of so many requests, so many."""
    come = itertools.count()

    def now_and_then(call):
        (mood if next(come) % of < bad else well)(call)
    return now_and_then


def by_turns(mood, seconds):
    """For so long well, for so long not."""
    begun = time.monotonic()

    def swing(call):
        (mood if int((time.monotonic() - begun) / seconds) % 2 else well)(call)
    return swing


class Moody:
    """A handler of HttpOrigins. Each does what its mood is, until it is told otherwise; what came is written down."""

    def __init__(self, mood=well):
        self._otherwise = mood
        self._moods = {}
        self._lock = threading.Lock()
        self.arrivals = []  # (when, name of the origin, target)

    def __call__(self, call):
        name = call.origin.name
        with self._lock:
            self.arrivals.append((time.monotonic(), name, call.request.target))
            mood = self._moods.get(name, self._otherwise)
        mood(call)

    def feels(self, name, mood):
        with self._lock:
            self._moods[name] = mood

    def times(self, name=None, target=None):
        with self._lock:
            return [when for when, whose, what in self.arrivals if name in (None, whose) and target in (None, what)]

    def count(self, name=None, target=None):
        return len(self.times(name, target))


# --- stories


class Failing(Balanced):
    def expect_nothing_left(self, weir):
        """When its descriptors were counted first, some probes may have been under way."""
        def idle():
            return sum(worker["origin_connections_idle"] for worker in weir.info()["worker"])
        for _ in range(10):
            before, descriptors = idle(), weir.descriptors()
            weir.descriptors_at_start = min(weir.descriptors_at_start, descriptors - min(before, idle()))
        super().expect_nothing_left(weir)

    def moody(self, *names, mood=well):
        """A Moody, and origins of these names that it speaks for."""
        handler = Moody(mood)
        return handler, [self.http_origin(handler, name) for name in names]

    def flood(self, weir, connections=16, **more):
        return Flood(weir.address(), connections, timeout=20 * PATIENCE, **more)

    def state(self, weir, name, upstream="app"):
        return weir.endpoint(name, upstream)["state"]

    def expect_state(self, weir, name, state, by=None, within=10, upstream="app"):
        """Waits for it. `by`: whose doing it has to be."""
        def now():
            row = weir.endpoint(name, upstream)
            return row["state"], row["resilience"]["by"]
        try:
            eventually(lambda: now()[0] == state, within=within)
        except AssertionError:
            self.fail(f"{name} is {now()}, not {state}\n{weir.ask('show health')}")
        if by:
            self.assertEqual(now(), (state, by))

    def probes(self, weir, name, upstream="app"):
        return weir.endpoint(name, upstream)["resilience"]["probes"]

    def resilience(self, weir, name, upstream="app"):
        return weir.endpoint(name, upstream)["resilience"]

    def wait_for_rounds(self, weir, name, count, upstream="app"):
        """So many more of them than now."""
        before = self.probes(weir, name, upstream)["rounds"]
        eventually(lambda: self.probes(weir, name, upstream)["rounds"] >= before + count,
                   what=f"{name} was probed {count} times")

    def line_of(self, weir, name):
        """Of `show health`, for eyes."""
        return next(line for line in weir.ask("show health").splitlines() if line.split()[:1] == [name])

    # --- its log

    def told(self, weir, *texts, of=""):
        """(seconds, text, line) of each line of its log that has one of these, and `of`, as they came."""
        found = []
        for line in weir.log().splitlines():
            for text in texts:
                if f": {text} " in line and of in line:
                    found.append((datetime.fromisoformat(line.split(" ", 1)[0]).timestamp(), text, line))
        return found

    def expect_told(self, weir, *texts, among=None, of=""):
        """That its log has said these, in this order, and no others `among` which it might have."""
        kinds = among or set(texts)

        def now():
            return [text for _, text, _ in self.told(weir, *kinds, of=of)]
        with contextlib.suppress(AssertionError):
            eventually(lambda: now() == list(texts), within=5)
        self.assertEqual(now(), list(texts))


class ProbeStory(Failing):
    def expect_sick(self, weir, name, why):
        """Down by its probes, after `fall` of them, and whoever looks is told why."""
        self.expect_state(weir, name, "down", by="probe")
        probes = self.probes(weir, name)
        self.assertFalse(probes["last"]["passed"])
        self.assertRegex(probes["last"]["reason"], why)
        self.assertGreaterEqual(probes["rounds_in_row"], 3)
        self.assertRegex(self.line_of(weir, name), f"down +probe .* in a row: .*{why}")
        self.assertRegex(weir.log(), f"an endpoint is down endpoint=app/{name} reason=.*{why}.* probes=3")

    def expect_well(self, weir, name):
        """Up again, after `rise` probes."""
        self.expect_state(weir, name, "ready")
        probes = self.probes(weir, name)
        self.assertTrue(probes["last"]["passed"])
        self.assertGreaterEqual(probes["rounds_in_row"], 2)
        self.assertRegex(self.line_of(weir, name), "ready .* passed .* in a row")
        self.assertRegex(weir.log(), f"an endpoint is up again endpoint=app/{name} probes=2 down_s=")

    def expect_times_down(self, weir, **times):
        self.assertEqual({name: self.probes(weir, name)["times_down"] for name in times}, times)


class OutlierStory(Failing):
    def app(self, origins, **outliers):
        rules = {"ejection": ms(500), **outliers}
        if rules.get("error_rate", 50) or "latency" in rules:
            rules = {"window": ms(1000), **rules}
        return self.weir_with(self.http(origins, workers=2, outliers=rules))

    def ejected(self, weir):
        return [name for name, state in self.rows(weir, "state").items() if state == "ejected"]

    def expect_nobody_ejected(self, weir):
        """Nor is anybody in the next looks."""
        with self.assertRaises(AssertionError):
            eventually(lambda: self.ejected(weir), within=0.3)


class BreakerStory(Failing):
    def broken(self, origins, retry=None, workers=2, **breaker):
        upstream = {"retry": retry} if retry else {}
        return self.weir_with(self.http(origins, workers=workers, breaker={"recovery": ms(500), **breaker}, **upstream))

    def expect_breaker(self, weir, name, state):
        eventually(lambda: self.resilience(weir, name)["breaker"]["state"] == state, what=f"{name} is {state}")
