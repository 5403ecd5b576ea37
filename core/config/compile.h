// Compiling: a Config that has passed validation becomes a Snapshot, complete but for its listening sockets, which the
// publisher opens. What can fail is what the Config names and is not in it: plug-ins, and files of zones and clients.
// Control thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/model/registry.h"
#include "core/model/snapshot.h"

namespace weir::config {

// What `auto` means on this machine.
struct CompileLimits {
  uint32_t connections_max = 0;  // what the descriptors allow
};

// An error: the sentence that says what cannot be.
Result<std::unique_ptr<Snapshot>, std::string> compile(const Config& config, const CompileLimits& limits,
                                                       uint64_t generation, Instant now, Registry& registry);

}  // namespace weir::config
