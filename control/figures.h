// ControlFigures: what the control thread knows of itself, for whoever reports it. Owned by the control loop; its
// thread only.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/clock.h"

namespace weir {

struct ControlFigures {
  Instant started{};
  uint64_t reloads = 0;          // taken over, the first configuration not counted
  uint64_t reloads_refused = 0;  // bad ones, which changed nothing
  bool draining = false;
  uint64_t descriptors_max = 0;  // RLIMIT_NOFILE
  std::string config_source;     // the file's path, or "command line"
};

}  // namespace weir
