#include "control/limit_watch.h"

#include <utility>

namespace weir {

void LimitWatch::follow(const config::ConcurrencyConfig& config, const Upstream& upstream) {
  const ConcurrencyLimit::Rules rules{.min = config.min, .max = config.max, .start = config.start};
  auto before = std::exchange(limits_, {});
  for (const Endpoint& endpoint : upstream.endpoints) {
    auto known = before.extract(endpoint.id);
    if (known.empty()) {
      limits_.try_emplace(endpoint.id, rules, traffic_of(*endpoint.state), context_.now());
    } else {
      if (known.mapped().rules() != rules) known.mapped().follow(rules);
      limits_.insert(std::move(known));
    }
    endpoint.state->gate.set_limit(limits_.at(endpoint.id).limit());
  }
}

void LimitWatch::look(const Upstream& upstream) {
  const Instant now = context_.now();
  for (const Endpoint& endpoint : upstream.endpoints) {
    EndpointState& state = *endpoint.state;
    // Relaxed: a figure, with the Leases' counting.
    const uint32_t in_flight = state.connections.load(std::memory_order_relaxed);
    ConcurrencyLimit& limit = limits_.at(endpoint.id);
    if (limit.look(traffic_of(state), in_flight, now)) state.gate.set_limit(limit.limit());
  }
}

const ConcurrencyLimit* LimitWatch::find(EndpointId id) const noexcept {
  const auto found = limits_.find(id);
  return found == limits_.end() ? nullptr : &found->second;
}

}  // namespace weir
