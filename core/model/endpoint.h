// Endpoint and EndpointState: where traffic may go, and what is happening there now.
//
// An Endpoint is an immutable value inside a Snapshot. Its EndpointState lives at a stable address across Snapshots:
// made by the control thread, counted in by workers, freed by the control thread once no Snapshot names it and no Lease
// or pooled connection is left.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/ids.h"
#include "core/base/list.h"
#include "core/model/address.h"
#include "core/model/counters.h"

namespace weir {

// What one worker has at an endpoint. The counters are written by it and read by others; the rest is its own.
struct alignas(cache_line) EndpointAtWorker {
  EndpointCounters counters;
  ListHead idle;            // its idle connections, the most recently used one last
  uint32_t idle_count = 0;  // in that list
  uint64_t generation = 0;  // of the last Snapshot that named the endpoint, as far as this worker has seen
};

class EndpointState {
 public:
  explicit EndpointState(unsigned workers)
      : at_workers_(std::make_unique<EndpointAtWorker[]>(workers)), workers_(workers) {}

  // Connections, or requests in HTTP, over all workers, for least_connections. Written by Leases only.
  std::atomic<uint32_t> connections{0};
  // Connections to it that a worker has open for HTTP, idle or not.
  std::atomic<uint32_t> pooled{0};

  // Nobody uses it. Acquire, with the releases of those who have: what they wrote comes before its end.
  bool unused() const noexcept {
    return connections.load(std::memory_order_acquire) == 0 && pooled.load(std::memory_order_acquire) == 0;
  }

  EndpointAtWorker& at(unsigned worker) noexcept { return at_workers_[worker]; }
  EndpointCounters& counters(unsigned worker) noexcept { return at_workers_[worker].counters; }
  const EndpointCounters& counters(unsigned worker) const noexcept { return at_workers_[worker].counters; }
  unsigned workers() const noexcept { return workers_; }

  // How many Snapshots name it. Control thread only.
  uint32_t snapshots = 0;

 private:
  std::unique_ptr<EndpointAtWorker[]> at_workers_;
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
