#include "tools/origin/text.h"

#include <gtest/gtest.h>

namespace weir::origin {
namespace {

using std::chrono::milliseconds;

TEST(OriginText, NumbersAreWholeAndFit) {
  EXPECT_EQ(parse_number("0"), 0u);
  EXPECT_EQ(parse_number("18446744073709551615"), 18446744073709551615u);
  for (const char* bad : {"", " 1", "1 ", "+1", "-1", "0x10", "1.0", "18446744073709551616"}) {
    EXPECT_FALSE(parse_number(bad)) << bad;
  }
}

TEST(OriginText, SizesHaveUnits) {
  EXPECT_EQ(parse_size("7"), 7u);
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("1MiB"), 1048576u);
  EXPECT_EQ(parse_size("2GiB"), 2147483648u);
  EXPECT_EQ(parse_size("9223372036854775807"), 9223372036854775807u);
  for (const char* bad : {"", "KiB", "1kb", "1 KiB", "9223372036854775808", "9223372036854775807GiB"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
}

TEST(OriginText, DurationsAreMillisecondsUnlessTheySayOtherwise) {
  EXPECT_EQ(parse_duration("250"), milliseconds{250});
  EXPECT_EQ(parse_duration("250ms"), milliseconds{250});
  EXPECT_EQ(parse_duration("2s"), milliseconds{2000});
  EXPECT_EQ(parse_duration("1m"), milliseconds{60000});
  for (const char* bad : {"", "ms", "1h", "-5", "1.5s", "86400001", "1441m"}) EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(OriginText, RatesLieBetweenZeroAndOne) {
  EXPECT_EQ(parse_rate("0"), 0.0);
  EXPECT_EQ(parse_rate("0.25"), 0.25);
  EXPECT_EQ(parse_rate("1"), 1.0);
  for (const char* bad : {"", "1.1", "-0.1", "nan", "inf", "0.3x"}) EXPECT_FALSE(parse_rate(bad)) << bad;
}

TEST(OriginText, WordsIgnoreCase) {
  EXPECT_TRUE(same_word("Keep-Alive", "keep-ALIVE"));
  EXPECT_FALSE(same_word("close", "closed"));
  EXPECT_FALSE(same_word("[", "{"));  // one bit apart, as a letter's cases are
  EXPECT_EQ(trimmed(" \t a b \t"), "a b");
  EXPECT_EQ(trimmed(" \t"), "");
}

}  // namespace
}  // namespace weir::origin
