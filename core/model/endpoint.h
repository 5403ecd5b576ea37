// Endpoint and EndpointState: where traffic may go, and what is happening there now.
//
// An Endpoint is an immutable value inside a Snapshot. Its EndpointState lives at a stable address across Snapshots:
// made by the control thread, counted in by workers, freed by the control thread once no Snapshot names it and no Lease
// is left.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/ids.h"
#include "core/model/address.h"
#include "core/model/counters.h"

namespace weir {

class EndpointState {
 public:
  explicit EndpointState(unsigned workers)
      : counters_(std::make_unique<EndpointCounters[]>(workers)), workers_(workers) {}

  // Connections over all workers, for least_connections and for knowing when this state may be freed.
  // Written by Leases only.
  std::atomic<uint32_t> connections{0};

  EndpointCounters& counters(unsigned worker) noexcept { return counters_[worker]; }
  const EndpointCounters& counters(unsigned worker) const noexcept { return counters_[worker]; }
  unsigned workers() const noexcept { return workers_; }

  // How many Snapshots name it. Control thread only.
  uint32_t snapshots = 0;

 private:
  std::unique_ptr<EndpointCounters[]> counters_;
  unsigned workers_;
};

struct Endpoint {
  EndpointId id{};
  std::string name;
  SocketAddress address;
  uint32_t weight = 1;  // 0: takes no new work
  EndpointState* state = nullptr;
};

}  // namespace weir
