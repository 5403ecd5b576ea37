"""The arrows: which folder may include which, as docs/ARCHITECTURE.md says, against what the code and CMake do.

The table of the document is the only place where arrows are written down. It is parsed here, so it cannot go stale.
"""

import re
from dataclasses import dataclass

from tree import Problem

DOCUMENT = "docs/ARCHITECTURE.md"
EVERYTHING = "everything"
LEAVES = ("tests", "bench")  # nothing includes them but themselves

# Whose header `<name...>` is. A header with a folder that is neither here nor the platform's is of a library nobody
# decided on.
LIBRARIES = {
    "xxhash.h": "xxHash", "liburing": "liburing", "re2/": "re2", "yaml-cpp/": "yaml-cpp", "nlohmann/": "nlohmann-json",
    "CLI/": "CLI11", "fmt/": "fmt", "spdlog/": "spdlog", "mimalloc": "mimalloc", "gtest/": "GoogleTest",
    "gmock/": "GoogleTest", "benchmark/": "Google Benchmark", "maxminddb.h": "libmaxminddb",
    "openssl/": "OpenSSL", "curl/": "libcurl",
}
PLATFORM_FOLDERS = ("sys/", "linux/", "net/", "netinet/", "arpa/", "asm/", "sanitizer/")

WEIR_LIBRARY = re.compile(r"^\s*weir_library\(\s*([\w/]+)([^)]*)\)", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    folder: str
    may_include: tuple
    libraries: tuple

    def allows(self, folder):
        if folder == self.folder:
            return True
        if EVERYTHING in self.may_include:
            return folder not in LEAVES or self.folder in LEAVES
        return any(
            folder == allowed or (allowed.endswith("/*") and folder.startswith(allowed[:-1]))
            for allowed in self.may_include
        )

    def allows_library(self, library):
        return EVERYTHING in self.may_include or library in self.libraries


def parse_table(markdown):
    """The rows of the table whose first two columns are `folder` and `may include`."""
    rows = []
    inside = False
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[:3] == ["folder", "may include", "libraries"]:
            inside = True
        elif inside and not line.strip().startswith("|"):
            break
        elif inside and not set(cells[0]) <= set("-: "):
            folders, may_include, libraries = (split_cell(cell) for cell in cells[:3])
            rows += [Row(folder, may_include, libraries) for folder in folders]
    if not rows:
        raise ValueError(f"{DOCUMENT} has no table of arrows (| folder | may include | libraries | ...)")
    return rows


def split_cell(cell):
    return tuple(word.strip(" `") for word in cell.split(",") if word.strip(" `"))


def row_of(rows, path):
    """The row of the most precise folder that holds the path, or None."""
    holding = [row for row in rows if path.startswith(row.folder + "/")]
    return max(holding, key=lambda row: len(row.folder), default=None)


def library_of(header):
    """The library a <header> comes from; None for the standard library and the platform; "?" for an unknown one."""
    for prefix, library in LIBRARIES.items():
        if header.startswith(prefix):
            return library
    return "?" if "/" in header and not header.startswith(PLATFORM_FOLDERS) else None


def check_includes(sources, rows):
    """Problems, and the arrows that are really used: {(from folder, to folder): 'path:line' of one use}."""
    problems, used = [], {}
    paths = {source.path for source in sources}
    for source in sources:
        if not source.is_cxx:
            continue
        row = row_of(rows, source.path)
        if row is None:
            problems.append(Problem(source.path, 1, "arrow", f"its folder has no row in the table of {DOCUMENT}"))
            continue
        for line, kind, header in source.includes:
            if kind == "<":
                message = judge_library(row, header)
            else:
                message = judge_own(rows, row, paths, header)
                target = row_of(rows, header)
                if target is not None and target.folder != row.folder:
                    used.setdefault((row.folder, target.folder), f"{source.path}:{line}")
            if message:
                problems.append(Problem(source.path, line, "arrow", message))
    return problems, used


def judge_own(rows, row, paths, header):
    if header not in paths:
        return f'"{header}" is not a path from the root of the project'
    target = row_of(rows, header)
    if target is None or not row.allows(target.folder):
        return f'{row.folder} may not include "{header}"; see the table in {DOCUMENT}'
    return None


def judge_library(row, header):
    library = library_of(header)
    if library == "?":
        return f"<{header}> is of no library that tests/tidy/arrows.py knows"
    if library is not None and not row.allows_library(library):
        return f"{row.folder} may not include <{header}> ({library}); see the table in {DOCUMENT}"
    return None


def check_links(sources, rows, used):
    """A library links exactly to folders it may include, and to every folder it does include."""
    problems, libraries = [], {}
    folders = {row.folder: row for row in rows}
    for source in sources:
        if not source.path.endswith("CMakeLists.txt"):
            continue
        text = "\n".join(source.code)
        for match in WEIR_LIBRARY.finditer(text):
            folder, words = match.group(1), match.group(2).split()
            line = text.count("\n", 0, match.start(1)) + 1
            depends = words_after("DEPENDS", words)
            libraries[folder] = (source.path, line, depends)
            if folder not in folders:
                problems.append(Problem(source.path, line, "link", f"{folder} has no row in the table of {DOCUMENT}"))
                continue
            for depend in depends:
                if depend not in folders or not folders[folder].allows(depend):
                    problems.append(Problem(source.path, line, "link", f"{folder} may not link to {depend}"))
    for (folder, target), place in used.items():
        if EVERYTHING in folders[folder].may_include:
            continue
        if folder not in libraries:
            problems.append(Problem(*split_place(place), "link", f"{folder} has no weir_library()"))
        elif target not in libraries[folder][2]:
            path, line, _ = libraries[folder]
            problems.append(Problem(path, line, "link", f"{folder} includes {target} ({place}) without DEPENDS on it"))
    return problems


def words_after(keyword, words):
    """The words of a CMake call between the keyword and the next one in capitals."""
    if keyword not in words:
        return []
    rest = words[words.index(keyword) + 1:]
    end = next((index for index, word in enumerate(rest) if word.isupper()), len(rest))
    return rest[:end]


def split_place(place):
    path, line = place.rsplit(":", 1)
    return path, int(line)
