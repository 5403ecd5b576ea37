#include "core/balance/shadow_model.h"

#include <gtest/gtest.h>

#include "tests/unit/core/balance/toy_servers.h"

namespace weir {
namespace {

// One server, and requests that come at random: what is seen of it, by the levels that arrivals find.
Observed observe(const ToyServer& server, double arrivals_per_ms, uint32_t requests, uint64_t seed) {
  Random random(seed);
  const auto exponential = [&] { return -std::log1p(-random.unit()); };
  std::vector<double> free(server.at_a_time, 0.0);
  std::priority_queue<double, std::vector<double>, std::greater<>> ends;
  Observed seen;
  double now = 0;
  double before = 0;
  for (uint32_t i = 0; i < requests; ++i) {
    now += exponential() / arrivals_per_ms;
    while (!ends.empty() && ends.top() <= now) ends.pop();
    const double service = server.service_ms * (server.constant ? 1 : exponential());
    double end = now + service;
    if (!free.empty()) {
      double& first = *std::min_element(free.begin(), free.end());
      end = std::max(first, now) + service;
      first = end;
    }
    const auto there = static_cast<uint32_t>(ends.size());
    seen.sample(there, (now - before) * 1e6);
    seen.arrival(there);
    seen.answer(1, (end - now) * 1e6);
    before = now;
    ends.push(end);
  }
  return seen;
}

// The means over many short memories, because one of them is a guess from a thousand requests.
ShadowModel mean_model(const ToyServer& server, double arrivals_per_ms) {
  Observed sum;
  for (uint64_t seed = 1; seed <= 60; ++seed) sum += observe(server, arrivals_per_ms, 4000, seed);
  return ShadowModel::of(sum);
}

TEST(ShadowModel, OneAtATime) {
  for (const double load : {0.5, 0.8}) {
    const ShadowModel model = mean_model({.service_ms = 2, .at_a_time = 1}, load / 2);
    EXPECT_LT(model.beside, 0.12) << load;
    EXPECT_NEAR(model.alone_ns, 2e6, 0.35e6) << load;
    EXPECT_NEAR(model.service_ns, 2e6, 0.35e6) << load;
    EXPECT_NEAR(model.latency_ns(4), 10e6, 2e6) << load;
    EXPECT_NEAR(model.leaving_ns(8), model.service_ns, 0.5 * model.service_ns) << load;
  }
}

TEST(ShadowModel, SideBySide) {
  for (const double level : {1.0, 5.0}) {
    const ShadowModel model = mean_model({.service_ms = 20, .at_a_time = 0}, level / 20);
    EXPECT_GT(model.beside, 0.85) << level;
    EXPECT_NEAR(model.alone_ns, 20e6, 3e6) << level;
    EXPECT_NEAR(model.latency_ns(9), 20e6, 4e6) << level;
    EXPECT_NEAR(model.leaving_ns(10), 2e6, 0.4e6) << level;
  }
}

// Four at a time look as if there were no queue while few are there, and as one queue when all four are busy.
TEST(ShadowModel, InBetween) {
  const ShadowModel quiet = mean_model({.service_ms = 4, .at_a_time = 4}, 0.4);
  const ShadowModel busy = mean_model({.service_ms = 4, .at_a_time = 4}, 0.85);
  EXPECT_GT(quiet.beside, 0.3);
  EXPECT_LT(quiet.beside, 0.95);
  EXPECT_LT(busy.beside, 0.3);
}

TEST(ShadowModel, LittleLoadSaysLittle) {
  Observed seen;
  EXPECT_EQ(ShadowModel::of(seen).alone_ns, 0);
  for (int i = 0; i < 100; ++i) {
    seen.sample(0, 1e6);
    seen.arrival(0);
  }
  EXPECT_EQ(ShadowModel::of(seen).alone_ns, 0);  // no answer yet
  seen.answer(10, 30e6);
  const ShadowModel model = ShadowModel::of(seen);
  EXPECT_EQ(model.beside, 0.5);
  EXPECT_EQ(model.alone_ns, 3e6);
  EXPECT_EQ(model.latency_ns(0), 3e6);
  EXPECT_EQ(model.service_ns, 0);  // nobody was ever seen there
}

TEST(Observed, ForgetsByEventsAndKeepsProportions) {
  Observed seen;
  for (int i = 0; i < 100'000; ++i) {
    seen.sample(2, 10);
    seen.arrival(1);
    seen.answer(1, 50);
  }
  EXPECT_LE(seen.arrivals, Observed::events_max);
  EXPECT_GE(seen.arrivals, Observed::events_max / 2);
  EXPECT_LE(seen.answers, Observed::events_max);
  EXPECT_DOUBLE_EQ(seen.found / seen.arrivals, 2);
  EXPECT_DOUBLE_EQ(seen.level / seen.samples, 2);
  EXPECT_DOUBLE_EQ(seen.answered_ns / seen.answers, 50);
  // News counts after a thousand events, whatever was before.
  for (int i = 0; i < 5'000; ++i) seen.answer(1, 500);
  EXPECT_NEAR(seen.answered_ns / seen.answers, 500, 10);
  // Time alone makes nobody forget.
  for (int i = 0; i < 2'000'000; ++i) seen.sample(0, 10);
  EXPECT_NEAR(seen.answered_ns / seen.answers, 500, 10);
  EXPECT_DOUBLE_EQ(seen.found / seen.arrivals, 2);
  EXPECT_LE(seen.samples, Observed::samples_max);
}

TEST(Observed, WhoIsHardlyKnownIsLikeTheAverage) {
  Observed average;
  for (int i = 0; i < 500; ++i) {
    average.sample(1, 10);
    average.arrival(0);
    average.answer(1, 80);
  }
  Observed stranger;
  stranger.fill_up(average);
  EXPECT_DOUBLE_EQ(stranger.arrivals, Observed::events_enough);
  EXPECT_DOUBLE_EQ(stranger.answered_ns / stranger.answers, 80);
  Observed known;
  for (int i = 0; i < 200; ++i) known.arrival(3);
  known.fill_up(average);
  EXPECT_DOUBLE_EQ(known.arrivals, 200);
  EXPECT_DOUBLE_EQ(known.answers, 0);
  // There is no average yet.
  stranger = {};
  stranger.fill_up({});
  EXPECT_DOUBLE_EQ(stranger.arrivals, 0);
}

}  // namespace
}  // namespace weir
