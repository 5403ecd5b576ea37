#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/balance/choices.h"
#include "tests/unit/core/balance/answering.h"
#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

using Indexes = std::vector<uint32_t>;

PickerOptions options_of(uint32_t choices, LoadMeasure load = LoadMeasure::connections) {
  PickerOptions options;
  options.choices = choices;
  options.load = load;
  return options;
}

// Nothing is pending, so the first draw has it.
TEST(TwoChoices, SharesAreExactWhileIdle) {
  for (const uint32_t choices : {2U, 3U, 8U, choices_max}) {
    const std::vector<uint32_t> weights{1, 2, 3, 4, 0, 40};
    const SomeEndpoints endpoints(weights);
    Picking picking("two_choices", endpoints, 1, options_of(choices));
    const Indexes counts = count_of_each(picking.picks(100'000), weights.size());
    for (uint32_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(counts[i], 2000 * weights[i], 5 * std::sqrt(25'000));
  }
}

// With as many choices as endpoints, all are compared.
TEST(TwoChoices, AreDifferentEndpoints) {
  for (const uint32_t count : {2U, 3U, 5U}) {
    SomeEndpoints endpoints(count, 1);
    Picking picking("two_choices", endpoints, 1, options_of(count));
    for (uint32_t least = 0; least < count; ++least) {
      for (uint32_t i = 0; i < count; ++i) endpoints.state(i).connections = i == least ? 1 : 2;
      EXPECT_EQ(picking.picks(100), Indexes(100, least));
    }
  }
}

// Of n, the busiest is picked only if it is drawn and nobody else: never if the draws are different, and the idle one
// whenever it is among d of n.
TEST(TwoChoices, AsManyAreComparedAsWasSaid) {
  for (const uint32_t choices : {2U, 3U, 4U, 8U}) {
    SomeEndpoints endpoints(16, 1);
    for (uint32_t i = 0; i < 16; ++i) endpoints.state(i).connections = 5;
    endpoints.state(3).connections = 4;
    endpoints.state(7).connections = 6;
    Picking picking("two_choices", endpoints, 1, options_of(choices));
    const Indexes counts = count_of_each(picking.picks(32'000), 16);
    EXPECT_EQ(counts[7], 0U);
    EXPECT_NEAR(counts[3], 32'000.0 * choices / 16, 5 * std::sqrt(8000)) << choices;
  }
}

TEST(TwoChoices, ComparesConnectionsPerShare) {
  SomeEndpoints endpoints({1, 3});
  Picking picking("two_choices", endpoints);
  endpoints.state(0).connections = 1;
  endpoints.state(1).connections = 2;
  EXPECT_EQ(picking.picks(50), Indexes(50, 1));
  endpoints.state(1).connections = 4;
  EXPECT_EQ(picking.picks(50), Indexes(50, 0));
  // Products of both do not fit 32 bits.
  endpoints.state(0).connections = 1'400'000'000;
  endpoints.state(1).connections = 4'200'000'001;
  EXPECT_EQ(picking.picks(50), Indexes(50, 0));
}

// 100 each on average. Theory: the fullest is above that by log2(log2(1000)) and a little; without a choice, by 30.
TEST(TwoChoices, HeldConnectionsAreFlat) {
  SomeEndpoints endpoints(1000, 1);
  Picking picking("two_choices", endpoints);
  Held held(endpoints, picking);
  held.add(100'000);
  const Indexes counts = held.of_each();
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_GE(*least, 90U);
  EXPECT_LE(*most, 104U);
}

// Also when as many end at random as begin.
TEST(TwoChoices, StayFlatWhileConnectionsComeAndGo) {
  SomeEndpoints endpoints(100, 1);
  Picking picking("two_choices", endpoints);
  Held held(endpoints, picking);
  held.add(2000);
  for (int i = 0; i < 20'000; ++i) {
    held.end_one();
    held.add(1);
  }
  const Indexes counts = held.of_each();
  EXPECT_LE(*std::max_element(counts.begin(), counts.end()), 26U);
}

// One of a thousand that weighs as much as all the others gets half, also under load.
TEST(TwoChoices, OneHeavyAmongMany) {
  std::vector<uint32_t> weights(1000, 1);
  weights[500] = 999;
  SomeEndpoints endpoints(weights);
  Picking picking("two_choices", endpoints);
  Held held(endpoints, picking);
  held.add(20'000);
  EXPECT_NEAR(held.of_each()[500], 10'000, 200);
}

TEST(TwoChoices, FindTheFewThatAreLeft) {
  std::vector<uint32_t> weights(70, 1);
  weights[0] = 65535;
  const SomeEndpoints endpoints(weights);
  Picking picking("two_choices", endpoints);
  Indexes counts(70, 0);
  for (int i = 0; i < 7000; ++i) ++counts.at(picking.pick(endpoints.tried({0})));
  EXPECT_EQ(counts[0], 0U);
  // The last resort asks from a random place on: who is behind the tried one has its part, too.
  EXPECT_LT(counts[1], 300U);
  EXPECT_LT(*std::max_element(counts.begin() + 2, counts.end()), 160U);
  EXPECT_GT(*std::min_element(counts.begin() + 1, counts.end()), 50U);
}

TEST(TwoChoicesByLatency, TheQuickerHasIt) {
  SomeEndpoints endpoints({1, 9});
  Picking picking("two_choices", endpoints, 1, options_of(2, LoadMeasure::latency));
  endpoints.latency(0).add(1ms, picking.now, 10s);
  endpoints.latency(1).add(2ms, picking.now, 10s);
  EXPECT_EQ(picking.picks(50), Indexes(50, 0));
  // Four are 20 for its share, the average being 5: 21 x 1 ms. Against 16 of the other: (16 x 5 / 9 + 1) x 2 ms.
  endpoints.state(0).connections = 4;
  endpoints.state(1).connections = 16;
  EXPECT_EQ(picking.picks(50), Indexes(50, 1));
  endpoints.state(1).connections = 18;
  EXPECT_EQ(picking.picks(50), Indexes(50, 0));
}

// Where two workers have seen different things, each goes by its own.
TEST(TwoChoicesByLatency, IsOfTheWorkerThatAsks) {
  SomeEndpoints endpoints(2, 1);
  Picking picking("two_choices", endpoints, 1, options_of(2, LoadMeasure::latency));
  for (const unsigned worker : {0U, 1U}) {
    endpoints.latency(worker, worker).add(1ms, picking.now, 10s);
    endpoints.latency(1 - worker, worker).add(2ms, picking.now, 10s);
  }
  for (const unsigned worker : {0U, 1U}) {
    picking.worker = worker;
    EXPECT_EQ(picking.picks(20), Indexes(20, worker));
  }
}

TEST(TwoChoicesByLatency, WhoIsUnmeasuredIsAskedOnceAndThenWaits) {
  SomeEndpoints endpoints(4, 1);
  Picking picking("two_choices", endpoints, 1, options_of(4, LoadMeasure::latency));
  for (const uint32_t index : {0U, 1U, 3U}) endpoints.latency(index).add(5ms, picking.now, 10s);
  EXPECT_EQ(picking.pick(), 2U);
  ++endpoints.state(2).connections;
  EXPECT_EQ(count_of_each(picking.picks(1000), 4)[2], 0U);
  // Nor is it asked again after a reload.
  Picking fresh("two_choices", endpoints, 1, options_of(4, LoadMeasure::latency));
  fresh.take_over(picking);
  EXPECT_EQ(count_of_each(fresh.picks(1000), 4)[2], 0U);
  // Once it has been silent for as long as halves a measurement.
  fresh.now += 10s;
  EXPECT_EQ(fresh.pick(), 2U);
}

TEST(TwoChoicesByLatency, OneSlowOfFourIsAvoided) {
  SomeEndpoints endpoints(4, 1);
  Picking picking("two_choices", endpoints, 1, options_of(2, LoadMeasure::latency));
  Answering answering(endpoints, picking, {10ms, 10ms, 200ms, 10ms});
  answering.requests(500, 1ms);
  const Indexes counts = answering.requests(20'000, 1ms);
  EXPECT_LT(counts[2], 200U);
  for (const uint32_t index : {0U, 1U, 3U}) EXPECT_NEAR(counts[index], 20'000 / 3.0, 400);
}

TEST(TwoChoicesByLatency, EqualOnesKeepTheirShares) {
  SomeEndpoints endpoints({1, 2, 3, 4});
  Picking picking("two_choices", endpoints, 1, options_of(2, LoadMeasure::latency));
  Answering answering(endpoints, picking, {20ms, 20ms, 20ms, 20ms});
  const Indexes counts = answering.requests(40'000, 1ms);
  for (uint32_t i = 0; i < 4; ++i) EXPECT_NEAR(counts[i], 4000.0 * (i + 1), 400.0 * (i + 1));
}

TEST(TwoChoicesDeathTest, AreTwoAtLeast) {
  const SomeEndpoints endpoints(2, 1);
  EXPECT_DEATH(Picking("two_choices", endpoints, 1, options_of(1)), "assertion failed");
  EXPECT_DEATH(Picking("two_choices", endpoints, 1, options_of(choices_max + 1)), "assertion failed");
}

}  // namespace
}  // namespace weir
