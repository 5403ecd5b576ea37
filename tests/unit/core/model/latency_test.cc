#include "core/model/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/random.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};
constexpr Duration decay = 10s;

double ms(float nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

// A few in a hundred thousand would be more than anybody needs; what matters is that it never grows with time.
TEST(Halved, IsTheExponential) {
  float before = 1.0F;
  for (int i = 0; i < 119'000; ++i) {
    const float times = static_cast<float>(i) / 1000.0F;
    const float result = halved(times);
    const double exact = std::exp2(-static_cast<double>(times));
    ASSERT_NEAR(result, exact, 0.003 * exact) << times;
    ASSERT_LE(result, before) << times;
    before = result;
  }
  EXPECT_EQ(halved(0.0F), 1.0F);
  EXPECT_EQ(halved(1.0F), 0.5F);
  EXPECT_EQ(halved(10.0F), 1.0F / 1024);
}

TEST(Halved, EndsAtZero) {
  EXPECT_GT(halved(119.9F), 0.0F);
  for (const float times : {120.0F, 127.0F, 1e9F, 1e30F, std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(halved(times), 0.0F) << times;
  }
}

TEST(LatencyEstimate, IsNothingBeforeTheFirstAnswer) {
  const LatencyEstimate estimate;
  EXPECT_EQ(estimate.read(start, decay), 0.0F);
  EXPECT_EQ(estimate.last(), 0.0F);
  EXPECT_EQ(estimate.answers(), 0U);
}

TEST(LatencyEstimate, TheFirstAnswerIsBelieved) {
  LatencyEstimate estimate;
  estimate.add(5ms, start, decay);
  EXPECT_NEAR(ms(estimate.read(start, decay)), 5, 1e-6);
  EXPECT_NEAR(ms(estimate.last()), 5, 1e-6);
  EXPECT_EQ(estimate.stamp(), start);
}

TEST(LatencyEstimate, BadNewsIsBelievedAtOnce) {
  LatencyEstimate estimate;
  estimate.add(5ms, start, decay);
  estimate.add(80ms, start + 1ns, decay);
  EXPECT_NEAR(ms(estimate.read(start + 1ns, decay)), 80, 1e-4);
}

TEST(LatencyEstimate, GoodNewsAreBelievedWithTime) {
  struct Case {
    Duration later;
    double estimate;
  };
  for (const auto& [later, expected] :
       {Case{0s, 78.9}, {-1s, 78.9}, {10s, 45}, {20s, 27.5}, {30s, 18.75}, {10'000s, 10}}) {
    LatencyEstimate estimate;
    estimate.add(80ms, start, decay);
    estimate.add(10ms, start + later, decay);
    EXPECT_NEAR(ms(estimate.read(start + later, decay)), expected, 0.1) << later.count();
  }
}

// Of few answers the time that has passed counts, not their number; many soon outweigh one that was slow.
TEST(LatencyEstimate, MovesByTimeAndByManyAnswers) {
  struct Case {
    int answers;
    double estimate;
  };
  for (const auto& [answers, expected] : {Case{1, 27.5}, {10, 27.5}, {1000, 10}}) {
    LatencyEstimate estimate;
    estimate.add(80ms, start, decay);
    for (int i = 1; i <= answers; ++i) estimate.add(10ms, start + i * (Duration{20s} / answers), decay);
    EXPECT_NEAR(ms(estimate.read(start + 20s, decay)), expected, 0.5) << answers;
  }
}

TEST(LatencyEstimate, OneHiccupAmongManyAnswersIsForgotten) {
  LatencyEstimate estimate;
  for (int i = 0; i < 300; ++i) estimate.add(i == 0 ? 50ms : 1ms, start + i * 100us, decay);
  EXPECT_LT(ms(estimate.last()), 1.5);
}

TEST(LatencyEstimate, FadesWithoutAnswers) {
  LatencyEstimate estimate;
  estimate.add(64ms, start, decay);
  EXPECT_NEAR(ms(estimate.read(start + 10s, decay)), 32, 0.1);
  EXPECT_NEAR(ms(estimate.read(start + 60s, decay)), 1, 0.01);
  EXPECT_GT(estimate.read(start + 1190s, decay), 0.0F);
  EXPECT_EQ(estimate.read(start + 1201s, decay), 0.0F);
  EXPECT_NEAR(ms(estimate.last()), 64, 1e-5);
}

// A worker's time may be a moment older than the stamp.
TEST(LatencyEstimate, TheFutureIsNow) {
  LatencyEstimate estimate;
  estimate.add(64ms, start, decay);
  EXPECT_NEAR(ms(estimate.read(start - 5s, decay)), 64, 1e-5);
  EXPECT_NEAR(ms(estimate.read(Instant{}, decay)), 64, 1e-5);
}

// Among answers that differ it stays between the mean and the peak.
TEST(LatencyEstimate, OfMixedAnswersIsAboveTheMean) {
  LatencyEstimate estimate;
  Random random(1);
  double lowest = 1e9;
  for (int i = 0; i < 20'000; ++i) {
    const Instant now = start + i * 1ms;
    estimate.add(Duration{static_cast<Duration::rep>(1'000'000 + random.below(9'000'000))}, now, 1s);
    if (i > 2000) lowest = std::min(lowest, ms(estimate.read(now, 1s)));
    ASSERT_LE(ms(estimate.read(now, 1s)), 10.0001);
  }
  EXPECT_GT(lowest, 5.5);
}

// Who fails fast is not fast.
TEST(LatencyEstimate, FailuresCountAsSlow) {
  struct Case {
    Duration before;
    Duration waited;
    double expected;
  };
  for (const auto& [before, waited, expected] : {Case{0s, 1ms, 100},
                                                 {5ms, 1ms, 100},
                                                 {80ms, 1ms, 160},
                                                 {80ms, 3s, 3000},
                                                 {50s, 1ms, 60'000},
                                                 {0s, 1h, 60'000}}) {
    LatencyEstimate estimate;
    if (before > 0s) estimate.add(before, start, decay);
    const uint64_t answers = estimate.answers();
    estimate.failed(waited, start, decay);
    EXPECT_NEAR(ms(estimate.read(start, decay)), expected, expected * 1e-5);
    EXPECT_EQ(estimate.answers(), answers);
  }
}

TEST(LatencyEstimate, FailuresAddUpToTheMaximumAndFade) {
  LatencyEstimate estimate;
  for (int i = 0; i < 30; ++i) estimate.failed(1ms, start, decay);
  EXPECT_NEAR(ms(estimate.read(start, decay)), 60'000, 1);
  EXPECT_LT(ms(estimate.read(start + 200s, decay)), 60);
}

TEST(LatencyEstimate, SumsNeverFade) {
  LatencyEstimate estimate;
  estimate.add(5ms, start, decay);
  estimate.add(7ms, start + 1h, decay);
  estimate.add(-1ns, start + 1h, decay);
  EXPECT_EQ(estimate.answers(), 3U);
  EXPECT_EQ(estimate.answered_ns(), 12'000'000U);
}

}  // namespace
}  // namespace weir
