// Registry: who is who across Snapshots. It gives listeners, upstreams and endpoints their ids, keeps the states of
// listeners and endpoints at stable addresses, and frees a state when nobody can reach it any more. What is learned
// about sessions (StickTable), what was begun (RateTable) and the secret behind sticky cookies
// survive a reload here too.
//
// A state is reachable through a Snapshot that names it, and through its own counts (Leases, sessions, pooled
// connections). Only a Snapshot lets a worker make a new Lease; so once no Snapshot names a state its counts can only
// fall, and at 0 it is free to go. Control thread only; it outlives the workers.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/model/rate_limit.h"
#include "core/model/snapshot.h"

namespace weir {

class Registry {
 public:
  // With a sticky secret of its own, drawn from the kernel.
  explicit Registry(unsigned workers);
  Registry(unsigned workers, std::string sticky_secret) : workers_(workers), sticky_secret_(std::move(sticky_secret)) {}

  ListenerId listener_id(std::string_view name) { return id_of<ListenerId>(listener_ids_, name); }
  UpstreamId upstream_id(std::string_view name) { return id_of<UpstreamId>(upstream_ids_, name); }
  unsigned workers() const noexcept { return workers_; }
  // How many upstream ids were given out: the size of Snapshot::upstream_by_id.
  size_t upstream_count() const noexcept { return upstream_ids_.size(); }

  ListenerState& listener_state(ListenerId id);

  // What is happening at it as a whole. Kept for good, as the id is.
  UpstreamState& upstream_state(UpstreamId id);

  struct EndpointPlace {
    EndpointId id;
    EndpointState& state;
    bool is_new;  // no Snapshot names it; its standing is that of a newcomer
  };
  // The same name at another address is another endpoint: what was measured of the old one says nothing of it.
  EndpointPlace endpoint(std::string_view upstream, std::string_view name, std::string_view address);

  // The table of that upstream with room for so many sessions. Another size is another, empty table; the old one stays
  // for the Snapshots that share it, and for a reload that is refused.
  std::shared_ptr<StickTable> stick_table(UpstreamId upstream, uint32_t entries);

  // What is counted for the limit at that place: the same table for the same rule and size, so that a reload forgives
  // nobody. Another rule is another, empty table; as above the old one stays while somebody has it.
  std::shared_ptr<RateTable> rate_table(std::string_view place, const RateRule& rule, uint32_t entries);

  // Makes the table of clients of that listener, if it has none: the first size stays for as long as its state does.
  void count_clients(ListenerId listener, uint32_t entries);

  // What sticky cookies are signed with where the configuration names no secret: the same for the whole process.
  const std::string& sticky_secret() const noexcept { return sticky_secret_; }

  // A Snapshot names the states in it from here on, and not any more.
  void retain(const Snapshot& snapshot) noexcept;
  void release(const Snapshot& snapshot) noexcept;
  // Frees states that nobody can reach. Returns how many no Snapshot names but a connection still does.
  size_t sweep();

 private:
  template <class Id>
  static Id id_of(std::map<std::string, Id, std::less<>>& ids, std::string_view name) {
    const auto found = ids.find(name);
    if (found != ids.end()) return found->second;
    const Id id{static_cast<uint32_t>(ids.size())};
    ids.emplace(name, id);
    return id;
  }

  struct EndpointEntry {
    EndpointId id;
    std::unique_ptr<EndpointState> state;
  };

  const unsigned workers_;
  const std::string sticky_secret_;
  std::map<std::string, ListenerId, std::less<>> listener_ids_;
  std::map<std::string, UpstreamId, std::less<>> upstream_ids_;
  std::map<ListenerId, std::unique_ptr<ListenerState>> listeners_;
  std::map<UpstreamId, std::unique_ptr<UpstreamState>> upstreams_;
  std::unordered_map<std::string, EndpointEntry> endpoints_;
  uint32_t next_endpoint_ = 0;
  std::map<std::pair<UpstreamId, uint32_t>, std::shared_ptr<StickTable>> stick_tables_;  // by upstream and size
  // By place, rule and size.
  using RateKey = std::tuple<std::string, RateAlgorithm, uint32_t, Duration, uint32_t, uint32_t>;
  std::map<RateKey, std::shared_ptr<RateTable>> rate_tables_;
};

}  // namespace weir
