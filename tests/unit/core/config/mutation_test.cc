// Thousands of broken variants of good files, the same ones in every run: none may crash the parser, and every refusal
// has a place and a sentence that are true of the text.
#include <gtest/gtest.h>

#include <random>

#include "core/config/source.h"
#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using namespace std::string_view_literals;

constexpr int mutations_per_file = 1500;

// Pieces that matter to YAML, to variables or to our own syntaxes.
constexpr std::array pieces{"\n"sv,
                            " "sv,
                            "  "sv,
                            "\t"sv,
                            ":"sv,
                            ": "sv,
                            "- "sv,
                            "-"sv,
                            "#"sv,
                            "["sv,
                            "]"sv,
                            "{"sv,
                            "}"sv,
                            ","sv,
                            "\""sv,
                            "'"sv,
                            "\\"sv,
                            "&a"sv,
                            "*a"sv,
                            "|"sv,
                            "<<: "sv,
                            ">"sv,
                            "!"sv,
                            "!!x"sv,
                            "%"sv,
                            "@"sv,
                            "---\n"sv,
                            "...\n"sv,
                            "$"sv,
                            "${"sv,
                            "? "sv,
                            "~"sv,
                            "null"sv,
                            "\r"sv,
                            "\0"sv,
                            "\xff"sv,
                            "\xc3"sv,
                            "\x04"sv,
                            "${A:-b}"sv,
                            "\xf0\x9f\x98\x80"sv,
                            "99999999999999999999"sv};

std::string mutated(std::string text, std::mt19937_64& random) {
  const auto below = [&](size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(random() % bound); };
  const size_t edits = 1 + below(3);
  for (size_t i = 0; i < edits; ++i) {
    const size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0: text.insert(at, pieces[below(pieces.size())]); break;
      case 1: text.erase(at, 1 + below(8)); break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 3: text.insert(at, text.substr(below(text.size() + 1), below(60))); break;
      case 4: text.resize(at); break;
      default: text.replace(std::min(at, text.size()), below(4), pieces[below(pieces.size())]); break;
    }
  }
  return text;
}

void expect_true_places(const ParseResult& result, const std::string& text) {
  ASSERT_NE(result.ok(), !result.diagnostics.empty());
  const SourceText source{"m.yaml", text};
  const uint32_t lines = source.line_of(source.text().size());
  for (const Diagnostic& diagnostic : result.diagnostics) {
    ASSERT_FALSE(diagnostic.message.empty());
    ASSERT_EQ(diagnostic.file, "m.yaml");
    if (diagnostic.line == 0) {
      ASSERT_EQ(diagnostic.message, "the file is empty");
      continue;
    }
    ASSERT_LE(diagnostic.line, lines);
    ASSERT_GE(diagnostic.column, 1U);
    ASSERT_LE(diagnostic.column, source.line(diagnostic.line).size() + 1);
  }
}

TEST(ConfigMutations, NeverCrashAndAlwaysSayWhere) {
  auto files = files_in(repository() / "tests/fixtures/config/good", ".yaml");
  for (const auto& example : files_in(repository() / "examples", ".yaml")) files.push_back(example);
  int refused = 0;
  int taken = 0;
  for (const auto& file : files) {
    const std::string good = contents(file);
    std::mt19937_64 random{std::hash<std::string>{}(file.filename().string())};
    for (int i = 0; i < mutations_per_file; ++i) {
      const std::string text = mutated(good, random);
      SCOPED_TRACE("mutation " + std::to_string(i) + " of " + file.filename().string() + ":\n" + text);
      const ParseResult result = parse_fixture(text, "m.yaml");
      (result.ok() ? taken : refused) += 1;
      expect_true_places(result, text);
      if (HasFatalFailure()) return;
      ASSERT_EQ(result.render().empty(), result.ok());
    }
  }
  // Both ways are really walked.
  EXPECT_GT(refused, 1000);
  EXPECT_GT(taken, 100);
}

}  // namespace
}  // namespace weir::config
