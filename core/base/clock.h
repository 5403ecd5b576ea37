// Time as weir sees it: one monotonic line, in nanoseconds, read once per turn.
//
// Nothing below tools/ asks the kernel for the time by itself: whoever needs it is handed a Clock or an Instant, so
// that the simulator can decide what time it is. Any thread may call a Clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir {

// A tag for time points that only a Clock gives out. It has no now() on purpose.
struct MonotonicTime {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicTime, duration>;
  static constexpr bool is_steady = true;
};

using Duration = MonotonicTime::duration;
using Instant = MonotonicTime::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const noexcept = 0;
  // The time of day, in milliseconds since 1970: for logs and dates, never to measure with.
  virtual int64_t unix_ms() const noexcept = 0;
};

// CLOCK_MONOTONIC and CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  Instant now() const noexcept override;
  int64_t unix_ms() const noexcept override;
};

}  // namespace weir
