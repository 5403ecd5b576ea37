// The plot of a tournament: for each scenario a panel, for each algorithm in it a line with its p50, p99 and p999, on a
// logarithmic axis. Plain SVG that follows the light or dark scheme of the reader. Pure.
#pragma once

#include <string>

#include "bench/balance_sim/tournament.h"

namespace weir::balance_sim {

std::string chart(const Tournament& tournament);

}  // namespace weir::balance_sim
