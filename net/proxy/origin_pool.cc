#include "net/proxy/origin_pool.h"

#include "net/io/socket.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

constexpr uint32_t shed_at_once = 16;

}  // namespace

OriginPool::OriginPool(Worker& worker, uint32_t connections_max) : worker_(worker), connections_(connections_max) {}

Ring& OriginPool::ring() noexcept {
  return worker_.ring();
}

OriginConnection* OriginPool::take(const Endpoint& endpoint, OriginUser& user) {
  ListHead& idle = endpoint.state->at(worker_.index()).idle;
  if (idle.empty()) return nullptr;
  OriginConnection& connection = owner_of(*idle.back(), &OriginConnection::node);
  leave_idle(connection);
  connection.take(user);
  worker_.counters().origin_reused.add();
  return &connection;
}

OriginConnection* OriginPool::dial(const Endpoint& endpoint, OriginUser& user) {
  int fd = open_stream(endpoint.address.family());
  // An idle connection is worth less than somebody who waits. Its descriptor is free when the ring has closed it.
  if (fd < 0) {
    shed();
    return nullptr;
  }
  OriginConnection* connection = connections_.create(*this, worker_.relay(), endpoint, fd);
  if (connection == nullptr) {
    worker_.ring().close(fd);
    shed();
    return nullptr;
  }
  // In HTTP the client speaks first: the last packet of the handshake leaves with the request.
  if (!endpoint.address.is_unix()) hold_back_acknowledge(fd);
  connection->connect(endpoint.address, user);
  return connection;
}

void OriginPool::keep(OriginConnection& connection, const PoolPolicy& policy) {
  const EndpointAtWorker& here = connection.endpoint_.at(worker_.index());
  const bool worn = policy.requests_max > 0 && connection.requests_ >= policy.requests_max;
  const bool gone = here.configured != worker_.snapshot().configured;
  if (draining_ || worn || gone || !here.idle_wanted || here.idle_count >= policy.idle_max) {
    worker_.counters().origin_idle_closed.add();
    return drop(connection);
  }
  connection.state_ = OriginConnection::State::idle;
  connection.user_ = nullptr;
  make_idle(connection, policy.idle_timeout);
}

void OriginPool::make_idle(OriginConnection& connection, Duration timeout) {
  EndpointAtWorker& here = connection.endpoint_.at(worker_.index());
  here.idle.push_back(connection.node);
  ++here.idle_count;
  idle_.push_back(connection);
  ++idle_count_;
  // Moved forward only when it fires: a busy connection would be armed anew with every request.
  connection.idle_until_ = worker_.now() + timeout;
  if (!connection.timer_.armed() || connection.timer_.deadline() > connection.idle_until_) {
    worker_.wheel().arm(connection.timer_, connection.idle_until_);
  }
}

void OriginPool::leave_idle(OriginConnection& connection) {
  EndpointAtWorker& here = connection.endpoint_.at(worker_.index());
  ListHead::unlink(connection.node);
  --here.idle_count;
  idle_.remove(connection);
  --idle_count_;
}

void OriginPool::timer_fired(OriginConnection& connection) {
  // In use: the timer is armed again when it is idle.
  if (connection.state_ != OriginConnection::State::idle) return;
  if (worker_.now() < connection.idle_until_) return worker_.wheel().arm(connection.timer_, connection.idle_until_);
  worker_.counters().origin_idle_closed.add();
  drop(connection);
}

void OriginPool::drop(OriginConnection& connection, bool reset) {
  WEIR_ASSERT(connection.state_ != OriginConnection::State::joining);
  if (connection.state_ == OriginConnection::State::idle) leave_idle(connection);
  connection.state_ = OriginConnection::State::joining;
  connection.user_ = nullptr;
  connection.reset_ = reset;
  worker_.wheel().cancel(connection.timer_);
  connection.io_.stop();
  if (connection.connect_op_.in_flight()) worker_.ring().cancel(connection.connect_op_);
  if (connection.joined()) joined(connection);
}

void OriginPool::joined(OriginConnection& connection) {
  if (!connection.node.linked()) joined_.push_back(connection);
}

void OriginPool::free_joined() {
  while (OriginConnection* connection = joined_.pop_front()) {
    connection->io_.release();
    if (connection->reset_) reset_on_close(connection->fd_);
    worker_.ring().close(connection->fd_);
    connections_.destroy(*connection);
  }
}

void OriginPool::close_idle(EndpointState& endpoint) {
  ListHead& idle = endpoint.at(worker_.index()).idle;
  while (!idle.empty()) {
    worker_.counters().origin_idle_closed.add();
    drop(owner_of(*idle.back(), &OriginConnection::node));
  }
}

void OriginPool::follow_snapshot() {
  const uint64_t configured = worker_.snapshot().configured;
  idle_.for_each([&](OriginConnection& connection) {
    if (connection.endpoint_.at(worker_.index()).configured == configured) return;
    worker_.counters().origin_idle_closed.add();
    drop(connection);
  });
}

void OriginPool::drain() {
  draining_ = true;
  idle_.for_each([&](OriginConnection& connection) { drop(connection); });
}

bool OriginPool::shed() {
  const bool any = !idle_.empty();
  for (uint32_t i = 0; i < shed_at_once && !idle_.empty(); ++i) {
    worker_.counters().origin_idle_closed.add();
    drop(*idle_.front());
  }
  return any;
}

}  // namespace weir
