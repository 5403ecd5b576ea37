// Snapshot: the whole decided world at one instant. Made and freed by the control thread, read by workers, never
// changed.
//
// A worker may hold a Snapshot only within one turn. What must last longer is held by id (and looked up again), by
// Lease (endpoints) or by shared ownership (listening sockets).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/ids.h"
#include "core/model/listener.h"
#include "core/model/resilience.h"
#include "core/model/upstream.h"
#include "core/model/zone_map.h"

namespace weir {

struct Snapshot {
  uint64_t generation = 0;
  uint64_t configured = 0;       // the generation that came from a configuration: since then only shares have changed
  uint32_t connections_max = 0;  // over all workers
  uint32_t connections_per_worker_max = 0;  // of one
  SheddingPolicy shedding;
  std::vector<ListenerSpec> listeners;
  std::vector<std::shared_ptr<const Upstream>> upstreams;
  std::vector<uint32_t> upstream_by_id;  // index into upstreams, or ~0 where that id is gone
  std::shared_ptr<const ZoneMap> zones;  // null: nobody is in a zone

  const Upstream* find(UpstreamId id) const noexcept {
    const uint32_t at = index_of(id);
    if (at >= upstream_by_id.size() || upstream_by_id[at] == ~uint32_t{0}) return nullptr;
    return upstreams[upstream_by_id[at]].get();
  }
  const ListenerSpec* find(ListenerId id) const noexcept {
    for (const ListenerSpec& listener : listeners) {
      if (listener.id == id) return &listener;
    }
    return nullptr;
  }
};

// As an operator counts them: subsets are parts of one.
inline size_t upstream_count(const Snapshot& snapshot) noexcept {
  size_t count = 0;
  for (const auto& upstream : snapshot.upstreams) count += upstream->is_subset ? 0 : 1;
  return count;
}

}  // namespace weir
