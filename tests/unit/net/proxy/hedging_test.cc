// How long a request waits before a second endpoint is asked, and how many may have one.
#include "net/proxy/hedging.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace weir {
namespace {

using namespace std::chrono_literals;

const Instant now{1000s};
constexpr HedgePolicy policy{.percentile = 95, .wait_min = 5ms, .budget_percent = 5};

void add(LatencyHistogram& latency, Duration each, int times) {
  for (int i = 0; i < times; ++i) latency.add(static_cast<uint64_t>(each.count()));
}

// What the histogram can tell apart from it.
struct Bucket {
  Duration begin;
  Duration end;
};
Bucket bucket_of(Duration of) {
  const size_t bucket = latency_bucket_of(static_cast<uint64_t>(of.count()));
  return {bucket == 0 ? Duration{} : Duration{latency_bucket_end(bucket - 1)}, Duration{latency_bucket_end(bucket)}};
}

void expect_about(std::optional<Duration> wait, Duration right) {
  ASSERT_TRUE(wait.has_value());
  EXPECT_GE(*wait, bucket_of(right).begin);
  EXPECT_LE(*wait, bucket_of(right).end);
}

TEST(Hedging, NeedsAHundredAnswers) {
  Hedging hedging;
  LatencyHistogram latency;
  EXPECT_EQ(hedging.wait(policy, latency, now), std::nullopt);
  add(latency, 20ms, 99);
  EXPECT_EQ(hedging.wait(policy, latency, now + 1s), std::nullopt);
  add(latency, 20ms, 1);
  expect_about(hedging.wait(policy, latency, now + 2s), 20ms);
}

TEST(Hedging, WaitsForThePercentile) {
  // 1 to 1000 ms, each once, in no order.
  for (const uint32_t percentile : {50U, 75U, 90U, 95U, 99U, 100U}) {
    SCOPED_TRACE(percentile);
    Hedging hedging;
    LatencyHistogram latency;
    hedging.wait(policy, latency, now);
    for (int i = 0; i < 1000; ++i) add(latency, (1 + i * 377 % 1000) * 1ms, 1);
    HedgePolicy of = policy;
    of.percentile = percentile;
    expect_about(hedging.wait(of, latency, now + 1s), percentile * 10ms);
  }
}

TEST(Hedging, TellsTheFewSlowFromTheMany) {
  struct Row {
    int slow;  // of 1000
    Duration about;
  };
  for (const Row& row : std::vector<Row>{{0, 10ms}, {40, 10ms}, {60, 2s}, {1000, 2s}}) {
    Hedging hedging;
    LatencyHistogram latency;
    hedging.wait(policy, latency, now);
    add(latency, 10ms, 1000 - row.slow);
    add(latency, 2s, row.slow);
    expect_about(hedging.wait(policy, latency, now + 1s), row.about);
  }
}

TEST(Hedging, NeverWaitsLessThanItMust) {
  Hedging hedging;
  LatencyHistogram latency;
  hedging.wait(policy, latency, now);
  add(latency, 100us, 1000);
  EXPECT_EQ(hedging.wait(policy, latency, now + 1s), 5ms);
  HedgePolicy without = policy;
  without.wait_min = 0ms;
  expect_about(hedging.wait(without, latency, now + 2s), 100us);
}

TEST(Hedging, IsReckonedAFewTimesPerSecond) {
  Hedging hedging;
  LatencyHistogram latency;
  hedging.wait(policy, latency, now);
  add(latency, 20ms, 100);
  EXPECT_EQ(hedging.wait(policy, latency, now + 249ms), std::nullopt);
  const auto first = hedging.wait(policy, latency, now + 250ms);
  expect_about(first, 20ms);
  add(latency, 1s, 1000);
  EXPECT_EQ(hedging.wait(policy, latency, now + 499ms), first);
  expect_about(hedging.wait(policy, latency, now + 500ms), 1s);
}

TEST(Hedging, WhatWasBeforeTheFirstQuestionDoesNotCount) {
  Hedging hedging;
  LatencyHistogram latency;
  add(latency, 1s, 1000);
  EXPECT_EQ(hedging.wait(policy, latency, now), std::nullopt);
  add(latency, 10ms, 100);
  expect_about(hedging.wait(policy, latency, now + 1s), 10ms);
}

// A bad second, and then 200 quick answers in each.
TEST(Hedging, ForgetsWhatIsOlderThanTwoWindows) {
  Hedging hedging;
  LatencyHistogram latency;
  hedging.wait(policy, latency, now);
  add(latency, 1s, 1000);
  for (Instant at = now + 250ms; at <= now + 40s; at += 250ms) {
    add(latency, 10ms, 50);
    const auto wait = hedging.wait(policy, latency, at);
    if (at <= now + Hedging::window) expect_about(wait, 1s);
    if (at >= now + 2 * Hedging::window) expect_about(wait, 10ms);
  }
}

// A question that comes late begins no new window: what was before the pause is forgotten in time.
TEST(Hedging, ForgetsInTimeWhateverTheTimesOfTheQuestions) {
  for (const Duration pause : std::vector<Duration>{10s, 12s, 15s, 19'900ms, 19'999ms}) {
    SCOPED_TRACE(pause.count());
    Hedging hedging;
    LatencyHistogram latency;
    hedging.wait(policy, latency, now);
    add(latency, 1s, 1000);
    expect_about(hedging.wait(policy, latency, now + pause), 1s);
    for (Instant at = now + pause + 250ms; at <= now + 26s; at += 250ms) {
      add(latency, 10ms, 50);
      const auto wait = hedging.wait(policy, latency, at);
      if (at >= now + 2 * Hedging::window + 250ms) expect_about(wait, 10ms);
    }
  }
}

TEST(Hedging, AfterALongPauseNothingIsKnown) {
  Hedging hedging;
  LatencyHistogram latency;
  hedging.wait(policy, latency, now);
  add(latency, 1s, 1000);
  expect_about(hedging.wait(policy, latency, now + 1s), 1s);
  EXPECT_EQ(hedging.wait(policy, latency, now + 2 * Hedging::window), std::nullopt);
  EXPECT_EQ(hedging.wait(policy, latency, now + 10min), std::nullopt);
  add(latency, 10ms, 100);
  expect_about(hedging.wait(policy, latency, now + 10min + 1s), 10ms);
}

// --- the budget -----------------------------------------------------------------------------------------------------

// So many second tries are there; they are taken.
int taken(Hedging& hedging) {
  int count = 0;
  while (hedging.take()) ++count;
  return count;
}

HedgePolicy with_budget(uint32_t percent) {
  return {.percentile = 95, .wait_min = 5ms, .budget_percent = percent};
}

TEST(HedgingBudget, NothingIsSavedAtFirst) {
  Hedging hedging;
  EXPECT_FALSE(hedging.take());
}

TEST(HedgingBudget, IsAShareOfRequests) {
  struct Row {
    uint32_t percent;
    int requests;
    int tries;
  };
  const std::vector<Row> rows{{50, 1, 0}, {50, 2, 1}, {50, 7, 3},  {25, 3, 0},
                              {25, 4, 1}, {25, 8, 2}, {100, 5, 5}, {0, 1000, 0}};
  for (const Row& row : rows) {
    Hedging hedging;
    for (int i = 0; i < row.requests; ++i) hedging.request(with_budget(row.percent));
    EXPECT_EQ(taken(hedging), row.tries) << row.percent << " % of " << row.requests;
  }
}

// Nothing is rounded away: of a hundred requests as many have a second try as the budget says, and never one too early.
TEST(HedgingBudget, IsExact) {
  for (uint32_t percent = 0; percent <= 100; ++percent) {
    Hedging hedging;
    uint64_t tries = 0;
    for (uint64_t requests = 1; requests <= 1000; ++requests) {
      hedging.request(with_budget(percent));
      tries += hedging.take() ? 1 : 0;
      ASSERT_EQ(tries, requests * percent / 100) << percent << " % of " << requests;
    }
  }
}

TEST(HedgingBudget, IsSavedUpToABound) {
  for (const uint32_t percent : {1U, 5U, 50U, 100U}) {
    Hedging hedging;
    for (int i = 0; i < 10'000; ++i) hedging.request(with_budget(percent));
    EXPECT_EQ(taken(hedging), static_cast<int>(Hedging::saved_max)) << percent;
    EXPECT_FALSE(hedging.take());
  }
}

TEST(HedgingBudget, OfAReloadCountsFromThereOn) {
  Hedging hedging;
  for (int i = 0; i < 2; ++i) hedging.request(with_budget(50));
  for (int i = 0; i < 100; ++i) hedging.request(with_budget(0));
  EXPECT_EQ(taken(hedging), 1) << "what was saved stays";
}

}  // namespace
}  // namespace weir
