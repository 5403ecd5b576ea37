#include "health/probe_schedule.h"

#include <algorithm>

#include "core/base/assert.h"

namespace weir {
namespace {

// 2^64 / the golden ratio: the step whose multiples, modulo 1, keep the greatest distance from each other.
constexpr uint64_t golden_step = 0x9e3779b97f4a7c15;
// Ticks of a wheel, and a long turn, are no pause.
constexpr Duration late_max = std::chrono::milliseconds{16};

Duration part_of(Duration interval, double part) noexcept {
  return Duration{static_cast<Duration::rep>(static_cast<double>(interval.count()) * part)};
}

}  // namespace

ProbeSchedule::ProbeSchedule(uint64_t seed) noexcept : random_(seed), place_(random_.next()) {}

Instant ProbeSchedule::first(Instant now, Duration interval) noexcept {
  WEIR_ASSERT(interval > Duration::zero(), interval.count());
  place_ += golden_step;
  return now + part_of(interval, static_cast<double>(place_ >> 11) * 0x1.0p-53);
}

Instant ProbeSchedule::next(Instant began, Instant now, Duration interval) noexcept {
  WEIR_ASSERT(interval > Duration::zero(), interval.count());
  return std::max(began + part_of(interval, 1 - jitter + 2 * jitter * random_.unit()), now);
}

std::optional<Instant> ProbeSchedule::catch_up(Instant due, Instant now, Duration interval) noexcept {
  const Duration late = now - due;
  if (late <= late_max) return std::nullopt;
  catching_up_until_ = std::max(catching_up_until_, now + std::min(late, interval));
  return first(now, std::min(catching_up_until_ - now, interval));
}

}  // namespace weir
