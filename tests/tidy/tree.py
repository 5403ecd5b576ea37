"""The files of the project as tidy sees them: path, text, and the text without comments and literals."""

import functools
import os
import re
from dataclasses import dataclass

CXX_SUFFIXES = (".h", ".cc", ".def")
SKIPPED_FOLDERS = {"__pycache__", "node_modules"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LITERAL = re.compile(
    r'//[^\n]*'  # line comment
    r'|/\*.*?\*/'  # block comment
    r'|\bu?8?L?R"([^\s()\\]{0,16})\(.*?\)\1"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'  # string
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])*'",  # character, but not the separator of 1'000
    re.DOTALL,
)


@dataclass(frozen=True)
class Problem:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True)
class Source:
    path: str  # relative to the root, with slashes
    text: str

    @property
    def is_cxx(self):
        return self.path.endswith(CXX_SUFFIXES)

    def is_in(self, *folders):
        return any(self.path.startswith(folder + "/") for folder in folders)

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def code(self):
        """The lines with comments and literals blanked, so that a word in a sentence is not taken for code."""
        if not self.is_cxx:
            return [line.split("#")[0] for line in self.lines]
        return LITERAL.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), self.text).splitlines()

    @functools.cached_property
    def includes(self):
        """(line number, '<' or '"', header) of each #include that is not in a comment."""
        found = []
        for number, (line, code) in enumerate(zip(self.lines, self.code), start=1):
            match = INCLUDE.match(line)
            if match and code.lstrip().startswith("#"):
                found.append((number, match.group(1), match.group(2)))
        return found


def read_tree(root):
    """Every text file below root that belongs to the project: no hidden folders, no build folders."""
    sources = []
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(
            name for name in subfolders
            if not name.startswith((".", "build")) and name not in SKIPPED_FOLDERS
        )
        for name in sorted(files):
            path = os.path.join(folder, name)
            try:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            except (UnicodeDecodeError, FileNotFoundError):  # an image; a dangling link
                continue
            sources.append(Source(os.path.relpath(path, root).replace(os.sep, "/"), text))
    return sources
