// The report of a tournament in Markdown: what was simulated, one table of all 99th percentiles, and one table for each
// scenario. Pure.
#pragma once

#include <string>

#include "bench/balance_sim/tournament.h"

namespace weir::balance_sim {

std::string report(const Tournament& tournament);

// A number of milliseconds with three significant digits: "5.24", "23.4", "1,020"; "never" for infinity.
std::string milliseconds(double value);

}  // namespace weir::balance_sim
