"""A process that is held still while a story arranges what it is to find when it goes on.

What happens meanwhile (bytes, ends, resets) waits in the kernel, and weir meets it in that order, in one turn. So a
race that a story would have to win by luck is won every time.
"""

import contextlib
import os
import signal

from harness import eventually


def is_stopped(process):
    """All its threads are: the kernel stops them one by one, a moment after the signal."""
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{thread}/stat", encoding="utf-8") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] != "T":
                return False
    return True


@contextlib.contextmanager
def frozen(process):
    process.signal(signal.SIGSTOP)
    try:
        eventually(lambda: is_stopped(process), what=f"{process.name} stands still")
        yield
    finally:
        process.signal(signal.SIGCONT)
