// What an upstream does so that failures stay small, as workers need to know it: the breaker's part that trips at once,
// the queue for who finds everybody full, hedging, bounds. Values inside a Snapshot; defaults are "off".
// How shares follow from health is the control thread's business, and not here.
#pragma once

#include <cstdint>

#include "core/base/clock.h"

namespace weir {

// From 0, which is shed first, to 9.
using Priority = uint8_t;
inline constexpr Priority priority_max = 9;
inline constexpr Priority priority_usual = 5;

struct BreakerPolicy {
  uint32_t failures = 0;  // in a row open it; 0: they do not
  Duration slow{};        // answers that take longer are counted as slow; 0: none are
};

// For those who find all endpoints full.
struct QueuePolicy {
  uint32_t size = 0;  // over all workers; 0: nobody waits
  Duration timeout{};
};

struct HedgePolicy {
  uint32_t percentile = 0;  // of the time to the first byte, after which another endpoint is asked as well; 0: never
  Duration wait_min{};
  uint32_t budget_percent = 0;  // of requests
};

struct Resilience {
  BreakerPolicy breaker;
  uint32_t outlier_failures = 0;  // so many in a row are reported to the control thread; 0: not
  bool learns_limits = false;     // Gates have limits that follow latency
  QueuePolicy queue;
  HedgePolicy hedge;
  uint32_t pending_max = 0;    // waiting for a connection, over all workers; 0: any number
  uint32_t retries_max = 0;    // under way at a time, over all workers; 0: any number
  uint32_t retry_after_s = 1;  // what a client is told that is turned away because there is too much
};

// When a worker turns away what it could not serve well. 0: not for that reason.
struct SheddingPolicy {
  Duration turn{};                   // how long a turn takes, smoothed
  uint32_t buffers_percent = 0;      // in use
  uint32_t descriptors_percent = 0;  // in use, of the process
  uint64_t memory_bytes = 0;         // resident, of the process

  bool any() const noexcept {
    return turn > Duration::zero() || buffers_percent > 0 || descriptors_percent > 0 || memory_bytes > 0;
  }
};

}  // namespace weir
