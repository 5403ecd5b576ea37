"""One load: wrk against one candidate, and what it cost that candidate.

A load counts only when every answer was right: the first is read whole and compared; of the others wrk counts errors
and statuses, and the bytes it read must be those of that many answers.
"""

import json
import os
import subprocess

import machine
from origins import BODIES
from processes import Failure, connect, pinned

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wrk.lua")
OVERTIME_SECONDS_MAX = 15
OTHERS_MAX = 0.1


def measure(row, process, origins, wrk, options):
    """The figures of one load. `process` is the proxy; None: straight to an origin."""
    address = process.address if process else origins.addresses[0]
    answer_bytes = check_answer(row, address)
    cores_before, ours_before = machine.core_times(), cpu_seconds_of_ours(origins, process)
    cpu_before = process.cpu_ns() if process else 0
    totals = run_wrk(row, address, wrk, options)
    cpu_ns = process.cpu_ns() - cpu_before if process else 0
    ours_seconds = cpu_seconds_of_ours(origins, process) - ours_before
    others = machine.share_of_others(cores_before, machine.core_times(), ours_seconds)
    if process:
        process.check_running()
    problem = problem_of(totals, answer_bytes, row["connections"])
    if problem:
        raise Failure(f"{row['title']}, {process.name if process else 'direct'}: {problem}")
    figures = {
        "requests_per_second": totals["requests"] / (totals["duration_us"] / 1e6),
        # Client and origins too: on a core that others use as well, this still compares what requests/s cannot.
        "all_us_per_request": ours_seconds * 1e6 / totals["requests"],
        "p50_us": totals["p50_us"],
        "p99_us": totals["p99_us"],
        "requests": totals["requests"],
        "others": round(others, 3),
    }
    if process:
        figures["cpu_us_per_request"] = cpu_ns / 1e3 / totals["requests"]
    return figures


def cpu_seconds_of_ours(origins, process):
    """CPU time of all that takes part: origins, proxy, every wrk so far, and ourselves."""
    running = sum(one.cpu_ns() for one in [*origins.processes, process] if one)
    times = os.times()
    return running / 1e9 + times.user + times.system + times.children_user + times.children_system


def run_wrk(row, address, wrk, options):
    command = [wrk, "--threads", "1", "--connections", str(row["connections"]), "--duration", f"{options.seconds}s"]
    for header in row["headers"]:
        command += ["--header", header]
    command += ["--script", SCRIPT, f"http://{address}{row['path']}"]
    try:
        run = subprocess.run(pinned(options.cpu, command), capture_output=True, text=True, check=False,
                             timeout=options.seconds + OVERTIME_SECONDS_MAX)
    except subprocess.TimeoutExpired as expired:
        raise Failure(f"wrk did not end: {' '.join(command)}") from expired
    return parse_totals(run.stdout + run.stderr)


def parse_totals(output):
    """The dict that wrk.lua prints, out of everything that wrk prints."""
    lines = [line for line in output.splitlines() if line.startswith("totals ")]
    if len(lines) != 1:
        raise Failure(f"wrk said no totals: {output[-500:].strip()}")
    return json.loads(lines[0].removeprefix("totals "))


def problem_of(totals, answer_bytes, connections):
    """Why the load does not count; None when it does."""
    errors = {name: count for name, count in totals["errors"].items() if count}
    if errors:
        return "errors: " + ", ".join(f"{count} {name}" for name, count in errors.items())
    if totals["requests"] == 0:
        return "no request was answered"
    # When wrk stops, each connection may have read a part of one more answer.
    least = totals["requests"] * answer_bytes
    most = (totals["requests"] + connections) * answer_bytes
    if not least <= totals["bytes"] <= most:
        return f"{totals['bytes']} bytes for {totals['requests']} answers of {answer_bytes} bytes each"
    return None


def request_of(row, address):
    lines = [f"GET {row['path']} HTTP/1.1", f"Host: {address}"] + row["headers"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def check_answer(row, address):
    """Asks once as wrk will, and returns how many bytes the answer has, head and body."""
    with connect(address) as connection:
        connection.sendall(request_of(row, address))
        return read_answer(connection, row)


def read_answer(connection, row):
    """Reads one whole answer, which must be a 200 with exactly the body of the row; returns its size."""
    body, received = BODIES[row["path"]], bytearray()
    while True:
        head, separator, rest = bytes(received).partition(b"\r\n\r\n")
        if separator and len(rest) >= len(body):
            break
        chunk = connection.recv(1 << 20)
        if not chunk:
            raise Failure(f"{row['title']}: the answer ended after {len(received)} bytes")
        received += chunk
    if not head.startswith(b"HTTP/1.1 200 ") or rest != body:
        raise Failure(f"{row['title']}: not the expected answer: {bytes(received[:200])!r}")
    return len(received)


def add_differences(rounds):
    """What each candidate adds to no proxy at all, in the same round: to the median latency, and to the time that a
    request takes of the core that all of them share."""
    for name, figures_of_rounds in rounds.items():
        if name == "direct" or "direct" not in rounds:
            continue
        for figures, direct in zip(figures_of_rounds, rounds["direct"]):
            figures["added_p50_us"] = figures["p50_us"] - direct["p50_us"]
            figures["added_us_per_request"] = 1e6 / figures["requests_per_second"] - 1e6 / direct["requests_per_second"]


def warnings_of(results):
    """Says so when others worked while we measured: they shared caches, memory and the core with us."""
    rounds = [one for candidates in results.values() for one in candidates.values()]
    worst = max((figures.get("others", 0) for one in rounds for figures in one), default=0)
    if worst <= OTHERS_MAX:
        return []
    return [f"others used up to {worst:.0%} of the machine during a load; the figures may be off"]
