// Sums over workers: each worker counts for itself, and people want one number. The members are the rows of
// core/model/counters.def and control/stats_gauges.def, so a new figure is summed and reported without a line here.
//
// Values. Made by the control thread while workers go on counting: each number is true of some recent moment, not all
// of the same one.
#pragma once

#include <array>
#include <cstdint>

#include "core/model/counters.h"
#include "core/model/process_state.h"
#include "core/model/snapshot.h"
#include "core/model/upstream.h"

namespace weir {

class EndpointState;
class ListenerState;

// The members can be visited with their names, in order: for_each(f) calls f(CounterName, uint64_t).
struct WorkerTotals {
#define WORKER_COUNTER(name, text) uint64_t name = 0;
#include "core/model/counters.def"
  std::array<uint64_t, close_reason_count> closed{};
  std::array<uint64_t, exchange_end_count> exchanges_ended{};

#define WORKER_GAUGE(name, member, text) uint64_t name = 0;
#include "control/stats_gauges.def"
#undef WORKER_GAUGE
};

struct ListenerTotals {
#define LISTENER_COUNTER(name, text) uint64_t name = 0;
#include "core/model/counters.def"

  template <class F>
  void for_each(F&& f) const {
#define LISTENER_COUNTER(name, text) f(CounterName{#name, text}, name);
#include "core/model/counters.def"
  }
};

struct EndpointTotals {
#define ENDPOINT_COUNTER(name, text) uint64_t name = 0;
#include "core/model/counters.def"

  template <class F>
  void for_each(F&& f) const {
#define ENDPOINT_COUNTER(name, text) f(CounterName{#name, text}, name);
#include "core/model/counters.def"
  }

  EndpointTotals& operator+=(const EndpointTotals& other);
};

// Of an upstream and the parts of it that are its subsets.
struct UpstreamTotals {
#define UPSTREAM_COUNTER(name, text) uint64_t name = 0;
#include "core/model/counters.def"
  // Now.
  uint64_t waiting = 0;
  uint64_t pending = 0;
  uint64_t retrying = 0;

  // The counters.
  template <class F>
  void for_each(F&& f) const {
#define UPSTREAM_COUNTER(name, text) f(CounterName{#name, text}, name);
#include "core/model/counters.def"
  }
};

WorkerTotals totals_of(const ProcessState& process);
ListenerTotals totals_of(const ListenerState& state);
EndpointTotals totals_of(const EndpointState& state);
UpstreamTotals totals_of(const Snapshot& snapshot, const Upstream& upstream);

// Connections at the endpoints of an upstream, right now.
uint64_t connections_of(const Upstream& upstream);

}  // namespace weir
