#include "net/proxy/hedging.h"

namespace weir {

std::optional<Duration> Hedging::wait(const HedgePolicy& policy, const LatencyHistogram& latency, Instant now) {
  if (now < reckon_at_) return wait_;
  reckon_at_ = now + reckoned_for;
  LatencyCounts counts = latency.read();
  if (const Duration passed = now - window_began_; passed >= window) {
    // After a pause of two windows nothing of before is of late. After a shorter one the window began when the last one
    // was over, and not just now: else what was before the pause would be kept for up to three.
    const bool paused = passed >= 2 * window;
    long_before_ = paused ? counts : before_;
    before_ = counts;
    window_began_ = paused ? now : window_began_ + window;
  }
  counts -= long_before_;
  wait_.reset();
  if (counts.count() >= answers_min) {
    wait_ = std::max(counts.quantile(policy.percentile / 100.0), policy.wait_min);
  }
  return wait_;
}

}  // namespace weir
