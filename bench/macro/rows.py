"""What is measured: one dict per row of the result. A new row is a new dict here.

measure     "load": wrk against each candidate. "memory": idle connections through a fresh process of each candidate.
protocol    which configuration of the candidates is used (candidates.py)
path        what is asked of the origin: a key of origins.BODIES
shown       the figures (figures.py) that enter the summary and the plot, the most important first
targets     {figure: [target, ...]}, all of which weir wants to meet
"""


def at_least(bound, against=None):
    """A target: so many times the best figure of this peer, or, against nobody, the bound itself."""
    return {"against": against, "at_least": bound}


def at_most(bound, against=None):
    return {"against": against, "at_most": bound}


ROWS = {
    "small": {
        "title": "small answers, 64 keep-alive connections",
        "measure": "load",
        "protocol": "tcp",
        "path": "/hello",
        "connections": 64,
        "headers": [],
        "shown": ["requests_per_second", "cpu_us_per_request"],
        "targets": {
            "requests_per_second": [at_least(1.15, "haproxy")],
            "cpu_us_per_request": [at_most(0.65, "haproxy")],
        },
    },
    "one": {
        "title": "small answers, one keep-alive connection",
        "measure": "load",
        "protocol": "tcp",
        "path": "/hello",
        "connections": 1,
        "headers": [],
        "shown": ["added_p50_us", "cpu_us_per_request"],
        "targets": {},
    },
    "64k": {
        "title": "64 KiB answers, 64 keep-alive connections",
        "measure": "load",
        "protocol": "tcp",
        "path": "/64k",
        "connections": 64,
        "headers": [],
        "shown": ["requests_per_second", "cpu_us_per_request"],
        "targets": {"cpu_us_per_request": [at_most(0.85, "haproxy")]},
    },
    "1m": {
        "title": "1 MiB answers, 64 keep-alive connections",
        "measure": "load",
        "protocol": "tcp",
        "path": "/1m",
        "connections": 64,
        "headers": [],
        "shown": ["requests_per_second", "cpu_us_per_request"],
        "targets": {},
    },
    "short": {
        "title": "small answers, a connection for each (Connection: close)",
        "measure": "load",
        "protocol": "tcp",
        "path": "/hello",
        "connections": 64,
        "headers": ["Connection: close"],
        "shown": ["requests_per_second", "cpu_us_per_request"],
        "targets": {"requests_per_second": [at_least(1.25, "haproxy")]},
    },
    "idle": {
        "title": "idle keep-alive connections, user memory",
        "measure": "memory",
        "protocol": "tcp",
        "path": "/hello",
        "headers": [],
        "shown": ["bytes_per_connection"],
        "targets": {"bytes_per_connection": [at_most(400)]},
    },
    "http-small": {
        "title": "HTTP, small answers, 64 keep-alive connections",
        "measure": "load",
        "protocol": "http",
        "path": "/hello",
        "connections": 64,
        "headers": [],
        "shown": ["requests_per_second", "cpu_us_per_request", "added_us_per_request"],
        "targets": {
            "requests_per_second": [at_least(1.40, "haproxy"), at_least(1.25, "nginx")],
            "cpu_us_per_request": [at_most(0.60, "haproxy"), at_most(0.70, "nginx")],
            "added_us_per_request": [at_most(1.15, "floor")],
        },
    },
    "http-64k": {
        "title": "HTTP, 64 KiB answers, 64 keep-alive connections",
        "measure": "load",
        "protocol": "http",
        "path": "/64k",
        "connections": 64,
        "headers": [],
        "shown": ["requests_per_second", "cpu_us_per_request"],
        "targets": {"cpu_us_per_request": [at_most(0.60, "haproxy")]},
    },
    "http-1m": {
        "title": "HTTP, 1 MiB answers, 64 keep-alive connections",
        "measure": "load",
        "protocol": "http",
        "path": "/1m",
        "connections": 64,
        "headers": [],
        "shown": ["requests_per_second", "cpu_us_per_request"],
        "targets": {"cpu_us_per_request": [at_most(0.60, "haproxy")]},
    },
    "http-short": {
        "title": "HTTP, small answers, a client connection for each (Connection: close)",
        "measure": "load",
        "protocol": "http",
        "path": "/hello",
        "connections": 64,
        "headers": ["Connection: close"],
        "shown": ["requests_per_second", "cpu_us_per_request"],
        "targets": {"requests_per_second": [at_least(1.25, "haproxy")]},
    },
    "http-idle": {
        "title": "HTTP, idle keep-alive connections that did one request each, user memory",
        "measure": "memory",
        "protocol": "http",
        "path": "/hello",
        "headers": [],
        "shown": ["bytes_per_connection"],
        "targets": {"bytes_per_connection": [at_most(500)]},
    },
}
