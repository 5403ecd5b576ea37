#include "net/proxy/admission.h"

#include <utility>

#include "core/balance/key.h"
#include "net/proxy/rate_check.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// What one client is given: an address of IPv4, a /64 of IPv6.
uint64_t seat_key(const PeerAddress& client) {
  return key_of(network_of(client, 32, 64));
}

}  // namespace

std::optional<CloseReason> refusal_of(const ListenerSpec& listener, const PeerAddress& client, Worker& worker) {
  ListenerCounters& counters = listener.state->counters(worker.index());
  if (listener.filter != nullptr && !listener.filter->admits(client)) {
    counters.denied.add();
    return CloseReason::denied;
  }
  if (!listener.rate_limits.empty()) {
    const RateCheck check = check_rates(listener.rate_limits, client, worker.now());
    if (check.over) counters.rate_limited.add();
    if (!check.admitted) return CloseReason::rate_limited;
  }
  if (worker.sheds(listener.priority)) return CloseReason::shed;
  return std::nullopt;
}

bool ClientSeat::take(const ListenerSpec& listener, const PeerAddress& client, unsigned worker) noexcept {
  if (listener.connections_per_client_max == 0 || !client.is_ip()) return true;
  const ClientTable::Seat seat = listener.state->clients->enter(seat_key(client), listener.connections_per_client_max);
  ListenerCounters& counters = listener.state->counters(worker);
  if (!seat.admitted) counters.clients_full.add();
  if (seat.admitted && !seat.counted) counters.clients_uncounted.add();
  counted_ = seat.counted;
  return seat.admitted;
}

void ClientSeat::give_back(ListenerState& listener, const PeerAddress& client) noexcept {
  if (std::exchange(counted_, false)) listener.clients->leave(seat_key(client));
}

}  // namespace weir
