#include "hashing/apportion.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace weir::hashing {
namespace {

using Shares = std::vector<uint32_t>;

TEST(Apportion, DividesEvenly) {
  EXPECT_EQ(apportion(Shares{1, 1, 1}, 9), (Shares{3, 3, 3}));
  EXPECT_EQ(apportion(Shares{1, 1, 1}, 11), (Shares{4, 4, 3}));
  EXPECT_EQ(apportion(Shares{7}, 13), (Shares{13}));
}

TEST(Apportion, GivesTheRestToTheLargestRemainders) {
  // 10 * {1, 2, 4} / 7 = {1.43, 2.86, 5.71}.
  EXPECT_EQ(apportion(Shares{1, 2, 4}, 10), (Shares{1, 3, 6}));
}

TEST(Apportion, GivesNothingForNothing) {
  EXPECT_EQ(apportion(Shares{}, 5), Shares{});
  EXPECT_EQ(apportion(Shares{0, 0}, 5), (Shares{0, 0}));
  EXPECT_EQ(apportion(Shares{0, 3, 0}, 5), (Shares{0, 5, 0}));
  EXPECT_EQ(apportion(Shares{1, 2}, 0), (Shares{0, 0}));
}

TEST(Apportion, DoesNotOverflow) {
  constexpr uint32_t most = std::numeric_limits<uint32_t>::max();
  EXPECT_EQ(apportion(Shares{most, most}, most), (Shares{most / 2 + 1, most / 2}));
}

TEST(Apportion, IsExactForAnyWeights) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 500; ++round) {
    Shares weights(1 + random() % 50);
    for (uint32_t& weight : weights) weight = static_cast<uint32_t>(random() >> (32 + random() % 32));
    const auto total = static_cast<uint32_t>(random() % 100'000);
    const uint64_t sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
    if (sum == 0) continue;
    const Shares shares = apportion(weights, total);
    ASSERT_EQ(std::accumulate(shares.begin(), shares.end(), uint64_t{0}), total);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const uint64_t exact = uint64_t{total} * weights[i];
      ASSERT_GE(shares[i], exact / sum);
      ASSERT_LE(shares[i], (exact + sum - 1) / sum);
    }
  }
}

}  // namespace
}  // namespace weir::hashing
