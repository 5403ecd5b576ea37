#include "hashing/weighted_draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "hashing/hash64.h"

namespace weir::hashing {
namespace {

using Weights = std::vector<uint32_t>;
constexpr uint32_t most = std::numeric_limits<uint32_t>::max();

// Each member with a weight has its exact share of columns * 2^32 units, up to less than one unit, and never none.
void expect_exact(const Weights& weights) {
  const WeightedDraw table(weights);
  const long double sum = std::accumulate(weights.begin(), weights.end(), 0.0L);
  uint64_t units = 0;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    const uint64_t its = table.units_of(i);
    const long double exact = std::ldexp(static_cast<long double>(table.columns()), 32) * weights[i] / sum;
    // The last term is what 64 bits of mantissa leave open here.
    ASSERT_LE(std::abs(static_cast<long double>(its) - exact), 1 + std::ldexp(exact, -60)) << i;
    ASSERT_EQ(its == 0, weights[i] == 0) << i;
    units += its;
  }
  EXPECT_EQ(units, uint64_t{table.columns()} << 32);
}

TEST(WeightedDraw, IsEmptyWhenNobodyHasWeight) {
  for (const Weights& weights : {Weights{}, Weights{0}, Weights{0, 0, 0}}) {
    const WeightedDraw table(weights);
    EXPECT_TRUE(table.empty());
    EXPECT_EQ(table.draw(0), WeightedDraw::none);
    EXPECT_EQ(table.draw(~uint64_t{0}), WeightedDraw::none);
  }
  EXPECT_FALSE(WeightedDraw(Weights{0, 1}).empty());
}

TEST(WeightedDraw, DrawsTheOnlyMemberAlways) {
  const WeightedDraw table(Weights{0, 0, 5, 0});
  EXPECT_EQ(table.columns(), 1U);
  for (const uint64_t random : {uint64_t{0}, uint64_t{1} << 63, ~uint64_t{0}}) EXPECT_EQ(table.draw(random), 2U);
}

TEST(WeightedDraw, GivesEachItsShareExactly) {
  expect_exact({1});
  expect_exact({1, 1, 1});
  expect_exact({3, 0, 1});
  expect_exact({1, 1000});
  expect_exact({0, 7, 0, 0, 11, 13, 0});
  expect_exact({most, most, most});
  std::mt19937_64 random(41);
  for (int round = 0; round < 300; ++round) {
    Weights weights(1 + random() % 200);
    for (uint32_t& weight : weights) {
      weight = random() % 4 == 0 ? 0 : static_cast<uint32_t>(random() >> (32 + random() % 32));
    }
    if (std::accumulate(weights.begin(), weights.end(), uint64_t{0}) > 0) expect_exact(weights);
  }
}

// One in four thousand million, and still: a unit of its own.
TEST(WeightedDraw, StarvesNobody) {
  expect_exact({most, 1});
  Weights weights(1000, most);
  weights[500] = 1;
  expect_exact(weights);
}

// All that a draw can answer, by going through the random numbers in even steps: the answers must be in the proportion
// of the units, so this tests draw() itself and not only the table.
TEST(WeightedDraw, AnswersInTheProportionOfTheTable) {
  const Weights weights{5, 0, 1, 90, 4};
  const WeightedDraw table(weights);
  constexpr uint64_t steps = 1 << 20;
  std::vector<uint64_t> counts(weights.size(), 0);
  for (uint64_t i = 0; i < steps; ++i) ++counts[table.draw(i << 44)];
  for (uint32_t i = 0; i < weights.size(); ++i) {
    // An area of the table that is cut in pieces may gain or lose a step with each; there are 8 at most.
    EXPECT_NEAR(static_cast<double>(counts[i]), steps * weights[i] / 100.0, 8) << i;
  }
}

TEST(WeightedDraw, DrawsWeightsOneToAThousandAtRandom) {
  constexpr double draws = 1'000'000;
  Weights weights(100);
  for (uint32_t i = 0; i < 100; ++i) weights[i] = 1 + i * i % 1000;
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const WeightedDraw table(weights);
  std::vector<double> counts(100, 0);
  for (uint64_t i = 0; i < static_cast<uint64_t>(draws); ++i) ++counts[table.draw(mix64(i, 42))];
  double chi_squared = 0;
  for (uint32_t i = 0; i < 100; ++i) {
    const double expected = draws * weights[i] / sum;
    chi_squared += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  // 99 degrees of freedom: 148 is exceeded once in a thousand seeds.
  EXPECT_LT(chi_squared, 148);
}

}  // namespace
}  // namespace weir::hashing
