"""Reads the whole tree and fails on what docs/ARCHITECTURE.md and docs/STYLE.md do not allow.

    python3 tests/tidy/tidy.py [ROOT]

Prints `path:line: rule: message` for each problem. Exit code 0: none; 1: some.
"""

import os
import sys

import arrows
import rules
from tree import read_tree


def find_problems(sources):
    document = next((source for source in sources if source.path == arrows.DOCUMENT), None)
    if document is None:
        raise ValueError(f"{arrows.DOCUMENT} is missing")
    rows = arrows.parse_table(document.text)
    problems, used = arrows.check_includes(sources, rows)
    problems += arrows.check_links(sources, rows, used)
    problems += rules.check_all(sources)
    return sorted(problems, key=lambda problem: (problem.path, problem.line, problem.rule))


def main(arguments):
    here = os.path.dirname(os.path.abspath(__file__))
    root = arguments[0] if arguments else os.path.dirname(os.path.dirname(here))
    sources = read_tree(root)
    problems = find_problems(sources)
    for problem in problems:
        print(problem)
    checked = sum(source.is_cxx for source in sources)
    print(f"tidy: {len(problems)} problems in {len(sources)} files ({checked} of C++)")
    return 1 if problems or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
