"""What this machine is, and whether it is quiet enough to measure on."""

import os
import platform
import re
import resource
import time

from candidates import version_of

# Enough for the idle row, and as many for every program whatever the limit of the user is.
DESCRIPTORS_WANTED = 20000
# What each connection costs the proxy at most: two sockets, and HAProxy counts half a pipe more.
DESCRIPTORS_PER_CONNECTION = 4
DESCRIPTORS_RESERVED = 400
BUSY_SAMPLE_SECONDS = 1
BUSY_MAX = 0.1
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
LOAD_AVERAGE_MAX = 1.5


def raise_descriptors(idle_connections):
    """Raises our soft limit, which the programs inherit; returns how many idle connections fit into it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(DESCRIPTORS_WANTED, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(idle_connections, (wanted - DESCRIPTORS_RESERVED) // DESCRIPTORS_PER_CONNECTION)


def describe(programs, cpu):
    load_average = os.getloadavg()[0]
    before = core_times()
    time.sleep(BUSY_SAMPLE_SECONDS)
    busy = share_of_others(before, core_times())
    warnings = []
    if busy > BUSY_MAX or load_average > LOAD_AVERAGE_MAX:
        warnings.append(f"the machine was busy before the start: {busy:.0%} of its CPU time in use, load average "
                        f"{load_average:.2f}; absolute figures are too low, ratios may be off")
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "kernel": platform.release(),
        "cpu_model": cpu_model(),
        "cpus": os.cpu_count(),
        "cpu_measured": cpu,
        "load_average": round(load_average, 2),
        "busy_before": round(busy, 3),
        "versions": {name: version_of(name, path) for name, path in sorted(programs.items())},
        "warnings": warnings,
    }


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.MULTILINE)
    return found[1] if found else platform.machine()


def core_times():
    """{core: (ticks it worked, ticks in total)} since the start of the machine."""
    with open("/proc/stat", encoding="ascii") as file:
        return parse_core_times(file.read())


def parse_core_times(text):
    times = {}
    for number, fields in re.findall(r"^cpu(\d+) (.*)$", text, re.MULTILINE):
        # user nice system idle iowait irq softirq steal; guest time is part of user.
        ticks = [int(field) for field in fields.split()[:8]]
        times[int(number)] = (sum(ticks) - ticks[3] - ticks[4], sum(ticks))
    return times


def share_of_others(before, after, ours_seconds=0.0):
    """The part of all cores' time between two readings in which they did work of others than us, 0 to 1.

    Time that a hypervisor gave to other machines is work of others.
    """
    cores = before.keys() & after.keys()
    total = sum(after[core][1] - before[core][1] for core in cores)
    worked = sum(after[core][0] - before[core][0] for core in cores)
    return max(0.0, worked - ours_seconds * TICKS_PER_SECOND) / total if total else 0.0
