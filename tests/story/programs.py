"""Programs of the stories' own, as processes beside weir: what has to be quick must not share an interpreter with the
story and its origins.

A program is a file in this folder; it says JSON, a line each, and the first line when it is ready.
"""

import contextlib
import json
import os
import subprocess
import sys

from harness import PATIENCE


class Program:
    """One that runs in the background. It ends with the story at the latest."""

    def __init__(self, story, file, **options):
        self.name = file
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), file)
        self.log_path = os.path.join(story.folder, f"{file}.{len(story.processes)}.log")
        with open(self.log_path, "wb") as log:
            self._process = subprocess.Popen([sys.executable, path, *words], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=log)
        self.pid = self._process.pid
        story.processes.append(self)
        story.sockets.append(self)  # so that weir is looked at when it is gone
        self.ready = self.line()

    def line(self):
        """The next one it says."""
        line = self._process.stdout.readline()
        assert line, f"{self.name} has ended: {self.log()}"
        return json.loads(line)

    def go(self, word=""):
        """It may begin; or whatever the word means to it."""
        self._process.stdin.write(word.encode() + b"\n")
        self._process.stdin.flush()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    @property
    def running(self):
        return self._process.poll() is None

    def wait(self, within=10):
        return self._process.wait(within * PATIENCE)

    def kill(self):
        if self.running:
            self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()

    close = kill
