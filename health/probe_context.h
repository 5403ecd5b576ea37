// ProbeContext: what every probe stands on, all of it the control loop's. References only; it outlives the probes.
#pragma once

#include "core/base/clock.h"
#include "core/base/timer_wheel.h"
#include "net/io/buffers.h"
#include "net/io/ring.h"

namespace weir {

struct ProbeContext {
  Ring& ring;
  Buffers& buffers;
  TimerWheel& wheel;
  const Clock& clock;
};

}  // namespace weir
