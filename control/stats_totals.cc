#include "control/stats_totals.h"

#include "core/model/endpoint.h"
#include "core/model/listener.h"

namespace weir {

WorkerTotals totals_of(const ProcessState& process) {
  WorkerTotals totals;
  for (const auto& worker : process.workers) {
#define WORKER_COUNTER(name, text) totals.name += worker->counters.name.read();
#include "core/model/counters.def"
    for (size_t i = 0; i < close_reason_count; ++i) totals.closed[i] += worker->counters.closed[i].read();
    for (size_t i = 0; i < exchange_end_count; ++i) {
      totals.exchanges_ended[i] += worker->counters.exchanges_ended[i].read();
    }
    // Relaxed: figures, with the worker's own stores.
#define WORKER_GAUGE(name, member, text) totals.name += worker->member.load(std::memory_order_relaxed);
#include "control/stats_gauges.def"
#undef WORKER_GAUGE
  }
  return totals;
}

ListenerTotals totals_of(const ListenerState& state) {
  ListenerTotals totals;
  for (unsigned worker = 0; worker < state.workers(); ++worker) {
    const ListenerCounters& counters = state.counters(worker);
#define LISTENER_COUNTER(name, text) totals.name += counters.name.read();
#include "core/model/counters.def"
  }
  return totals;
}

EndpointTotals totals_of(const EndpointState& state) {
  EndpointTotals totals;
  for (unsigned worker = 0; worker < state.workers(); ++worker) {
    const EndpointCounters& counters = state.counters(worker);
#define ENDPOINT_COUNTER(name, text) totals.name += counters.name.read();
#include "core/model/counters.def"
  }
  return totals;
}

EndpointTotals& EndpointTotals::operator+=(const EndpointTotals& other) {
#define ENDPOINT_COUNTER(name, text) name += other.name;
#include "core/model/counters.def"
  return *this;
}

UpstreamTotals totals_of(const Snapshot& snapshot, const Upstream& upstream) {
  UpstreamTotals totals;
  for (const auto& part : snapshot.upstreams) {
    if (part->name != upstream.name) continue;
    const UpstreamState& state = *part->state;
    for (unsigned worker = 0; worker < state.workers(); ++worker) {
      const UpstreamCounters& counters = state.at(worker).counters;
#define UPSTREAM_COUNTER(name, text) totals.name += counters.name.read();
#include "core/model/counters.def"
    }
    // Relaxed: figures, with the workers' counting.
    totals.waiting += state.waiting.load(std::memory_order_relaxed);
    totals.pending += state.pending.load(std::memory_order_relaxed);
    totals.retrying += state.retrying.load(std::memory_order_relaxed);
  }
  return totals;
}

uint64_t connections_of(const Upstream& upstream) {
  uint64_t connections = 0;
  for (const Endpoint& endpoint : upstream.endpoints) {
    // Relaxed: a figure, with the Leases' counting.
    connections += endpoint.state->connections.load(std::memory_order_relaxed);
  }
  return connections;
}

}  // namespace weir
