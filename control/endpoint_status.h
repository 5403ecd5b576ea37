// What reports say of an endpoint: what it does, in HAProxy's words, which its tools know, and in our own, which say
// more; by what that came; and how fast it is. Pure; control thread.
#pragma once

#include <algorithm>
#include <string_view>

#include "control/stats_view.h"
#include "control/watches.h"
#include "core/model/endpoint.h"

namespace weir {

// Null if it is not probed.
inline const Probed* probed_of(const StatsView& view, const Endpoint& endpoint) noexcept {
  return view.watches != nullptr ? view.watches->health().find(*endpoint.state) : nullptr;
}
inline bool is_probed(const StatsView& view, const Endpoint& endpoint) noexcept {
  return probed_of(view, endpoint) != nullptr;
}

// "MAINT", "DRAIN", "DOWN", "UP", or "no check": nobody has a doubt, and nobody looks.
inline std::string_view status_of(const Endpoint& endpoint, bool probed) noexcept {
  const Standing& standing = endpoint.state->standing;
  switch (standing.worse_duty()) {
    case Duty::maint: return "MAINT";
    case Duty::drain: return "DRAIN";
    case Duty::ready: break;
  }
  if (!standing.healthy()) return "DOWN";
  if (endpoint.weight == 0) return "DRAIN";
  return probed ? "UP" : "no check";
}

// What keeps work away, and whose doing that is; the sternest comes first.
struct EndpointCondition {
  std::string_view state;  // ready, drain, maint, down, ejected, broken
  std::string_view by{};   // operator, agent, probe, outliers, breaker; "": there is nothing
};

inline EndpointCondition condition_of(const Endpoint& endpoint, const Probed* probed) noexcept {
  const Standing& standing = endpoint.state->standing;
  const Duty duty = standing.worse_duty();
  if (duty != Duty::ready) return {name_of(duty), standing.duty == duty ? "operator" : "agent"};
  if (!standing.up) return {"down", probed != nullptr && !probed->up_by_operator ? "probe" : "operator"};
  if (!standing.agent_up) return {"down", "agent"};
  if (standing.ejected) return {"ejected", "outliers"};
  if (standing.broken) return {"broken", "breaker"};
  // Up, and good for nothing.
  if (standing.health == 0) return {"down", "operator"};
  if (standing.capacity == 0) return {"down", "agent"};
  return {"ready"};
}

// In nanoseconds, of the worker that thinks worst of it: each measures for itself. 0: nobody knows.
inline double slowest_latency(const EndpointState& state, Duration decay, Instant now) noexcept {
  double slowest = 0;
  for (unsigned worker = 0; worker < state.workers(); ++worker) {
    slowest = std::max(slowest, double{state.at(worker).latency.read(now, decay)});
  }
  return slowest;
}

}  // namespace weir
