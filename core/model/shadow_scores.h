// ShadowScores: the latencies that several algorithms would have given the same arrivals, as one worker reckons.
// Written by that worker, read by the control thread. All algorithms have judged the same arrivals, so their counts are
// the same, but for what a worker writes while they are read.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "core/model/counters.h"
#include "core/model/latency_histogram.h"

namespace weir {

// In the order in which `adaptive` names its algorithms (core/balance/adaptive.h).
inline constexpr size_t shadow_count = 3;

struct alignas(cache_line) ShadowScores {
  std::array<LatencyHistogram, shadow_count> predicted;
};

using ShadowCounts = std::array<LatencyCounts, shadow_count>;

// What all workers have written so far.
inline ShadowCounts sum_of(std::span<const ShadowScores> workers) noexcept {
  ShadowCounts sum;
  for (const ShadowScores& worker : workers) {
    for (size_t i = 0; i < shadow_count; ++i) sum[i] += worker.predicted[i].read();
  }
  return sum;
}

}  // namespace weir
