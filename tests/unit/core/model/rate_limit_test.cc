#include "core/model/rate_limit.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};
constexpr uint64_t seed = 5;
constexpr uint64_t key = 42;

RateRule bucket(uint32_t requests, Duration per, uint32_t burst) {
  return {RateAlgorithm::token_bucket, requests, per, burst};
}

RateRule window(uint32_t requests, Duration per) {
  return {RateAlgorithm::sliding_window, requests, per, 0};
}

std::string name_of(const RateRule& rule) {
  return (rule.algorithm == RateAlgorithm::token_bucket ? "bucket, " : "window, ") + std::to_string(rule.requests) +
         " in " + std::to_string(rule.per.count()) + " ns";
}

// Everything that is counted comes in the same time, from 1 a day to the fastest that is countable.
std::vector<RateRule> rules() {
  std::vector<RateRule> result;
  for (const auto& [requests, per] : std::vector<std::pair<uint32_t, Duration>>{{1, 24h},
                                                                                {1, 1s},
                                                                                {7, 1s},
                                                                                {999, 1s},
                                                                                {100'000, 1s},
                                                                                {200'000, 1s},
                                                                                {3, 1ms},
                                                                                {200'000, 1ms},
                                                                                {200'000, 24h},
                                                                                {13, 86'399s + 1ns}}) {
    result.push_back(bucket(requests, per, requests));
    result.push_back(bucket(requests, per, 1));
    result.push_back(window(requests, per));
  }
  return result;
}

struct Step {
  Duration at;
  RateVerdict verdict;
};

void expect_steps(const RateRule& rule, const std::vector<Step>& steps) {
  RateTable table(rule, 0, seed);
  for (const auto& [at, expected] : steps) {
    const RateVerdict verdict = table.take(key, start + at);
    const std::string where = name_of(rule) + ", at " + std::to_string(at.count()) + " ns";
    EXPECT_EQ(verdict.admitted, expected.admitted) << where;
    EXPECT_EQ(verdict.remaining, expected.remaining) << where;
    EXPECT_EQ(verdict.retry_after.count(), expected.retry_after.count()) << where;
    EXPECT_EQ(verdict.reset.count(), expected.reset.count()) << where;
  }
}

TEST(RateLimit, WhatIsCountable) {
  EXPECT_TRUE(bucket(1, 1ms, 1).is_countable());
  EXPECT_TRUE(bucket(200'000, 24h, 200'000).is_countable());
  EXPECT_TRUE(window(200'000, 1ms).is_countable());
  EXPECT_FALSE(bucket(0, 1s, 1).is_countable());
  EXPECT_FALSE(bucket(1, 1s, 0).is_countable());
  EXPECT_FALSE(bucket(200'001, 1s, 1).is_countable());
  EXPECT_FALSE(bucket(1, 1s, 200'001).is_countable());
  EXPECT_FALSE(window(0, 1s).is_countable());
  EXPECT_FALSE(window(200'001, 1s).is_countable());
  EXPECT_FALSE(window(1, 1ms - 1ns).is_countable());
  EXPECT_FALSE(window(1, 24h + 1ns).is_countable());
}

TEST(RateLimitDeathTest, CountsNothingElse) {
  EXPECT_DEATH(RateTable(window(0, 1s), 0, seed), "is_countable");
}

TEST(TokenBucket, ABurstAndThenEvenly) {
  expect_steps(bucket(10, 1s, 3), {
                                      {0ms, {true, 2, 0ms, 100ms}},
                                      {0ms, {true, 1, 0ms, 200ms}},
                                      {0ms, {true, 0, 0ms, 300ms}},
                                      {0ms, {false, 0, 100ms, 300ms}},
                                      {50ms, {false, 0, 50ms, 250ms}},
                                      {100ms, {true, 0, 0ms, 300ms}},
                                      {150ms, {false, 0, 50ms, 250ms}},
                                      {250ms, {true, 0, 0ms, 250ms}},
                                      {400ms, {true, 1, 0ms, 200ms}},
                                      {800ms, {true, 2, 0ms, 100ms}},
                                      {1h, {true, 2, 0ms, 100ms}},
                                  });
  expect_steps(bucket(1, 1s, 1), {
                                     {0ms, {true, 0, 0ms, 1s}},
                                     {750ms, {false, 0, 250ms, 250ms}},
                                     {1s, {true, 0, 0ms, 1s}},
                                     {1s, {false, 0, 1s, 1s}},
                                 });
}

TEST(SlidingWindow, AllAtOnceAndThenAsTheyAge) {
  expect_steps(window(4, 1s), {
                                  {0ms, {true, 3, 0ms, 2s}},
                                  {0ms, {true, 2, 0ms, 2s}},
                                  {0ms, {true, 1, 0ms, 2s}},
                                  {0ms, {true, 0, 0ms, 2s}},
                                  {0ms, {false, 0, 1s, 2s}},
                                  {500ms, {false, 0, 500ms, 1500ms}},
                                  {1s, {true, 0, 0ms, 2s}},  // the window before is this one, a fourth of it is over
                                  {1s, {false, 0, 250ms, 2s}},
                                  {1125ms, {false, 0, 125ms, 1875ms}},
                                  {1250ms, {true, 0, 0ms, 1750ms}},
                                  {1750ms, {true, 1, 0ms, 1250ms}},
                                  {1750ms, {true, 0, 0ms, 1250ms}},
                                  {1750ms, {false, 0, 250ms, 1250ms}},
                                  {2s, {true, 0, 0ms, 2s}},
                                  {4s, {true, 3, 0ms, 2s}},  // everything is forgotten
                              });
  // One of three here, and none of them in the window before; then nobody for most of a window.
  expect_steps(window(3, 1s), {
                                  {0ms, {true, 2, 0ms, 2s}},
                                  {1500ms, {true, 2, 0ms, 1500ms}},
                                  {1500ms, {true, 1, 0ms, 1500ms}},
                                  {2s, {true, 1, 0ms, 2s}},
                                  {2s, {true, 0, 0ms, 2s}},
                                  {3s, {true, 1, 0ms, 2s}},
                              });
  expect_steps(window(1, 1s), {
                                  {0ms, {true, 0, 0ms, 2s}},
                                  {0ms, {false, 0, 1s, 2s}},
                                  {1s, {true, 0, 0ms, 2s}},
                                  {2s, {true, 0, 0ms, 2s}},
                              });
}

// Who comes again as soon as it is told to is let in then, not earlier, and in the long run as often as the rule says.
TEST(RateLimit, EveryRateIsMet) {
  for (const RateRule& rule : rules()) {
    RateTable table(rule, 0, seed);
    const uint32_t count = 3 * rule.requests + 2000;
    // How far an answer may be off: one share of what the rule says, and a nanosecond.
    const Duration whole = rule.algorithm == RateAlgorithm::token_bucket ? rule.per / rule.requests : rule.per;
    const Duration share = whole / (1 << 17) + 2ns;
    Instant now = start;
    uint32_t admitted = 0;
    Instant first_refused{};
    uint32_t before = 0;
    while (admitted < count) {
      const RateVerdict verdict = table.take(key, now);
      if (verdict.admitted) {
        ++admitted;
        continue;
      }
      ASSERT_GT(verdict.retry_after, 0ns) << name_of(rule);
      if (before == 0) {
        first_refused = now;
        before = admitted;
      }
      if (verdict.retry_after > share) {
        ASSERT_FALSE(table.take(key, now + verdict.retry_after - share).admitted) << name_of(rule) << " " << admitted;
      }
      now += verdict.retry_after;
      ASSERT_TRUE(table.take(key, now).admitted) << name_of(rule) << " " << admitted;
      ++admitted;
    }
    // From a window that is used up at once the first comes back after all of `per`, where a bucket has another one
    // after the time of one. A first window may begin a 64th late.
    const bool is_bucket = rule.algorithm == RateAlgorithm::token_bucket;
    const auto per_ns = static_cast<double>(rule.per.count());
    const double came = admitted - before + (is_bucket ? 0 : rule.requests - 1);
    const double expected = per_ns * came / rule.requests;
    const auto took = static_cast<double>((now - first_refused).count());
    const double slack = static_cast<double>(share.count()) + (is_bucket ? 0 : per_ns / 64) + expected * 1e-5;
    EXPECT_NEAR(took, expected, slack) << name_of(rule);
    EXPECT_EQ(before, rule.algorithm == RateAlgorithm::token_bucket ? rule.burst : rule.requests) << name_of(rule);
  }
}

TEST(RateLimit, ARefusedOneCostsNothing) {
  for (const RateRule& rule : rules()) {
    RateTable table(rule, 0, seed);
    RateVerdict verdict;
    while ((verdict = table.take(key, start)).admitted) {
    }
    const Duration retry_after = verdict.retry_after;
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(table.take(key, start), verdict) << name_of(rule);
    EXPECT_TRUE(table.take(key, start + retry_after).admitted) << name_of(rule);
  }
}

// Against a bucket that is reckoned in whole numbers: tokens times `per`.
TEST(TokenBucket, AgreesWithAnExactOne) {
  for (const RateRule& rule : {bucket(7, 1s, 3), bucket(7, 1s, 50), bucket(999, 1s, 1), bucket(100'000, 1s, 20),
                               bucket(200'000, 1ms, 100), bucket(5, 24h, 5)}) {
    const int64_t per = rule.per.count();
    Random random(7);
    RateTable table(rule, 0, seed);
    Instant now = start;
    __extension__ using Wide = __int128;
    Wide level = Wide{rule.burst} * per;
    int differ = 0;
    for (int i = 0; i < 20'000; ++i) {
      // Quiet times and busy ones, of up to four tokens.
      const auto gap = static_cast<int64_t>(
          random.below(static_cast<uint64_t>(per / rule.requests) * (random.below(20) == 0 ? 4 : 1) + 1));
      now += Duration{gap};
      level = std::min(level + Wide{gap} * rule.requests, Wide{rule.burst} * per);
      const RateVerdict verdict = table.take(key, now);
      if (verdict.admitted != (level >= per)) {
        ++differ;
        const auto off = static_cast<int64_t>(level > per ? level - per : per - level);
        ASSERT_LE(off, per / (1 << 17)) << name_of(rule) << " " << i;
      }
      if (verdict.admitted) level -= per;
    }
    EXPECT_LE(differ, 2) << name_of(rule);
  }
}

// Never more than so many in any time that is no longer than `span`, by a log of all that were admitted.
uint32_t most_in_any(Duration span, const std::vector<Instant>& log) {
  size_t first = 0;
  size_t most = 0;
  for (size_t last = 0; last < log.size(); ++last) {
    while (log[last] - log[first] >= span) ++first;
    most = std::max(most, last - first + 1);
  }
  return static_cast<uint32_t>(most);
}

// Who was quiet and then asks all the time, whenever that begins.
TEST(SlidingWindow, AFloodHasItsNumberInAnyWindow) {
  for (const uint32_t requests : {1U, 2U, 10U, 1000U, 5000U, 200'000U}) {
    for (const Duration phase : {0ms, 1ms, 400ms, 999ms}) {
      RateTable table(window(requests, 1s), 0, seed);
      std::vector<Instant> log;
      const Instant first = start + phase;
      for (Instant now = first; now < first + 6s;) {
        const RateVerdict verdict = table.take(key, now);
        if (verdict.admitted) log.push_back(now);
        if (!verdict.admitted) now += std::min<Duration>(verdict.retry_after, 1ms);
      }
      EXPECT_EQ(most_in_any(1s, {log.begin(), log.begin() + requests}), requests);
      EXPECT_LE(most_in_any(1s, log), requests + requests / 1000 + 1) << requests;
      EXPECT_GE(log.size(), requests * 5U) << requests;
    }
  }
}

// Asked at random, in bursts, and by the one who knows how to make it misjudge: the bound holds, and is not kinder than
// it must be.
TEST(SlidingWindow, IsBoundedWhateverIsAsked) {
  constexpr Duration per = 1s;
  uint32_t worst = 0;
  for (uint64_t round = 0; round < 60; ++round) {
    Random random(round);
    const uint32_t requests = std::vector<uint32_t>{1, 2, 5, 20, 100}[round % 5];
    RateTable table(window(requests, per), 0, seed);
    std::vector<Instant> log;
    Instant now = start;
    for (int i = 0; i < 300; ++i) {
      now += Duration{static_cast<int64_t>(random.below(random.below(3) == 0 ? 1'000'000'000 : 100'000'000))};
      const uint64_t asked = 1 + random.below(2 * requests);
      for (uint64_t n = 0; n < asked; ++n) {
        if (table.take(key, now).admitted) log.push_back(now);
      }
    }
    for (const Duration span : {per / 10, per / 4, per / 2, per}) {
      const auto most = most_in_any(span, log);
      EXPECT_LE(most, requests + requests * span / per + 1) << requests << " " << span.count();
      EXPECT_LE(most, 2 * requests);
    }
  }
  // One to begin a window, all but that at its end, and whatever is let in during the next one.
  constexpr uint32_t requests = 100;
  RateTable table(window(requests, per), 0, seed);
  std::vector<Instant> log;
  const auto ask = [&](Instant now) {
    if (table.take(key, now).admitted) log.push_back(now);
  };
  ask(start);
  for (uint32_t i = 0; i < requests; ++i) ask(start + per - 1ns);
  for (Instant now = start + per; now < start + 2 * per - 1ns; now += 1ms) ask(now);
  worst = most_in_any(per, log);
  EXPECT_GT(worst, requests * 3 / 2);
  EXPECT_LT(worst, requests * 2);
}

// As workers whose turns began at different times see it.
TEST(RateLimit, TimeMayGoBackALittle) {
  for (const RateRule& rule : {bucket(100, 1s, 5), window(5, 50ms), bucket(200'000, 1ms, 5), window(5, 1ms)}) {
    RateTable table(rule, 0, seed);
    uint32_t admitted = 0;
    for (int i = 0; i < 100; ++i) admitted += table.take(key, start - (i % 4) * 300us).admitted ? 1U : 0U;
    EXPECT_EQ(admitted, 5U) << name_of(rule);
    // Nor does it bring anything back earlier than those who are ahead would see it.
    const RateVerdict verdict = table.take(key, start);
    EXPECT_FALSE(verdict.admitted);
    EXPECT_FALSE(table.take(key, start + verdict.retry_after - 900us).admitted) << name_of(rule);
    EXPECT_TRUE(table.take(key, start + verdict.retry_after).admitted) << name_of(rule);
  }
}

// An entry tells 42 bits of time, which the fastest rules use up in 21 ms and a window in 64 times `per`. Full buckets
// are full whenever they are looked at again: also when the lower bits are the same, and when all 64 have come round.
TEST(RateLimit, TimeMayWrapAround) {
  for (const RateRule& rule : rules()) {
    const bool is_bucket = rule.algorithm == RateAlgorithm::token_bucket;
    const uint32_t most = is_bucket ? rule.burst : rule.requests;
    // 2^24 requests, or 64 windows: after so much time 42 bits are what they were.
    const double round_ns = static_cast<double>(rule.per.count()) * (is_bucket ? 16'777'216.0 / rule.requests : 64);
    RateTable table(rule, 0, seed);
    Random random(3);
    for (const double offset : {-1.0, -0.01, -1e-5, 0.0, 1e-5, 0.01, 0.3, 0.49, 0.51}) {
      for (int rounds = 1; rounds < 2000; rounds = rounds * 3 / 2 + 1) {
        const double ahead_ns = round_ns * (rounds + offset);
        if (ahead_ns < 2.5 * static_cast<double>(rule.per.count()) * (is_bucket ? most / rule.requests + 1 : 1))
          continue;
        if (ahead_ns > 4e18) continue;
        const Instant first = start + Duration{static_cast<int64_t>(random.below(1'000'000'000'000))};
        const uint64_t other = random.next();
        for (uint32_t i = 0; i < std::min(most, 3U); ++i) ASSERT_TRUE(table.take(other, first).admitted);
        const RateVerdict verdict = table.take(other, first + Duration{static_cast<int64_t>(ahead_ns)});
        ASSERT_TRUE(verdict.admitted) << name_of(rule) << " " << rounds << " " << offset;
        ASSERT_EQ(verdict.remaining, most - 1) << name_of(rule) << " " << rounds << " " << offset;
      }
    }
  }
}

// 547 years until the bucket is full again: it is told a hundred.
TEST(RateLimit, TellsNoTimeThatDoesNotFit) {
  RateTable table(bucket(1, 24h, 200'000), 0, seed);
  RateVerdict verdict;
  for (uint32_t i = 0; i < 200'000; ++i) {
    verdict = table.take(key, start);
    ASSERT_TRUE(verdict.admitted);
  }
  EXPECT_EQ(verdict.reset, 24h * 36'525);
  EXPECT_FALSE(table.take(key, start).admitted);
  EXPECT_TRUE(table.take(key, start + 24h + 1s).admitted);
}

TEST(RateLimit, KeysHaveNothingToDoWithEachOther) {
  for (const RateRule& rule : {bucket(2, 1h, 2), window(2, 1h)}) {
    RateTable table(rule, 1'048'576, seed);
    std::vector<uint64_t> keys{0, 1, ~uint64_t{0}};
    Random random(1);
    while (keys.size() < 50'000) keys.push_back(keys.size() % 2 == 0 ? keys.size() : random.next());
    for (const uint64_t one : keys) ASSERT_EQ(table.take(one, start).remaining, 1U) << one;
    for (const uint64_t one : keys) ASSERT_EQ(table.take(one, start).remaining, 0U) << one;
    for (const uint64_t one : keys) ASSERT_FALSE(table.take(one, start).admitted) << one;
  }
}

// A million clients pass a table of 1,024 entries. It does not grow, and those who are at their limit stay there.
TEST(RateLimit, AMillionKeysDoNotGrowMemory) {
  for (const RateRule& rule : {bucket(5, 1h, 5), window(5, 1h)}) {
    RateTable table(rule, 0, seed);
    Instant now = start;
    std::vector<uint64_t> busy;
    for (uint64_t one = 1; busy.size() < 64; ++one) {
      while (table.take(one << 32, now).admitted) {
      }
      busy.push_back(one << 32);
    }
    const auto used = mallinfo2().uordblks;
    uint64_t admitted = 0;
    for (uint64_t client = 0; client < 1'000'000; ++client) {
      now += 100us;  // 100 s together, in which nothing comes back
      admitted += table.take(client * 2 + 1, now).admitted ? 1U : 0U;
      if (client % 64 == 0) {
        ASSERT_FALSE(table.take(busy[client / 64 % busy.size()], now).admitted) << client;
      }
    }
    EXPECT_EQ(mallinfo2().uordblks, used);
    EXPECT_EQ(table.capacity(), 1024U);
    EXPECT_EQ(admitted, 1'000'000U);
  }
}

}  // namespace
}  // namespace weir
