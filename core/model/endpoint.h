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
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/list.h"
#include "core/model/address.h"
#include "core/model/counters.h"
#include "core/model/gate.h"
#include "core/model/latency.h"
#include "core/model/reported_score.h"
#include "core/model/standing.h"
#include "core/model/zone_map.h"

namespace weir {

// What one worker has at an endpoint. The counters are written by it and read by others; the rest is its own.
struct alignas(cache_line) EndpointAtWorker {
  EndpointCounters counters;
  ListHead idle;            // its idle connections, the most recently used one last
  uint32_t idle_count = 0;  // in that list
  bool idle_wanted = true;  // its idle connections are worth keeping
  uint64_t configured = 0;  // Snapshot::configured of the last that named the endpoint, as far as this worker has seen
  LatencyEstimate latency;  // of its answers to this worker
};

class EndpointState {
 public:
  explicit EndpointState(unsigned workers)
      : at_workers_(std::make_unique<EndpointAtWorker[]>(workers)), workers_(workers) {}

  // Connections, or requests in HTTP, over all workers. Written by Leases only.
  std::atomic<uint32_t> connections{0};
  // What stands between it and new work at this moment. Beside the count, because a Lease looks at both.
  Gate gate;
  // The sum of them over all endpoints of the upstream, where its picker wants to know it; else null. A Lease counts in
  // it if it was there when the Lease began. Set by the control thread once and for all; what it points to outlives all
  // Leases.
  std::atomic<std::atomic<uint32_t>*> total{nullptr};
  // Connections to it that a worker has open for HTTP, idle or not.
  std::atomic<uint32_t> pooled{0};

  // Nobody uses it. Acquire, with the releases of those who have: what they wrote comes before its end.
  bool unused() const noexcept {
    return connections.load(std::memory_order_acquire) == 0 && pooled.load(std::memory_order_acquire) == 0;
  }

  EndpointAtWorker& at(unsigned worker) noexcept { return at_workers_[worker]; }
  const EndpointAtWorker& at(unsigned worker) const noexcept { return at_workers_[worker]; }
  EndpointCounters& counters(unsigned worker) noexcept { return at_workers_[worker].counters; }
  const EndpointCounters& counters(unsigned worker) const noexcept { return at_workers_[worker].counters; }
  unsigned workers() const noexcept { return workers_; }

  // What the origin says of itself.
  ReportedScore reported;

  // Control thread only.
  uint32_t snapshots = 0;  // how many name it
  Standing standing;

 private:
  std::unique_ptr<EndpointAtWorker[]> at_workers_;
  unsigned workers_;
};

using Metadata = std::vector<std::pair<std::string, std::string>>;  // by key, ascending

struct Endpoint {
  EndpointId id{};
  std::string name;
  SocketAddress address;
  // As configured, and as they are now that somebody may have said otherwise.
  uint32_t configured_weight = 1;
  uint32_t configured_connections_max = 0;
  uint32_t weight = 1;  // 0: takes no new work
  EndpointState* state = nullptr;
  uint32_t connections_max = 0;  // over all workers; 0: any number
  uint8_t tier = 0;              // 0 is asked first; the others stand by
  ZoneId zone = no_zone;
  bool idle_wanted = true;     // idle connections to it are worth keeping: it takes work, or will soon
  bool takes_sessions = true;  // sessions that belong to it may come back, even where it gets nothing new
  Metadata metadata{};
};

}  // namespace weir
