// Compiling: a Config that has passed validation becomes a Snapshot, complete but for its listening sockets, which the
// publisher opens. Nothing can fail here that an operator could have caused. Control thread.
#pragma once

#include <cstdint>
#include <memory>

#include "core/config/config.h"
#include "core/model/registry.h"
#include "core/model/snapshot.h"

namespace weir::config {

// What `auto` means on this machine.
struct CompileLimits {
  uint32_t connections_max = 0;  // what the descriptors allow
};

std::unique_ptr<Snapshot> compile(const Config& config, const CompileLimits& limits, uint64_t generation,
                                  Registry& registry);

}  // namespace weir::config
