"""What is measured: one dict per row of the result. A new row is a new dict here.

measure     "load": wrk against each candidate. "memory": idle connections through a fresh process of each candidate.
protocol    which configuration of the candidates is used (candidates.py)
path        what is asked of the origin: a key of origins.BODIES
shown       the figures (figures.py) that enter the summary and the plot, the most important first
targets     {figure: target}; "against" names a peer, whose best configuration counts, or is None for an absolute bound
"""

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
            "requests_per_second": {"against": "haproxy", "at_least": 1.15},
            "cpu_us_per_request": {"against": "haproxy", "at_most": 0.65},
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
        "targets": {"cpu_us_per_request": {"against": "haproxy", "at_most": 0.85}},
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
        "targets": {"requests_per_second": {"against": "haproxy", "at_least": 1.25}},
    },
    "idle": {
        "title": "idle keep-alive connections, user memory",
        "measure": "memory",
        "protocol": "tcp",
        "path": "/hello",
        "headers": [],
        "shown": ["bytes_per_connection"],
        "targets": {"bytes_per_connection": {"against": None, "at_most": 400}},
    },
}
