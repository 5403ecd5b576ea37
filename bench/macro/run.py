#!/usr/bin/env python3
"""Measures weir beside HAProxy and nginx, on this machine, in this run.

    bench/macro/run.py --weir build/release/tools/weir              everything, about 14 minutes
    bench/macro/run.py --candidates direct,haproxy,nginx            without weir
    bench/macro/run.py --rows small,short --rounds 9 --seconds 2
    bench/macro/run.py --rows http-small --candidates direct,haproxy,nginx,floor

Client, origins and proxies share ONE core, so that a proxy which needs less CPU serves more requests. The candidates
take turns inside each round, in another order each time, and every figure is the median of the rounds: what drifts,
drifts for all. docs/performance.md says how to read the result.

Exit codes: 0 everything was measured; 1 a row or all of it failed; 2 usage; 130 interrupted.
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
from candidates import CANDIDATES, find_programs, start_candidate, takes_part
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
    parser.add_argument("--floor", metavar="FILE",
                        default=os.path.relpath(os.path.join(ROOT, "build", "release", "bench", "weir_floor")),
                        help="the bare relay of bench/floor (default build/release/bench/weir_floor)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds per row (default 5)")
    parser.add_argument("--seconds", type=int, default=3, metavar="N", help="length of one load (default 3)")
    parser.add_argument("--rows", type=names_of(ROWS), default=list(ROWS), metavar="A,B",
                        help="only these rows: " + ", ".join(ROWS))
    usual = [name for name, candidate in CANDIDATES.items() if not candidate.get("extra")]
    parser.add_argument("--candidates", type=names_of(CANDIDATES), default=usual, metavar="A,B",
                        help=f"only these, of {', '.join(CANDIDATES)} (default: {','.join(usual)})")
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
    if "weir" in {CANDIDATES[name]["program"] for name in options.candidates} and not options.weir:
        parser.error("say which weir: --weir build/release/tools/weir (or leave it out of --candidates)")
    idle = [name for name in options.rows if not candidates_of(name, options)]
    if idle:
        parser.error(f"none of the candidates can be measured in {', '.join(idle)}")
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
        candidates = candidates_of(name, options)
        total += len(candidates) * (IDLE_SECONDS_EACH if ROWS[name]["measure"] == "memory" else options.seconds)
    return total * options.rounds


def candidates_of(row_name, options):
    """The names of the candidates that can be measured in this row."""
    return [name for name in options.candidates if takes_part(name, row_name, ROWS[row_name])]


def rotated(names, round_number):
    """Another order in each round, so that nobody always comes after the same neighbour."""
    start = round_number % len(names)
    return names[start:] + names[:start]


def measure_row(row_name, options, programs, origins, scratch):
    """{candidate: [figures of round 1, of round 2, ...]}; raises Failure when the row cannot be believed."""
    row, names = ROWS[row_name], candidates_of(row_name, options)
    rounds = {name: [] for name in names}

    def start(name):
        return start_candidate(name, row["protocol"], programs, origins.addresses, options.cpu, scratch)

    with contextlib.ExitStack() as stack:
        running = {}
        if row["measure"] == "load":
            running = {name: stack.enter_context(start(name)) for name in names if name != "direct"}
        for round_number in range(options.rounds):
            for name in rotated(names, round_number):
                if row["measure"] == "memory":
                    with start(name) as process:
                        figures = memory.measure(row, process, options.idle_connections)
                else:
                    figures = load.measure(row, running.get(name), origins, programs["wrk"], options)
                rounds[name].append(figures)
            load.add_differences(rounds)
            print(f"{round_number + 1} of {options.rounds}  {report.one_line(row, rounds)}", flush=True)
    return rounds


def measure(options, programs, scratch):
    """All rows, one after the other: ({row: its rounds}, {row: why it failed})."""
    results, failures = {}, {}
    with Origins(programs["nginx"], options.cpu, scratch) as origins:
        for name in options.rows:
            print(f"\n{name}: {ROWS[name]['title']}", flush=True)
            try:
                results[name] = measure_row(name, options, programs, origins, scratch)
            except (Failure, OSError) as failure:
                failures[name] = str(failure)
                print(f"bench: {name}: {failure}", file=sys.stderr)
    return results, failures


def main(arguments):
    options = parse_arguments(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options.idle_connections = machine.raise_descriptors(options.idle_connections)
    taking_part = {name for row_name in options.rows for name in candidates_of(row_name, options)}
    programs = find_programs(taking_part, {"weir": options.weir, "floor": options.floor})
    about = machine.describe(programs, options.cpu)
    for warning in about["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)

    print(f"measuring on CPU {options.cpu} for about {seconds_estimated(options)} s", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as scratch:
        results, failures = measure(options, programs, scratch)
    about["seconds"] = round(time.monotonic() - started)
    about["warnings"] += load.warnings_of(results)
    about["warnings"] += [f"row {name} failed: {reason}" for name, reason in failures.items()]
    if not results:
        raise Failure("nothing was measured, nothing was written")

    print()
    # Where the result goes is not part of it: the file is committed, and the folder is of one machine.
    asked = {name: value for name, value in vars(options).items() if name != "out"}
    document = summarize(results, ROWS, CANDIDATES, about, asked)
    for path in report.write(document, options.out):
        print(f"wrote {os.path.relpath(path)}")
    print()
    print(report.summary_table(document))
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("bench: interrupted; nothing was written", file=sys.stderr)
        sys.exit(130)
