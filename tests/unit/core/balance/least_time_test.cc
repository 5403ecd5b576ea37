#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/core/balance/answering.h"
#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

using Indexes = std::vector<uint32_t>;

constexpr Duration decay = 10s;

// All are measured to have answered in these times just now.
void measure(SomeEndpoints& endpoints, const Picking& picking, const std::vector<Duration>& times) {
  for (uint32_t i = 0; i < times.size(); ++i) endpoints.latency(i).add(times[i], picking.now, decay);
}

TEST(LeastTime, PicksWhereTheNextAnswerComesFirst) {
  SomeEndpoints endpoints(3, 1);
  Picking picking("least_time", endpoints);
  measure(endpoints, picking, {4ms, 3ms, 5ms});
  EXPECT_EQ(picking.picks(10), Indexes(10, 1));
  EXPECT_EQ(picking.pick(endpoints.tried({1})), 0U);
  EXPECT_EQ(picking.pick(endpoints.tried({1, 0})), 2U);
  endpoints.state(1).connections = 1;  // 3 ms x 2
  EXPECT_EQ(picking.picks(10), Indexes(10, 0));
  endpoints.state(0).connections = 1;
  EXPECT_EQ(picking.picks(10), Indexes(10, 2));
}

TEST(LeastTime, IsPerShare) {
  SomeEndpoints endpoints({1, 2});
  Picking picking("least_time", endpoints);
  measure(endpoints, picking, {3ms, 5ms});
  EXPECT_EQ(picking.pick(), 1U);
  endpoints.set_share(1, 150);  // of 200: 5 ms / 1.5
  EXPECT_EQ(picking.pick(), 0U);
}

TEST(LeastTime, IsOfTheWorkerThatAsks) {
  SomeEndpoints endpoints(2, 1);
  Picking picking("least_time", endpoints);
  measure(endpoints, picking, {3ms, 5ms});
  endpoints.latency(0, 1).add(9ms, picking.now, decay);
  endpoints.latency(1, 1).add(5ms, picking.now, decay);
  EXPECT_EQ(picking.pick(), 0U);
  picking.worker = 1;
  EXPECT_EQ(picking.pick(), 1U);
}

TEST(LeastTime, AsksWhoIsUnmeasuredOnceAndWaitsForTheAnswer) {
  SomeEndpoints endpoints(4, 1);
  Picking picking("least_time", endpoints);
  measure(endpoints, picking, {5ms, 5ms, 0ms, 5ms});
  EXPECT_EQ(picking.pick(), 2U);
  ++endpoints.state(2).connections;
  for (int i = 0; i < 1000; ++i) {
    picking.now += 1ms;
    ASSERT_NE(picking.pick(), 2U);
  }
  // There it is, and it is the quickest.
  --endpoints.state(2).connections;
  endpoints.latency(2).add(2ms, picking.now, decay);
  EXPECT_EQ(picking.pick(), 2U);
}

// It does not help that its connections end: who refuses, or is not an HTTP server at all, must not look quick.
TEST(LeastTime, WhoGivesNoAnswerIsAskedOncePerDecay) {
  SomeEndpoints endpoints(4, 1);
  Picking picking("least_time", endpoints);
  Indexes counts(4, 0);
  for (int i = 0; i < 100'000; ++i) {
    const uint32_t index = picking.pick();
    ++counts[index];
    if (index != 2) endpoints.latency(index).add(5ms, picking.now, decay);
    picking.now += 1ms;
  }
  EXPECT_EQ(counts[2], 10U);
}

// What other workers have there says nothing of whether this one has asked.
TEST(LeastTime, ConnectionsOfOthersDoNotKeepItFromAsking) {
  SomeEndpoints endpoints(2, 1);
  Picking picking("least_time", endpoints);
  measure(endpoints, picking, {5ms, 0ms});
  endpoints.state(1).connections = 50;
  EXPECT_EQ(picking.pick(), 1U);
  EXPECT_EQ(picking.picks(10), Indexes(10, 0));
}

// While nobody has answered yet: each is asked, and then it is least_connections.
TEST(LeastTime, WithoutAnyAnswerConnectionsPerShareDecide) {
  SomeEndpoints endpoints({1, 2, 3, 4, 0});
  Picking picking("least_time", endpoints);
  Held held(endpoints, picking);
  for (uint32_t cycles = 1; cycles <= 100; ++cycles) {
    held.add(10);
    ASSERT_EQ(held.of_each(), (Indexes{cycles, 2 * cycles, 3 * cycles, 4 * cycles, 0}));
  }
}

