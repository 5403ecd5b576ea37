"""Processes of our own: started pinned to one core, known by their session, ended by pid, never left behind.

Each process leads its own session, so that a Ctrl-C reaches only us and we end them in order, and so that everything it
forks is found again. Should we be killed ourselves, the kernel sends it SIGTERM (setpriv --pdeathsig).
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

READY_SECONDS_MAX = 10
STOP_SECONDS_MAX = 3
POLL_SECONDS = 0.01

handed_out = set()


class Failure(Exception):
    """Something that makes the run worthless; the text is for the person who started it."""


def pinned(cpu, command):
    """The command on one core, and with us: should we be killed, the kernel ends it."""
    return ["setpriv", "--pdeathsig", "TERM", "taskset", "--cpu-list", str(cpu)] + command


def free_address():
    """An address on loopback that nobody listens on, and that was not handed out before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        if address not in handed_out:
            handed_out.add(address)
            return address


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=READY_SECONDS_MAX)


class Pinned:
    """A context manager: the process is ready when the context opens, and has ended when it closes."""

    def __init__(self, name, command, cpu, folder, addresses):
        """`addresses`: where it will listen; the first is `address`. What it prints goes to `folder`/output."""
        self.name, self.address = name, addresses[0]
        self._output = os.path.join(folder, "output")
        with open(self._output, "wb") as output:
            self._process = subprocess.Popen(
                pinned(cpu, command), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True)
        try:
            for address in addresses:
                self._await_listening(address)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _await_listening(self, address):
        deadline = time.monotonic() + READY_SECONDS_MAX
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                connect(address).close()
                return
            self.check_running()
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} does not listen on {address} after {READY_SECONDS_MAX} s")
            time.sleep(POLL_SECONDS)

    def check_running(self):
        """Raises with the end of what the process said when it has ended by itself."""
        code = self._process.poll()
        if code is not None:
            with open(self._output, encoding="utf-8", errors="replace") as output:
                said = output.read()[-2000:].strip()
            raise Failure(f"{self.name} ended with code {code}: {said or 'it said nothing'}")

    def pids(self):
        """The process and everything it forked: all of its session."""
        return [pid for pid in all_pids() if session_of(pid) == self._process.pid]

    def cpu_ns(self):
        """CPU time that all its threads have used, also those that have ended.

        The process clock of another process: the kernel's sum of what /proc/PID/task/*/schedstat shows, which does
        not lose a thread that ended between two readings.
        """
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):  # ended since it was listed
                total += time.clock_gettime_ns(process_clock(pid))
        return total

    def memory_bytes(self):
        """Memory that is its own and not of a file: the proportional share of anonymous and shared memory."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += memory_of(file.read())
        return total

    def stop(self):
        """SIGTERM; once more, which ends what still drains; then SIGKILL to what is left of the session."""
        members = self.pids()
        for _ in range(2):
            if self._process.poll() is None:
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_SECONDS_MAX)
        for pid in members:
            # Still of our session, so it is not somebody else who got the number.
            if session_of(pid) == self._process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait()


def process_clock(pid):
    """The clock id of a process, as clock_getcpuclockid(3) computes it: ~pid above CPUCLOCK_SCHED."""
    cpuclock_sched = 2
    return (~pid << 3) | cpuclock_sched


def memory_of(smaps_rollup):
    """Bytes of anonymous and shared memory in the text of a smaps_rollup."""
    fields = dict(re.findall(r"^(\w+): +(\d+) kB$", smaps_rollup, re.MULTILINE))
    return (int(fields["Pss_Anon"]) + int(fields["Pss_Shmem"])) * 1024


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def session_of(pid):
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
