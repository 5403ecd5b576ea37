#include "tools/origin/pattern.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace weir::origin {
namespace {

// The pattern as its header describes it, written a second time in another way.
char expected_at(std::uint64_t offset) {
  char line[17];
  std::snprintf(line, sizeof line, "%015llu\n", static_cast<unsigned long long>(offset / 16 * 16 % 1'000'000));
  return line[offset % 16];
}

TEST(OriginPattern, EachLineSaysItsOffset) {
  for (const std::uint64_t offset :
       {0ull, 5ull, 999'980ull, 1'000'000ull, 3'000'000'000ull, 18'000'000'000'000'007ull}) {
    const std::string_view piece = pattern_at(offset, 40);
    ASSERT_FALSE(piece.empty());
    for (std::size_t i = 0; i < piece.size(); ++i) ASSERT_EQ(piece[i], expected_at(offset + i)) << offset << "+" << i;
  }
}

TEST(OriginPattern, PiecesEndWithTheLengthOrThePeriod) {
  EXPECT_EQ(pattern_at(10, 100).size(), 100u);
  EXPECT_EQ(pattern_at(0, 5'000'000).size(), pattern_period);
  EXPECT_EQ(pattern_at(pattern_period - 1, 100).size(), 1u);
  EXPECT_TRUE(pattern_at(7, 0).empty());
}

TEST(OriginPattern, SlipsByBufferSizesShow) {
  for (const std::uint64_t slip : {1u, 16u, 1448u, 4096u, 16384u, 65536u, 262144u, 1048576u}) {
    EXPECT_NE(pattern_at(0, 16), pattern_at(slip, 16)) << slip;
  }
}

}  // namespace
}  // namespace weir::origin
