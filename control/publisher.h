// Publisher: turns Configs into published Snapshots, opening and keeping listening sockets on the way.
//
// A Config either becomes the current Snapshot as a whole or changes nothing: sockets of new addresses are opened
// first, and if one cannot be, the others opened for the same Config are closed again. Sockets of an address that stays
// are carried over untouched, whatever else changes about its listener. Control thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/config/compile.h"
#include "core/config/config.h"
#include "core/model/registry.h"
#include "core/model/snapshot.h"
#include "core/rcu/published.h"

namespace weir {

// What an operator should hear of.
struct BalanceEvent {
  enum class Kind : uint8_t { panic_began, panic_ended, tiers_changed, upstream_down, upstream_up };
  Kind kind = Kind::panic_began;
  std::string upstream;
  uint32_t tiers = 1;    // in use now
  uint32_t healthy = 0;  // endpoints that take work by themselves, panic or not
  uint32_t total = 0;    // endpoints
};

class Publisher {
 public:
  Publisher(unsigned workers, Published<Snapshot>& published)
      : workers_(workers), published_(published), registry_(workers) {}
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Empty, or the sentence that says why nothing was published.
  std::string publish(const config::Config& config, const config::CompileLimits& limits, Instant now);

  // Publishes the current Snapshot anew with the shares that its endpoints have by now, if they are others: somebody's
  // standing has changed, or time has passed for who starts slowly. Everything else is shared with the Snapshot before.
  struct Refreshed {
    bool published = false;
    std::string problem;  // of an upstream that stays as it was
  };
  Refreshed refresh(Instant now);
  // Does a share grow with time, and how soon is it worth a refresh()? 0: none does.
  Duration refresh_interval() const noexcept;

  Registry& registry() noexcept { return registry_; }
  const Registry& registry() const noexcept { return registry_; }

  // What has happened to upstreams since this was asked last.
  std::vector<BalanceEvent> take_events() { return std::exchange(events_, {}); }

  // Frees what no worker can see any more. True while something is left to be freed.
  bool reclaim();

  // What was published last. Only after a publish() that was not refused.
  const Snapshot& current() const noexcept { return *published_.current(); }

 private:
  void take_over(std::unique_ptr<Snapshot> snapshot);
  void note_events(const Snapshot& snapshot);

  // The sockets for an address: those that are open already, or new ones.
  Result<std::shared_ptr<const ListenSockets>> sockets_for(const config::ListenerConfig& listener);

  const unsigned workers_;
  Published<Snapshot>& published_;
  Registry registry_;
  uint64_t generation_ = 0;
  std::vector<BalanceEvent> events_;
  std::unordered_set<UpstreamId> down_;  // upstreams where nobody takes work
};

}  // namespace weir
