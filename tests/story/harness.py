"""What every story stands on: real processes, and waiting for states.

A story is a test as a user would make it: it starts origins and weir, talks through weir like a client, and reads the
counters from the stats socket. Everything listens on port 0 or in a folder of its own, so stories run side by side.
When a story has ended, weir must have lost nothing (connections, buffers, pipes, descriptors) and must leave with 0
when asked to; tearDown() looks.

    WEIR_BIN           the program
    WEIR_STORY_SCALE   a factor below 1 makes loads smaller and patience longer, for builds with a sanitizer
"""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from sockets import Listening, connect, exchange, full_listener, receive_all, refusing_socket

WEIR = os.environ.get("WEIR_BIN", "weir")
SCALE = float(os.environ.get("WEIR_STORY_SCALE", "1"))
PATIENCE = 1 if SCALE >= 1 else 4
SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")


def scaled(number):
    return max(1, int(number * SCALE))


def eventually(question, within=10, what=""):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + within * PATIENCE
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {within * PATIENCE} s still not true: {what or 'see the line above'}")
        time.sleep(0.01)  # tidy-allow: sleep, the pause between two looks at a state


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run_weir(*words, environment=None, folder=None):
    """A command that ends by itself."""
    return subprocess.run([WEIR, *words], capture_output=True, text=True, timeout=30 * PATIENCE, check=False,
                          cwd=folder, env={**os.environ, **(environment or {})})


