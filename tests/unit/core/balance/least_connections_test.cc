#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

using Indexes = std::vector<uint32_t>;

TEST(LeastConnections, PicksTheLeastLoaded) {
  SomeEndpoints endpoints(4, 1);
  Picking picking("least_connections", endpoints);
  endpoints.state(0).connections = 3;
  endpoints.state(1).connections = 2;
  endpoints.state(2).connections = 1;
  endpoints.state(3).connections = 2;
  EXPECT_EQ(picking.picks(10), Indexes(10, 2));
  // The best that was not tried.
  endpoints.state(3).connections = 4;
  EXPECT_EQ(picking.pick(endpoints.tried({2})), 1U);
  EXPECT_EQ(picking.pick(endpoints.tried({2, 1})), 0U);
}

TEST(LeastConnections, CountsConnectionsPerWeight) {
  SomeEndpoints endpoints({1, 3});
  Picking picking("least_connections", endpoints);
  endpoints.state(0).connections = 1;
  endpoints.state(1).connections = 4;
  EXPECT_EQ(picking.pick(), 1U);  // 5/3 of a connection per weight would be less than 2/1
  endpoints.state(1).connections = 6;
  EXPECT_EQ(picking.pick(), 0U);  // 7/3 would be more
}

// Products of both do not fit 32 bits.
TEST(LeastConnections, LargeNumbers) {
  SomeEndpoints endpoints({65535, 65534});
  Picking picking("least_connections", endpoints);
  endpoints.state(0).connections = 4'000'000'000;
  endpoints.state(1).connections = 4'000'000'000;
  EXPECT_EQ(picking.picks(4), Indexes(4, 0));
}

TEST(LeastConnections, HeldConnectionsAreExactByWeight) {
  SomeEndpoints endpoints({1, 2, 3, 4, 0});
  Picking picking("least_connections", endpoints);
  Held held(endpoints, picking);
  for (uint32_t cycles = 1; cycles <= 100; ++cycles) {
    held.add(10);
    ASSERT_EQ(held.of_each(), (Indexes{cycles, 2 * cycles, 3 * cycles, 4 * cycles, 0}));
  }
}

TEST(LeastConnections, EqualsTakeTurns) {
  const SomeEndpoints endpoints(5, 1);
  Picking picking("least_connections", endpoints, 3);
  const Indexes round = picking.picks(5);
  EXPECT_EQ(count_of_each(round, 5), Indexes(5, 1));
  EXPECT_EQ(picking.picks(5), round);
}

TEST(LeastConnections, WorkersStartApart) {
  const SomeEndpoints endpoints(50, 1);
  Indexes starts(50, 0);
  for (uint64_t seed = 0; seed < 50; ++seed) ++starts[Picking("least_connections", endpoints, seed).pick()];
  EXPECT_LT(*std::max_element(starts.begin(), starts.end()), 6U);
}

TEST(LeastConnections, GoesOnWhereItWasAfterAReload) {
  const SomeEndpoints endpoints(5, 1);
  Picking old("least_connections", endpoints, 3);
  const Indexes round = old.picks(5);
  old.pick();
  Picking fresh("least_connections", endpoints, 1234);
  fresh.take_over(old);
  EXPECT_EQ(fresh.pick(), round[1]);
}

// 64 are the most that are all compared.
TEST(LeastConnections, ExactUpTo64) {
  SomeEndpoints endpoints(64, 1);
  Picking picking("least_connections", endpoints);
  for (uint32_t i = 0; i < 64; ++i) endpoints.state(i).connections = 2;
  for (uint32_t i = 0; i < 64; ++i) {
    endpoints.state(i).connections = 1;
    ASSERT_EQ(picking.pick(), i);
    endpoints.state(i).connections = 2;
  }
}

// Beyond, by samples: the heap of connections stays flat, unlike a random one, whose highest would be near 130.
TEST(LeastConnections, SampledIsNearlyFlat) {
  SomeEndpoints endpoints(1000, 1);
  Picking picking("least_connections", endpoints);
  Held held(endpoints, picking);
  held.add(100'000);
  const Indexes counts = held.of_each();
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_GE(*least, 96U);
  EXPECT_LE(*most, 101U);
}

// Samples are drawn by weight: one of a thousand that weighs as much as all the others gets half.
TEST(LeastConnections, SampledHonoursWeights) {
  std::vector<uint32_t> weights(1000, 1);
  weights[500] = 999;
  SomeEndpoints endpoints(weights);
  Picking picking("least_connections", endpoints);
  Held held(endpoints, picking);
  held.add(20'000);
  EXPECT_NEAR(held.of_each()[500], 10'000, 200);
}

TEST(LeastConnections, SampledFindsTheFewThatAreLeft) {
  // All samples are of the heavy one, which was tried.
  std::vector<uint32_t> weights(70, 1);
  weights[0] = 65535;
  const SomeEndpoints endpoints(weights);
  Picking picking("least_connections", endpoints);
  Indexes counts(70, 0);
  for (int i = 0; i < 7000; ++i) ++counts.at(picking.pick(endpoints.tried({0})));
  EXPECT_EQ(counts[0], 0U);
  EXPECT_LT(*std::max_element(counts.begin(), counts.end()), 300U);
}

}  // namespace
}  // namespace weir
