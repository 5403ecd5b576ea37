// The simulation of one algorithm in one scenario: requests arrive, a Picker sends them to origins, origins work, and
// only the moments at which something happens are visited. Pure: the same scenario, contender and seed give the same
// outcome.
#pragma once

#include <cstdint>

#include "bench/balance_sim/contenders.h"
#include "bench/balance_sim/scenarios.h"

namespace weir::balance_sim {

// Of the requests that arrived while it was measured. All of them are waited for, however long that takes, so that
// nobody looks good for what it has not answered yet. Times are in milliseconds; a request that nobody was to be had
// for counts as one that took forever.
struct Outcome {
  double requests = 0;
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
  double mean = 0;       // of those that were answered
  double refused = 0;    // as a part of all requests
  double imbalance = 1;  // how busy the busiest origin was, as a multiple of the average
  double at_home = 0;    // the part of the requests that went to an origin in their client's zone
  double growth = 0;     // by which requests in the system became more while measuring, as a part of all requests
  double present = 0;    // requests in the system, averaged over time

  // Were as many answered as came? A queue that is merely long at the moment is not that long.
  bool kept_up() const noexcept { return growth < 0.01; }
};

Outcome simulate(const Scenario& scenario, const Contender& contender, uint64_t seed);

}  // namespace weir::balance_sim
