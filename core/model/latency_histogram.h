// LatencyHistogram: how many durations fell into which of fixed buckets, four to each doubling from a microsecond to a
// minute. Written by one thread; read, added up and compared by another. Because the buckets are the same everywhere,
// histograms of workers, endpoints and moments add and subtract.
//
// A bucket is at most a quarter as wide as where it begins. Within it durations are taken to be spread evenly, so a
// quantile is off by less than the width of its bucket, and by far less where many different durations were counted.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "core/model/counters.h"

namespace weir {

// Bucket 0 ends at 1 us; the last one has no end.
inline constexpr size_t latency_bucket_count = 106;

constexpr size_t latency_bucket_of(uint64_t nanoseconds) noexcept {
  // In units of 256 ns, so that a shift and the two bits below the highest name the bucket: 1 us is 4 units.
  const uint64_t units = nanoseconds >> 8;
  if (units < 4) return 0;
  const auto octave = static_cast<unsigned>(std::bit_width(units)) - 3;  // 0 for 4 to 7 units
  const size_t bucket = 1 + size_t{4} * octave + ((units >> octave) & 3);
  return std::min(bucket, latency_bucket_count - 1);
}

// The least duration that is above the bucket; the last bucket's is where it begins.
constexpr uint64_t latency_bucket_end(size_t bucket) noexcept {
  if (bucket == 0) return uint64_t{4} << 8;
  const size_t octave = (bucket - 1) / 4;
  const uint64_t begin = uint64_t{4 + (bucket - 1) % 4} << octave;
  if (bucket == latency_bucket_count - 1) return begin << 8;
  return (begin + (uint64_t{1} << octave)) << 8;
}

// Plain numbers, as a reader adds them up.
struct LatencyCounts {
  std::array<uint64_t, latency_bucket_count> buckets{};

  uint64_t count() const noexcept {
    uint64_t sum = 0;
    for (const uint64_t each : buckets) sum += each;
    return sum;
  }
  // The duration that `share` of all (above 0, to 1) do not exceed; 0 if there are none.
  Duration quantile(double share) const noexcept {
    const double wanted = share * static_cast<double>(count());
    double before = 0;
    size_t last = buckets.size();  // that counted anything
    for (size_t i = 0; i < buckets.size(); ++i) {
      if (buckets[i] == 0) continue;
      const auto here = static_cast<double>(buckets[i]);
      if (before + here >= wanted) return within(i, (wanted - before) / here);
      before += here;
      last = i;
    }
    // Nothing was counted, or the sum is below `wanted` by what a double rounds away.
    return last == buckets.size() ? Duration{} : within(last, 1);
  }
  // 0 if there are none.
  Duration mean() const noexcept {
    double sum = 0;
    for (size_t i = 0; i < buckets.size(); ++i) {
      if (buckets[i] > 0) sum += static_cast<double>(buckets[i]) * static_cast<double>(within(i, 0.5).count());
    }
    const uint64_t all = count();
    return all == 0 ? Duration{} : Duration{static_cast<Duration::rep>(sum / static_cast<double>(all))};
  }
  LatencyCounts& operator+=(const LatencyCounts& other) noexcept {
    for (size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
    return *this;
  }
  // What came since an earlier reading of the same.
  LatencyCounts& operator-=(const LatencyCounts& before) noexcept {
    for (size_t i = 0; i < buckets.size(); ++i) buckets[i] -= before.buckets[i];
    return *this;
  }
  bool operator==(const LatencyCounts&) const = default;

 private:
  // So much of the way through the bucket, from 0 to 1. The last one has no end, so it is all where it begins.
  static Duration within(size_t bucket, double part) noexcept {
    const auto end = static_cast<double>(latency_bucket_end(bucket));
    const auto begin = bucket == 0 ? 0.0 : static_cast<double>(latency_bucket_end(bucket - 1));
    return Duration{static_cast<Duration::rep>(begin + part * (end - begin))};
  }
};

class LatencyHistogram {
 public:
  void add(uint64_t nanoseconds) noexcept { buckets_[latency_bucket_of(nanoseconds)].add(); }
  LatencyCounts read() const noexcept {
    LatencyCounts counts;
    for (size_t i = 0; i < buckets_.size(); ++i) counts.buckets[i] = buckets_[i].read();
    return counts;
  }

 private:
  std::array<Counter, latency_bucket_count> buckets_;
};

}  // namespace weir
