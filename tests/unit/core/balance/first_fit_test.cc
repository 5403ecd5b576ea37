#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

using Indexes = std::vector<uint32_t>;

TEST(FirstFit, FillsOneAfterTheOtherInTheOrderOfTheFile) {
  SomeEndpoints endpoints({1, 3, 1, 2});
  endpoints.set_connections_max(10);
  Picking picking("first_fit", endpoints);
  Held held(endpoints, picking);
  for (uint32_t count = 1; count <= 40; ++count) {
    held.add(1);
    Indexes expected;
    for (uint32_t i = 0; i < 4; ++i) expected.push_back(count <= 10 * i ? 0 : std::min(count - 10 * i, 10U));
    ASSERT_EQ(held.of_each(), expected);
  }
  EXPECT_EQ(picking.pick(), no_endpoint);
}

// So what is left over shrinks from the end.
TEST(FirstFit, GoesBackToWhoHasRoomAgain) {
  SomeEndpoints endpoints(3, 1);
  endpoints.set_connections_max(5);
  Picking picking("first_fit", endpoints);
  endpoints.state(0).connections = 5;
  endpoints.state(1).connections = 5;
  EXPECT_EQ(picking.pick(), 2U);
  endpoints.state(1).connections = 4;
  EXPECT_EQ(picking.pick(), 1U);
  endpoints.state(0).connections = 4;
  EXPECT_EQ(picking.pick(), 0U);
}

TEST(FirstFit, WithoutALimitTheFirstTakesEverything) {
  SomeEndpoints endpoints(3, 1);
  endpoints.set_connections_max(0, 2);
  Picking picking("first_fit", endpoints);
  Held held(endpoints, picking);
  held.add(1000);
  EXPECT_EQ(held.of_each(), (Indexes{2, 998, 0}));
  EXPECT_EQ(picking.pick(endpoints.tried({1})), 2U);
}

TEST(FirstFit, PassesOverWhoWasTriedOrHasNoShare) {
  SomeEndpoints endpoints({0, 1, 1, 1});
  endpoints.set_connections_max(5);
  Picking picking("first_fit", endpoints);
  EXPECT_EQ(picking.pick(), 1U);
  EXPECT_EQ(picking.pick(endpoints.tried({1})), 2U);
  EXPECT_EQ(picking.pick(endpoints.tried({1, 2})), 3U);
}

// The limit is the part of connections_max that the share is of the weight, rounded up.
TEST(FirstFit, LimitsFollowTheShare) {
  struct Case {
    uint32_t weight;
    uint32_t share;
    uint32_t connections_max;
    uint32_t limit;
  };
  for (const Case& each : std::vector<Case>{{1, 100, 10, 10},
                                            {1, 50, 10, 5},
                                            {1, 55, 10, 6},
                                            {1, 1, 10, 1},
                                            {1, 10, 10, 1},
                                            {1, 11, 10, 2},
                                            {4, 100, 10, 3},
                                            {4, 400, 10, 10},
                                            {65'535, 1, 1'000'000, 1},
                                            {65'535, 3'276'750, 1'000'000, 500'000},
                                            {65'535, 6'553'500, 4'000'000'000, 4'000'000'000}}) {
    SomeEndpoints endpoints({each.weight, 1});
    endpoints.set_connections_max(0, each.connections_max);
    endpoints.set_share(0, each.share);
    Picking picking("first_fit", endpoints);
    endpoints.state(0).connections = each.limit - 1;
    EXPECT_EQ(picking.pick(), 0U) << each.weight << " " << each.share << " " << each.connections_max;
    endpoints.state(0).connections = each.limit;
    EXPECT_EQ(picking.pick(), 1U) << each.weight << " " << each.share << " " << each.connections_max;
  }
}

TEST(FirstFit, BetweenLimitAndMaximumTheOneWithMostRoomHasIt) {
  SomeEndpoints endpoints(3, 1);
  endpoints.set_connections_max(0, 20);
  endpoints.set_connections_max(1, 40);
  endpoints.set_connections_max(2, 10);
  for (uint32_t i = 0; i < 3; ++i) endpoints.set_share(i, 50);
  Picking picking("first_fit", endpoints);
  Held held(endpoints, picking);
  held.add(10);
  EXPECT_EQ(held.of_each(), (Indexes{10, 0, 0}));
  held.add(25);
  EXPECT_EQ(held.of_each(), (Indexes{10, 20, 5}));
  // Room is 10, 20, 5: the second one's until it is as full as the first, then both in turn, in the end all three.
  held.add(10);
  EXPECT_EQ(held.of_each(), (Indexes{10, 30, 5}));
  held.add(10);
  EXPECT_EQ(held.of_each(), (Indexes{15, 35, 5}));
  held.add(15);
  EXPECT_EQ(held.of_each(), (Indexes{20, 40, 10}));
  EXPECT_EQ(picking.pick(), no_endpoint);
}

}  // namespace
}  // namespace weir
