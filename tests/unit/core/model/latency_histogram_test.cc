#include "core/model/latency_histogram.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/random.h"

namespace weir {
namespace {

TEST(LatencyHistogram, BucketsFollowEachOther) {
  EXPECT_EQ(latency_bucket_of(0), 0U);
  EXPECT_EQ(latency_bucket_of(1023), 0U);
  EXPECT_EQ(latency_bucket_of(1024), 1U);
  for (size_t bucket = 0; bucket + 1 < latency_bucket_count; ++bucket) {
    const uint64_t end = latency_bucket_end(bucket);
    EXPECT_EQ(latency_bucket_of(end - 1), bucket);
    EXPECT_EQ(latency_bucket_of(end), bucket + 1);
    if (bucket == 0) continue;
    EXPECT_LE(end - latency_bucket_end(bucket - 1), latency_bucket_end(bucket - 1) / 4);
  }
  // The last one takes all the rest, from a minute on.
  EXPECT_EQ(latency_bucket_of(~uint64_t{0}), latency_bucket_count - 1);
  EXPECT_GT(latency_bucket_end(latency_bucket_count - 1), 60'000'000'000U);
}

TEST(LatencyHistogram, NothingHasNoQuantiles) {
  const LatencyCounts none;
  EXPECT_EQ(none.count(), 0U);
  EXPECT_EQ(none.mean(), Duration{});
  EXPECT_EQ(none.quantile(0.5), Duration{});
  EXPECT_EQ(none.quantile(1), Duration{});
}

TEST(LatencyHistogram, AQuantileIsInTheBucketOfItsDuration) {
  for (const uint64_t ns : {500U, 1024U, 5'000U, 3'141'592U, 2'000'000'000U}) {
    LatencyHistogram histogram;
    for (int i = 0; i < 7; ++i) histogram.add(ns);
    const LatencyCounts counts = histogram.read();
    EXPECT_EQ(counts.count(), 7U);
    const size_t bucket = latency_bucket_of(ns);
    for (const double share : {0.01, 0.5, 0.99, 1.0}) {
      const auto quantile = static_cast<uint64_t>(counts.quantile(share).count());
      EXPECT_GE(quantile, bucket == 0 ? 0 : latency_bucket_end(bucket - 1));
      EXPECT_LE(quantile, latency_bucket_end(bucket));
    }
    EXPECT_NEAR(static_cast<double>(counts.mean().count()), static_cast<double>(ns), static_cast<double>(ns) / 8 + 512);
  }
}

// Of a known distribution.
TEST(LatencyHistogram, SmoothDurationsAreMetWithinAFewPercent) {
  LatencyHistogram histogram;
  Random random(3);
  for (int i = 0; i < 200'000; ++i) histogram.add(static_cast<uint64_t>(-std::log1p(-random.unit()) * 3e6));
  const LatencyCounts counts = histogram.read();
  EXPECT_NEAR(static_cast<double>(counts.mean().count()), 3e6, 0.06e6);
  for (const double share : {0.1, 0.5, 0.9, 0.99, 0.999}) {
    const double right = -std::log1p(-share) * 3e6;
    EXPECT_NEAR(static_cast<double>(counts.quantile(share).count()), right, 0.04 * right) << share;
  }
}

TEST(LatencyHistogram, TheLastBucketIsWhereItBegins) {
  LatencyHistogram histogram;
  histogram.add(~uint64_t{0});
  const auto begin = Duration{static_cast<Duration::rep>(latency_bucket_end(latency_bucket_count - 1))};
  EXPECT_EQ(histogram.read().quantile(1), begin);
  EXPECT_EQ(histogram.read().mean(), begin);
}

TEST(LatencyHistogram, AddsAndSubtracts) {
  LatencyHistogram one;
  LatencyHistogram other;
  one.add(2'000);
  other.add(2'000);
  other.add(70'000'000);
  LatencyCounts sum = one.read();
  sum += other.read();
  EXPECT_EQ(sum.count(), 3U);
  EXPECT_EQ(sum.buckets[latency_bucket_of(2'000)], 2U);
  sum -= one.read();
  EXPECT_EQ(sum, other.read());
}

}  // namespace
}  // namespace weir
