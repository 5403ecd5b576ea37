// CheckReport: how a round of a probe went that finds an endpoint well or not (tcp, http, exec). One round says little:
// what to make of a row of them is a judge's business.
//
// A value. Reports are made on the control thread.
#pragma once

#include <functional>
#include <string>

#include "core/base/clock.h"
#include "health/probe.h"

namespace weir {

struct CheckReport {
  bool passed = false;
  // "" when passed; else one for people: "no connection: origin: connection refused (ECONNREFUSED)",
  // "status 500, expected 200-399", "the body does not contain `ok`", "killed after 1s". One line, printable.
  std::string reason;
  Duration took{};  // the round
};

// Called once per round; what it may do is said in prober.h.
using OnCheck = std::function<void(ProbeId, const CheckReport&)>;

}  // namespace weir
