#include "bench/balance_sim/tournament.h"

#include <algorithm>

#include "core/base/assert.h"

namespace weir::balance_sim {
namespace {

double median_of(const std::vector<Outcome>& outcomes, double Outcome::*figure) {
  std::vector<double> values;
  values.reserve(outcomes.size());
  for (const Outcome& outcome : outcomes) values.push_back(outcome.*figure);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Outcome median_of(const std::vector<Outcome>& outcomes) {
  Outcome result;
  for (double Outcome::*figure :
       {&Outcome::requests, &Outcome::p50, &Outcome::p99, &Outcome::p999, &Outcome::mean, &Outcome::refused,
        &Outcome::imbalance, &Outcome::at_home, &Outcome::growth, &Outcome::present}) {
    result.*figure = median_of(outcomes, figure);
  }
  return result;
}

}  // namespace

const Outcome* Tournament::find(std::string_view scenario, std::string_view contender) const noexcept {
  for (size_t i = 0; i < scenarios.size(); ++i) {
    for (size_t j = 0; j < contenders.size(); ++j) {
      if (scenarios[i].name == scenario && contenders[j].label == contender) return &outcomes[i][j];
    }
  }
  return nullptr;
}

Tournament play(const std::vector<Scenario>& scenarios, const std::vector<Contender>& contenders, uint32_t seeds) {
  WEIR_ASSERT(seeds > 0);
  Tournament tournament{.scenarios = scenarios, .contenders = contenders, .seeds = seeds, .outcomes = {}};
  for (const Scenario& scenario : scenarios) {
    std::vector<Outcome>& row = tournament.outcomes.emplace_back();
    for (const Contender& contender : contenders) {
      std::vector<Outcome> each;
      for (uint64_t seed = 1; seed <= seeds; ++seed) each.push_back(simulate(scenario, contender, seed));
      row.push_back(median_of(each));
    }
  }
  return tournament;
}

}  // namespace weir::balance_sim
