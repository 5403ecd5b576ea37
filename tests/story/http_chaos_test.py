#!/usr/bin/env python3
"""Origins at their worst and many clients: each gets the answer to its question, or is told that there is none."""

import itertools
import json
import random
import threading
from collections import Counter, defaultdict

from harness import PATIENCE, SCALE, eventually, main, scaled
from http_message import Malformed, written_answer, written_chunk
from http_story import HttpStory, http_config

SEED = 20
CLIENTS = 8
REQUESTS = max(50, scaled(10_000) // CLIENTS)  # of each
BLANK = b"".join(b"%07d;" % i for i in range(5000))


def content(name, size):
    """The body that belongs to a request and to no other one."""
    line = b"<%s>" % name.encode()
    return (line + BLANK)[:max(size, len(line))]


class Moods:
    """What origins do to a request. It depends on the request and how often it came, so a seed is a scenario.

    `came` is what has happened to each request so far, in this order; `posts` are those that must not come twice.
    """

    # A share of a thousand each; the rest is answered well.
    BAD = {"reset": 25, "close": 25, "garbage": 20, "half_head": 10, "stall": 2, "cut": 20, "cut_chunks": 20}
    ODD = {"chunks": 100, "dribble": 40, "early": 60, "interim": 30, "leave": 60, "babble": 20, "old": 20,
           "until_end": 20}

    def __init__(self):
        self.came = defaultdict(list)
        self.posts = set()
        self._lock = threading.Lock()

    def __call__(self, call):
        name = call.request.get("x-name")
        with self._lock:
            seen = self.came[name]
            dice = random.Random(f"{SEED}/{name}/{len(seen)}")
            mood = self._mood(dice)
            seen.append(mood)
            if call.request.method == "POST":
                self.posts.add(name)
        getattr(self, mood)(call, content(name, dice.choice((0, 10, 1000, 20_000))), {"X-Name": name})

    def _mood(self, dice):
        at = dice.randrange(1000)
        for mood, share in itertools.chain(self.BAD.items(), self.ODD.items()):
            if at < share:
                return mood
            at -= share
        return "good"

    # --- bad ones

    def reset(self, call, body, fields):
        call.reset()

    def close(self, call, body, fields):
        call.body()
        call.close()

    def garbage(self, call, body, fields):
        call.body()
        call.send(b"\x16\x03\x01 this is not HTTP\r\n\r\n" + body)
        call.close()

    def half_head(self, call, body, fields):
        call.body()
        call.send(written_answer(200, fields)[:-5])
        call.close()

    def stall(self, call, body, fields):
        call.body()
        call.stream.ended()
        call.over = True

    def cut(self, call, body, fields):
        call.body()
        call.send(written_answer(200, {**fields, "Content-Length": len(body) + 1}) + body)
        call.close()

    def cut_chunks(self, call, body, fields):
        call.body()
        call.send(written_answer(200, {**fields, "Transfer-Encoding": "chunked"}) + written_chunk(body))
        call.close()

    # --- odd ones, and what weir makes good

    def good(self, call, body, fields):
        call.body()
        call.answer(200, fields, body)

    def chunks(self, call, body, fields):
        call.body()
        call.answer(200, fields, chunks=[body[at:at + 700] for at in range(0, len(body), 700)])

    def dribble(self, call, body, fields):
        call.body()
        answer = written_answer(200, fields, body)
        for at in range(0, 100, 10):
            call.send(answer[at:at + 10])
        call.send(answer[100:])

    def early(self, call, body, fields):
        call.answer(200, fields, body)

    def interim(self, call, body, fields):
        call.send(written_answer(103, {"Link": "</style.css>"}))
        self.good(call, body, fields)

    def leave(self, call, body, fields):
        """Closes behind the answer, without a word."""
        self.good(call, body, fields)
        call.close()

    def babble(self, call, body, fields):
        """Says more than the answer, in one breath."""
        call.body()
        call.send(written_answer(200, fields, body[:1000]) + written_answer(200, {"X-Name": "nobody"}, b"<nobody>"))

    def old(self, call, body, fields):
        call.body()
        call.answer(200, fields, body, version="1.0")
        call.close()

    def until_end(self, call, body, fields):
        call.body()
        call.send(written_answer(200, fields) + body)
        call.close()


class Asking:
    """One client, on one connection as long as that lasts.

    What it got is in `outcomes`, what it must not get in `wrong`.
    """

    def __init__(self, story, weir, moods, number):
        self.outcomes = Counter()
        self.wrong = []
        self._connect = lambda: story.client(weir)
        self._moods = moods
        self._number = number

    def run(self):
        client = self._connect()
        dice = random.Random(f"{SEED}/{self._number}")
        for i in range(REQUESTS):
            name = f"{self._number}-{i}"
            method = dice.choice(("GET", "GET", "GET", "PUT", "POST"))
            body = None if method == "GET" else content(name, dice.choice((0, 100, 9000, 30_000)))
            try:
                answer = client.ask(method, f"/{name}", {"X-Name": name}, body=body)
                self._judge(name, method, answer, len(body or b""))
                if answer.get("connection") == "close":
                    client = self._again(client)
            except (EOFError, ConnectionError) as error:
                self._judge_cut(name, error)
                client = self._again(client)
            except (Malformed, TimeoutError) as error:
                self.wrong.append(f"{name}, {method}, {self._moods.came[name]}: {type(error).__name__}: {error}")
                client = self._again(client)
        client.close()

    def _again(self, client):
        client.close()
        return self._connect()

    def _judge(self, name, method, answer, size):
        came = self._moods.came[name]
        if answer.status == 200:
            self.outcomes["answered"] += 1
            whole = content(name, len(answer.body))
            if answer.get("x-name") != name or answer.body != whole or came[-1] in self._moods.BAD:
                self.wrong.append(f"{name}, {method}, {came}: {answer.fields}, {answer.body[:100]!r}")
            return
        self.outcomes["told"] += 1
        # It may also have met the end of an idle connection: then a POST must not be sent again, and much cannot be.
        deserved = came[-1] in self._moods.BAD if came else method == "POST" or size > 9000
        reason = json.loads(answer.body)["reason"]
        expected = {502: ("origin_closed", "origin_reset", "answer_malformed"), 504: ("first_byte_timeout",)}
        if not deserved or reason not in expected.get(answer.status, ()):
            self.wrong.append(f"{name}, {method}, {came}: {answer.status}, {reason}")

    def _judge_cut(self, name, error):
        self.outcomes["cut"] += 1
        came = self._moods.came[name]
        if not came or came[-1] not in ("cut", "cut_chunks"):
            self.wrong.append(f"{name}, {came}: {type(error).__name__}: {error}")


class Chaos(HttpStory):
    def test_everybody_gets_its_own_answer_or_the_truth(self):
        moods = Moods()
        origins = [self.http_origin(moods, name=name) for name in "abc"]
        settings = {"workers": 2, "upstream": {"retry": {"on": ["connect", "reset", "timeout"], "backoff": "1ms"}},
                    "timeouts": {"first_byte": f"{int(500 / min(SCALE, 1))}ms"},
                    "access_log": {"to": self.path("access.log")}}
        weir = self.http_weir(origins, **settings)
        clients = [Asking(self, weir, moods, number) for number in range(CLIENTS)]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()
        for some in (origins[:2], origins[::-1], origins[1:], origins):
            before = weir.listener()["requests"]
            eventually(lambda: weir.listener()["requests"] > before + CLIENTS * REQUESTS // 20, within=30)
            weir.reload(http_config(some, **settings))
        for thread in threads:
            thread.join(60 * PATIENCE)
        self.assertFalse(any(thread.is_alive() for thread in threads))
        self.assertEqual([line for client in clients for line in client.wrong][:20], [])
        outcomes = sum((client.outcomes for client in clients), Counter())
        self.expect_all_accounted_for(weir, moods, outcomes)
        self.expect_all_written_down(weir, outcomes)
        self.expect_nothing_sent_twice_that_must_not_be(moods)

    def expect_all_accounted_for(self, weir, moods, outcomes):
        total = CLIENTS * REQUESTS
        self.assertEqual(sum(outcomes.values()), total)
        for outcome in ("answered", "told", "cut"):
            self.assertGreater(outcomes[outcome], 0, "it was meant to be worse")
        self.wait_until_over(weir)
        listener = weir.listener()
        self.assertEqual(listener["requests"], total)
        self.assertEqual(weir.total("exchanges"), total)
        self.assertEqual(listener["answers_2xx"], outcomes["answered"] + outcomes["cut"])
        self.assertEqual(listener["answers_5xx"], outcomes["told"])
        self.assertEqual(weir.closed("answer_cut"), outcomes["cut"])
        arrived = sum(len(came) for came in moods.came.values())
        again = weir.total("retries") + weir.total("origin_stale")
        self.assertLessEqual(arrived - len(moods.came), again, "each of them is counted")
        self.assertLessEqual(weir.total("retries"), 0.2 * total + 1000)
        self.assertEqual(weir.total("unexpected_errors"), 0)

    def expect_nothing_sent_twice_that_must_not_be(self, moods):
        for name in moods.posts:
            self.assertEqual(len(moods.came[name]), 1, f"{name}, POST, {moods.came[name]}")

    def expect_all_written_down(self, weir, outcomes):
        """The log says the same as the clients, a line for each request."""
        total = CLIENTS * REQUESTS
        eventually(lambda: weir.info()["access_log"]["lines"] == total, what="every request has its line")
        with open(self.path("access.log"), encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        ends = Counter(record["end"] for record in records)
        self.assertEqual(ends["done"], outcomes["answered"])
        self.assertEqual(ends["answer_cut"], outcomes["cut"])
        self.assertEqual(sum(record["status"] >= 500 for record in records), outcomes["told"])
        self.assertEqual(len({record["request_id"] for record in records}), total)
        self.assertEqual({record["target"] for record in records},
                         {f"/{number}-{i}" for number in range(CLIENTS) for i in range(REQUESTS)})


if __name__ == "__main__":
    main()
