#include "hashing/prime.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace weir::hashing {
namespace {

TEST(Prime, AgreesWithASieve) {
  constexpr uint64_t limit = 200'000;
  std::vector<bool> composite(limit, false);
  for (uint64_t i = 2; i < limit; ++i) {
    for (uint64_t multiple = 2 * i; multiple < limit && !composite[i]; multiple += i) composite[multiple] = true;
  }
  EXPECT_FALSE(is_prime(0));
  EXPECT_FALSE(is_prime(1));
  for (uint64_t i = 2; i < limit; ++i) ASSERT_EQ(is_prime(i), !composite[i]) << i;
}

TEST(Prime, KnowsLargePrimes) {
  for (uint64_t prime : {uint64_t{65537}, uint64_t{655373}, uint64_t{2147483647}, uint64_t{4294967291},
                         (uint64_t{1} << 61) - 1, uint64_t{18446744073709551557U}}) {
    EXPECT_TRUE(is_prime(prime)) << prime;
  }
}

TEST(Prime, IsNotFooledByPseudoprimes) {
  // Carmichael numbers, and the least that pass Miller-Rabin for the first 4, 7, 9 prime bases.
  for (uint64_t number : {uint64_t{561}, uint64_t{1729}, uint64_t{825265}, uint64_t{3215031751},
                          uint64_t{341550071728321}, uint64_t{3825123056546413051}}) {
    EXPECT_FALSE(is_prime(number)) << number;
  }
  // Squares and products of primes near 2^32 use all 64 bits of the arithmetic.
  EXPECT_FALSE(is_prime(uint64_t{4294967291} * 4294967291));
  EXPECT_FALSE(is_prime(uint64_t{4294967291} * 4294967279));
  EXPECT_FALSE(is_prime(std::numeric_limits<uint64_t>::max()));
}

TEST(Prime, NextIsTheLeastThatIsNotLess) {
  EXPECT_EQ(next_prime(0), 2U);
  EXPECT_EQ(next_prime(2), 2U);
  EXPECT_EQ(next_prime(3), 3U);
  EXPECT_EQ(next_prime(4), 5U);
  EXPECT_EQ(next_prime(65536), 65537U);
  EXPECT_EQ(next_prime(65537), 65537U);
  EXPECT_EQ(next_prime(65538), 65539U);
  EXPECT_EQ(next_prime(18446744073709551557U), 18446744073709551557U);
  EXPECT_EQ(next_prime(18446744073709551558U), 0U);
  EXPECT_EQ(next_prime(std::numeric_limits<uint64_t>::max()), 0U);
}

}  // namespace
}  // namespace weir::hashing
