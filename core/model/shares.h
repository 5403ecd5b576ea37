// Shares: what each endpoint of an upstream is worth at the moment, and the rules it was reckoned by. How: see
// core/balance/shares.h. Values.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/clock.h"

namespace weir {

// What a weight of 1 is worth in full health.
inline constexpr uint32_t share_of_one = 100;

struct ShareRules {
  Duration slow_start{};          // 0: at once
  uint32_t slow_start_from = 10;  // percent
  uint32_t panic_threshold = 0;   // percent; 0: never
  uint32_t backup_threshold = 0;  // percent
};

struct Shares {
  std::vector<uint32_t> each;   // by endpoint, whatever its tier
  std::vector<uint8_t> levels;  // by endpoint: 0 is in play, the others are asked in turn when all before are unusable
  bool panic = false;
  uint32_t tiers_in_use = 1;
  bool ramping = false;  // somebody's share grows with time

  bool operator==(const Shares&) const = default;
};

}  // namespace weir
