// Contender: an algorithm with the options that it takes part with. Every row of core/balance/pickers.def is one, with
// its defaults; some take part twice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/balance/pickers.h"

namespace weir::balance_sim {

struct Contender {
  std::string label;           // what the report calls it
  std::string_view algorithm;  // a name of pickers.def, which outlives all
  PickerOptions options;
  uint32_t connections_max = 0;  // of each endpoint; 0: any number
};

std::vector<Contender> contenders();

}  // namespace weir::balance_sim
