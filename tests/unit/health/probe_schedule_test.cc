#include "health/probe_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant start{seconds{1'000}};
constexpr Duration interval = seconds{1};

std::vector<Duration> places(uint64_t seed, size_t count) {
  ProbeSchedule schedule{seed};
  std::vector<Duration> all;
  for (size_t i = 0; i < count; ++i) all.push_back(schedule.first(start, interval) - start);
  return all;
}

TEST(ProbeSchedule, GivesFirstPlacesEvenlyHoweverManyThereAre) {
  for (const uint64_t seed : {0U, 1U, 42U}) {
    for (const size_t count : {2U, 10U, 97U, 1'000U, 5'000U}) {
      std::vector<Duration> all = places(seed, count);
      std::sort(all.begin(), all.end());
      EXPECT_GE(all.front(), Duration::zero());
      EXPECT_LT(all.back(), interval);
      Duration gap_max = all.front() + interval - all.back();
      for (size_t i = 1; i < count; ++i) gap_max = std::max(gap_max, all[i] - all[i - 1]);
      // Even would be interval / count; dice would leave one of ln(count) times that.
      EXPECT_LE(gap_max, interval / static_cast<int64_t>(count) * 27 / 10) << count;
    }
  }
}

TEST(ProbeSchedule, KeepsTheIntervalGiveOrTakeATenth) {
  ProbeSchedule schedule{3};
  Duration shortest = seconds{10};
  Duration longest{};
  Duration sum{};
  constexpr int rounds = 10'000;
  for (int round = 0; round < rounds; ++round) {
    const Duration waited = schedule.next(start, start + milliseconds{20}, interval) - start;
    shortest = std::min(shortest, waited);
    longest = std::max(longest, waited);
    sum += waited;
  }
  EXPECT_GE(shortest, milliseconds{900});
  EXPECT_LT(shortest, milliseconds{905});
  EXPECT_LE(longest, milliseconds{1'100});
  EXPECT_GT(longest, milliseconds{1'095});
  EXPECT_NEAR(static_cast<double>((sum / rounds).count()), 1e9, 2e6) << "the interval is what it is on average";
}

TEST(ProbeSchedule, BeginsAtOnceAfterARoundLongerThanTheInterval) {
  ProbeSchedule schedule{3};
  const Instant late = start + seconds{5};
  EXPECT_EQ(schedule.next(start, late, interval), late);
}

TEST(ProbeSchedule, IsTheSameForTheSameSeedAndNoOther) {
  EXPECT_EQ(places(7, 20), places(7, 20));
  EXPECT_NE(places(7, 20), places(8, 20));
  ProbeSchedule one{7};
  ProbeSchedule other{7};
  ProbeSchedule third{8};
  const Instant next = one.next(start, start, interval);
  EXPECT_EQ(other.next(start, start, interval), next);
  EXPECT_NE(third.next(start, start, interval), next);
}

TEST(ProbeSchedule, TakesALittleLateForInTime) {
  ProbeSchedule schedule{3};
  EXPECT_FALSE(schedule.catch_up(start, start, interval));
  EXPECT_FALSE(schedule.catch_up(start, start + milliseconds{16}, interval));
  EXPECT_TRUE(schedule.catch_up(start, start + milliseconds{17}, interval));
}

TEST(ProbeSchedule, MakesUpForAPauseInAsMuchTimeAgainOrAnInterval) {
  struct Row {
    Duration pause;
    Duration within;
  };
  for (const Row& row : {Row{milliseconds{50}, milliseconds{50}}, Row{milliseconds{500}, milliseconds{500}},
                         Row{seconds{1}, seconds{1}}, Row{seconds{30}, seconds{1}}}) {
    ProbeSchedule schedule{3};
    const Instant now = start + row.pause;
    // A hundred that were due evenly in the pause, the latest first; some of the last ones are in time.
    std::vector<Duration> all;
    for (int i = 0; i < 100; ++i) {
      if (const auto place = schedule.catch_up(start + row.pause * i / 100, now, interval)) all.push_back(*place - now);
    }
    ASSERT_GT(all.size(), 60U);
    std::sort(all.begin(), all.end());
    EXPECT_GE(all.front(), Duration::zero());
    EXPECT_LT(all.back(), row.within);
    // As many in each quarter.
    for (int quarter = 0; quarter < 4; ++quarter) {
      const auto within = [&](Duration place) { return place * 4 / row.within == quarter; };
      EXPECT_NEAR(static_cast<double>(std::count_if(all.begin(), all.end(), within)),
                  static_cast<double>(all.size()) / 4, 3)
          << row.pause.count();
    }
  }
}

TEST(ProbeSchedule, PutsNobodyOffForLongerThanItsOwnInterval) {
  ProbeSchedule schedule{3};
  const Instant now = start + seconds{20};
  ASSERT_TRUE(schedule.catch_up(start, now, seconds{60}));
  for (int i = 0; i < 100; ++i) EXPECT_LT(*schedule.catch_up(start, now, seconds{1}), now + seconds{1});
}

}  // namespace
}  // namespace weir
