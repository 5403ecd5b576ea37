#include "health/concurrency_limit.h"

#include <algorithm>
#include <cmath>

#include "core/base/assert.h"

namespace weir {
namespace {

constexpr double smoothing = 0.2;        // of the way to the wanted limit, each window
constexpr double gradient_min = 0.5;     // one bad window does not take more than half
constexpr double in_use_share = 0.5;     // of the limit
constexpr double kept_of_failing = 0.9;  // of the limit, each window in which nobody answered
constexpr Duration window_max = std::chrono::seconds{10};

constexpr double faster_believed = 0.1;       // of the way down to a faster window
constexpr double slower_half_life_ns = 10e9;  // of the way up to slower ones

constexpr double dip_depth = 0.5;     // of the limit
constexpr double dip_believed = 0.5;  // of the way to what a dip has shown: it is one window, which may be chance
constexpr double far_off = 0.7;       // of one by the other: no chance; there was a queue in it, or all is new
constexpr Duration dip_interval = std::chrono::seconds{5};
constexpr int dip_rarity = 20;  // or so many times as long as a dip took
constexpr Duration dip_interval_soon = std::chrono::seconds{1};
constexpr int dip_rarity_soon = 2;
constexpr double drain_means = 2;      // those that had waited are answered after so many means
constexpr double drain_means_max = 6;  // if there are too many still, they are long ones, and no dip gets rid of them
constexpr double undrained_believed = 0.1;

}  // namespace

ConcurrencyLimit::ConcurrencyLimit(const Rules& rules, const Traffic& so_far, Instant now)
    : limit_(rules.start), dip_since_(now), next_dip_(now), window_so_far_(so_far), window_since_(now) {
  WEIR_ASSERT(rules.start >= rules.min && rules.start <= rules.max, rules.start);
  follow(rules);
}

void ConcurrencyLimit::follow(const Rules& rules) {
  WEIR_ASSERT(rules.min > 0 && rules.min <= rules.max, rules.min);
  rules_ = rules;
  limit_ = std::clamp<double>(limit_, rules.min, rules.max);
  dipped_limit_ = std::clamp<double>(dipped_limit_, rules.min, rules.max);
}

uint32_t ConcurrencyLimit::limit() const noexcept {
  return static_cast<uint32_t>(std::lround(phase_ == Phase::learning ? limit_ : dipped_limit_));
}

bool ConcurrencyLimit::look(const Traffic& so_far, uint32_t in_flight, Instant now) {
  const uint32_t before = limit();
  in_flight_max_ = std::max(in_flight_max_, in_flight);
  if (phase_ == Phase::draining) {
    drain(so_far, in_flight, now);
  } else {
    const Duration length = now - window_since_;
    const Traffic came = so_far - window_so_far_;
    const bool enough = came.answers >= answers_min || (came.answers == 0 && came.bad >= answers_min);
    if (length >= window_max || (length >= window_min && enough)) {
      window_over(came, length, now);
      begin_window(so_far, now);
    }
  }
  return limit() != before;
}

void ConcurrencyLimit::begin_window(const Traffic& so_far, Instant now) noexcept {
  window_so_far_ = so_far;
  window_since_ = now;
  in_flight_max_ = 0;
}

void ConcurrencyLimit::window_over(const Traffic& came, Duration length, Instant now) noexcept {
  const bool in_use = in_flight_max_ >= in_use_share * limit_;
  if (came.answers == 0) {
    if (phase_ == Phase::measuring) end_dip(false, now);
    if (came.bad >= answers_min) limit_ = std::max<double>(limit_ * kept_of_failing, rules_.min);
    return;
  }
  recent_ns_ = static_cast<double>(came.answered_ns) / static_cast<double>(came.answers);
  if (baseline_ns_ == 0) baseline_ns_ = recent_ns_;
  if (phase_ == Phase::measuring) {
    const bool was_far_off = recent_ns_ < far_off * baseline_ns_ || baseline_ns_ < far_off * recent_ns_;
    approach(was_far_off ? 1 : dip_believed);
    return end_dip(was_far_off, now);
  }
  learn_baseline(in_use, length);
  if (!in_use) return;
  learn_limit();
  if (now >= next_dip_) begin_dip(now);
}

void ConcurrencyLimit::learn_baseline(bool in_use, Duration length) noexcept {
  if (recent_ns_ < baseline_ns_) {
    approach(faster_believed);
  } else if (!in_use) {
    approach(1 - std::exp2(-static_cast<double>(length.count()) / slower_half_life_ns));
  }
}

void ConcurrencyLimit::approach(double part) noexcept {
  baseline_ns_ += part * (recent_ns_ - baseline_ns_);
}

void ConcurrencyLimit::learn_limit() noexcept {
  const double gradient = recent_ns_ > 0 ? std::clamp(baseline_ns_ / recent_ns_, gradient_min, 1.0) : 1.0;
  const double wanted = limit_ * gradient + std::sqrt(limit_);
  limit_ = std::clamp<double>(limit_ + smoothing * (wanted - limit_), rules_.min, rules_.max);
}

// --- dips -----------------------------------------------------------------------------------------------------------

void ConcurrencyLimit::begin_dip(Instant now) noexcept {
  dipped_limit_ = std::max<double>(limit_ * dip_depth, rules_.min);
  phase_ = Phase::draining;
  dip_since_ = now;
}

void ConcurrencyLimit::drain(const Traffic& so_far, uint32_t in_flight, Instant now) noexcept {
  const auto passed = static_cast<double>((now - dip_since_).count());
  const double window_ns = static_cast<double>(window_min.count());
  if (in_flight > limit()) {
    if (passed < drain_means_max * std::max(recent_ns_, window_ns)) return;
    approach(undrained_believed);
    end_dip(false, now);
    begin_window(so_far, now);
  } else if (passed >= drain_means * recent_ns_) {
    phase_ = Phase::measuring;
    begin_window(so_far, now);
  }
}

void ConcurrencyLimit::end_dip(bool another_soon, Instant now) noexcept {
  const Duration took = now - dip_since_;
  next_dip_ = now + (another_soon ? std::max(dip_interval_soon, dip_rarity_soon * took)
                                  : std::max(dip_interval, dip_rarity * took));
  phase_ = Phase::learning;
}

}  // namespace weir
