// ControlFigures: what the control thread knows of itself, for whoever reports it. Owned by the control loop; its
// thread only. AccessLogFigures: what the access log knows of itself; written by its thread, read by control.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/base/clock.h"

namespace weir {

// Relaxed throughout: figures, not signals.
struct AccessLogFigures {
  std::atomic<uint64_t> lines{0};     // written
  std::atomic<uint64_t> lost{0};      // not taken by where they should go; what rings had no room for, workers count
  std::atomic<uint64_t> bytes{0};     // written
  std::atomic<uint64_t> reopened{0};  // on demand, or after a failure
};

struct ControlFigures {
  Instant started{};
  uint64_t reloads = 0;          // taken over, the first configuration not counted
  uint64_t reloads_refused = 0;  // bad ones, which changed nothing
  bool draining = false;
  uint64_t descriptors_max = 0;                  // RLIMIT_NOFILE
  std::string config_source;                     // the file's path, or "command line"
  const AccessLogFigures* access_log = nullptr;  // null when there is no access log
};

}  // namespace weir
