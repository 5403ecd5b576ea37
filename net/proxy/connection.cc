#include "net/proxy/connection.h"

#include <errno.h>
#include <poll.h>

#include "net/io/socket.h"

namespace weir {

void Connection::open(int fd, bool later, bool local) {
  WEIR_ASSERT(fd_ < 0);
  fd_ = fd;
  local_ = local;
  arm_receive(later);
}

// --- receiving ------------------------------------------------------------------------------------------------------

void Connection::arm_receive(bool later) {
  pausing_ = false;
  watched_ = false;
  if (local_) return relay_.ring.receive_once(receive_op_, on_receive, fd_);
  relay_.ring.receive_many(receive_op_, on_receive, fd_, later);
}

// Arms the receive if there is a reason to, and none against it. Through the worker's list, which knows when there are
// buffers.
void Connection::receive_again() {
  if (stopping_ || suspended_ || ended_ || failed_receiving_ || receive_op_.in_flight()) return;
  if (!discarding_ && in_.count() >= waiting_max) return;
  if (!starving_node.linked()) relay_.starving.push_back(*this);
}

void Connection::taken() {
  if (watching_ && in_.count() < waiting_max && !ended_) relay_.ring.cancel(receive_op_);
  receive_again();
}

void Connection::resume_starved() {
  if (stopping_ || suspended_) return;
  // The watch has the Op; when it is back, this is asked again.
  if (watching_) return relay_.ring.cancel(receive_op_);
  arm_receive(false);
}

void Connection::on_receive(Op& op, const Completion& completion) {
  Connection& connection = owner_of(op, &Connection::receive_op_);
  if (connection.stopping_) return connection.absorb(completion);
  Relay& relay = connection.relay_;
  if (completion.has_buffer()) relay.buffers.received(completion.buffer());
  if (completion.result <= 0) {
    if (completion.has_buffer()) relay.buffers.give_back(completion.buffer());
    return connection.receive_is_over(completion.result);
  }
  const auto bytes = static_cast<uint32_t>(completion.result);
  relay.counters.bytes_copied.add(bytes);
  if (connection.discarding_) {
    relay.buffers.give_back(completion.buffer());
  } else {
    connection.in_.push(relay.buffers, completion.buffer(), bytes);
    connection.host_.connection_received(connection);
  }
  if (connection.stopping_) return;
  if (!op.in_flight()) {
    if (connection.suspended()) return connection.host_.connection_idle(connection);
    return connection.receive_again();
  }
  if (!connection.pausing_ && connection.in_.count() >= waiting_max) {
    connection.pausing_ = true;
    relay.counters.backpressure.add();
    relay.ring.cancel(op);
  }
}

// The last completion of a receive, without bytes.
void Connection::receive_is_over(int result) {
  switch (-result) {
    case 0:
      ended_ = true;
      host_.connection_received(*this);
      break;
    case ECANCELED:  // by us
    case EINTR:
    case EAGAIN: break;
    case ENOBUFS:
      relay_.counters.buffers_exhausted.add();
      relay_.buffers.exhausted();
      break;
    default: failed_receiving_ = true; host_.connection_failed(*this, false, -result);
  }
  if (stopping_) return;
  if (suspended()) return host_.connection_idle(*this);
  receive_again();
}

void Connection::discard() {
  discarding_ = true;
  in_.clear(relay_.buffers);
  taken();
}

// --- watching -------------------------------------------------------------------------------------------------------

void Connection::watch() {
  if (!unwatched() || stopping_ || failed_receiving_ || starving_node.linked()) return;
  watching_ = true;
  relay_.ring.watch(receive_op_, on_watched, fd_);
}

void Connection::on_watched(Op& op, const Completion& completion) {
  Connection& connection = owner_of(op, &Connection::receive_op_);
  connection.watching_ = op.in_flight();
  if (connection.stopping_) return connection.absorb(completion);
  if (completion.result > 0 && (completion.result & (POLLERR | POLLHUP)) != 0) {
    int error = pending_error(connection.fd_);
    // Both directions are shut without an error, as when a UNIX peer closes. What it sent before can still be read; but
    // if it has ended, there is nobody any more to send to.
    if (error == 0 && connection.ended_) error = EPIPE;
    if (error != 0) {
      connection.failed_receiving_ = true;
      connection.host_.connection_failed(connection, false, error);
      if (connection.stopping_) return;
    }
  }
  if (connection.watching_) return;
  connection.watched_ = completion.error() != ECANCELED;
  if (connection.suspended()) return connection.host_.connection_idle(connection);
  connection.receive_again();
}

// --- sending --------------------------------------------------------------------------------------------------------

void Connection::flush() {
  if (stopping_ || failed_sending_ || out_.empty() || send_op_.in_flight()) return;
  // One send at a time, so that bytes stay in order. By the ring, although send(2) would answer at once: all sends of a
  // turn then go out in one system call, and the peers they wake do not preempt us in between.
  relay_.ring.send(send_op_, on_sent, fd_, out_.pieces(relay_.buffers), end_follows_);
}

void Connection::on_sent(Op& op, const Completion& completion) {
  Connection& connection = owner_of(op, &Connection::send_op_);
  if (connection.stopping_) return connection.absorb(completion);
  if (completion.failed() && completion.error() != EINTR && completion.error() != EAGAIN &&
      completion.error() != ECANCELED) {
    connection.failed_sending_ = true;
    connection.out_.clear(connection.relay_.buffers);
    return connection.host_.connection_failed(connection, true, completion.error());
  }
  if (completion.result > 0) {
    connection.out_.consume(connection.relay_.buffers, static_cast<uint32_t>(completion.result));
    connection.host_.connection_sent(connection);
    if (connection.stopping_) return;
  }
  if (!connection.out_.empty()) connection.flush_later();
}

// --- lending, ending ------------------------------------------------------------------------------------------------

void Connection::suspend() {
  WEIR_ASSERT(!suspended_);
  suspended_ = true;
  if (starving_node.linked()) ListHead::unlink(starving_node);
  if (receive_op_.in_flight()) relay_.ring.cancel(receive_op_);
}

void Connection::resume() {
  WEIR_ASSERT(suspended_);
  suspended_ = false;
  receive_again();
}

void Connection::stop() {
  stopping_ = true;
  if (starving_node.linked()) ListHead::unlink(starving_node);
  if (receive_op_.in_flight()) relay_.ring.cancel(receive_op_);
  if (send_op_.in_flight()) relay_.ring.cancel(send_op_);
}

void Connection::release() {
  WEIR_ASSERT(idle());
  in_.clear(relay_.buffers);
  out_.clear(relay_.buffers);
}

// While stopping: whatever comes back is only put away.
void Connection::absorb(const Completion& completion) {
  if (completion.has_buffer()) {
    relay_.buffers.received(completion.buffer());
    relay_.buffers.give_back(completion.buffer());
  }
  if (!completion.more()) host_.connection_idle(*this);
}

}  // namespace weir
