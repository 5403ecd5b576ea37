// Choosing an endpoint for a connection or a request: asks the upstream's picker, and takes a Lease. On the worker's
// thread.
#pragma once

#include <cstdint>

#include "core/model/lease.h"
#include "core/model/picker.h"
#include "core/model/upstream.h"

namespace weir {

class Worker;

struct Choice {
  uint32_t index = no_endpoint;
  Lease lease;        // there is one with an index
  bool full = false;  // no index, and somebody is left who has as many connections as it may
};

// Whose wish it is. The key and the zone are wanted if the picker says so.
struct ChoiceFor {
  const TriedEndpoints& tried;
  uint64_t key = 0;
  ZoneId zone = no_zone;
};

Choice choose_endpoint(Worker& worker, const Upstream& upstream, const ChoiceFor& wish);

// This one and no other, for a session that belongs to it: nothing if it is full.
Lease lease_of(const Upstream& upstream, uint32_t index);

}  // namespace weir
