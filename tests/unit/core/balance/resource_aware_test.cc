#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

using Indexes = std::vector<uint32_t>;

constexpr Instant start{1000s};
constexpr double silent = -1;

// Reports what they say of themselves; `silent`: nothing.
void report(SomeEndpoints& endpoints, const std::vector<double>& scores, Instant now) {
  for (uint32_t i = 0; i < scores.size(); ++i) {
    if (scores[i] != silent) endpoints.state(i).reported.report(scores[i], now);
  }
}

// The counts are in proportion to what each is worth, within the given part of it (and what chance adds).
void expect_shared(const Indexes& counts, const std::vector<double>& worths, double within, const std::string& what) {
  const double sum = std::accumulate(worths.begin(), worths.end(), 0.0);
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  for (uint32_t i = 0; i < counts.size(); ++i) {
    const double expected = all * worths[i] / sum;
    EXPECT_NEAR(counts[i], expected, within * expected) << what << ", " << i;
  }
}

struct Scores {
  std::string what;
  std::vector<uint32_t> weights;
  std::vector<double> scores;
  std::vector<double> taken_for;
};

const std::vector<Scores> cases{
    {"nobody speaks", {1, 2, 3}, {silent, silent, silent}, {1, 1, 1}},
    {"all are well", {1, 2, 3}, {1, 1, 1}, {1, 1, 1}},
    {"differently", {1, 1, 1, 1}, {1, 0.5, 0.25, 0.1}, {1, 0.5, 0.25, 0.1}},
    {"with weights", {4, 3, 2, 1}, {0.2, 0.4, 0.6, 0.8}, {0.2, 0.4, 0.6, 0.8}},
    {"all low", {1, 2, 3}, {0.03, 0.02, 0.01}, {0.03, 0.02, 0.01}},
    {"one is well among ill ones", {1, 1, 1, 1}, {1, 0.05, 0.05, 0.05}, {1, 0.05, 0.05, 0.05}},
    {"one has nothing left", {1, 1, 5}, {0.5, 1, 0}, {0.5, 1, 0}},
    {"only one has anything", {1, 1, 5}, {0, 0.001, 0}, {0, 0.001, 0}},
    {"all have nothing left", {2, 2, 2}, {0, 0, 0}, {1, 1, 1}},
    {"one is silent among equals", {1, 2, 1}, {0.4, 0.4, silent}, {0.4, 0.4, 0.4}},
    {"the silent one beside who has nothing", {1, 1, 1}, {0, silent, 0}, {0, 1, 0}},
};

TEST(ResourceAware, SharesFollowWeightAndScoreWhileIdle) {
  for (const Scores& each : cases) {
    SomeEndpoints endpoints(each.weights);
    Picking picking("resource_aware", endpoints);
    picking.now = start;
    report(endpoints, each.scores, start);
    picking.picks(1000);  // until it is known what is usual
    std::vector<double> worths = each.taken_for;
    for (size_t i = 0; i < worths.size(); ++i) worths[i] *= each.weights[i];
    expect_shared(count_of_each(picking.picks(400'000), worths.size()), worths, 0.02, each.what);
  }
}

// Many endpoints of few kinds.
TEST(ResourceAware, SharesFollowScoresAmongMany) {
  const std::vector<double> scores{1, 0.7, 0.4, 0.1};
  SomeEndpoints endpoints(1000, 1);
  Picking picking("resource_aware", endpoints);
  picking.now = start;
  for (uint32_t i = 0; i < 1000; ++i) endpoints.state(i).reported.report(scores[i % 4], start);
  Indexes counts(4, 0);
  for (const uint32_t index : picking.picks(400'000)) ++counts[index % 4];
  expect_shared(counts, scores, 0.02, "idle");
}

TEST(ResourceAware, HeldConnectionsFollowWeightAndScore) {
  for (const Scores& each : cases) {
    SomeEndpoints endpoints(each.weights);
    Picking picking("resource_aware", endpoints);
    picking.now = start;
    report(endpoints, each.scores, start);
    picking.picks(1000);
    Held held(endpoints, picking);
    held.add(100'000);
    std::vector<double> worths = each.taken_for;
    for (size_t i = 0; i < worths.size(); ++i) worths[i] *= each.weights[i];
    expect_shared(held.of_each(), worths, 0.02, each.what);
  }
}

TEST(ResourceAware, HeldConnectionsAreFlatAmongMany) {
  SomeEndpoints endpoints(1000, 1);
  Picking picking("resource_aware", endpoints);
  picking.now = start;
  for (uint32_t i = 0; i < 1000; ++i) endpoints.state(i).reported.report(0.6, start);
  Held held(endpoints, picking);
  held.add(100'000);
  const Indexes counts = held.of_each();
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_GE(*least, 88U);
  EXPECT_LE(*most, 105U);
}

// Of two equal ones the busier gets nothing more until they are equal again.
TEST(ResourceAware, AvoidsWhoIsBusy) {
  SomeEndpoints endpoints(2, 1);
  Picking picking("resource_aware", endpoints);
  picking.now = start;
  report(endpoints, {1, 1}, start);
  endpoints.state(0).connections = 1;
  // It is not compared if its every draw is accepted: 1 in 32.
  EXPECT_LT(count_of_each(picking.picks(10'000), 2)[0], 400U);
}

// One of a thousand has anything left, and is found.
TEST(ResourceAware, NothingGoesToWhoHasNothingAsLongAsSomebodyHas) {
  SomeEndpoints endpoints(1000, 1);
  Picking picking("resource_aware", endpoints);
  picking.now = start;
  for (uint32_t i = 0; i < 1000; ++i) endpoints.state(i).reported.report(i == 500 ? 0.01 : 0, start);
  EXPECT_EQ(picking.picks(1000), Indexes(1000, 500));
  EXPECT_LT(picking.pick(endpoints.tried({500})), 1000U);
}

TEST(ResourceAware, WhenAllHaveNothingConnectionsDecide) {
  SomeEndpoints endpoints({1, 2, 1});
  Picking picking("resource_aware", endpoints);
  picking.now = start;
  report(endpoints, {0, 0, 0}, start);
  endpoints.state(0).connections = 1;
  endpoints.state(1).connections = 1;
  endpoints.state(2).connections = 1;
  EXPECT_EQ(picking.picks(20), Indexes(20, 1));
}

TEST(ResourceAware, WhatWasSaidExpires) {
  SomeEndpoints endpoints(2, 1);
  PickerOptions options;
  options.score_expiry = 5s;
  Picking picking("resource_aware", endpoints, 1, options);
  report(endpoints, {0, 1}, start);
  picking.now = start + 5s;
  EXPECT_EQ(count_of_each(picking.picks(1000), 2)[0], 0U);
  picking.now = start + 6s;
  EXPECT_NEAR(count_of_each(picking.picks(1000), 2)[0], 500, 80);
}

TEST(ResourceAware, TheSilentAreTakenForTheMean) {
  SomeEndpoints endpoints(3, 1);
  Picking picking("resource_aware", endpoints);
  picking.now = start;
  report(endpoints, {0.2, 0.6, silent}, start);
  picking.picks(1000);
  expect_shared(count_of_each(picking.picks(200'000), 3), {0.2, 0.6, 0.4}, 0.03, "mean");
}

}  // namespace
}  // namespace weir
