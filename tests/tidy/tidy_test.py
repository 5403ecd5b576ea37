"""Shows that tidy fails where it must: each rule is given a small tree that breaks it, and one that does not."""

import unittest

import arrows
import rules
from tidy import find_problems
from tree import Source

DOCUMENT = """
Words before.

| folder | may include | libraries | must not know |
|---|---|---|---|
| `hashing` | | xxHash | endpoints |
| `core/base` | | | anything |
| `core/balance` | `core/base`, `hashing` | | sockets |
| `net/io`, `net/tls` | `core/base` | liburing | protocols |
| `net/proxy` | `core/*`, `net/*` | | control |
| `tools`, `tests` | everything | everything | |

| another | table | libraries |
|---|---|---|
| `net/io` | everything | |
"""

LINKS = """
weir_library(hashing PACKAGES PkgConfig::xxhash)
weir_library(core/base)
weir_library(core/balance DEPENDS core/base hashing)
weir_library(net/io DEPENDS core/base PACKAGES PkgConfig::liburing)
weir_library(net/proxy DEPENDS core/base core/balance
  net/io)
"""


def header(path, *lines):
    return Source(path, "\n".join(("// What this is.", "#pragma once", *lines)) + "\n")


def tree(*sources):
    """A tree without problems, and the given files."""
    given = {source.path: source for source in sources}
    base = {
        "docs/ARCHITECTURE.md": Source("docs/ARCHITECTURE.md", DOCUMENT),
        "CMakeLists.txt": Source("CMakeLists.txt", LINKS),
        "hashing/hash64.h": header("hashing/hash64.h", "#include <xxhash.h>"),
        "core/base/slab.h": header("core/base/slab.h", "#include <vector>"),
    }
    return list((base | given).values())


def found(*sources):
    return [(problem.path, problem.line, problem.rule) for problem in find_problems(tree(*sources))]


class Arrows(unittest.TestCase):
    def test_a_tree_that_keeps_the_table_has_no_problems(self):
        self.assertEqual(found(
            header("core/balance/maglev.h", '#include "hashing/hash64.h"', '#include "core/base/slab.h"'),
            header("net/proxy/worker.h", '#include "core/balance/maglev.h"', '#include <sys/socket.h>'),
            header("tools/weir/run.h", '#include "net/proxy/worker.h"', '#include <CLI/CLI.hpp>'),
        ), [])

    def test_an_include_against_the_table_is_found_at_its_line(self):
        self.assertIn(("core/base/list.h", 3, "arrow"),
                      found(header("core/base/list.h", '#include "hashing/hash64.h"')))

    def test_a_wildcard_names_folders_below_it_and_no_others(self):
        self.assertIn(("net/proxy/worker.h", 3, "arrow"),
                      found(header("net/proxy/worker.h", '#include "hashing/hash64.h"')))

    def test_one_cell_may_name_two_folders(self):
        folders = [row.folder for row in arrows.parse_table(DOCUMENT)]
        self.assertEqual(folders, ["hashing", "core/base", "core/balance", "net/io", "net/tls", "net/proxy", "tools",
                                   "tests"])

    def test_nothing_includes_the_tests(self):
        self.assertIn(("tools/weir/run.h", 3, "arrow"),
                      found(header("tests/clock.h"), header("tools/weir/run.h", '#include "tests/clock.h"')))

    def test_a_library_belongs_to_the_folders_that_name_it(self):
        self.assertIn(("net/proxy/worker.h", 3, "arrow"),
                      found(header("net/proxy/worker.h", "#include <liburing.h>")))
        self.assertEqual(found(header("net/io/ring.h", "#include <liburing.h>")), [])

    def test_a_library_nobody_decided_on_is_found(self):
        self.assertIn(("core/base/list.h", 3, "arrow"),
                      found(header("core/base/list.h", "#include <boost/intrusive/list.hpp>")))

    def test_a_quoted_include_starts_at_the_root(self):
        self.assertIn(("core/base/list.h", 3, "arrow"), found(header("core/base/list.h", '#include "slab.h"')))

    def test_a_folder_without_a_row_is_found(self):
        self.assertIn(("core/other/list.h", 1, "arrow"), found(header("core/other/list.h")))

    def test_an_include_in_a_comment_is_none(self):
        self.assertEqual(found(header("core/base/list.h", '// #include "hashing/hash64.h"',
                                      '/*\n#include "hashing/hash64.h"\n*/')), [])

    def test_a_document_without_the_table_is_an_error(self):
        with self.assertRaises(ValueError):
            arrows.parse_table("no table")


class Links(unittest.TestCase):
    def test_a_link_against_the_table_is_found(self):
        cmake = Source("CMakeLists.txt", LINKS.replace("(core/base)", "(core/base DEPENDS net/io)"))
        self.assertEqual(found(cmake), [("CMakeLists.txt", 3, "link")])

    def test_an_include_needs_its_link(self):
        cmake = Source("CMakeLists.txt", LINKS.replace("DEPENDS core/base hashing)", "DEPENDS core/base)"))
        self.assertEqual(found(cmake, header("core/balance/maglev.h", '#include "hashing/hash64.h"')),
                         [("CMakeLists.txt", 4, "link")])

    def test_a_folder_with_arrows_needs_a_library(self):
        cmake = Source("CMakeLists.txt", LINKS.replace("weir_library(core/balance DEPENDS core/base hashing)", ""))
        self.assertEqual(found(cmake, header("core/balance/maglev.h", '#include "hashing/hash64.h"')),
                         [("core/balance/maglev.h", 3, "link")])

    def test_a_library_in_a_comment_is_none(self):
        cmake = Source("CMakeLists.txt", "# weir_library(core/base DEPENDS net/io)" + LINKS)
        self.assertEqual(found(cmake), [])


