// Arrivals: the requests of one scenario and seed, one after the other. What comes does not depend on what was done
// with the requests before, so every algorithm is asked the same questions at the same moments.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/balance_sim/scenarios.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/model/zone_map.h"
#include "hashing/weighted_draw.h"

namespace weir::balance_sim {

inline constexpr unsigned workers = 4;
inline constexpr uint32_t zones = 2;

struct Arrival {
  Duration at{};    // since the start
  Duration work{};  // how long a healthy origin takes for it
  uint64_t key = 0;
  ZoneId zone = no_zone;
  unsigned worker = 0;  // who accepted it: the kernel spreads connections by a hash, which is as good as chance
};

class Arrivals {
 public:
  Arrivals(const Scenario& scenario, uint64_t seed);

  // They come forever, in the order of time.
  Arrival next() noexcept;

 private:
  double exponential() noexcept;
  double work() noexcept;
  double rate() const noexcept { return bursting_ ? burst_rate_ : base_rate_; }

  const Scenario& scenario_;
  uint64_t seed_;
  Random random_;
  hashing::WeightedDraw clients_;
  double base_rate_;  // per nanosecond
  double burst_rate_;
  double at_ = 0;  // nanoseconds
  bool bursting_ = false;
  double phase_end_;
};

}  // namespace weir::balance_sim
