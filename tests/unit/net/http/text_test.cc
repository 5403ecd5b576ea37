#include "net/http/text.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace weir::http {
namespace {

TEST(HttpText, LettersAreThoseOfAscii) {
  for (int i = 0; i < 256; ++i) {
    const auto c = static_cast<char>(i);
    const bool is_upper = i >= 'A' && i <= 'Z';
    const bool is_other = (i >= 'a' && i <= 'z') || (i >= '0' && i <= '9');
    EXPECT_EQ(ascii_lower(c), is_upper ? static_cast<char>(i + 32) : c) << i;
    EXPECT_EQ(is_alphanumeric(c), is_upper || is_other) << i;
  }
}

TEST(HttpText, AWriterNeverGoesBeyondItsRoom) {
  std::array<char, 6> room{'.', '.', '.', '.', '.', '.'};
  TextWriter writer{std::span{room}.first(5)};
  writer.text("abc");
  EXPECT_FALSE(writer.overflowed());
  writer.text("defg");
  EXPECT_TRUE(writer.overflowed());
  // Nothing after what did not fit: half of a text is none.
  writer.character('h');
  EXPECT_EQ(writer.size(), 3U);
  EXPECT_EQ(std::string_view(room.data(), room.size()), "abc...");
}

TEST(HttpText, AWriterMayBeFilledToTheLastByte) {
  std::array<char, 3> room{};
  TextWriter writer{room};
  writer.text("abc");
  writer.text("");
  EXPECT_FALSE(writer.overflowed());
  EXPECT_EQ(writer.size(), 3U);
}

}  // namespace
}  // namespace weir::http
