#include "core/model/reported_score.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};

TEST(ReportedScore, IsNothingBeforeTheFirstReport) {
  const ReportedScore score;
  for (const Instant now : {Instant{}, start}) EXPECT_EQ(score.read(now, 1h), std::nullopt);
}

TEST(ReportedScore, IsWhatWasSaid) {
  for (const double said : {0.0, 0.0001, 0.25, 0.5, 0.9999, 1.0}) {
    for (const Instant now : {Instant{1s}, start, start + 100 * 24h * 365}) {
      ReportedScore score;
      score.report(said, now);
      ASSERT_TRUE(score.read(now, 1s));
      EXPECT_DOUBLE_EQ(*score.read(now, 1s), said);
    }
  }
}

TEST(ReportedScore, IsRoundedAndKeptWithinItsBounds) {
  for (const auto& [said, kept] :
       {std::pair{-3.0, 0.0}, {7.0, 1.0}, {1e300, 1.0}, {0.333333, 0.3333}, {0.99996, 1.0}}) {
    ReportedScore score;
    score.report(said, start);
    EXPECT_DOUBLE_EQ(score.read(start, 1s).value(), kept) << said;
  }
}

TEST(ReportedScore, TheLastOneCounts) {
  ReportedScore score;
  score.report(0.5, start);
  score.report(0.25, start);
  EXPECT_DOUBLE_EQ(score.read(start, 1s).value(), 0.25);
  score.report(0.5, start);
  EXPECT_DOUBLE_EQ(score.read(start, 1s).value(), 0.5);
}

TEST(ReportedScore, Expires) {
  ReportedScore score;
  score.report(0.5, start);
  EXPECT_TRUE(score.read(start + 10s, 10s));
  EXPECT_FALSE(score.read(start + 10s + 2ms, 10s));
  EXPECT_FALSE(score.read(start + 24h * 365, 10s));
  // Other readers may be more patient.
  EXPECT_TRUE(score.read(start + 1h, 24h));
}

// Not every repetition is written, but one in a tenth of a second is: it expires that much early at the most.
TEST(ReportedScore, RepetitionsKeepItAlive) {
  ReportedScore score;
  for (int i = 0; i < 1000; ++i) score.report(0.5, start + i * 10ms);
  const Instant last = start + 9990ms;
  EXPECT_TRUE(score.read(last + 890ms, 1s));
  EXPECT_FALSE(score.read(last + 1002ms, 1s));
}

// Workers read the clock once per turn, so one may be told something that was said in its future.
TEST(ReportedScore, AMomentAheadIsFresh) {
  ReportedScore score;
  score.report(0.5, start);
  EXPECT_TRUE(score.read(start - 1ms, 10s));
  EXPECT_TRUE(score.read(start - 20s, 10s));
}

// Written by one and read by others: a score is never seen without its time. Here they say the same thing twice.
TEST(ReportedScore, IsOneWord) {
  ReportedScore score;
  score.report(0.0, start);
  std::vector<uint64_t> wrong(2, 0);
  std::vector<std::thread> readers;
  for (size_t reader = 0; reader < wrong.size(); ++reader) {
    readers.emplace_back([&, reader] {
      for (int i = 0; i < 100'000; ++i) {
        // Odd ones are of long ago, and have score 1: seen at all, they would be taken for fresh.
        const auto read = score.read(start + 100s, 50s);
        wrong[reader] += read && *read > 0.5 ? 1 : 0;
      }
    });
  }
  for (int i = 0; i < 100'000; ++i) score.report(i % 2, i % 2 == 1 ? start : start + 100s);
  for (std::thread& reader : readers) reader.join();
  for (const uint64_t each : wrong) EXPECT_EQ(each, 0U);
}

}  // namespace
}  // namespace weir
