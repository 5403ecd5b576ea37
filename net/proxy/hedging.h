// Hedging: when a request of an upstream is worth a second try elsewhere although the first still goes on: when it has
// taken longer than most requests of late, and not too many have had one.
//
// "Most" is a percentile of the times to the first byte within the last ten to twenty seconds; it is reckoned anew a
// few times per second, and unknown until there were enough. The budget is a share of requests, saved up to a bound.
// What one worker knows of one upstream; owned by it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/model/latency_histogram.h"
#include "core/model/resilience.h"

namespace weir {

class Hedging {
 public:
  static constexpr uint64_t answers_min = 100;
  static constexpr Duration reckoned_for = std::chrono::milliseconds{250};
  static constexpr Duration window = std::chrono::seconds{10};
  static constexpr uint32_t saved_max = 10;  // second tries

  void request(const HedgePolicy& policy) noexcept {
    saved_percent_ = std::min(saved_percent_ + policy.budget_percent, saved_max * 100);
  }

  // Takes one second try, if it is there.
  bool take() noexcept {
    if (saved_percent_ < 100) return false;
    saved_percent_ -= 100;
    return true;
  }

  // How long a request waits before it may have one; nothing as long as too little is known.
  std::optional<Duration> wait(const HedgePolicy& policy, const LatencyHistogram& latency, Instant now);

 private:
  uint32_t saved_percent_ = 0;  // of a second try; whole numbers, so that nothing is rounded away
  std::optional<Duration> wait_;
  Instant reckon_at_{};
  Instant window_began_{};
  LatencyCounts before_{};  // at the begin of the present window, and of the last one
  LatencyCounts long_before_{};
};

}  // namespace weir
