// WatchContext: what the watches stand on, which look at something and change what endpoints get by it: the Steering
// that changes it, the log and whoever else is told, and the control loop's ring, wheel and clock. References; all of
// it outlives the watches. Control thread.
#pragma once

#include <functional>

#include "control/alerts/alert.h"
#include "core/base/log.h"
#include "health/probe_context.h"

namespace weir {

class Steering;

// Who is told of what changes. What happens with an Alert is no business of who raises it.
using Tell = std::function<void(Alert)>;

struct WatchContext {
  Steering& steering;
  const Log& log;
  const Tell& tell;
  const ProbeContext probes;

  Instant now() const noexcept { return probes.clock.now(); }
};

}  // namespace weir
