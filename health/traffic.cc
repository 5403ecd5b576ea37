#include "health/traffic.h"

#include <cmath>

#include "core/balance/adaptive_judge.h"

namespace weir {

Traffic traffic_of(const EndpointState& state) noexcept {
  Traffic sum;
  uint64_t spoiled = 0;
  for (unsigned worker = 0; worker < state.workers(); ++worker) {
    const EndpointCounters& counters = state.counters(worker);
    sum.good += counters.successes.read();
    sum.bad += counters.failures.read();
    spoiled += counters.spoiled.read();
    sum.slow += counters.answers_slow.read();
    sum.runs += counters.failure_runs.read();
    const LatencyEstimate& latency = state.at(worker).latency;
    sum.answers += latency.answers();
    sum.answered_ns += latency.answered_ns();
  }
  sum.good = Traffic::above(sum.good, spoiled);
  sum.bad += spoiled;
  return sum;
}

std::string told_failures(const Traffic& lately, Duration window) {
  return std::to_string(lately.bad) + " of " + std::to_string(lately.outcomes()) + " failed in the last " +
         readable(window) + " (" + std::to_string(std::lround(100 * lately.error_share())) + " %)";
}

}  // namespace weir
