// ReportedScore: how much work an endpoint says it is fit for, from 0 (none) to 1 (its whole weight), and when it said
// so. Any worker writes it (from a header of an answer) and so may the control thread; all workers read it.
//
// Score and time are one word, so that nobody sees one without the other.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"

namespace weir {

class ReportedScore {
 public:
  // Answers come by the thousand and say the same: what changes nothing is not written, so that the line stays shared.
  void report(double score, Instant now) noexcept {
    const uint64_t word = packed(score, now);
    const uint64_t before = word_.load(std::memory_order_relaxed);
    const bool same_score = before != 0 && (word & score_mask) == (before & score_mask);
    if (same_score && (word >> score_bits) - (before >> score_bits) < refresh_ms) return;
    word_.store(word, std::memory_order_relaxed);
  }

  // Nothing, if nothing was said within `expiry`.
  std::optional<double> read(Instant now, Duration expiry) const noexcept {
    const uint64_t word = word_.load(std::memory_order_relaxed);
    if (word == 0) return std::nullopt;
    const uint64_t age_ms = milliseconds(now) - (word >> score_bits);
    // Somebody else's clock reading may be a moment ahead of ours: the difference is then huge.
    const bool fresh = age_ms > ahead || age_ms * 1'000'000 <= static_cast<uint64_t>(expiry.count());
    if (!fresh) return std::nullopt;
    return static_cast<double>(word & score_mask) / steps;
  }

 private:
  static constexpr unsigned score_bits = 14;
  static constexpr uint64_t score_mask = (uint64_t{1} << score_bits) - 1;
  static constexpr double steps = 10'000;
  static constexpr uint64_t refresh_ms = 100;
  static constexpr uint64_t ahead = uint64_t{1} << 48;

  static uint64_t milliseconds(Instant now) noexcept {
    // One more, so that no time packs to the word of "never".
    return static_cast<uint64_t>(now.time_since_epoch().count() / 1'000'000) + 1;
  }
  static uint64_t packed(double score, Instant now) noexcept {
    return milliseconds(now) << score_bits | static_cast<uint64_t>(std::lround(std::clamp(score, 0.0, 1.0) * steps));
  }

  std::atomic<uint64_t> word_{0};
};

}  // namespace weir
