#include "core/model/registry.h"

namespace weir {
ListenerState& Registry::listener_state(ListenerId id) {
  std::unique_ptr<ListenerState>& state = listeners_[id];
  if (state == nullptr) state = std::make_unique<ListenerState>(workers_);
  return *state;
}

Registry::EndpointPlace Registry::endpoint(std::string_view upstream, std::string_view name, std::string_view address) {
  // No name or address contains a newline, so that no two places share a key.
  std::string key{upstream};
  key.append("\n").append(name).append("\n").append(address);
  const auto [place, inserted] = endpoints_.try_emplace(std::move(key));
  if (inserted) place->second = {EndpointId{next_endpoint_++}, std::make_unique<EndpointState>(workers_)};
  return {place->second.id, *place->second.state};
}

void Registry::retain(const Snapshot& snapshot) noexcept {
  for (const ListenerSpec& listener : snapshot.listeners) ++listener.state->snapshots;
  for (const Upstream& upstream : snapshot.upstreams) {
    for (const Endpoint& endpoint : upstream.endpoints) ++endpoint.state->snapshots;
  }
}

void Registry::release(const Snapshot& snapshot) noexcept {
  for (const ListenerSpec& listener : snapshot.listeners) {
    WEIR_ASSERT(listener.state->snapshots > 0);
    --listener.state->snapshots;
  }
  for (const Upstream& upstream : snapshot.upstreams) {
    for (const Endpoint& endpoint : upstream.endpoints) {
      WEIR_ASSERT(endpoint.state->snapshots > 0);
      --endpoint.state->snapshots;
    }
  }
}

size_t Registry::sweep() {
  size_t lingering = 0;
  auto gone = [&](const auto& state) {
    if (state.snapshots > 0) return false;
    // Acquire, with the release of the last Lease or session: what it wrote comes before we free.
    if (state.connections.load(std::memory_order_acquire) == 0) return true;
    ++lingering;
    return false;
  };
  std::erase_if(listeners_, [&](const auto& entry) { return gone(*entry.second); });
  std::erase_if(endpoints_, [&](const auto& entry) { return gone(*entry.second.state); });
  return lingering;
}

}  // namespace weir
