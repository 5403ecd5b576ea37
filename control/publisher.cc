#include "control/publisher.h"

#include <poll.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "core/balance/reshare.h"
#include "core/balance/shares.h"
#include "net/io/socket.h"
#include "net/io/socket_file.h"

namespace weir {
namespace {

// A process that was killed keeps its addresses until the kernel has taken its rings apart, some tens of milliseconds.
// Whoever starts weir again at once should not be told that the address is in use.
constexpr int looks_at_start = 10;
constexpr int pause_between_looks_ms = 25;

// With SO_REUSEPORT a second weir of the same user could bind the address too and silently take half of the
// connections. A bind without it tells.
std::optional<Error> taken_by_somebody_else(const SocketAddress& address, int looks) {
  ListenOptions alone;
  alone.backlog = 1;
  for (;;) {
    const auto opened = open_listener(address.data(), address.size(), alone);
    if (opened) return std::nullopt;
    if (--looks <= 0 || opened.error().kind != ErrorKind::address_in_use) return opened.error();
    ::poll(nullptr, 0, pause_between_looks_ms);
  }
}

// As a Snapshot sees them they are ListenSockets; with the last reference the file of a UNIX listener goes, too.
struct OwnedSockets : ListenSockets {
  SocketFile file;
};

// How often the share of an endpoint grows while it starts slowly.
constexpr int ramp_steps = 50;
constexpr Duration ramp_step_min = std::chrono::milliseconds{20};
constexpr Duration ramp_step_max = std::chrono::seconds{1};

// Why there can be no listener, and what to do about it.
std::string explain(const Error& error, const SocketAddress& address) {
  switch (error.kind) {
    case ErrorKind::permission:
      return std::string{name_of(error.kind)} +
             (address.is_unix()
                  ? "; check who may write to that directory"
                  : "; ports below 1024 need CAP_NET_BIND_SERVICE (AmbientCapabilities= in a systemd unit)");
    case ErrorKind::address_in_use:
      return std::string{name_of(error.kind)} +
             (address.is_unix() ? "; find who listens there with `ss -lxp`, or remove the file if it is no socket"
                                : "; find who listens there with `ss -ltnp`");
    case ErrorKind::out_of_ports: return "that address is not one of this machine's; see `ip addr`";  // EADDRNOTAVAIL
    case ErrorKind::refused: return "the directory of that path does not exist";                      // ENOENT, ENOTDIR
    default: return describe(error);
  }
}

}  // namespace

Result<std::shared_ptr<const ListenSockets>> Publisher::sockets_for(const config::ListenerConfig& listener) {
  if (const Snapshot* now = published_.current(); now != nullptr) {
    for (const ListenerSpec& spec : now->listeners) {
      // Port 0 is a port of its own each time, so only the name tells which of them this is.
      const bool kernel_chose = !spec.address.is_unix() && spec.address.port() == 0;
      if (spec.address == listener.address && (!kernel_chose || spec.name == listener.name)) return spec.sockets;
    }
  }
  auto sockets = std::make_shared<OwnedSockets>();
  sockets->bound = listener.address;
  ListenOptions options;
  options.backlog = static_cast<int>(listener.backlog);
  const bool shared = listener.address.is_unix();
  options.reuse_port = !shared;
  if (!shared && listener.address.port() != 0) {
    const int looks = generation_ == 0 ? looks_at_start : 1;
    if (const auto error = taken_by_somebody_else(listener.address, looks)) return *error;
  }
  for (unsigned i = 0; i < (shared ? 1 : workers_); ++i) {
    auto opened = open_listener(sockets->bound.data(), sockets->bound.size(), options);
    if (!opened) return opened.error();
    sockets->fds.push_back(std::move(*opened));
    if (shared) sockets->file = SocketFile{std::string{listener.address.path()}};
    if (i == 0 && sockets->bound.port() == 0 && !shared) {
      // The kernel chose a port; the other workers' sockets are to have the same.
      sockaddr_storage address{};
      socklen_t size = 0;
      local_address(sockets->fds[0].get(), address, size);
      sockets->bound = SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), size);
    }
  }
  return std::shared_ptr<const ListenSockets>{std::move(sockets)};
}

