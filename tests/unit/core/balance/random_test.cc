#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

// Within five standard deviations of what independent draws by those weights give.
void expect_drawn(const std::vector<uint32_t>& counts, const std::vector<uint32_t>& weights) {
  double sum = 0;
  double picks = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    sum += weights[i];
    picks += counts[i];
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    const double chance = weights[i] / sum;
    EXPECT_NEAR(counts[i], picks * chance, 5 * std::sqrt(picks * chance * (1 - chance))) << i;
  }
}

TEST(RandomPicker, SharesAreThoseOfTheWeights) {
  for (const std::vector<uint32_t>& weights : {std::vector<uint32_t>{1},
                                               {1, 1},
                                               {1, 2, 3, 4, 0},
                                               {1000, 1},
                                               {65535, 65534, 1},
                                               std::vector<uint32_t>(100, 7)}) {
    const SomeEndpoints endpoints(weights);
    Picking picking("random", endpoints);
    expect_drawn(count_of_each(picking.picks(100'000), weights.size()), weights);
  }
}

// What a round robin is not: the next pick does not depend on this one.
TEST(RandomPicker, PicksAreIndependent) {
  const SomeEndpoints endpoints({1, 3});
  Picking picking("random", endpoints);
  std::vector<uint32_t> pairs(4, 0);
  uint32_t before = picking.pick();
  for (const uint32_t index : picking.picks(100'000)) {
    ++pairs[before * 2 + index];
    before = index;
  }
  expect_drawn(pairs, {1, 3, 3, 9});
}

TEST(RandomPicker, WhatWasTriedIsSharedByWeight) {
  const std::vector<uint32_t> weights{5, 1, 2, 3};
  const SomeEndpoints endpoints(weights);
  Picking picking("random", endpoints);
  std::vector<uint32_t> counts(4, 0);
  for (int i = 0; i < 60'000; ++i) ++counts.at(picking.pick(endpoints.tried({0})));
  expect_drawn(counts, {0, 1, 2, 3});
}

TEST(RandomPicker, FindsTheFewThatAreLeft) {
  std::vector<uint32_t> weights(70, 1);
  weights[0] = 65535;
  const SomeEndpoints endpoints(weights);
  Picking picking("random", endpoints);
  std::vector<uint32_t> counts(70, 0);
  for (int i = 0; i < 7000; ++i) ++counts.at(picking.pick(endpoints.tried({0})));
  // The last resort asks from a random place on: who is behind the tried one has its part, too.
  weights[0] = 0;
  weights[1] = 2;
  expect_drawn(counts, weights);
}

TEST(RandomPicker, WorkersDoNotWalkInStepAndReloadsDoNotStartOver) {
  const SomeEndpoints endpoints(10, 1);
  Picking one("random", endpoints, 1);
  Picking other("random", endpoints, 2);
  EXPECT_NE(one.picks(50), other.picks(50));
  Picking untouched("random", endpoints, 1);
  untouched.picks(50);
  Picking fresh("random", endpoints, 1);
  fresh.take_over(one);
  EXPECT_EQ(fresh.picks(50), untouched.picks(50));
}

}  // namespace
}  // namespace weir
