// Publisher: turns Configs into published Snapshots, opening and keeping listening sockets on the way.
//
// A Config either becomes the current Snapshot as a whole or changes nothing: sockets of new addresses are opened
// first, and if one cannot be, the others opened for the same Config are closed again. Sockets of an address that stays
// are carried over untouched, whatever else changes about its listener. Control thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/compile.h"
#include "core/config/config.h"
#include "core/model/registry.h"
#include "core/model/snapshot.h"
#include "core/rcu/published.h"

namespace weir {

class Publisher {
 public:
  Publisher(unsigned workers, Published<Snapshot>& published)
      : workers_(workers), published_(published), registry_(workers) {}
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Empty, or the sentence that says why nothing was published.
  std::string publish(const config::Config& config, const config::CompileLimits& limits);

  // Frees what no worker can see any more. True while something is left to be freed.
  bool reclaim();

  // What was published last. Only after a publish() that was not refused.
  const Snapshot& current() const noexcept { return *published_.current(); }

 private:
  // The sockets for an address: those that are open already, or new ones.
  Result<std::shared_ptr<const ListenSockets>> sockets_for(const config::ListenerConfig& listener);

  const unsigned workers_;
  Published<Snapshot>& published_;
  Registry registry_;
  uint64_t generation_ = 0;
};

}  // namespace weir
