#include "health/health_score.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Evidence = HealthScore::Evidence;

struct TargetCase {
  Evidence evidence;
  double target;
  std::string why;
};

TEST(HealthScore, WhatItIsWorth) {
  const auto slow = [](int times) {
    return Evidence{.mean = times * milliseconds{10}, .peers_median = milliseconds{10}};
  };
  const std::vector<TargetCase> cases{
      {{}, 1, "nothing speaks against it"},
      {slow(1), 1, "nothing speaks against it"},
      {slow(2), 1, "nothing speaks against it"},
      {slow(3), 2.0 / 3, "3.0 times as slow as its peers"},
      {slow(20), 0.1, "20.0 times as slow as its peers"},
      {{.mean = seconds{10}}, 1, "nothing speaks against it"},
      {{.mean = seconds{10}, .peers_median = Duration{}}, 1, "nothing speaks against it"},
      {{.peers_median = seconds{1}}, 1, "nothing speaks against it"},
      {{.rounds_failed = 1}, 0.5, "1 round of probes failed"},
      {{.rounds_failed = 2}, 1.0 / 3, "2 rounds of probes in a row failed"},
      {{.error_share = 0.001}, 0.998, "0.1 % failed"},
      {{.error_share = 0.1}, 0.8, "10 % failed"},
      {{.error_share = 0.3}, 0.4, "30 % failed"},
      {{.error_share = 0.5}, 0, "50 % failed"},
      {{.error_share = 1}, 0, "100 % failed"},
      {{.error_share = 0.1, .mean = milliseconds{40}, .peers_median = milliseconds{10}},
       0.4,
       "10 % failed, 4.0 times as slow as its peers"},
      {{.rounds_failed = 1, .error_share = 0.1, .mean = milliseconds{40}, .peers_median = milliseconds{10}},
       0.2,
       "1 round of probes failed, 10 % failed, 4.0 times as slow as its peers"},
  };
  for (const TargetCase& each : cases) {
    SCOPED_TRACE(each.why);
    EXPECT_NEAR(HealthScore::target_of(each.evidence), each.target, 1e-9);
    EXPECT_EQ(HealthScore::why(each.evidence), each.why);
  }
}

TEST(HealthScore, FallsAtOnceAndComesBackByHalves) {
  HealthScore score({.half_life = seconds{10}, .floor_percent = 10}, Instant{});
  EXPECT_EQ(score.value(), 1);
  EXPECT_TRUE(score.look({.error_share = 0.3}, Instant{seconds{1}}));
  EXPECT_EQ(score.value(), 0.4);
  struct Moment {
    int at;
    double exact;
    double value;
  };
  for (const Moment& each : {Moment{6, 0.5757, 0.6}, Moment{11, 0.7, 0.7}, Moment{21, 0.85, 0.9},
                             Moment{31, 0.925, 0.9}, Moment{41, 0.9625, 0.9}, Moment{51, 0.98125, 1}}) {
    const double before = score.value();
    EXPECT_EQ(score.look({}, Instant{seconds{each.at}}), each.value != before) << each.at;
    EXPECT_NEAR(score.exact(), each.exact, 1e-3);
    EXPECT_EQ(score.value(), each.value) << each.at;
  }
}

TEST(HealthScore, ComesBackAsQuicklyHoweverOftenOneLooks) {
  HealthScore often({}, Instant{});
  HealthScore seldom({}, Instant{});
  for (HealthScore* each : {&often, &seldom}) each->look({.error_share = 0.5}, Instant{});
  for (int i = 1; i <= 100; ++i) often.look({}, Instant{i * milliseconds{50}});
  seldom.look({}, Instant{seconds{5}});
  EXPECT_NEAR(often.exact(), seldom.exact(), 1e-9);
  // Time that goes back is no time.
  seldom.look({}, Instant{seconds{1}});
  EXPECT_NEAR(often.exact(), seldom.exact(), 1e-9);
}

TEST(HealthScore, IsNeverBelowItsFloor) {
  for (const uint32_t floor : {1U, 10U, 25U, 100U}) {
    HealthScore score({.floor_percent = floor}, Instant{});
    score.look({.error_share = 1}, Instant{seconds{1}});
    EXPECT_EQ(score.value(), floor / 100.0);
    score.look({.rounds_failed = 1000}, Instant{seconds{2}});
    EXPECT_EQ(score.value(), floor / 100.0);
  }
}

TEST(HealthScore, DoesNotSwayBetweenTwoSteps) {
  // A steady trickle of failures around a border of two steps.
  Random random{3};
  HealthScore score({.half_life = milliseconds{100}}, Instant{});
  Instant now{};
  for (int i = 0; i < 20; ++i) score.look({.error_share = 0.075}, now += seconds{1});
  uint32_t changes = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double share = 0.075 + 0.02 * (random.unit() - 0.5);  // the score: 0.83 to 0.87
    changes += score.look({.error_share = share}, now += milliseconds{50}) ? 1 : 0;
  }
  EXPECT_LE(changes, 1U);
  // But it is always near: what it is worth is three quarters of a step away at most.
  for (int i = 0; i < 10'000; ++i) {
    score.look({.error_share = 0.45 * random.unit()}, now += milliseconds{50});
    ASSERT_LT(std::abs(score.value() - std::max(score.exact(), 0.1)), HealthScore::hysteresis);
    ASSERT_NEAR(score.value() * 10, std::round(score.value() * 10), 1e-9);
  }
}

TEST(HealthScore, TakesOtherRules) {
  HealthScore score({.half_life = seconds{10}, .floor_percent = 10}, Instant{});
  score.look({.error_share = 1}, Instant{});
  score.follow({.half_life = seconds{1}, .floor_percent = 30});
  EXPECT_EQ(score.value(), 0.3);
  score.look({}, Instant{seconds{1}});
  EXPECT_NEAR(score.exact(), 0.5, 1e-9);
  EXPECT_EQ(score.value(), 0.5);
}

}  // namespace
}  // namespace weir
