// AlertLimit: at most `limit` alerts per `per` on average, and so many at once after a quiet time. A token bucket, kept
// as the one instant at which it is full again (the generic cell rate algorithm of ATM). Control thread only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/clock.h"

namespace weir {

class AlertLimit {
 public:
  AlertLimit(uint32_t limit, Duration per) noexcept : per_(per), each_(per / limit) { WEIR_ASSERT(limit > 0); }

  // May one go at `now`? If so, it has gone.
  bool take(Instant now) noexcept {
    const Instant after = std::max(full_at_, now) + each_;
    if (after - now > per_) return false;
    full_at_ = after;
    return true;
  }

 private:
  const Duration per_;
  const Duration each_;
  Instant full_at_{};
};

}  // namespace weir
