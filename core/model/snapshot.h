// Snapshot: the whole decided world at one instant. Made and freed by the control thread, read by workers, never
// changed.
//
// A worker may hold a Snapshot only within one turn. What must last longer is held by id (and looked up again), by
// Lease (endpoints) or by shared ownership (listening sockets).
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/model/listener.h"
#include "core/model/upstream.h"

namespace weir {

struct Snapshot {
  uint64_t generation = 0;
  uint32_t connections_max = 0;             // over all workers
  uint32_t connections_per_worker_max = 0;  // of one
  std::vector<ListenerSpec> listeners;
  std::vector<Upstream> upstreams;
  std::vector<uint32_t> upstream_by_id;  // index into upstreams, or ~0 where that id is gone

  const Upstream* find(UpstreamId id) const noexcept {
    const uint32_t at = index_of(id);
    if (at >= upstream_by_id.size() || upstream_by_id[at] == ~uint32_t{0}) return nullptr;
    return &upstreams[upstream_by_id[at]];
  }
  const ListenerSpec* find(ListenerId id) const noexcept {
    for (const ListenerSpec& listener : listeners) {
      if (listener.id == id) return &listener;
    }
    return nullptr;
  }
};

}  // namespace weir
