// Tournament: every algorithm in every scenario, with several seeds, and of each figure the median over these.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/balance_sim/contenders.h"
#include "bench/balance_sim/scenarios.h"
#include "bench/balance_sim/simulation.h"

namespace weir::balance_sim {

struct Tournament {
  std::vector<Scenario> scenarios;
  std::vector<Contender> contenders;
  uint32_t seeds = 0;
  std::vector<std::vector<Outcome>> outcomes;  // by scenario, then by contender

  // Null if there is none of that name.
  const Outcome* find(std::string_view scenario, std::string_view contender) const noexcept;
};

// Seeds are 1 to `seeds`.
Tournament play(const std::vector<Scenario>& scenarios, const std::vector<Contender>& contenders, uint32_t seeds);

}  // namespace weir::balance_sim
