"""The memory that an idle connection costs a proxy: what its memory grows by when many are open, divided by their number.

Every connection has done one request and waits for the next one, as those of browsers and connection pools do. Only user
memory is counted; the sockets in the kernel are the same for all. Each measurement has a fresh process, because
allocators do not give back.
"""

import time

import load
from processes import POLL_SECONDS, connect

SETTLE_SECONDS_MAX = 3
# So long the memory must stay the same before it is believed.
STEADY_SECONDS = 0.2


def measure(row, process, origins, connections):
    load.check_answer(row, process.address)
    before = settled_memory(process)
    opened = []
    try:
        for _ in range(connections):
            connection = connect(process.address)
            opened.append(connection)
            connection.sendall(load.request_of(row, process.address))
            load.read_answer(connection, row)
        after = settled_memory(process)
    finally:
        for connection in opened:
            connection.close()
    process.check_running()
    return {
        "bytes_per_connection": (after - before) / connections,
        "bytes_before": before,
        "connections": connections,
    }


def settled_memory(process):
    """Its memory once it no longer changes."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    bytes_now, since = process.memory_bytes(), time.monotonic()
    while time.monotonic() < min(since + STEADY_SECONDS, deadline):
        time.sleep(POLL_SECONDS)
        bytes_next = process.memory_bytes()
        if bytes_next != bytes_now:
            bytes_now, since = bytes_next, time.monotonic()
    return bytes_now
