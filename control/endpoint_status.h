// What reports say of an endpoint: what it does, in HAProxy's words, which its tools know, and how fast it is. Pure;
// control thread.
#pragma once

#include <algorithm>
#include <string_view>

#include "core/model/endpoint.h"

namespace weir {

// "MAINT", "DRAIN", "DOWN", or "no check": nobody has a doubt.
inline std::string_view status_of(const Endpoint& endpoint) noexcept {
  const Standing& standing = endpoint.state->standing;
  switch (standing.worse_duty()) {
    case Duty::maint: return "MAINT";
    case Duty::drain: return "DRAIN";
    case Duty::ready: break;
  }
  if (!standing.healthy()) return "DOWN";
  return endpoint.weight == 0 ? "DRAIN" : "no check";
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
