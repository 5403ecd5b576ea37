"""Who is compared. A new candidate is a new row in CANDIDATES; its configuration is a function in configurations.py.

Where a peer has an option that helps some rows and hurts others, each setting is a candidate of its own with the same
`peer`: the peer's figure for a row is then the best.

Candidates that are `extra` run only when they are named. They show what a peer gains from the sizes that weir has by
itself, pipes of 256 KiB and buffers of 64 KiB, and what weir pays for the headers that it adds by default.
"""

import os
import shutil
import subprocess

from configurations import (WEIR_HEADERS_OF_PEERS, Place, haproxy_http, haproxy_tcp, nginx_http, nginx_stream,
                            run_floor, run_haproxy, run_nginx, run_weir, weir_http, weir_tcp)
from processes import Failure, Pinned, free_address

# Where Debian has its daemons, for users whose PATH leaves it out.
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
VERSION_ARGUMENTS = {"haproxy": ["-v"], "nginx": ["-v"], "wrk": ["-v"], "weir": ["version"]}
PIPES = "tune.pipesize 262144"
BUFFERS = "tune.bufsize 65536"
NGINX_BUFFERS = "proxy_buffer_size 64k; proxy_buffers 32 64k; proxy_busy_buffers_size 512k; proxy_max_temp_file_size 0;"

# protocols: {protocol: the function that writes the configuration}; None where there is nothing to write.
# rows: the only rows it is for; without it, all those of its protocols.
CANDIDATES = {
    "direct": {
        "peer": "direct",
        "title": "no proxy, one origin",
        "program": None,
        "protocols": {"tcp": None, "http": None},
    },
    "haproxy": {
        "peer": "haproxy",
        "title": "HAProxy",
        "program": "haproxy",
        "protocols": {"tcp": haproxy_tcp(), "http": haproxy_http()},
        "run": run_haproxy,
    },
    "haproxy-splice": {
        "peer": "haproxy",
        "title": "HAProxy, `splice-response`",
        "program": "haproxy",
        "protocols": {"tcp": haproxy_tcp(splice=True), "http": haproxy_http(splice=True)},
        "run": run_haproxy,
    },
    "haproxy-pipes": {
        "peer": "haproxy",
        "title": f"HAProxy, `splice-response`, `{PIPES}`",
        "program": "haproxy",
        "protocols": {"tcp": haproxy_tcp(splice=True, more_global=PIPES),
                      "http": haproxy_http(splice=True, more_global=PIPES)},
        "run": run_haproxy,
        "extra": True,
    },
    "haproxy-buffers": {
        "peer": "haproxy",
        "title": f"HAProxy, `{BUFFERS}`",
        "program": "haproxy",
        "protocols": {"tcp": haproxy_tcp(more_global=BUFFERS), "http": haproxy_http(more_global=BUFFERS)},
        "run": run_haproxy,
        "extra": True,
    },
    "nginx": {
        "peer": "nginx",
        "title": "nginx",
        "program": "nginx",
        "protocols": {"tcp": nginx_stream(), "http": nginx_http()},
        "run": run_nginx,
    },
    "nginx-buffers": {
        "peer": "nginx",
        "title": "nginx, buffers of 64k",
        "program": "nginx",
        "protocols": {"tcp": nginx_stream("proxy_buffer_size 64k;"), "http": nginx_http(NGINX_BUFFERS)},
        "run": run_nginx,
        "extra": True,
    },
    # Knows no HTTP, and is right for small answers alone: bench/floor/relay.h.
    "floor": {
        "peer": "floor",
        "title": "floor, a relay that parses nothing",
        "program": "floor",
        "protocols": {"http": None},
        "rows": ("http-small",),
        "run": run_floor,
    },
    "weir": {
        "peer": "weir",
        "title": "weir",
        "program": "weir",
        "protocols": {"tcp": weir_tcp, "http": weir_http(WEIR_HEADERS_OF_PEERS)},
        "run": run_weir,
    },
    # Beside weir and not one of its settings, so that it is never what the summary shows.
    "weir-defaults": {
        "peer": "weir-defaults",
        "title": "weir, with all headers that it adds by default",
        "program": "weir",
        "protocols": {"http": weir_http()},
        "run": run_weir,
        "extra": True,
    },
}


def takes_part(name, row_name, row):
    """Whether the candidate can be measured in a row. Without a proxy there is no memory of one."""
    candidate = CANDIDATES[name]
    if row["measure"] == "memory" and candidate["program"] is None:
        return False
    return row["protocol"] in candidate["protocols"] and row_name in candidate.get("rows", (row_name,))


def find_programs(candidates, built):
    """{name: path} of all that is needed: wrk, nginx (the origins), and the programs of the candidates.

    `built`: {name: path} of the programs of this tree.
    """
    names = {"wrk", "nginx"} | {CANDIDATES[name]["program"] for name in candidates} - {None}
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), SYSTEM_FOLDERS])
    found = {name: shutil.which(os.path.abspath(built[name]) if name in built else name, path=search)
             for name in names}
    missing = sorted(name for name, path in found.items() if path is None)
    if missing:
        raise Failure(f"not found: {', '.join(missing)}. Debian: scripts/setup.sh bench; weir: make build; "
                      "floor: cmake --build --preset release --target weir_floor")
    return found


def start_candidate(name, protocol, programs, origins, cpu, scratch):
    """Starts it on a free port; the result is a context manager that ends it."""
    candidate = CANDIDATES[name]
    address = free_address()
    place = Place(address, tuple(origins), cpu, os.path.join(scratch, f"{name}-{address.rsplit(':', 1)[1]}"))
    os.mkdir(place.folder)
    config = os.path.join(place.folder, "weir.yaml" if candidate["program"] == "weir" else "bench.conf")
    configure = candidate["protocols"][protocol]
    if configure:
        with open(config, "w", encoding="utf-8") as file:
            file.write(configure(place))
    command = candidate["run"](programs[candidate["program"]], config, place)
    return Pinned(name, command, cpu, place.folder, [address])


def version_of(name, program):
    """One line that names the version of a program; one that has none is of the same tree as weir."""
    if name not in VERSION_ARGUMENTS:
        return "of this tree"
    run = subprocess.run([program] + VERSION_ARGUMENTS[name], capture_output=True, text=True, timeout=10, check=False)
    lines = (run.stdout + run.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"
