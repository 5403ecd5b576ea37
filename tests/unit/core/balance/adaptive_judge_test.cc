#include "core/balance/adaptive_judge.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace weir {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr size_t round_robin = 0;
constexpr size_t two_choices = 1;
constexpr size_t least_time = 2;

// What an algorithm would have made of a window: `slow_percent` of its requests took `slow_ms`, the others `fast_ms`.
struct Made {
  double fast_ms = 1;
  double slow_ms = 1;
  uint32_t slow_percent = 0;
};
using Window = std::array<Made, shadow_count>;

// The three in shadow, and a judge who is told.
class Court {
 public:
  explicit Court(const AdaptiveJudge::Rules& rules = {}, size_t choice = round_robin, const Window* before = nullptr)
      : judge_(rules, choice, before == nullptr ? counts_ : add(*before, 1000)) {}

  std::optional<AdaptiveJudge::Switch> window(const Window& made, uint32_t requests = 1000) {
    return judge_.window_over(add(made, requests));
  }
  // In which of the windows there was a switch, from 1 on; 0: in none of so many.
  uint32_t switched_after(const Window& made, uint32_t windows, uint32_t requests = 1000) {
    for (uint32_t i = 1; i <= windows; ++i) {
      if (window(made, requests)) return i;
    }
    return 0;
  }
  const AdaptiveJudge& judge() const { return judge_; }

 private:
  const ShadowCounts& add(const Window& made, uint32_t requests) {
    for (size_t i = 0; i < shadow_count; ++i) {
      const uint32_t slow = requests * made[i].slow_percent / 100;
      counts_[i].buckets[latency_bucket_of(static_cast<uint64_t>(made[i].slow_ms * 1e6))] += slow;
      counts_[i].buckets[latency_bucket_of(static_cast<uint64_t>(made[i].fast_ms * 1e6))] += requests - slow;
    }
    return counts_;
  }

  ShadowCounts counts_;
  AdaptiveJudge judge_;
};

constexpr Made good{1, 3, 5};
constexpr Made bad{1, 50, 5};

TEST(AdaptiveJudge, SwitchesAfterSoManyWindowsInARow) {
  for (const uint32_t windows : {1U, 2U, 3U, 10U}) {
    Court court({.windows = windows});
    EXPECT_EQ(court.switched_after({bad, bad, good}, 20), windows);
    EXPECT_EQ(court.judge().choice(), least_time);
    EXPECT_EQ(court.judge().switches(), 1U);
  }
}

