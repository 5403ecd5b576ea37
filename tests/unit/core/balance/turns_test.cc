#include "core/balance/turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/random.h"

namespace weir {
namespace {

using Indexes = std::vector<uint32_t>;

Indexes turns(const std::vector<uint32_t>& weights) {
  return smooth_turns(weights);
}

Indexes count_of_each(const Indexes& cycle, size_t endpoints) {
  Indexes counts(endpoints, 0);
  for (const uint32_t index : cycle) ++counts.at(index);
  return counts;
}

// The algorithm as nginx runs it, one step per pick over all endpoints: slow and obvious.
Indexes reference(const std::vector<uint32_t>& weights, size_t length) {
  const auto sum = std::accumulate(weights.begin(), weights.end(), int64_t{0});
  std::vector<int64_t> current(weights.size(), 0);
  Indexes result;
  while (result.size() < length) {
    size_t best = weights.size();
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] == 0) continue;
      current[i] += weights[i];
      if (best == weights.size() || current[i] > current[best]) best = i;
    }
    current[best] -= sum;
    result.push_back(static_cast<uint32_t>(best));
  }
  return result;
}

TEST(Turns, KnownCycles) {
  EXPECT_EQ(turns({5, 1, 1}), (Indexes{0, 0, 1, 0, 2, 0, 0}));
  EXPECT_EQ(turns({1, 1, 1}), (Indexes{0, 1, 2}));
  EXPECT_EQ(turns({3, 1}), (Indexes{0, 0, 1, 0}));
  EXPECT_EQ(turns({1, 2, 3}), (Indexes{2, 1, 0, 2, 1, 2}));
  EXPECT_EQ(turns({4, 2, 1}), (Indexes{0, 1, 0, 2, 0, 1, 0}));
  EXPECT_EQ(turns({1}), (Indexes{0}));
}

TEST(Turns, NobodyWithoutWeight) {
  EXPECT_EQ(turns({}), Indexes{});
  EXPECT_EQ(turns({0, 0}), Indexes{});
  EXPECT_EQ(turns({0, 2, 0, 1}), (Indexes{1, 3, 1}));
}

TEST(Turns, CommonFactorsChangeNothing) {
  EXPECT_EQ(turns({500, 100, 100}), turns({5, 1, 1}));
  EXPECT_EQ(turns({65535, 65535}), (Indexes{0, 1}));
}

TEST(Turns, EqualWeightsTakeTurnsInOrder) {
  const Indexes cycle = turns(std::vector<uint32_t>(10'000, 7));
  ASSERT_EQ(cycle.size(), 10'000U);
  for (uint32_t i = 0; i < cycle.size(); ++i) ASSERT_EQ(cycle[i], i);
}

TEST(Turns, AreThoseOfTheReference) {
  Random random(42);
  for (int round = 0; round < 300; ++round) {
    std::vector<uint32_t> weights(1 + random.below(12));
    for (uint32_t& weight : weights) weight = static_cast<uint32_t>(random.below(round % 3 == 0 ? 4 : 40));
    const Indexes cycle = turns(weights);
    // Twice, so that the end of a cycle is seen to meet its start.
    Indexes twice = cycle;
    twice.insert(twice.end(), cycle.begin(), cycle.end());
    ASSERT_EQ(twice, reference(weights, twice.size())) << testing::PrintToString(weights);
  }
}

TEST(Turns, WeightsAreExact) {
  EXPECT_EQ(count_of_each(turns({1, 1000}), 2), (Indexes{1, 1000}));
  EXPECT_EQ(count_of_each(turns({65535, 65534}), 2), (Indexes{65535, 65534}));  // the largest pair of 16 bits
}

// 10,000 random weights of 16 bits have a sum of about 330 million.
TEST(Turns, HugeSumsAreScaled) {
  Random random(5);
  std::vector<uint32_t> weights(10'000);
  for (uint32_t& weight : weights) weight = 1 + static_cast<uint32_t>(random.below(65535));
  const Indexes cycle = turns(weights);
  EXPECT_GE(cycle.size(), turns_max);
  EXPECT_LE(cycle.size(), turns_max + weights.size());

  const Indexes counts = count_of_each(cycle, weights.size());
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (size_t i = 0; i < weights.size(); ++i) {
    EXPECT_GE(counts[i], 1U);
    EXPECT_LE(std::abs(counts[i] - turns_max * (weights[i] / sum)), 1.0);
  }
}

TEST(Turns, MoreEndpointsThanTurns) {
  std::vector<uint32_t> weights(turns_max + 1000, 1);
  weights[0] = 2;
  const Indexes counts = count_of_each(turns(weights), weights.size());
  EXPECT_EQ(*std::min_element(counts.begin(), counts.end()), 1U);
}

}  // namespace
}  // namespace weir
