"""The memory that an idle connection costs a proxy: how much its memory grows when many are open, by their number.

Every connection has done one request and waits for the next one, as those of browsers and connection pools do. Only
user memory is counted; what the kernel keeps for the sockets is not. Each measurement has a fresh process, because
allocators do not give back; it is warmed up by one connection that does many requests, so that the buffers which all
connections share are not taken for memory of the idle ones.
"""

import time

import load
from processes import POLL_SECONDS, connect

WARM_UP_REQUESTS = 2000
SETTLE_SECONDS_MAX = 3
# So long the memory must stay the same before it is believed.
STEADY_SECONDS = 0.2


def measure(row, process, connections):
    cold = settled_memory(process)
    with connect(process.address) as connection:
        for _ in range(WARM_UP_REQUESTS):
            request(connection, row, process)
    before = settled_memory(process)
    opened = []
    try:
        for _ in range(connections):
            opened.append(connect(process.address))
            request(opened[-1], row, process)
        after = settled_memory(process)
    finally:
        for connection in opened:
            connection.close()
    process.check_running()
    return {
        "bytes_per_connection": (after - before) / connections,
        "bytes_cold": cold,
        "bytes_warm": before,
        "bytes_with_connections": after,
        "connections": connections,
    }


def request(connection, row, process):
    connection.sendall(load.request_of(row, process.address))
    load.read_answer(connection, row)


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