std::string Publisher::publish(const config::Config& config, const config::CompileLimits& limits, Instant now) {
  auto compiled = config::compile(config, limits, generation_ + 1, now, registry_);
  if (!compiled) {
    registry_.sweep();
    return compiled.error();
  }
  std::unique_ptr<Snapshot> snapshot = std::move(*compiled);
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    auto sockets = sockets_for(config.listeners[i]);
    if (!sockets) {
      registry_.sweep();
      return "cannot listen on " + config.listeners[i].address.to_string() + " (listener `" + config.listeners[i].name +
             "`): " + explain(sockets.error(), config.listeners[i].address);
    }
    snapshot->listeners[i].sockets = std::move(*sockets);
  }
  // Also for sockets that were open before: their backlog may have changed.
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    for (const Fd& fd : snapshot->listeners[i].sockets->fds) {
      set_backlog(fd.get(), static_cast<int>(config.listeners[i].backlog));
    }
  }
  take_over(std::move(snapshot));
  return {};
}

void Publisher::note_events(const Snapshot& snapshot) {
  std::unordered_set<UpstreamId> down;
  for (const auto& each : snapshot.upstreams) {
    const Upstream& upstream = *each;
    UpstreamState& state = *upstream.state;
    const auto tell = [&](BalanceEvent::Kind kind) {
      if (upstream.is_subset) return;
      events_.push_back({kind, upstream.name, upstream.shares.tiers_in_use, healthy_count(upstream),
                         static_cast<uint32_t>(upstream.endpoints.size())});
    };
    if (upstream.shares.panic && !state.panicking) {
      ++state.panics;
      tell(BalanceEvent::Kind::panic_began);
    }
    if (!upstream.shares.panic && state.panicking) tell(BalanceEvent::Kind::panic_ended);
    if (upstream.shares.tiers_in_use != state.tiers_in_use) tell(BalanceEvent::Kind::tiers_changed);
    state.panicking = upstream.shares.panic;
    state.tiers_in_use = upstream.shares.tiers_in_use;
    const auto& shares = upstream.shares.each;
    const bool is_down = std::all_of(shares.begin(), shares.end(), [](uint32_t share) { return share == 0; });
    if (is_down) down.insert(upstream.id);
    if (is_down != down_.contains(upstream.id)) {
      tell(is_down ? BalanceEvent::Kind::upstream_down : BalanceEvent::Kind::upstream_up);
    }
  }
  down_ = std::move(down);
}

void Publisher::take_over(std::unique_ptr<Snapshot> snapshot) {
  ++generation_;
  note_events(*snapshot);
  registry_.retain(*snapshot);
  published_.publish(std::move(snapshot));
}

Publisher::Refreshed Publisher::refresh(Instant now) {
  Refreshed refreshed;
  const Snapshot& before = current();
  std::unique_ptr<Snapshot> next;
  for (size_t i = 0; i < before.upstreams.size(); ++i) {
    if (!wants_reshare(*before.upstreams[i], now)) continue;
    auto upstream = std::make_shared<Upstream>(*before.upstreams[i]);
    upstream->version = generation_ + 1;
    try {
      reshare(*upstream, now);
    } catch (const std::exception& refused) {
      // A plug-in does not want its members as they are now.
      refreshed.problem = "upstream `" + upstream->name + "`: " + refused.what();
      continue;
    }
    if (next == nullptr) next = std::make_unique<Snapshot>(before);
    next->upstreams[i] = std::move(upstream);
  }
  if (next == nullptr) return refreshed;
  next->generation = generation_ + 1;
  take_over(std::move(next));
  refreshed.published = true;
  return refreshed;
}

Duration Publisher::refresh_interval() const noexcept {
  Duration interval{};
  for (const auto& upstream : current().upstreams) {
    if (!upstream->shares.ramping) continue;
    const Duration step =
        std::clamp<Duration>(upstream->share_rules.slow_start / ramp_steps, ramp_step_min, ramp_step_max);
    if (interval == Duration::zero() || step < interval) interval = step;
  }
  return interval;
}

bool Publisher::reclaim() {
  const size_t waiting =
      published_.reclaim([&](std::unique_ptr<const Snapshot> snapshot) { registry_.release(*snapshot); });
  return registry_.sweep() + waiting > 0;
}

}  // namespace weir
