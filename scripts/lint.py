#!/usr/bin/env python3
"""Runs clang-tidy over our C++ files, in parallel, and remembers what was clean.

    scripts/lint.py [--jobs N] [FILE...]

A file is read again only when something it depends on changed: itself, a header of ours it includes (also through
others), its compile command, .clang-tidy, or clang-tidy. What was clean is remembered by that hash outside the tree (in
$XDG_CACHE_HOME/weir/lint), so that a fresh clone profits too.
Needs build/lint/compile_commands.json: `cmake --preset lint` writes it, nothing has to be built.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "lint")
CLANG_TIDY = "clang-tidy-14"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "weir", "lint")
CACHE_DAYS = 30
# Own includes start at the root of the project; tests/tidy sees to that.
OWN_INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


@functools.cache
def read(path):
    try:
        with open(os.path.join(ROOT, path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def closure(path):
    """The file and every file of ours that it includes, directly or not."""
    seen, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += [include.decode() for include in OWN_INCLUDE.findall(read(current))]
    return sorted(seen)


def key_of(path, command, common):
    digest = hashlib.sha256(common + command.replace(ROOT, ".").encode())
    for dependency in closure(path):
        digest.update(b"\0" + dependency.encode() + b"\0" + read(dependency))
    return digest.hexdigest()


def lint(path):
    run = subprocess.run([CLANG_TIDY, "--quiet", "-p", BUILD, path], cwd=ROOT, capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


def forget_old():
    oldest = time.time() - CACHE_DAYS * 86400
    for entry in os.scandir(CACHE):
        if entry.stat().st_mtime < oldest:
            os.unlink(entry.path)


def main():
    parser = argparse.ArgumentParser(description="clang-tidy over our C++ files")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*", help="only these files (default: all that are compiled)")
    options = parser.parse_args()

    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
        commands = {os.path.relpath(entry["file"], ROOT): entry["command"] for entry in json.load(file)}
    wanted = [os.path.relpath(os.path.abspath(name), ROOT) for name in options.files] or sorted(commands)
    unknown = [path for path in wanted if path not in commands]
    if unknown:
        sys.exit(f"lint: not compiled by anything: {' '.join(unknown)}")

    os.makedirs(CACHE, exist_ok=True)
    forget_old()
    version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, check=True).stdout
    common = version + b"".join(read(f"{folder}.clang-tidy") for folder in ("", "tests/", "bench/"))
    keys = {path: os.path.join(CACHE, key_of(path, commands[path], common)) for path in wanted}
    todo = [path for path in wanted if not os.path.exists(keys[path])]

    started, failed = time.monotonic(), []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, (code, found, errors) in zip(todo, pool.map(lint, todo)):
            if code == 0:
                open(keys[path], "w", encoding="utf-8").close()
            else:
                failed.append(path)
                print(found or errors, end="", flush=True)

    for path in failed:
        print(f"lint: {path} is not clean")
    seconds = time.monotonic() - started
    print(f"lint: {len(wanted) - len(failed)} of {len(wanted)} files clean; {len(todo)} read in {seconds:.0f} s")
    return 1 if failed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
