#include "hashing/exponential.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "hashing/hash64.h"

namespace weir::hashing {
namespace {

// By the C library, in units of the result.
long double exact(uint64_t uniform) {
  const long double x = std::ldexp(static_cast<long double>(uniform), -64);
  return std::ldexp(-std::log1p(-x) / std::log(2.0L), exponential_fraction_bits);
}

TEST(Exponential, KnowsThePowersOfTwo) {
  EXPECT_EQ(exponential(0), 0U);
  for (int zeros = 1; zeros <= 64; ++zeros) {
    // 1 - x = 2^-zeros
    const uint64_t x = 0 - (zeros == 64 ? uint64_t{1} : uint64_t{1} << (64 - zeros));
    EXPECT_EQ(exponential(x), static_cast<uint64_t>(zeros) << exponential_fraction_bits) << zeros;
  }
}

TEST(Exponential, IsTheLogarithm) {
  for (uint64_t i = 0; i < 200'000; ++i) {
    // All sizes of x and of 1 - x, many times each.
    const uint64_t uniform = mix64(i, 51) >> (i % 64);
    for (const uint64_t x : {uniform, ~uniform}) {
      const long double value = exact(x);
      ASSERT_LE(std::abs(static_cast<long double>(exponential(x)) - value), std::ldexp(value, -40) + 4) << x;
    }
  }
}

TEST(Exponential, NeverFalls) {
  for (uint64_t i = 0; i < 200'000; ++i) {
    const uint64_t uniform = mix64(i, 52) >> (i % 64);
    for (const uint64_t x : {uniform, ~uniform}) {
      ASSERT_LE(exponential(x == 0 ? 0 : x - 1), exponential(x)) << x;
      ASSERT_GE(exponential(x), x >> 7) << x;
    }
  }
}

// Where one piece of the approximation meets the next, and where zeros are counted.
TEST(Exponential, NeverFallsAtTheSeams) {
  for (int zeros = 0; zeros < 56; ++zeros) {
    for (uint64_t segment = 0; segment <= 128; ++segment) {
      // 1 - x = 2^-zeros * (1 - segment / 256)
      const uint64_t seam = 0 - ((256 - segment) << (56 - zeros));
      for (uint64_t x = seam - 3; x != seam + 3; ++x) {
        if (x + 1 == 0 || (zeros == 0 && x > ~uint64_t{3})) continue;  // Across 0, where x begins again.
        ASSERT_LE(exponential(x), exponential(x + 1)) << zeros << ' ' << segment;
      }
    }
  }
}

}  // namespace
}  // namespace weir::hashing