class Rules(unittest.TestCase):
    def check(self, rule, path, broken, kept):
        """`broken` breaks the rule in its third line; `kept` does not break it."""
        self.assertIn((path, 3, rule), found(header(path, broken)))
        self.assertNotIn(rule, [problem[2] for problem in found(header(path, kept))])

    def test_bans(self):
        self.check("regex", "core/base/a.h", "std::regex pattern;", "// std::regex is slow")
        self.check("regex", "core/base/a.h", "#include <regex>", "int regex;")
        self.check("using-std", "core/base/a.h", "using namespace std;", "using namespace std_like;")
        self.check("sleep", "tests/a.h", "std::this_thread::sleep_for(1ms);", 'puts("sleep_for");')
        self.check("sleep", "tests/a.h", "usleep(10);", "bool asleep();")
        self.check("exceptions", "net/io/a.h", "try {", "int retry;")
        self.check("exceptions", "net/io/a.h", "throw 1;", "// throw nothing")
        self.check("memory-order", "core/base/a.h", "count_.load();", "count_.load(std::memory_order_acquire);")
        self.check("memory-order", "core/base/a.h", "count->store(1);", "count->store(1, std::memory_order_release);")
        self.check("system-call", "net/proxy/a.h", "::close(fd);", "session.close(fd); io::close(fd);")
        self.check("pure", "net/tls/a.h", "#include <sys/socket.h>", "#include <string>")

    def test_bans_hold_in_their_folders_only(self):
        self.assertEqual(found(header("tools/a.h", "try {")), [])
        self.assertEqual(found(header("net/io/a.h", "::close(fd);")), [])
        self.assertEqual(found(header("tests/a.h", "std::regex pattern;")), [])

    def test_sleep_in_scripts_of_tests(self):
        self.assertEqual(found(Source("tests/a.py", "import time\ntime.sleep(1)\n")), [("tests/a.py", 2, "sleep")])
        self.assertEqual(found(Source("tests/a.sh", "sleep 1\n")), [("tests/a.sh", 1, "sleep")])
        self.assertEqual(found(Source("scripts/a.sh", "sleep 1\n")), [])

    def test_a_reason_allows_what_it_names(self):
        self.check("sleep", "tests/a.h", "usleep(1);  // tidy-allow: sleep", "usleep(1);  // tidy-allow: sleep, why")
        self.check("sleep", "tests/a.h", "usleep(1);  // tidy-allow: regex, why",
                   "// tidy-allow: sleep, why\nusleep(1);")

    def test_headers(self):
        self.assertEqual(found(Source("core/base/a.h", "// What this is.\n")), [("core/base/a.h", 1, "pragma-once")])
        self.assertEqual(found(Source("core/base/a.h", "#pragma once\n")), [("core/base/a.h", 1, "opening")])
        self.assertEqual(found(Source("core/base/a.def", "ROW(one)\n")), [("core/base/a.def", 1, "opening")])

    def test_shape(self):
        self.check("columns", "core/base/a.h", "// " + "x" * 118, "// " + "x" * 117)
        self.check("blanks", "core/base/a.h", "int a; ", "int a;")
        self.check("blanks", "core/base/a.h", "\tint a;", "  int a;")
        self.assertEqual(found(Source("core/base/a.cc", "int a;")), [("core/base/a.cc", 1, "blanks")])

    def test_names(self):
        self.assertEqual(found(Source("core/base/a.cpp", "")), [("core/base/a.cpp", 1, "name")])
        self.assertEqual(found(Source("core/base/TimerWheel.cc", "")), [("core/base/TimerWheel.cc", 1, "name")])

    def test_unit_tests_mirror_the_tree(self):
        self.assertEqual(found(Source("tests/unit/core/base/slab_test.cc", "")), [])
        self.assertEqual(found(Source("tests/unit/core/bass/slab_test.cc", "")),
                         [("tests/unit/core/bass/slab_test.cc", 1, "mirror")])

    def test_a_long_file_needs_a_reason_and_keeps_it_only_while_long(self):
        long = Source("core/base/a.cc", "int a;\n" * (rules.LINES_MAX + 1))
        short = Source("core/base/a.cc", "int a;\n")
        reason = Source(rules.LONG_FILES, "core/base/a.cc one table\n")
        self.assertEqual(found(long), [("core/base/a.cc", rules.LINES_MAX + 1, "long")])
        self.assertEqual(found(long, Source(rules.LONG_FILES, "core/base/a.cc\n")),
                         [("core/base/a.cc", rules.LINES_MAX + 1, "long")])
        self.assertEqual(found(long, reason), [])
        self.assertEqual(found(short, reason), [(rules.LONG_FILES, 1, "long")])
        self.assertEqual(found(reason), [(rules.LONG_FILES, 1, "long")])


class Code(unittest.TestCase):
    def test_comments_and_literals_are_blanked_and_lines_kept(self):
        text = 'a("//x") + R"(y\n")" + 1\'000 + \'"\' /* z\n*/ b // c\n'
        code = Source("a.cc", text).code
        self.assertEqual(len(code), 3)
        self.assertEqual([line.split() for line in code], [["a(", ")", "+"], ["+", "1'000", "+"], ["b"]])


if __name__ == "__main__":
    unittest.main()
