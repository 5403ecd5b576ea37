#include "hashing/hash64.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <set>
#include <string>

namespace weir::hashing {
namespace {

TEST(Hash64, IsXxh3) {
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2U);
  EXPECT_EQ(hash64("a"), 0xe6c632b61e964e1fU);
  EXPECT_EQ(hash64("abc"), 0x78af5f94892f3950U);
}

TEST(Hash64, SeesBytesAndTextAlike) {
  const std::string text(300, 'x');
  for (std::size_t size = 0; size <= text.size(); size += 7) {
    const std::string_view part = std::string_view(text).substr(0, size);
    EXPECT_EQ(hash64(std::as_bytes(std::span(part)), 5), hash64(part, 5));
  }
}

TEST(Hash64, DependsOnTheSeed) {
  std::set<uint64_t> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    seen.insert(hash64("10.0.0.1:80", seed));
    seen.insert(mix64(80, seed));
  }
  EXPECT_EQ(seen.size(), 200U);
}

TEST(Hash64, MixTurnsHalfOfTheBitsForEachBitOfInput) {
  for (int bit = 0; bit < 64; ++bit) {
    int turned = 0;
    for (uint64_t value = 0; value < 256; ++value) {
      turned += std::popcount(mix64(value, 9) ^ mix64(value ^ (uint64_t{1} << bit), 9));
    }
    // 256 * 64 coins: 8,192 heads, with a standard deviation of 64.
    EXPECT_NEAR(turned, 8192, 5 * 64) << "bit " << bit;
  }
}

TEST(Hash64, MixDoesNotConfuseValueAndSeed) {
  std::set<uint64_t> seen;
  for (uint64_t value = 0; value < 64; ++value) {
    for (uint64_t seed = 0; seed < 64; ++seed) seen.insert(mix64(value, seed));
  }
  EXPECT_EQ(seen.size(), 64U * 64U);
}

TEST(Hash64, ReduceStaysInRangeAndCoversIt) {
  EXPECT_EQ(reduce(0, 7), 0U);
  EXPECT_EQ(reduce(std::numeric_limits<uint64_t>::max(), 7), 6U);
  EXPECT_EQ(reduce(std::numeric_limits<uint64_t>::max(), std::numeric_limits<uint32_t>::max()),
            std::numeric_limits<uint32_t>::max() - 1);
  EXPECT_EQ(reduce(uint64_t{1} << 63, 2), 1U);
  EXPECT_EQ(reduce((uint64_t{1} << 63) - 1, 2), 0U);
}

}  // namespace
}  // namespace weir::hashing