TEST(AdaptiveJudge, SaysWhy) {
  Court court;
  court.window({bad, good, bad}, 10'000);
  court.window({bad, good, bad}, 5'000);
  EXPECT_EQ(court.judge().last_switch(), nullptr);
  const auto verdict = court.window({bad, good, bad}, 3'400);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->from, round_robin);
  EXPECT_EQ(verdict->to, two_choices);
  EXPECT_EQ(verdict->why,
            "two_choices: predicted p99 3.0 ms, mean 1.1 ms; round_robin: predicted p99 49 ms, mean 3.2 ms; over 3 "
            "windows of 5.0 s, 18,400 requests");
  ASSERT_NE(court.judge().last_switch(), nullptr);
  EXPECT_EQ(court.judge().last_switch()->why, verdict->why);
}

TEST(AdaptiveJudge, OneOtherWindowBreaksTheRow) {
  Court court;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(court.window({bad, bad, good}));
    EXPECT_FALSE(court.window({bad, bad, good}));
    EXPECT_EQ(court.judge().better_for(least_time), 2U);
    EXPECT_FALSE(court.window({good, good, good}));
    EXPECT_EQ(court.judge().better_for(least_time), 0U);
  }
}

TEST(AdaptiveJudge, FewRequestsProveNothing) {
  Court court({.requests_min = 100});
  EXPECT_EQ(court.switched_after({bad, bad, good}, 20, 99), 0U);
  EXPECT_EQ(court.judge().requests(), 99U);
  // Nor do they belong to a row.
  court.window({bad, bad, good}, 100);
  court.window({bad, bad, good}, 100);
  court.window({bad, bad, good}, 99);
  EXPECT_EQ(court.judge().better_for(least_time), 0U);
  EXPECT_EQ(court.switched_after({bad, bad, good}, 20, 100), 3U);
}

TEST(AdaptiveJudge, NobodyCame) {
  Court court({.requests_min = 0});
  EXPECT_EQ(court.switched_after({bad, bad, good}, 5, 0), 0U);
  EXPECT_EQ(court.judge().predictions()[least_time], AdaptiveJudge::Prediction{});
}

TEST(AdaptiveJudge, WhatWasBeforeItProvesNothing) {
  const Window before{bad, bad, good};
  Court court({.windows = 1}, round_robin, &before);
  EXPECT_EQ(court.switched_after({good, good, good}, 3), 0U);
  EXPECT_EQ(court.judge().requests(), 1000U);
}

struct MarginCase {
  const char* what;
  Made now;
  Made other;
  uint32_t margin_percent;
  bool switches;
};

TEST(AdaptiveJudge, MarginsOfMeanAndTail) {
  const std::vector<MarginCase> cases{
      {"the same", good, good, 10, false},
      {"a much shorter tail", {1, 50, 5}, {1, 3, 5}, 10, true},
      {"a longer tail", {1, 3, 5}, {1, 50, 5}, 10, false},
      {"the tail alone, by less than asked for", {1, 50, 5}, {1, 30, 5}, 50, false},
      {"the tail alone, by more than asked for", {1, 50, 5}, {1, 20, 5}, 50, true},
      {"a lower mean, the same tail", {5, 50, 5}, {2, 50, 5}, 10, true},
      {"a shorter tail, paid for by the mean", {1, 50, 5}, {20, 20, 0}, 10, false},
      {"a lower mean, paid for by the tail", {20, 20, 0}, {1, 50, 5}, 10, false},
      {"nothing is better by all of it", {1, 50, 5}, {1, 3, 5}, 100, false},
  };
  for (const MarginCase& each : cases) {
    SCOPED_TRACE(each.what);
    Court court({.windows = 2, .margin_percent = each.margin_percent});
    EXPECT_EQ(court.switched_after({each.now, each.now, each.other}, 6), each.switches ? 2U : 0U);
  }
}

TEST(AdaptiveJudge, OfTwoThatAreBetterTheBestThenThePlainest) {
  Court clear;
  EXPECT_EQ(clear.switched_after({bad, {1, 20, 5}, {1, 3, 5}}, 9), 3U);
  EXPECT_EQ(clear.judge().choice(), least_time);
  Court tied({}, least_time);
  EXPECT_EQ(tied.switched_after({good, good, bad}, 9), 3U);
  EXPECT_EQ(tied.judge().choice(), round_robin);
}

TEST(AdaptiveJudge, EachIsInARowOfItsOwn) {
  Court court;
  court.window({bad, good, bad});
  court.window({bad, good, good});
  const auto verdict = court.window({bad, {1, 20, 5}, good});
  // Only two_choices was better three times, though it is not the best of the last window.
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->to, two_choices);
}

TEST(AdaptiveJudge, AfterASwitchItWaits) {
  Court court({.windows = 3});
  ASSERT_EQ(court.switched_after({bad, bad, good}, 5), 3U);
  // The opposite is true at once: three quiet windows, and then a row of three.
  EXPECT_EQ(court.switched_after({good, good, bad}, 20), 6U);
  EXPECT_EQ(court.judge().choice(), round_robin);
  EXPECT_EQ(court.judge().switches(), 2U);
}

TEST(AdaptiveJudge, WhatItThinksCanBeRead) {
  Court court;
  court.window({bad, good, {2, 2, 0}});
  const auto& predictions = court.judge().predictions();
  EXPECT_NEAR(static_cast<double>(predictions[round_robin].p99.count()), 50e6, 8e6);
  EXPECT_NEAR(static_cast<double>(predictions[round_robin].p50.count()), 1e6, 0.2e6);
  EXPECT_NEAR(static_cast<double>(predictions[round_robin].mean.count()), 3.45e6, 0.5e6);
  EXPECT_NEAR(static_cast<double>(predictions[least_time].p99.count()), 2e6, 0.5e6);
  EXPECT_EQ(court.judge().better_for(two_choices), 1U);
  EXPECT_EQ(court.judge().better_for(round_robin), 0U);
  EXPECT_EQ(court.judge().choice(), round_robin);
}

TEST(AdaptiveJudge, RefusesRulesThatMeanNothing) {
  EXPECT_DEATH(AdaptiveJudge({.windows = 0}, 0, {}), "assertion failed");
  EXPECT_DEATH(AdaptiveJudge({.margin_percent = 0}, 0, {}), "assertion failed");
  EXPECT_DEATH(AdaptiveJudge({}, shadow_count, {}), "assertion failed");
}

TEST(AdaptiveJudge, ReadableDurations) {
  EXPECT_EQ(readable(Duration{}), "0.0 us");
  EXPECT_EQ(readable(nanoseconds{1'500}), "1.5 us");
  EXPECT_EQ(readable(microseconds{42}), "42 us");
  EXPECT_EQ(readable(nanoseconds{999'499}), "999 us");
  EXPECT_EQ(readable(nanoseconds{999'501}), "1.0 ms");
  EXPECT_EQ(readable(nanoseconds{9'960'000}), "10 ms");
  EXPECT_EQ(readable(milliseconds{51}), "51 ms");
  EXPECT_EQ(readable(seconds{5}), "5.0 s");
  EXPECT_EQ(readable(seconds{1'234}), "1234 s");
}

}  // namespace
}  // namespace weir
