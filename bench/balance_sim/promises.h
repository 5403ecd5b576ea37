// Promises: what must come out of a tournament, or else an algorithm, or the simulation, is broken. They are statements
// from the literature and from our own docs, with room for chance; where they are from stands beside each.
#pragma once

#include <string>
#include <vector>

#include "bench/balance_sim/tournament.h"

namespace weir::balance_sim {

struct Promise {
  std::string sentence;  // with the figures that were found
  bool kept = false;
};

// A promise about a scenario or a contender that is not there is not kept.
std::vector<Promise> judge(const Tournament& tournament);

}  // namespace weir::balance_sim
