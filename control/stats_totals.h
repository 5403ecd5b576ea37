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
#include "core/model/upstream.h"

namespace weir {

class EndpointState;
class ListenerState;

// The members can be visited with their names, in order: for_each(f) calls f(CounterName, uint64_t).
struct WorkerTotals {
#define WORKER_COUNTER(name, text) uint64_t name = 0;
#define LISTENER_COUNTER(name, text)
#define ENDPOINT_COUNTER(name, text)
#include "core/model/counters.def"
#undef WORKER_COUNTER
#undef LISTENER_COUNTER
#undef ENDPOINT_COUNTER
  std::array<uint64_t, close_reason_count> closed{};
  std::array<uint64_t, exchange_end_count> exchanges_ended{};

#define WORKER_GAUGE(name, member, text) uint64_t name = 0;
#include "control/stats_gauges.def"
#undef WORKER_GAUGE
};

struct ListenerTotals {
#define WORKER_COUNTER(name, text)
#define LISTENER_COUNTER(name, text) uint64_t name = 0;
#define ENDPOINT_COUNTER(name, text)
#include "core/model/counters.def"
#undef WORKER_COUNTER
#undef LISTENER_COUNTER
#undef ENDPOINT_COUNTER

  template <class F>
  void for_each(F&& f) const {
#define WORKER_COUNTER(name, text)
#define LISTENER_COUNTER(name, text) f(CounterName{#name, text}, name);
#define ENDPOINT_COUNTER(name, text)
#include "core/model/counters.def"
#undef WORKER_COUNTER
#undef LISTENER_COUNTER
#undef ENDPOINT_COUNTER
  }
};

struct EndpointTotals {
#define WORKER_COUNTER(name, text)
#define LISTENER_COUNTER(name, text)
#define ENDPOINT_COUNTER(name, text) uint64_t name = 0;
#include "core/model/counters.def"
#undef WORKER_COUNTER
#undef LISTENER_COUNTER
#undef ENDPOINT_COUNTER

  template <class F>
  void for_each(F&& f) const {
#define WORKER_COUNTER(name, text)
#define LISTENER_COUNTER(name, text)
#define ENDPOINT_COUNTER(name, text) f(CounterName{#name, text}, name);
#include "core/model/counters.def"
#undef WORKER_COUNTER
#undef LISTENER_COUNTER
#undef ENDPOINT_COUNTER
  }

  EndpointTotals& operator+=(const EndpointTotals& other);
};

WorkerTotals totals_of(const ProcessState& process);
ListenerTotals totals_of(const ListenerState& state);
EndpointTotals totals_of(const EndpointState& state);

// Connections at the endpoints of an upstream, right now.
uint64_t connections_of(const Upstream& upstream);

}  // namespace weir
