#include "net/proxy/origin_connection.h"

#include "net/io/socket.h"
#include "net/proxy/origin_pool.h"

namespace weir {

OriginConnection::OriginConnection(OriginPool& pool, Relay& relay, const Endpoint& endpoint, int fd) noexcept
    : pool_(pool), endpoint_(*endpoint.state), endpoint_id_(endpoint.id), fd_(fd), io_(*this, relay), timer_(on_timer) {
  // Relaxed: only the way down to 0 is ordered.
  endpoint_.pooled.fetch_add(1, std::memory_order_relaxed);
}

OriginConnection::~OriginConnection() {
  // Release, with the acquire of EndpointState::unused().
  endpoint_.pooled.fetch_sub(1, std::memory_order_release);
}

void OriginConnection::connect(const SocketAddress& address, OriginUser& user) {
  user_ = &user;
  requests_ = 1;
  local_ = address.is_unix();
  pool_.ring().connect(connect_op_, on_connected, fd_, address.data(), address.size());
}

void OriginConnection::take(OriginUser& user) {
  WEIR_ASSERT(state_ == State::idle && user_ == nullptr);
  state_ = State::busy;
  user_ = &user;
  ++requests_;
}

void OriginConnection::on_connected(Op& op, const Completion& completion) {
  OriginConnection& connection = owner_of(op, &OriginConnection::connect_op_);
  if (connection.state_ == State::joining) {
    if (connection.joined()) connection.pool_.joined(connection);
    return;
  }
  if (completion.failed()) return connection.user_->origin_unreachable(completion.error());
  connection.state_ = State::busy;
  // It has just been reached, and in HTTP the client speaks first.
  connection.io_.open(connection.fd_, true, connection.local_);
  connection.user_->origin_connected();
}

void OriginConnection::on_timer(Timer& timer) {
  OriginConnection& connection = owner_of(timer, &OriginConnection::timer_);
  connection.pool_.timer_fired(connection);
}

void OriginConnection::connection_received(Connection&) {
  if (state_ == State::idle) return pool_.drop(*this);
  user_->origin_received();
}

void OriginConnection::connection_sent(Connection&) {
  if (state_ == State::busy) user_->origin_sent();
}

void OriginConnection::connection_failed(Connection&, bool sending, int error) {
  if (state_ == State::idle) return pool_.drop(*this);
  user_->origin_failed(sending, error);
}

void OriginConnection::connection_idle(Connection&) {
  if (state_ == State::joining) {
    if (joined()) pool_.joined(*this);
    return;
  }
  if (state_ == State::busy) user_->origin_is_quiet();
}

}  // namespace weir
