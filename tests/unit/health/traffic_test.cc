#include "health/traffic.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Traffic, WhatWasSpoiledWasNoSuccess) {
  EndpointState state{1};
  EndpointCounters& counters = state.counters(0);
  counters.successes.add(10);
  counters.failures.add(3);
  EXPECT_EQ(traffic_of(state), (Traffic{.good = 10, .bad = 3}));
  counters.spoiled.add(2);
  EXPECT_EQ(traffic_of(state), (Traffic{.good = 8, .bad = 5}));
  // Read between the two halves of an event.
  counters.spoiled.add(9);
  EXPECT_EQ(traffic_of(state), (Traffic{.good = 0, .bad = 14}));
}

TEST(Traffic, IsTheSumOverAllWorkers) {
  EndpointState state{3};
  for (unsigned worker = 0; worker < 3; ++worker) {
    EndpointCounters& counters = state.counters(worker);
    counters.successes.add(8);
    counters.failures.add(2);
    counters.answers_slow.add(worker);
    counters.failure_runs.add();
    state.at(worker).latency.add(std::chrono::milliseconds{worker + 1}, Instant{}, std::chrono::seconds{10});
  }
  const Traffic sum = traffic_of(state);
  EXPECT_EQ(sum.good, 24U);
  EXPECT_EQ(sum.bad, 6U);
  EXPECT_EQ(sum.slow, 3U);
  EXPECT_EQ(sum.runs, 3U);
  EXPECT_EQ(sum.answers, 3U);
  EXPECT_EQ(sum.mean_answer(), std::chrono::milliseconds{2});
}

TEST(Traffic, AddsAndSubtracts) {
  const Traffic one{.good = 5, .bad = 4, .slow = 3, .answers = 6, .answered_ns = 600, .runs = 1};
  const Traffic two{.good = 2, .bad = 1, .slow = 1, .answers = 2, .answered_ns = 100, .runs = 1};
  EXPECT_EQ(one + two - two, one);
  EXPECT_EQ((one - two), (Traffic{.good = 3, .bad = 3, .slow = 2, .answers = 4, .answered_ns = 500, .runs = 0}));
  // What turned out badly was taken from what was good.
  EXPECT_EQ(two - one, Traffic{});
}

TEST(Traffic, Shares) {
  EXPECT_EQ(Traffic{}.error_share(), 0);
  EXPECT_EQ(Traffic{}.slow_share(), 0);
  EXPECT_EQ(Traffic{}.mean_answer(), Duration{});
  EXPECT_EQ((Traffic{.good = 30, .bad = 10}).error_share(), 0.25);
  EXPECT_EQ((Traffic{.answers = 4, .answered_ns = 6000}).mean_answer(), Duration{1500});
  // A connection of TCP has many answers; a failed request of HTTP none, and its answers are fewer than its outcomes.
  EXPECT_EQ((Traffic{.good = 1, .slow = 25, .answers = 100}).slow_share(), 0.25);
  EXPECT_EQ((Traffic{.good = 50, .bad = 50, .slow = 25, .answers = 50}).slow_share(), 0.25);
  EXPECT_EQ((Traffic{.good = 1, .slow = 2}).slow_share(), 1);
}

TEST(Traffic, ProvesHealth) {
  EXPECT_FALSE(Traffic{}.proves_health());
  EXPECT_TRUE((Traffic{.good = 1}).proves_health());
  EXPECT_FALSE((Traffic{.good = 1000, .bad = 1}).proves_health());
  EXPECT_FALSE((Traffic{.bad = 1}).proves_health());
}

TEST(Traffic, Told) {
  EXPECT_EQ(told_failures({.good = 26, .bad = 34}, seconds{10}), "34 of 60 failed in the last 10 s (57 %)");
}

// --- windows --------------------------------------------------------------------------------------------------------

TEST(WindowedTraffic, CountsFromItsBeginning) {
  WindowedTraffic window{seconds{10}, {.good = 1000}, Instant{}};
  EXPECT_EQ(window.sum(), Traffic{});
  EXPECT_EQ(window.advance({.good = 1007, .bad = 1}, Instant{milliseconds{50}}), (Traffic{.good = 7, .bad = 1}));
  EXPECT_EQ(window.sum(), (Traffic{.good = 7, .bad = 1}));
}

struct WindowCase {
  const char* what;
  std::vector<milliseconds> looks;  // one more has come at each of them
  uint64_t left;
};

TEST(WindowedTraffic, Forgets) {
  const std::vector<WindowCase> cases{
      {"all within it", {milliseconds{100}, milliseconds{5000}, milliseconds{9900}}, 3},
      {"the first tenth is over", {milliseconds{100}, milliseconds{999}, milliseconds{1000}, milliseconds{10'000}}, 2},
      {"the second, too", {milliseconds{100}, milliseconds{1000}, milliseconds{11'000}}, 1},
      {"a late look forgets all, and counts what it sees", {milliseconds{100}, milliseconds{25'000}}, 1},
      {"and goes on from there", {milliseconds{100}, milliseconds{25'300}, milliseconds{34'900}}, 2},
      {"in tenths as they were before", {milliseconds{25'300}, milliseconds{35'000}}, 1},
      {"a day later", {milliseconds{100}, milliseconds{86'400'000}}, 1},
      {"twice at the same time", {milliseconds{100}, milliseconds{100}}, 2},
  };
  for (const WindowCase& each : cases) {
    SCOPED_TRACE(each.what);
    WindowedTraffic window{seconds{10}, {}, Instant{}};
    Traffic so_far;
    for (const milliseconds at : each.looks) {
      ++so_far.good;
      EXPECT_EQ(window.advance(so_far, Instant{at}).good, 1U);
    }
    EXPECT_EQ(window.sum().good, each.left);
  }
}

// Against a list of all that ever came: never more than came in the window, never less than in nine tenths of it.
TEST(WindowedTraffic, HoldsWhatItPromises) {
  Random random{7};
  for (const Duration length : {Duration{seconds{10}}, Duration{microseconds{1}}, Duration{997}}) {
    const Duration tenth = length / 10;
    WindowedTraffic window{length, {}, Instant{}};
    std::vector<Instant> all;
    Traffic so_far;
    Instant now{};
    for (int i = 0; i < 5000; ++i) {
      now += Duration{static_cast<Duration::rep>(random.below(static_cast<uint64_t>(tenth.count()) + 1))};
      const uint64_t came = random.below(3);
      for (uint64_t j = 0; j < came; ++j) all.push_back(now);
      so_far.bad += came;
      window.advance(so_far, now);
      uint64_t most = 0;
      uint64_t least = 0;
      for (const Instant at : all) {
        most += at > now - length ? 1 : 0;
        least += at > now - 9 * tenth ? 1 : 0;
      }
      ASSERT_LE(window.sum().bad, most);
      ASSERT_GE(window.sum().bad, least);
    }
  }
}

TEST(WindowedTraffic, BeginsAnew) {
  WindowedTraffic window{seconds{10}, {}, Instant{}};
  window.advance({.bad = 50}, Instant{seconds{5}});
  window.restart({.bad = 60}, Instant{seconds{7}});
  EXPECT_EQ(window.sum(), Traffic{});
  window.advance({.bad = 61}, Instant{seconds{16}});
  EXPECT_EQ(window.sum().bad, 1U);
  EXPECT_EQ(window.window(), seconds{10});
}

}  // namespace
}  // namespace weir
