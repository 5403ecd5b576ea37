#!/usr/bin/env python3
"""http1_seeds.py OUT: writes the fixtures of tests/fixtures/http1 as inputs to begin with, one folder per fuzzer.

Three bytes in front say where an input is cut (tests/fuzz/http1_fuzz.h).
"""

import pathlib
import re
import sys

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "http1"
ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|(.))")
CUTS = b"\x55\x80\x00"


def unescape(text):
    plain = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
    return ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else plain[match[2]], text).encode("latin-1")


def inputs(path):
    for fixture in re.split(r"^== ", path.read_text(), flags=re.MULTILINE)[1:]:
        content = b""
        for line in fixture.splitlines():
            if line.startswith("< "):
                content += unescape(line[2:])
            elif line.startswith("* "):
                count, _, text = line[2:].partition(" ")
                content += unescape(text) * int(count)
        yield content


def main():
    out = pathlib.Path(sys.argv[1])
    folders = {"requests": "http1_request_fuzz", "answers": "http1_answer_fuzz"}
    for path in sorted(FIXTURES.glob("*.txt")):
        for number, content in enumerate(inputs(path)):
            targets = [(folders[path.stem.split("_")[0]], content)]
            if path.stem == "requests_chunks":
                targets.append(("http1_chunked_fuzz", content.partition(b"\r\n\r\n")[2]))
            for folder, seed in targets:
                (out / folder).mkdir(parents=True, exist_ok=True)
                (out / folder / f"{path.stem}_{number}").write_bytes(CUTS + seed)


if __name__ == "__main__":
    main()
