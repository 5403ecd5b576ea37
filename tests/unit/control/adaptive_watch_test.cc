#include "control/adaptive_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "core/balance/adaptive.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unsigned workers = 2;
const Instant start{seconds{1000}};

class AdaptiveWatchTest : public testing::Test {
 protected:
  AdaptiveWatchTest() {
    state.shadows = std::make_unique<ShadowScores[]>(workers);
    upstream.id = UpstreamId{7};
    upstream.name = "app";
    upstream.state = &state;
  }

  AdaptiveWatch watch() { return {upstream, config, workers, start}; }
  // What a worker guesses of so many arrivals: `best` would have been twice as fast as the others.
  void guess(std::string_view best, unsigned worker = 0, uint32_t arrivals = 100) {
    for (size_t i = 0; i < shadow_count; ++i) {
      for (uint32_t n = 0; n < arrivals; ++n) {
        state.shadows[worker].predicted[i].add(adaptive_algorithms[i] == best ? 1'000'000 : 2'000'000);
      }
    }
  }

  config::AdaptiveConfig config{.window = seconds{5}, .windows = 1, .margin = 10, .requests = 100};
  UpstreamState state;
  Upstream upstream;
};

TEST_F(AdaptiveWatchTest, WritesDownWhoDecidesFromNowOn) {
  AdaptiveWatch watch = this->watch();
  EXPECT_EQ(watch.upstream(), upstream.id);
  EXPECT_EQ(watch.name(), "app");
  EXPECT_EQ(watch.window_end(), start + seconds{5});
  guess("least_time");
  const auto change = watch.window_over(start + seconds{5});
  ASSERT_TRUE(change);
  EXPECT_EQ(adaptive_algorithms[change->from], "round_robin");
  EXPECT_EQ(adaptive_algorithms[change->to], "least_time");
  EXPECT_EQ(state.adaptive_choice, "least_time");
  EXPECT_EQ(watch.window_end(), start + seconds{10});
}

TEST_F(AdaptiveWatchTest, AddsUpWhatAllWorkersGuess) {
  AdaptiveWatch watch = this->watch();
  guess("two_choices", 0, 50);
  EXPECT_FALSE(watch.window_over(start + seconds{5})) << "too few";
  guess("two_choices", 0, 50);
  guess("two_choices", 1, 50);
  EXPECT_TRUE(watch.window_over(start + seconds{10}));
  EXPECT_EQ(state.adaptive_choice, "two_choices");
}

TEST_F(AdaptiveWatchTest, BeginsWithWhoDecides) {
  state.adaptive_choice = "least_time";
  AdaptiveWatch watch = this->watch();
  guess("least_time");
  EXPECT_FALSE(watch.window_over(start + seconds{5}));
  EXPECT_EQ(state.adaptive_choice, "least_time");
}

TEST_F(AdaptiveWatchTest, WhatWasGuessedBeforeProvesNothing) {
  guess("least_time", 0, 10'000);
  AdaptiveWatch watch = this->watch();
  EXPECT_FALSE(watch.window_over(start + seconds{5}));
  EXPECT_EQ(watch.judge().requests(), 0U);
}

TEST_F(AdaptiveWatchTest, KnowsItsRules) {
  const AdaptiveWatch watch = this->watch();
  EXPECT_TRUE(watch.has_rules(config));
  for (auto change :
       {+[](config::AdaptiveConfig& c) { c.window = seconds{6}; }, +[](config::AdaptiveConfig& c) { c.windows = 2; },
        +[](config::AdaptiveConfig& c) { c.margin = 11; }, +[](config::AdaptiveConfig& c) { c.requests = 101; }}) {
    config::AdaptiveConfig other = config;
    change(other);
    EXPECT_FALSE(watch.has_rules(other));
  }
}

// A thread that was held up looks once, and then waits for a whole window again: a window of no time proves nothing,
// and would take from others what they have proven.
TEST_F(AdaptiveWatchTest, MissedWindowsAreOne) {
  AdaptiveWatch watch = this->watch();
  watch.window_over(start + seconds{5} + milliseconds{300});
  EXPECT_EQ(watch.window_end(), start + seconds{10}) << "a little late, and in step";
  watch.window_over(start + seconds{33});
  EXPECT_GT(watch.window_end(), start + seconds{33});
  EXPECT_LE(watch.window_end(), start + seconds{38});
}

}  // namespace
}  // namespace weir
