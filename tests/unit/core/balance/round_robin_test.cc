#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "core/base/random.h"
#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

using Indexes = std::vector<uint32_t>;

// The picks, turned so that they start where the cycle does.
bool is_rotation_of(const Indexes& picks, const Indexes& cycle) {
  Indexes twice = cycle;
  twice.insert(twice.end(), cycle.begin(), cycle.end());
  return picks.size() == cycle.size() &&
         std::search(twice.begin(), twice.end(), picks.begin(), picks.end()) != twice.end();
}

TEST(RoundRobin, WalksTheSmoothCycle) {
  const SomeEndpoints endpoints({5, 1, 1});
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Picking picking("round_robin", endpoints, seed);
    const Indexes cycle = picking.picks(7);
    EXPECT_TRUE(is_rotation_of(cycle, {0, 0, 1, 0, 2, 0, 0})) << testing::PrintToString(cycle);
    EXPECT_EQ(picking.picks(7), cycle);
  }
}

TEST(RoundRobin, WeightsAreExactOverACycleFromAnyStart) {
  const SomeEndpoints endpoints({1, 1000});
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Picking picking("round_robin", endpoints, seed);
    EXPECT_EQ(count_of_each(picking.picks(1001), 2), (Indexes{1, 1000}));
  }
}

TEST(RoundRobin, WorkersStartApart) {
  const SomeEndpoints endpoints(100, 1);
  std::set<uint32_t> starts;
  for (uint64_t seed = 0; seed < 32; ++seed) starts.insert(Picking("round_robin", endpoints, seed).pick());
  EXPECT_GT(starts.size(), 20U);
}

// Two workers, each at its own pace: at any moment the sum differs from fair by one pick per worker at the most.
TEST(RoundRobin, TwoWorkersTogetherAreEven) {
  const SomeEndpoints endpoints(7, 1);
  Picking one("round_robin", endpoints, 1);
  Picking other("round_robin", endpoints, 2);
  Random random(1);
  Indexes counts(7, 0);
  for (uint32_t i = 0; i < 5000; ++i) {
    ++counts[(random.below(3) == 0 ? one : other).pick()];
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    ASSERT_LE(*most - *least, 2U);
  }
}

TEST(RoundRobin, GoesOnWhereItWasWhenAReloadChangesNothing) {
  const SomeEndpoints endpoints({3, 2, 1});
  Picking untouched("round_robin", endpoints, 1);
  auto old = std::make_unique<Picking>("round_robin", endpoints, 1);
  for (uint64_t reload = 0; reload < 50; ++reload) {
    EXPECT_EQ(old->picks(5), untouched.picks(5));
    auto fresh = std::make_unique<Picking>("round_robin", endpoints, 77 + reload);
    fresh->take_over(*old, 77 + reload);
    old = std::move(fresh);
  }
}

// Reloads in step with connections: whatever starts over by a rule would favour somebody.
TEST(RoundRobin, ReloadsThatAddAndRemoveFavourNobody) {
  const SomeEndpoints three(3, 1);
  const SomeEndpoints four(4, 1);
  auto old = std::make_unique<Picking>("round_robin", three, 1);
  Indexes counts(3, 0);
  uint32_t picks = 0;
  for (int reload = 0; reload < 8000; ++reload) {
    auto fresh = std::make_unique<Picking>("round_robin", reload % 2 == 0 ? four : three, 1);
    fresh->take_over(*old);
    old = std::move(fresh);
    const uint32_t index = old->pick();
    if (index >= 3) continue;
    ++counts[index];
    ++picks;
  }
  for (const uint32_t count : counts) EXPECT_NEAR(count, picks / 3.0, picks * 0.02);
}

// The turns of a tried endpoint go to those after it; here there are a thousand in a row.
TEST(RoundRobin, ARareEndpointIsFoundBehindManyTurns) {
  const SomeEndpoints endpoints({1000, 1, 1});
  Picking picking("round_robin", endpoints);
  Indexes counts(3, 0);
  for (int i = 0; i < 1000; ++i) ++counts.at(picking.pick(endpoints.tried({0})));
  EXPECT_EQ(counts[0], 0U);
  EXPECT_GT(counts[1], 0U);
  EXPECT_GT(counts[2], 0U);
}

}  // namespace
}  // namespace weir
