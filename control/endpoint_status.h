// What an endpoint is called to be doing, in HAProxy's words, which its tools know. Pure; control thread.
#pragma once

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

}  // namespace weir