TEST(LeastTime, EqualsTakeTurns) {
  SomeEndpoints endpoints(5, 1);
  Picking picking("least_time", endpoints, 3);
  measure(endpoints, picking, std::vector<Duration>(5, 4ms));
  const Indexes round = picking.picks(5);
  EXPECT_EQ(count_of_each(round, 5), Indexes(5, 1));
  EXPECT_EQ(picking.picks(5), round);
}

TEST(LeastTime, OneSlowOfFourGetsLessThanAHundredth) {
  for (const Duration interval : {Duration{500us}, Duration{5ms}, Duration{50ms}}) {
    SomeEndpoints endpoints(4, 1);
    Picking picking("least_time", endpoints);
    Answering answering(endpoints, picking, {10ms, 10ms, 200ms, 10ms});
    answering.requests(20, interval);
    answering.wait(200ms);
    const Indexes counts = answering.requests(10'000, interval);
    EXPECT_LT(counts[2], 100U);
    for (const uint32_t index : {0U, 1U, 3U}) EXPECT_GT(counts[index], 2500U);
  }
}

// 32 times as slow as the others: after five decays it is asked again, not before; and if it has recovered, it is back.
TEST(LeastTime, WhoWasSlowComesBackAfterFading) {
  SomeEndpoints endpoints(4, 1);
  Picking picking("least_time", endpoints);
  Answering answering(endpoints, picking, {10ms, 10ms, 320ms, 10ms});
  answering.requests(4, 1ms);
  answering.wait(320ms);
  answering.set_time(2, 10ms);
  EXPECT_EQ(answering.requests(4900, 10ms)[2], 0U);  // 49 s
  EXPECT_GT(answering.requests(200, 10ms)[2], 0U);
  // What it was remains in the average for a while yet, and at the end loses it the ties, one in five.
  answering.requests(50'000, 1ms);
  const Indexes counts = answering.requests(10'000, 1ms);
  for (const uint32_t count : counts) EXPECT_NEAR(count, 2500, 550);
}

TEST(LeastTime, FollowsWhoIsQuickUnderLoad) {
  SomeEndpoints endpoints(3, 1);
  Picking picking("least_time", endpoints);
  Answering answering(endpoints, picking, {10ms, 20ms, 40ms});
  answering.requests(1000, 100us);
  const Indexes counts = answering.requests(40'000, 100us);
  // A hundred and more at a time. Latency x requests are equal where rates go as 1 / latency^2: 16, 4, 1.
  EXPECT_NEAR(counts[0], 40'000 * 16 / 21.0, 2000);
  EXPECT_NEAR(counts[1], 40'000 * 4 / 21.0, 2000);
  EXPECT_NEAR(counts[2], 40'000 * 1 / 21.0, 1000);
}

TEST(LeastTime, ExactUpTo64) {
  SomeEndpoints endpoints(64, 1);
  Picking picking("least_time", endpoints);
  for (uint32_t i = 0; i < 64; ++i) endpoints.state(i).connections = 2;
  measure(endpoints, picking, std::vector<Duration>(64, 5ms));
  for (uint32_t i = 0; i < 64; ++i) {
    endpoints.state(i).connections = 1;
    ASSERT_EQ(picking.pick(), i);
    endpoints.state(i).connections = 2;
  }
}

// Beyond, by samples of 8: the slow half is picked only if a sample is of nobody else, which is one in 256.
TEST(LeastTime, SampledBeyond) {
  SomeEndpoints endpoints(1000, 1);
  Picking picking("least_time", endpoints);
  for (uint32_t i = 0; i < 1000; ++i) endpoints.latency(i).add(i % 2 == 0 ? 10ms : 100ms, picking.now, decay);
  uint32_t slow = 0;
  for (const uint32_t index : picking.picks(100'000)) slow += index % 2;
  EXPECT_GT(slow, 0U);
  EXPECT_LT(slow, 100'000U / 256 * 13 / 10);
}

TEST(LeastTime, SampledWithoutAnswersIsNearlyFlat) {
  SomeEndpoints endpoints(1000, 1);
  Picking picking("least_time", endpoints);
  Held held(endpoints, picking);
  held.add(100'000);
  const Indexes counts = held.of_each();
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_GE(*least, 94U);
  EXPECT_LE(*most, 103U);
}

// A reload that changes shares (as slow start does every second) must not have everybody unmeasured asked again.
TEST(LeastTime, ReloadsRememberWhoWasAsked) {
  SomeEndpoints endpoints(3, 1);
  Picking old("least_time", endpoints);
  measure(endpoints, old, {5ms, 0ms, 6ms});
  EXPECT_EQ(old.pick(), 1U);
  Picking fresh("least_time", endpoints);
  fresh.take_over(old);
  EXPECT_EQ(fresh.picks(10), Indexes(10, 0));
}

}  // namespace
}  // namespace weir
