// ListenerSpec and ListenerState: where clients come in, and what is happening there now.
//
// The spec is an immutable value inside a Snapshot; the state lives at a stable address across Snapshots, for as long
// as a spec or a session of it is left. The sockets were opened by the control thread, so that a reload that cannot
// bind is refused before any worker hears of it: one socket per worker with SO_REUSEPORT, or one for all where that
// does not exist.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/ids.h"
#include "core/model/address.h"
#include "core/model/client_filter.h"
#include "core/model/client_table.h"
#include "core/model/counters.h"
#include "core/model/http_listener.h"
#include "core/model/rate_limit.h"
#include "core/model/resilience.h"

namespace weir {

class ListenerState {
 public:
  explicit ListenerState(unsigned workers)
      : counters_(std::make_unique<ListenerCounters[]>(workers)), workers_(workers) {}

  // Connections over all workers, against the listener's own limit. Written by sessions as they begin and end.
  std::atomic<uint32_t> connections{0};

  ListenerCounters& counters(unsigned worker) noexcept { return counters_[worker]; }
  const ListenerCounters& counters(unsigned worker) const noexcept { return counters_[worker]; }
  unsigned workers() const noexcept { return workers_; }

  // Who has how many connections, for listeners with a limit of that. Made by the control thread when the first
  // Snapshot wants it, and never another one: who was counted in it must find it.
  std::unique_ptr<ClientTable> clients;

  // How many Snapshots name it. Control thread only.
  uint32_t snapshots = 0;

 private:
  std::unique_ptr<ListenerCounters[]> counters_;
  unsigned workers_;
};

// The listening sockets of one address. Closed when the last Snapshot or worker that names them lets go.
struct ListenSockets {
  std::vector<Fd> fds;  // one per worker, or a single one that all share
  SocketAddress bound;  // what port 0 became

  int fd_of(unsigned worker) const noexcept { return fds.size() == 1 ? fds[0].get() : fds[worker].get(); }
};

// Stands where a listener in HTTP mode sends nothing by itself: its routes say it all. No Snapshot finds it.
inline constexpr UpstreamId no_upstream{~uint32_t{0}};

struct ListenerSpec {
  ListenerId id{};
  std::string name;
  SocketAddress address;
  UpstreamId upstream = no_upstream;           // never no_upstream in TCP mode
  std::shared_ptr<const HttpListener> http;    // null in TCP mode
  uint32_t connections_max = 0;                // 0: only the process-wide limit
  uint32_t connections_per_client_max = 0;     // 0: any number
  std::shared_ptr<const ClientFilter> filter;  // null: everybody may come in
  std::vector<RateLimit> rate_limits;
  Priority priority = priority_usual;
  CidrSet proxy_from;  // peers that must send a PROXY header
  Duration idle_timeout{};
  Duration lifetime{};  // 0: none
  Duration proxy_header_timeout{};
  std::shared_ptr<const ListenSockets> sockets;
  ListenerState* state = nullptr;
};

}  // namespace weir
