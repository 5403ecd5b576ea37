#include "core/config/source.h"

#include <gtest/gtest.h>

#include "core/config/unicode.h"

namespace weir::config {
namespace {

std::pair<uint32_t, uint32_t> place(const SourceText& source, size_t offset) {
  const Diagnostic diagnostic = source.diagnostic(offset, "", "");
  return {diagnostic.line, diagnostic.column};
}
using Place = std::pair<uint32_t, uint32_t>;

TEST(SourceText, CountsLinesAndCharacters) {
  const SourceText source{"f", "ab\n\xc3\xa9\xe6\x97\xa5x\n\nz"};  // the second line has characters of 2, 3 and 1 bytes
  EXPECT_EQ(place(source, 0), (Place{1, 1}));
  EXPECT_EQ(place(source, 1), (Place{1, 2}));
  EXPECT_EQ(place(source, 2), (Place{1, 3}));
  EXPECT_EQ(place(source, 3), (Place{2, 1}));
  EXPECT_EQ(place(source, 5), (Place{2, 2}));
  EXPECT_EQ(place(source, 8), (Place{2, 3}));
  EXPECT_EQ(place(source, 10), (Place{3, 1}));
  EXPECT_EQ(place(source, 11), (Place{4, 1}));
  EXPECT_EQ(place(source, 12), (Place{4, 2}));
  EXPECT_EQ(place(source, 9999), (Place{4, 2}));
}

TEST(SourceText, BehindTheLastNewlineIsTheEndOfTheLastLine) {
  EXPECT_EQ(place(SourceText("f", "ab\n\n"), 4), (Place{1, 3}));
  EXPECT_EQ(place(SourceText("f", "\n"), 1), (Place{1, 1}));
  EXPECT_EQ(place(SourceText("f", ""), 0), (Place{1, 1}));
}

TEST(SourceText, TakesTheByteOrderMarkAndCarriageReturnsOff) {
  const SourceText source{"f",
                          "\xef\xbb\xbf"
                          "a\r\nb\r\n"};
  EXPECT_EQ(source.text(), "a\r\nb\r\n");
  EXPECT_EQ(source.line(1), "a");
  EXPECT_EQ(source.line(2), "b");
  EXPECT_EQ(place(source, 3), (Place{2, 1}));
}

TEST(SourceText, ALongLineIsCutAroundThePlace) {
  const SourceText source{"f", std::string(5000, 'a') + "X" + std::string(5000, 'b')};
  const Diagnostic diagnostic = source.diagnostic(5000, "m", "");
  EXPECT_EQ(diagnostic.column, 5001U);
  EXPECT_LT(diagnostic.excerpt.size(), 200U);
  EXPECT_EQ(diagnostic.excerpt.substr(0, 4), "...a");
  EXPECT_EQ(diagnostic.excerpt[diagnostic.caret - 1], 'X');
}

TEST(SourceText, ACutNeverSplitsACharacter) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\xe6\x97\xa5";
  for (size_t offset = 0; offset < text.size(); offset += 3) {
    const Diagnostic diagnostic = SourceText("f", text).diagnostic(offset, "m", "");
    for (size_t at = 0; at < diagnostic.excerpt.size();) {
      const auto point = decode_utf8(diagnostic.excerpt, at);
      ASSERT_TRUE(point) << offset;
      at += point->bytes;
    }
  }
}

TEST(Utf8, TakesTheShortestFormsOnly) {
  const std::vector<std::pair<std::string_view, char32_t>> good{{"A", 'A'},
                                                                {"\x7f", 0x7f},
                                                                {"\xc2\x80", 0x80},
                                                                {"\xdf\xbf", 0x7ff},
                                                                {"\xe0\xa0\x80", 0x800},
                                                                {"\xef\xbf\xbf", 0xffff},
                                                                {"\xf0\x90\x80\x80", 0x10000},
                                                                {"\xf4\x8f\xbf\xbf", 0x10ffff}};
  for (const auto& [text, value] : good) {
    const auto point = decode_utf8(text, 0);
    ASSERT_TRUE(point);
    EXPECT_EQ(point->value, value);
    EXPECT_EQ(point->bytes, text.size());
  }
  for (const std::string_view text :
       {"", "\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x80\x80", "\xed\xa0\x80", "\xe6\x97",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(decode_utf8(text, 0));
  }
}

TEST(Render, ShowsTabsWideAndForeignCharactersWhereTheyAre) {
  const auto caret_of = [](std::string excerpt, uint32_t caret) {
    const std::string report = render(Diagnostic{"f", 1, 1, "m", "", std::move(excerpt), caret});
    const size_t last_line = report.rfind("| ");
    return report.find('^', last_line) - last_line - 2;
  };
  EXPECT_EQ(caret_of("abc", 1), 0U);
  EXPECT_EQ(caret_of("abc", 4), 3U);
  EXPECT_EQ(caret_of("\tx", 2), 8U);
  EXPECT_EQ(caret_of("ab\tx", 4), 8U);
  EXPECT_EQ(caret_of("\xe6\x97\xa5x", 2), 2U);  // an East Asian character is two cells wide
  EXPECT_EQ(caret_of("e\xcc\x81x", 3), 1U);     // a combining accent has none of its own
  EXPECT_EQ(caret_of("\x1b[31mx", 6), 5U);      // an escape sequence is not obeyed
  EXPECT_EQ(render(Diagnostic{"f", 1, 1, "m", "", "\x1b", 1}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace weir::config
