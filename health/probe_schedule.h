// ProbeSchedule: when the next round of a probe begins. Thousands of probes must not begin together: neither at the
// start, nor later because their intervals are the same, nor all at once after the process was held up.
//
// First rounds get places within the interval that lie evenly however many there are and whenever they come: each is a
// golden section further than the one before (a low-discrepancy sequence; dice would leave gaps and heaps). From then
// on each interval is a tenth shorter or longer, by the dice, which takes apart whoever came to beat in time.
//
// Arithmetic and a seed, no clock: the same seed gives the same schedule. Owned by the Prober.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/base/random.h"

namespace weir {

class ProbeSchedule {
 public:
  static constexpr double jitter = 0.1;

  explicit ProbeSchedule(uint64_t seed) noexcept;

  // In [now, now + interval).
  Instant first(Instant now, Duration interval) noexcept;

  // An interval, give or take the jitter, after the last one began; at once if it took longer than that.
  Instant next(Instant began, Instant now, Duration interval) noexcept;

  // For a round that was due at `due` and comes up only now: another place, if it is late because the whole thread was
  // held up, and a heap of others with it; nothing, if it may begin. What was missed in a pause is made up for in as
  // much time again, but within an interval, so at most at twice the usual rate. Who is the latest must come first, as
  // it does out of a wheel.
  std::optional<Instant> catch_up(Instant due, Instant now, Duration interval) noexcept;

 private:
  Random random_;
  uint64_t place_;                         // of the last first(), in units of interval / 2^64
  Instant catching_up_until_ = Instant{};  // from the end of a pause: as long as it was
};

}  // namespace weir
