// Choosing an endpoint for a connection or a request: asks the upstream's picker, takes a Lease, and goes through the
// endpoint's Gate. On the worker's thread.
#pragma once

#include <cstdint>

#include "core/model/lease.h"
#include "core/model/picker.h"
#include "core/model/upstream.h"

namespace weir {

class Worker;

struct Choice {
  uint32_t index = no_endpoint;
  Lease lease;  // there is one with an index
  // Without an index: why nobody could be had who has not been tried. Both may be so, of different endpoints.
  bool full = false;  // somebody has as many connections as it may
  bool shut = false;  // somebody's breaker is open
};

// Whose wish it is. The key and the zone are wanted if the picker says so.
struct ChoiceFor {
  const TriedEndpoints& tried;
  uint64_t key = 0;
  ZoneId zone = no_zone;
};

Choice choose_endpoint(Worker& worker, const Upstream& upstream, const ChoiceFor& wish);

// Could somebody have a place at one of the endpoints?
bool has_room(const Upstream& upstream) noexcept;

// This one and no other, for a session that belongs to it: nothing if it is full, or its breaker is open.
Lease lease_of(const Upstream& upstream, uint32_t index, Instant now);

// What came of it, told to the Gate and to the control thread: the endpoint did what was asked of it, or not, or could
// not even be reached; or it had seemed good and was not.
enum class Outcome : uint8_t { good, bad, unreachable, spoiled };
void note_outcome(Lease& lease, const Upstream& upstream, unsigned worker, Instant now, Outcome outcome);

}  // namespace weir
