#include "core/model/registry.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace weir {
namespace {

// A single getrandom(2) gives up to 256 bytes undivided.
template <size_t bytes_wanted>
std::array<char, bytes_wanted> random_bytes() {
  static_assert(bytes_wanted <= 256);
  std::array<char, bytes_wanted> bytes{};
  ssize_t size = -1;
  do {
    size = ::getrandom(bytes.data(), bytes.size(), 0);
  } while (size < 0 && errno == EINTR);
  WEIR_ASSERT(size == static_cast<ssize_t>(bytes.size()), size);
  return bytes;
}

// As many bytes as a key of the hash behind it can take in.
std::string random_secret() {
  const auto bytes = random_bytes<32>();
  return {bytes.data(), bytes.size()};
}

// Where in a table somebody is counted, nobody outside can know.
uint64_t random_seed() {
  const auto bytes = random_bytes<sizeof(uint64_t)>();
  uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof(seed));
  return seed;
}

}  // namespace

Registry::Registry(unsigned workers) : Registry(workers, random_secret()) {}

ListenerState& Registry::listener_state(ListenerId id) {
  std::unique_ptr<ListenerState>& state = listeners_[id];
  if (state == nullptr) state = std::make_unique<ListenerState>(workers_);
  return *state;
}

UpstreamState& Registry::upstream_state(UpstreamId id) {
  std::unique_ptr<UpstreamState>& state = upstreams_[id];
  if (state == nullptr) state = std::make_unique<UpstreamState>(workers_);
  return *state;
}

Registry::EndpointPlace Registry::endpoint(std::string_view upstream, std::string_view name, std::string_view address) {
  // No name or address contains a newline, so that no two places share a key.
  std::string key{upstream};
  key.append("\n").append(name).append("\n").append(address);
  const auto [place, inserted] = endpoints_.try_emplace(std::move(key));
  if (inserted) place->second = {EndpointId{next_endpoint_++}, std::make_unique<EndpointState>(workers_)};
  EndpointState& state = *place->second.state;
  // It may have been there before, and some connection still is.
  const bool is_new = state.snapshots == 0;
  if (is_new) state.standing = Standing{};
  return {place->second.id, state, is_new};
}

std::shared_ptr<StickTable> Registry::stick_table(UpstreamId upstream, uint32_t entries) {
  std::shared_ptr<StickTable>& table = stick_tables_[{upstream, entries}];
  if (table == nullptr) table = std::make_shared<StickTable>(entries);
  return table;
}

std::shared_ptr<RateTable> Registry::rate_table(std::string_view place, const RateRule& rule, uint32_t entries) {
  RateKey key{place, rule.algorithm, rule.requests, rule.per, rule.burst, entries};
  std::shared_ptr<RateTable>& table = rate_tables_[std::move(key)];
  if (table == nullptr) table = std::make_shared<RateTable>(rule, entries, random_seed());
  return table;
}

void Registry::count_clients(ListenerId listener, uint32_t entries) {
  std::unique_ptr<ClientTable>& clients = listener_state(listener).clients;
  if (clients == nullptr) clients = std::make_unique<ClientTable>(entries, random_seed());
}

void Registry::retain(const Snapshot& snapshot) noexcept {
  for (const ListenerSpec& listener : snapshot.listeners) ++listener.state->snapshots;
  for (const auto& upstream : snapshot.upstreams) {
    upstream->state->seen = true;
    for (const Endpoint& endpoint : upstream->endpoints) ++endpoint.state->snapshots;
  }
}

void Registry::release(const Snapshot& snapshot) noexcept {
  for (const ListenerSpec& listener : snapshot.listeners) {
    WEIR_ASSERT(listener.state->snapshots > 0);
    --listener.state->snapshots;
  }
  for (const auto& upstream : snapshot.upstreams) {
    for (const Endpoint& endpoint : upstream->endpoints) {
      WEIR_ASSERT(endpoint.state->snapshots > 0);
      --endpoint.state->snapshots;
    }
  }
}

size_t Registry::sweep() {
  size_t lingering = 0;
  const auto gone = [&](const auto& state, const auto& unused) {
    if (state.snapshots > 0) return false;
    if (unused(state)) return true;
    ++lingering;
    return false;
  };
  const auto no_session = [](const ListenerState& state) {
    // Acquire, with the release of the last session: what it wrote comes before we free.
    return state.connections.load(std::memory_order_acquire) == 0;
  };
  const auto no_user = [](const EndpointState& state) { return state.unused(); };
  std::erase_if(listeners_, [&](const auto& entry) { return gone(*entry.second, no_session); });
  std::erase_if(endpoints_, [&](const auto& entry) { return gone(*entry.second.state, no_user); });
  // One owner is ourselves: copies are made from a Snapshot, and none is left that has it.
  const auto only_ours = [](const auto& entry) { return entry.second.use_count() == 1; };
  std::erase_if(stick_tables_, only_ours);
  std::erase_if(rate_tables_, only_ours);
  return lingering;
}

}  // namespace weir
