#include "bench/balance_sim/contenders.h"

namespace weir::balance_sim {

std::vector<Contender> contenders() {
  std::vector<Contender> all;
  for (const std::string_view name : picker_names()) {
    // What a plug-in does is in its shared object.
    if (name == "plugin") continue;
    Contender contender{.label = std::string{name}, .algorithm = name, .options = {}, .connections_max = 0};
    // An endpoint without a limit never is full, and the first one would get everything. Twice the slots of the
    // scenarios: as many wait as are worked on.
    if (name == "first_fit") contender.connections_max = 16;
    all.push_back(contender);
    if (name == "two_choices") {
      contender.label += ", latency";
      contender.options.load = LoadMeasure::latency;
      all.push_back(contender);
    }
    if (name == "maglev") {
      contender.label += ", bounded";
      contender.options.bounded_load = 1.25;
      all.push_back(contender);
    }
  }
  return all;
}

}  // namespace weir::balance_sim
