"""The rules of docs/STYLE.md that a machine can check, one function or one row each.

A line that has a reason to break a rule says so, there or on the line above: `tidy-allow: RULE, the reason`.
"""

import re
from dataclasses import dataclass

from tree import CXX_SUFFIXES, Problem

COLUMNS_MAX = 120
LINES_MAX = 500
LONG_FILES = "tests/tidy/long_files.txt"
COUNTED_SUFFIXES = CXX_SUFFIXES + (".py", ".sh", ".cmake")
DATA_PLANE = ("core/base", "core/model", "core/rcu", "core/balance", "core/routing", "net")
PURE = ("hashing", "core/balance", "net/http", "net/http1", "net/http2", "net/tls")  # bytes and numbers; no I/O
ALLOW = re.compile(r"tidy-allow: ([\w-]+), *\S")


@dataclass(frozen=True)
class Ban:
    """What may not stand in the code (comments and literals do not count) of some folders."""
    rule: str
    pattern: re.Pattern
    message: str
    folders: tuple = ("",)  # everywhere
    suffixes: tuple = CXX_SUFFIXES
    exempt: tuple = ()

    def applies_to(self, source):
        return (
            source.path.endswith(self.suffixes)
            and (self.folders == ("",) or source.is_in(*self.folders))
            and not (self.exempt and source.is_in(*self.exempt))
        )


BANS = (
    Ban("regex", re.compile(r"\bstd::w?regex\b|#\s*include\s*<regex>"),
        "std::regex backtracks and recurses on what a client sends", exempt=("tests",)),
    Ban("using-std", re.compile(r"\busing\s+namespace\s+std\s*;"),
        "write std:: where it is used"),
    Ban("sleep", re.compile(r"\bsleep_(for|until)\b|(?<![\w.])(u|nano|clock_nano)?sleep\s*\("),
        "wait for the state, not for time"),
    Ban("sleep", re.compile(r"\btime\.sleep\s*\(|\basyncio\.sleep\s*\("),
        "wait for the state, not for time", folders=("tests",), suffixes=(".py",)),
    Ban("sleep", re.compile(r"\bsleep\s+[\d$]"),
        "wait for the state, not for time", folders=("tests",), suffixes=(".sh",)),
    Ban("exceptions", re.compile(r"(?<![\w.:])(throw|try|catch)\b"),
        "the data plane returns an Error", folders=DATA_PLANE),
    Ban("memory-order", re.compile(r"[\w)\]](\.|->)(load\s*\(\s*\)|(fetch_\w+|exchange|store)\s*\([^(),]+\)\s*[;)])"),
        "write the memory order, and say who its partner is", folders=("core", "net", "health", "control")),
    Ban("system-call", re.compile(
        r"(?<![\w.>])::(read|write|recv|recvmsg|send|sendmsg|accept4?|connect|bind|listen|socket|splice|pipe2?|close"
        r"|shutdown|setsockopt|getsockopt|fcntl|ioctl|poll|epoll_\w+)\s*\("),
        "system calls of the data plane go through net/io, where the simulator can answer them",
        folders=("net", "core/model", "core/balance", "hashing"), exempt=("net/io",)),
    Ban("pure", re.compile(
        r"#\s*include\s*<(thread|mutex|fstream|unistd\.h|fcntl\.h|poll\.h|pthread\.h"
        r"|sys/(socket|epoll|uio|un|select)\.h|netinet/\w+\.h)>"),
        "this folder does no I/O and knows no threads", folders=PURE),
)


def check_bans(source):
    for ban in BANS:
        if not ban.applies_to(source):
            continue
        for number, line in enumerate(source.code, start=1):
            if ban.pattern.search(line) and not is_allowed(source, number, ban.rule):
                yield Problem(source.path, number, ban.rule, ban.message)


def is_allowed(source, number, rule):
    """Whether line `number` or the one above gives a reason to break the rule."""
    near = source.lines[max(0, number - 2):number]
    return any(rule == found for line in near for found in ALLOW.findall(line))


def check_header(source):
    """A header opens with the paragraph a stranger needs, and is included once."""
    if not source.path.endswith((".h", ".def")):
        return
    first = source.lines[0] if source.lines else ""
    if not re.match(r"(//|/\*).*\w{2}", first):
        yield Problem(source.path, 1, "opening", "the first line is not a comment that says what this file is")
    if source.path.endswith(".h") and not any(line.strip() == "#pragma once" for line in source.code):
        yield Problem(source.path, 1, "pragma-once", "a header without #pragma once")


def check_shape(source):
    """Columns, tabs, trailing blanks, the last newline."""
    is_counted = source.path.endswith(COUNTED_SUFFIXES) or source.path.endswith("CMakeLists.txt")
    if not is_counted:
        return
    for number, line in enumerate(source.lines, start=1):
        if len(line) > COLUMNS_MAX and not is_allowed(source, number, "columns"):
            yield Problem(source.path, number, "columns", f"{len(line)} columns, more than {COLUMNS_MAX}")
        if "\t" in line or line != line.rstrip():
            yield Problem(source.path, number, "blanks", "a tab, or blanks at the end of the line")
    if source.text and not source.text.endswith("\n"):
        yield Problem(source.path, len(source.lines), "blanks", "no newline at the end")


def check_name(source):
    if re.search(r"\.(cpp|cxx|hpp|hh|hxx)$", source.path):
        yield Problem(source.path, 1, "name", "C++ files end in .h, .cc or .def")
    elif source.is_cxx and not re.fullmatch(r"[a-z0-9_]+\.(h|cc|def)", source.path.rsplit("/", 1)[-1]):
        yield Problem(source.path, 1, "name", "file names are snake_case")


def check_mirror(sources):
    """tests/unit mirrors the tree: the test of core/base/slab.h is tests/unit/core/base/slab_test.cc."""
    folders = {source.path.rsplit("/", 1)[0] for source in sources if "/" in source.path}
    for source in sources:
        match = re.fullmatch(r"tests/unit/(.+)/[^/]+_test\.cc", source.path)
        if match and match.group(1) not in folders:
            yield Problem(source.path, 1, "mirror", f"there is no folder {match.group(1)}/ for it to test")


def check_lengths(sources):
    """A long file is listed in long_files.txt with its reason, and only long files are."""
    reasons = {}
    for source in sources:
        if source.path == LONG_FILES:
            rows = [line.split(None, 1) for line in source.lines if line.strip() and not line.startswith("#")]
            reasons = {row[0]: row[1:] for row in rows}
    for source in sources:
        length = len(source.lines)
        if not source.path.endswith(COUNTED_SUFFIXES):
            continue
        if length > LINES_MAX and not reasons.get(source.path):
            message = f"{length} lines; split it, or give {LONG_FILES} a reason"
            yield Problem(source.path, LINES_MAX + 1, "long", message)
        elif length <= LINES_MAX and source.path in reasons:
            yield Problem(LONG_FILES, 1, "long", f"{source.path} has {length} lines; take it off the list")
    for path in reasons.keys() - {source.path for source in sources}:
        yield Problem(LONG_FILES, 1, "long", f"{path} does not exist; take it off the list")


def check_all(sources):
    for source in sources:
        yield from check_bans(source)
        yield from check_header(source)
        yield from check_shape(source)
        yield from check_name(source)
    yield from check_mirror(sources)
    yield from check_lengths(sources)
