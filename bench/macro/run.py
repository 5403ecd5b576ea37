#!/usr/bin/env python3
"""Measures weir beside HAProxy and nginx, on this machine, in this run.

    bench/macro/run.py --weir build/release/tools/weir              everything, about seven minutes
    bench/macro/run.py --candidates direct,haproxy,nginx            without weir
    bench/macro/run.py --rows small,short --rounds 9 --seconds 2

Client, origins and proxies share ONE core, so that a proxy which needs less CPU serves more requests. The candidates take
turns inside each round, in another order each time, and every figure is the median of the rounds: what drifts, drifts
for all. docs/performance.md says how to read the result.

Exit codes: 0 everything was measured; 1 something failed to start or a row was refused; 2 usage; 130 interrupted.
A missed target is a result, not a failure.
"""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time

import load
import machine
import memory
import report
from candidates import CANDIDATES, find_programs, start_candidate
from figures import summarize
from origins import Origins
from processes import Failure
from rows import ROWS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
IDLE_SECONDS_EACH = 2  # what one candidate of the idle row takes in one round, about


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        description="Measures weir beside HAProxy and nginx on one core of this machine.")
    parser.add_argument("--weir", metavar="FILE", help="the weir to measure (a release build)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds per row (default 5)")
    parser.add_argument("--seconds", type=int, default=3, metavar="N", help="length of one load (default 3)")
    parser.add_argument("--rows", type=names_of(ROWS), default=list(ROWS), metavar="A,B",
                        help="only these rows: " + ", ".join(ROWS))
    parser.add_argument("--candidates", type=names_of(CANDIDATES), default=list(CANDIDATES), metavar="A,B",
                        help="only these: " + ", ".join(CANDIDATES))
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)), metavar="N",
                        help="the core that is measured on (default: the last one allowed)")
    parser.add_argument("--idle-connections", type=int, default=4000, metavar="N",
                        help="connections of the idle row (default 4000)")
    parser.add_argument("--out", default=os.path.join(ROOT, "bench", "results"), metavar="FOLDER",
                        help="where macro.md, macro.json and macro.svg go (default bench/results)")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.seconds < 1 or options.idle_connections < 1:
        parser.error("--rounds, --seconds and --idle-connections are at least 1")
    if options.cpu not in os.sched_getaffinity(0):
        parser.error(f"this process may not run on CPU {options.cpu}")
    if "weir" in options.candidates and not options.weir:
        parser.error("say which weir: --weir build/release/tools/weir (or leave it out of --candidates)")
    return options


def names_of(table):
    """A type for argparse: words between commas, each a key of `table`, in the order of the table."""
    def parse(text):
        words = text.split(",")
        unknown = [word for word in words if word not in table]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(table)}")
        return [name for name in table if name in words]
    return parse


def seconds_estimated(options):
    total = 0
    for name in options.rows:
        candidates = candidates_of(ROWS[name], options)
        total += len(candidates) * (IDLE_SECONDS_EACH if ROWS[name]["measure"] == "memory" else options.seconds)
    return total * options.rounds


def candidates_of(row, options):
    """The names of the candidates that can be measured in this row."""
    names = [name for name in options.candidates if row["protocol"] in CANDIDATES[name]["protocols"]]
    return [name for name in names if name != "direct"] if row["measure"] == "memory" else names


def rotated(names, round_number):
    """Another order in each round, so that nobody always comes after the same neighbour."""
    start = round_number % len(names)
    return names[start:] + names[:start]


def measure(options, programs, scratch, stack):
    """All rows, one after the other: {row: {candidate: [figures of round 1, of round 2, ...]}}."""
    origins = stack.enter_context(Origins(programs["nginx"], options.cpu, scratch))
    running = {}

    def address_of(name, protocol):
        """Where this candidate listens; it starts when the first row needs it, and then stays."""
        if name == "direct":
            return None, origins.addresses[0]
        if (name, protocol) not in running:
            candidate = start_candidate(name, protocol, programs, origins.addresses, options.cpu, scratch)
            running[name, protocol] = stack.enter_context(candidate)
        return running[name, protocol], running[name, protocol].address

    results = {}
    for row_name in options.rows:
        row, names = ROWS[row_name], candidates_of(ROWS[row_name], options)
        rounds = {name: [] for name in names}
        for round_number in range(options.rounds):
            for name in rotated(names, round_number):
                if row["measure"] == "memory":
                    with start_candidate(name, row["protocol"], programs, origins.addresses, options.cpu, scratch) as one:
                        figures = memory.measure(row, one, origins, options.idle_connections)
                else:
                    process, address = address_of(name, row["protocol"])
                    figures = load.measure(row, process, address, programs["wrk"], options)
                rounds[name].append(figures)
            load.add_latency_added(rounds)
            print(f"  {row_name:8s} round {round_number + 1} of {options.rounds}: " + report.one_line(row, rounds),
                  flush=True)
        results[row_name] = rounds
    return results


def main(arguments):
    options = parse_arguments(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options.idle_connections = machine.raise_descriptors(options.idle_connections)
    programs = find_programs(options.candidates, options.weir)
    about = machine.describe(programs, options.cpu)
    for warning in about["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)

    print(f"measuring on CPU {options.cpu}: {', '.join(options.rows)}; about {seconds_estimated(options)} s", flush=True)
    started = time.monotonic()
    # The stack ends every process we started, whatever happens; the folder goes last.
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as scratch, contextlib.ExitStack() as stack:
        results = measure(options, programs, scratch, stack)
    about["seconds"] = round(time.monotonic() - started)
    about["warnings"] += load.warnings_of(results)

    document = summarize(results, ROWS, CANDIDATES, about, vars(options))
    for path in report.write(document, options.out):
        print(f"wrote {os.path.relpath(path)}")
    print()
    print(report.summary_table(document))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("bench: interrupted; nothing was written", file=sys.stderr)
        sys.exit(130)