class Process:
    """A weir in the background, its output in a file."""

    def __init__(self, story, name, words, environment=None):
        self.name = name
        self.log_path = os.path.join(story.folder, f"{name}.{len(story.processes)}.log")
        with open(self.log_path, "wb") as log:
            self._process = subprocess.Popen(
                [WEIR, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=story.folder,
                env={**os.environ, **(environment or {})})
        self.pid = self._process.pid
        story.processes.append(self)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def signal(self, number):
        self._process.send_signal(number)

    @property
    def running(self):
        return self._process.poll() is None

    def wait(self, within=10):
        """Its exit code."""
        return self._process.wait(within * PATIENCE)

    def stop(self, within=10):
        self.signal(signal.SIGTERM)
        return self.wait(within)

    def kill(self):
        if self.running:
            self.signal(signal.SIGKILL)
        self._process.wait()


class Origin(Process):
    """`weir origin`, listening."""

    def __init__(self, story, name, *options, listen="127.0.0.1:0"):
        self._story = story
        self._options = options
        super().__init__(story, name, ["origin", "--name", name, "--listen", listen, *options])
        line = eventually(lambda: self._announced() or not self.running, what=f"origin {name} listens")
        assert line is not True, f"origin {name} ended: {self.log()}"
        self.address = line

    def _announced(self):
        lines = [line for line in self.log().splitlines() if line.startswith("listening on ")]
        return lines[0].removeprefix("listening on ") if lines else None

    def again(self):
        """Another one like it, at the same address."""
        return Origin(self._story, self.name, *self._options, listen=self.address)

    def endpoint(self, **more):
        return {"name": self.name, "address": self.address, **more}


class Weir(Process):
    """`weir run -c FILE`, serving. The configuration is a dict; JSON is YAML."""

    def __init__(self, story, config, environment=None):
        number = len(story.processes)
        self.config_path = os.path.join(story.folder, f"weir.{number}.yaml")
        self.stats_path = os.path.join(story.folder, f"stats.{number}.sock")
        self.write(config)
        super().__init__(story, "weir", ["run", "-c", self.config_path], environment)
        eventually(lambda: self.answers() or not self.running, what="weir serves")
        assert self.running, f"weir ended: {self.log()}"
        # The connection that has just asked whether it serves may still be closing.
        self.descriptors_at_start = min(self.descriptors() for _ in range(10))

    # --- its configuration

    def write(self, config):
        config = {"admin": {"stats": {"path": self.stats_path}}, **config}
        self.write_text(json.dumps(config, indent=1))

    def write_text(self, text):
        with open(self.config_path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.config_path + ".new", self.config_path)

    def hang_up(self):
        """SIGHUP; back when the file was taken over or refused. Which of the two it was."""
        before = self.info()
        self.signal(signal.SIGHUP)

        def changed():
            now = self.info()
            return {key for key in ("reloads", "reloads_refused") if now[key] > before[key]}
        return eventually(changed, what="SIGHUP is answered").pop()

    def reload(self, config):
        self.write(config)
        outcome = self.hang_up()
        assert outcome == "reloads", f"reload refused: {self.log()}"

    # --- its counters

    def ask(self, line):
        with connect(f"unix:{self.stats_path}", timeout=10 * PATIENCE) as stats:
            stats.sendall(line.encode() + b"\n")
            return receive_all(stats).decode()

    def answers(self):
        with contextlib.suppress(OSError):
            return "weir" in self.ask("show version json")
        return False

    def info(self):
        return json.loads(self.ask("show info json"))

    def stat(self):
        return json.loads(self.ask("show stat json"))

    def listener(self, name="web"):
        return next(row for row in self.stat()["listeners"] if row["name"] == name)

    def address(self, name="web"):
        return self.listener(name)["address"]

    def endpoint(self, name, upstream="app"):
        group = next(row for row in self.stat()["upstreams"] if row["name"] == upstream)
        return next(row for row in group["endpoints"] if row["name"] == name)

    def closed(self, reason):
        return self.stat()["close_reasons"][reason]

    def total(self, counter):
        """Over its workers."""
        return sum(worker[counter] for worker in self.info()["worker"])

    # --- what the kernel says of it

    def descriptors(self):
        """Open ones, without pipes, which are pooled."""
        count = 0
        for number in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                count += not os.readlink(f"/proc/{self.pid}/fd/{number}").startswith("pipe:")
        return count

    def memory(self):
        return self.info()["memory_rss_bytes"]

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Story(unittest.TestCase):
    """The base of all stories."""

    def run(self, result=None):
        result = result or self.defaultTestResult()
        troubles = len(result.failures) + len(result.errors)
        with tempfile.TemporaryDirectory(prefix="weir-story-") as self.folder:
            self.processes = []
            self.sockets = []
            super().run(result)
            if len(result.failures) + len(result.errors) > troubles:
                self._show_logs()
        return result

    def _show_logs(self):
        for process in self.processes:
            print(f"\n--- {self.id()}: {process.name}, pid {process.pid}\n{process.log()[-4000:]}", flush=True)

    def tearDown(self):
        try:
            for each in self.sockets:
                each.close()
            for process in self.processes:
                if isinstance(process, Weir) and process.running:
                    self.expect_nothing_left(process)
                    self.assertEqual(process.stop(), 0, "weir's exit code after SIGTERM")
            for process in self.processes:
                for word in SANITIZER_WORDS:
                    self.assertNotIn(word, process.log())
        finally:
            for process in self.processes:
                process.kill()

    def expect_nothing_left(self, weir):
        def left():
            info = weir.info()
            now = {key: info[key] for key in ("connections", "connections_parked", "buffers_in_use", "pipes_in_use")}
            # Connections to origins that wait for the next request are no loss.
            pooled = sum(worker.get("origin_connections_idle", 0) for worker in info["worker"])
            now["descriptors"] = weir.descriptors() - weir.descriptors_at_start - pooled
            return {key: value for key, value in now.items() if value != 0}
        try:
            eventually(lambda: not left())
        except AssertionError:
            self.fail(f"with all clients gone, weir still has {left()}")

    def expect_quick_answers(self, client, times=21):
        """A client of an echo is not starved. The machine may be busy: some answers may be late, but not half."""
        lasted = []
        for _ in range(times):
            begun = time.monotonic()
            self.assertEqual(exchange(client, b"still there?"), b"still there?")
            lasted.append(time.monotonic() - begun)
        self.assertLess(sorted(lasted)[times // 2], 0.1 * PATIENCE, "seconds for an answer, median")

    # --- the cast

    def origin(self, *options, name="origin", listen="127.0.0.1:0"):
        return Origin(self, name, *options, listen=listen)

    def echo(self, name="echo", **more):
        return self.origin("--raw", "echo", name=name, **more)

    def named(self, *names):
        """Origins that say their name."""
        return [self.origin("--raw", "name", name=name) for name in names]

    def weir(self, endpoints, **config):
        """Weir in front of these: one listener `web`, one upstream `app`. See simple_config()."""
        return Weir(self, simple_config(endpoints, **config))

    def weir_with(self, config):
        return Weir(self, config)

    def connect(self, address, source=None, timeout=10, **options):
        """A client; closed at the end of the story at the latest."""
        return self._kept(connect(address, source, timeout * PATIENCE, **options))

    def listen(self, address="127.0.0.1:0"):
        """An origin that the story plays itself."""
        return self._kept(Listening(address, 10 * PATIENCE))

    def nobody_at(self):
        """An address that refuses connections, as long as the story lasts."""
        return self._kept(refusing_socket()).address

    def silence_at(self):
        """An address that answers no connection attempt."""
        silent, *others = full_listener()
        for each in (silent, *others):
            self._kept(each)
        return silent.address

    def _kept(self, thing):
        self.sockets.append(thing)
        return thing

    def path(self, name):
        return os.path.join(self.folder, name)


def simple_config(endpoints, listener=None, upstream=None, workers=1, **sections):
    """Endpoints are Origins, addresses, or mappings as in weir.yaml."""
    plain = [each.endpoint() if isinstance(each, Origin) else each for each in endpoints]
    return {
        "workers": workers,
        "listeners": [{"name": "web", "address": "127.0.0.1:0", "upstream": "app", **(listener or {})}],
        "upstreams": [{"name": "app", "endpoints": plain, **(upstream or {})}],
        **sections,
    }


def main():
    raise_descriptor_limit()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    socket.setdefaulttimeout(30 * PATIENCE)
    unittest.main(verbosity=2)
