"""Who is compared, and with which configuration. A new candidate is a new row in CANDIDATES.

Each one proxies to the same three origins by round robin, with one worker on the given core, logs nothing per
connection, and otherwise has the defaults of its packager. Where a peer has an option that helps some rows and hurts
others, each setting is a candidate of its own with the same `peer`: the peer's figure for a row is then the best.

Candidates that are `extra` run only when they are named. They show what a peer gains from the sizes that weir has by
itself: pipes of 256 KiB, buffers of 64 KiB.
"""

import os
import shutil
import subprocess

from processes import Failure, Pinned, free_address

NGINX_STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"
# Where Debian has its daemons, for users whose PATH leaves it out.
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"


def haproxy_tcp(splice, more_global=""):
    # Alone, splice-auto hardly splices what we ask for; splice-response does, and costs the small answers more.
    options = "option splice-auto\n  option splice-response" if splice else ""

    def configure(address, origins, _cpu):
        servers = "\n".join(f"  server o{number} {origin}" for number, origin in enumerate(origins, start=1))
        return f"""
global
  nbthread 1
  {more_global}
defaults
  mode tcp
  timeout connect 5s
  timeout client 600s
  timeout server 600s
listen bench
  bind {address} backlog 8192
  balance roundrobin
  {options}
{servers}
"""
    return configure


def nginx_stream(more=""):
    module = f"load_module {NGINX_STREAM_MODULE};" if os.path.exists(NGINX_STREAM_MODULE) else ""

    def configure(address, origins, _cpu):
        servers = " ".join(f"server {origin};" for origin in origins)
        return f"""
{module}
{nginx_user()}
daemon off;
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 16000; multi_accept on; }}
stream {{
  upstream origins {{ {servers} }}
  server {{ listen {address} backlog=8192; proxy_timeout 600s; {more} proxy_pass origins; }}
}}
"""
    return configure


def nginx_user():
    """Workers keep our user: under another one they could not read the scratch folder."""
    return "user root;" if os.geteuid() == 0 else ""


def weir_tcp(address, origins, cpu):
    return f"""
workers: 1
cpus: "{cpu}"
listeners:
  - {{name: bench, address: "{address}", mode: tcp, upstream: origins}}
upstreams:
  - {{name: origins, balance: round_robin, endpoints: ["{'", "'.join(origins)}"]}}
log: {{level: warn}}
"""


def run_haproxy(program, config, _folder):
    return [program, "-db", "-f", config]


def run_nginx(program, config, folder):
    return [program, "-p", folder, "-e", os.path.join(folder, "error.log"), "-c", config]


def run_weir(program, config, _folder):
    return [program, "run", "-c", config]


# protocols: {protocol: the function that writes the configuration}; for "direct" there is nothing to configure.
CANDIDATES = {
    "direct": {"peer": "direct", "title": "no proxy, one origin", "program": None, "protocols": {"tcp": None}},
    "haproxy": {
        "peer": "haproxy",
        "title": "HAProxy",
        "program": "haproxy",
        "protocols": {"tcp": haproxy_tcp(splice=False)},
        "run": run_haproxy,
    },
    "haproxy-splice": {
        "peer": "haproxy",
        "title": "HAProxy, `splice-response`",
        "program": "haproxy",
        "protocols": {"tcp": haproxy_tcp(splice=True)},
        "run": run_haproxy,
    },
    "haproxy-pipes": {
        "peer": "haproxy",
        "title": "HAProxy, `splice-response`, `tune.pipesize 262144`",
        "program": "haproxy",
        "protocols": {"tcp": haproxy_tcp(splice=True, more_global="tune.pipesize 262144")},
        "run": run_haproxy,
        "extra": True,
    },
    "nginx": {
        "peer": "nginx",
        "title": "nginx `stream`",
        "program": "nginx",
        "protocols": {"tcp": nginx_stream()},
        "run": run_nginx,
    },
    "nginx-buffers": {
        "peer": "nginx",
        "title": "nginx `stream`, `proxy_buffer_size 64k`",
        "program": "nginx",
        "protocols": {"tcp": nginx_stream("proxy_buffer_size 64k;")},
        "run": run_nginx,
        "extra": True,
    },
    "weir": {
        "peer": "weir",
        "title": "weir",
        "program": "weir",
        "protocols": {"tcp": weir_tcp},
        "run": run_weir,
    },
}


def find_programs(candidates, weir):
    """{name: path} of all that is needed: wrk, nginx (the origins), and the programs of the candidates."""
    names = {"wrk", "nginx"} | {CANDIDATES[name]["program"] for name in candidates} - {None}
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), SYSTEM_FOLDERS])
    found = {name: shutil.which(os.path.abspath(weir) if name == "weir" else name, path=search) for name in names}
    missing = sorted(name for name, path in found.items() if path is None)
    if missing:
        raise Failure(f"not found: {', '.join(missing)}. Debian: scripts/setup.sh bench; weir: make build")
    return found


def start_candidate(name, protocol, programs, origins, cpu, scratch):
    """Starts it on a free port; the result is a context manager that ends it."""
    candidate = CANDIDATES[name]
    program, address = programs[candidate["program"]], free_address()
    folder = os.path.join(scratch, f"{name}-{address.rsplit(':', 1)[1]}")
    os.mkdir(folder)
    config = os.path.join(folder, "weir.yaml" if name == "weir" else "bench.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(candidate["protocols"][protocol](address, origins, cpu))
    return Pinned(name, candidate["run"](program, config, folder), cpu, folder, [address])


def version_of(name, program):
    """One line that names the version of a program."""
    arguments = {"haproxy": ["-v"], "nginx": ["-v"], "wrk": ["-v"], "weir": ["version"]}[name]
    run = subprocess.run([program] + arguments, capture_output=True, text=True, timeout=10, check=False)
    lines = (run.stdout + run.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"
