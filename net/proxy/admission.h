// Admission: whether a client may come in at all: by its address, by how many connections it has, and (where a listener
// speaks no HTTP) by how fast it opens them. Asked once per connection, when it is known who the client is. On the
// worker's thread.
#pragma once

#include <optional>

#include "core/model/address.h"
#include "core/model/counters.h"
#include "core/model/listener.h"

namespace weir {

class Worker;

// Why not; nothing if it may. A listener in HTTP mode asks for each request instead, since one connection may bring
// those of many clients.
std::optional<CloseReason> refusal_of(const ListenerSpec& listener, const PeerAddress& client, Worker& worker);

// A place among the connections of one client, counted as long as it is taken.
class ClientSeat {
 public:
  // Nobody is refused by a listener without such a limit, and no UNIX socket is.
  bool take(const ListenerSpec& listener, const PeerAddress& client, unsigned worker) noexcept;
  void give_back(ListenerState& listener, const PeerAddress& client) noexcept;

 private:
  bool counted_ = false;
};

}  // namespace weir
