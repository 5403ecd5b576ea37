// Standing: what is known of an endpoint besides its configuration, as far as it decides how much new work it gets:
// what an operator said, what probes and the origin itself said. Control thread only; lives in the EndpointState, so it
// survives reloads. core/balance/shares.h makes of it what a Picker needs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/clock.h"

namespace weir {

// What somebody wants of an endpoint. Draining: nothing new, but sessions that belong to it may come back. Maintenance:
// nothing at all.
enum class Duty : uint8_t { ready, drain, maint };

inline constexpr std::array all_duties{Duty::ready, Duty::drain, Duty::maint};

// In HAProxy's words.
constexpr std::string_view name_of(Duty duty) noexcept {
  switch (duty) {
    case Duty::ready: return "ready";
    case Duty::drain: return "drain";
    case Duty::maint: return "maint";
  }
  return "";
}

struct Standing {
  Duty duty = Duty::ready;           // as an operator said
  Duty agent_duty = Duty::ready;     // as its agent said; the sterner of the two counts
  bool up = true;                    // as probes say
  bool agent_up = true;              // as its agent says
  bool ejected = false;              // it did so much worse than others that it is out for a while
  bool broken = false;               // its circuit breaker is open
  std::optional<uint32_t> weight{};  // instead of the configured one
  double health = 1;                 // score from 0 (gets nothing) to 1, as an operator said
  double measured = 1;               // the same, as it follows from probes, errors and latency; above 0
  double capacity = 1;               // the part of its weight that its agent says it is good for now; may be above 1
  std::optional<uint32_t> agent_connections_max{};
  Instant since = Instant::min();  // when it began to take work: slow start counts from there

  Duty worse_duty() const noexcept { return agent_duty > duty ? agent_duty : duty; }
  // Could it take new work, were its weight not 0?
  bool healthy() const noexcept { return there() && health > 0 && capacity > 0; }
  // Does it answer at all, as far as is known?
  bool there() const noexcept { return up && agent_up && !ejected && !broken; }

  bool operator==(const Standing&) const = default;
};

}  // namespace weir
