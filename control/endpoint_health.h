// EndpointHealth: everything that reports say of the health of one endpoint, gathered from whoever knows it. A value,
// good for one answer: what it points to belongs to the watches. Control thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "control/endpoint_status.h"
#include "control/stats_view.h"
#include "core/model/upstream.h"
#include "health/breaker.h"

namespace weir {

struct EndpointHealth {
  EndpointCondition condition;
  const Probed* probed = nullptr;         // null: it is not probed
  const BreakerJudge* breaker = nullptr;  // null: it has none
  uint32_t failures_in_row = 0;           // of its traffic, over all workers
  uint32_t ejections = 0;                 // as far as they are not forgotten
  double score = 1;                       // an operator's, times the computed one
  uint32_t limit = 0;                     // learned; 0: there is none
  bool resting = false;                   // could not be reached a moment ago
};

// Null if nothing of it is watched.
inline const UpstreamWatches* watches_of(const StatsView& view, const Upstream& upstream) noexcept {
  return view.watches != nullptr ? view.watches->resilience().find(upstream.id) : nullptr;
}

inline EndpointHealth health_of(const StatsView& view, const Upstream& upstream, const Endpoint& endpoint) noexcept {
  const EndpointState& state = *endpoint.state;
  const UpstreamWatches* watches = watches_of(view, upstream);
  EndpointHealth health;
  health.probed = probed_of(view, endpoint);
  health.condition = condition_of(endpoint, health.probed);
  if (watches != nullptr && watches->breakers) health.breaker = watches->breakers->find(endpoint.id);
  if (watches != nullptr && watches->outliers) health.ejections = watches->outliers->outliers().ejections(endpoint.id);
  health.failures_in_row = state.gate.failures_in_row();
  health.score = state.standing.health * state.standing.measured;
  health.limit = state.gate.limit();
  health.resting = state.gate.rests(view.now);
  return health;
}

// "half-open".
constexpr std::string_view name_of(Gate::State state) noexcept {
  switch (state) {
    case Gate::State::closed: return "closed";
    case Gate::State::open: return "open";
    case Gate::State::half_open: return "half-open";
  }
  return "";
}

}  // namespace weir
