#include "net/proxy/flow.h"

#include <errno.h>
#include <poll.h>

#include "net/io/socket.h"
#include "net/proxy/splice_some.h"

namespace weir {
namespace {

// So many full buffers in a row, with more behind them, are bulk. docs/performance.md says how this was measured.
constexpr uint8_t bulk_after_full_buffers = 2;
// A piece below this is small; so many of them in a row and copying is the better way again.
constexpr uint64_t bulk_piece_min = Buffers::size / 2;
constexpr uint8_t copy_after_small_pieces = 4;
// So many buffers may wait for the sink before the receive is canceled. Where the kernel knows no receive limit, a
// flood can bring many more until it is.
constexpr uint16_t buffers_waiting_max = 4;

}  // namespace

void Flow::open_source(int fd, bool later, bool local) {
  WEIR_ASSERT(source_ < 0);
  source_ = fd;
  local_ = local;
  arm_receive(later);
}

void Flow::open_sink(int fd) {
  WEIR_ASSERT(sink_ < 0);
  sink_ = fd;
  flush_later();
}

void Flow::discard() {
  WEIR_ASSERT(sink_ < 0);
  discarding_ = true;
  queue_.clear(host_.relay.buffers);
  if (!source_op_.in_flight()) flush_later();
}

void Flow::stop() {
  stopping_ = true;
  if (starving_node.linked()) ListHead::unlink(starving_node);
  if (source_op_.in_flight()) host_.relay.ring.cancel(source_op_);
  if (sink_op_.in_flight()) host_.relay.ring.cancel(sink_op_);
}

void Flow::release() {
  WEIR_ASSERT(idle());
  queue_.clear(host_.relay.buffers);
  if (pipe_ != no_pipe) give_back_pipe();
}

std::byte* Flow::waiting_bytes() {
  queue_.gather(host_.relay.buffers);
  return queue_.empty() ? nullptr : queue_.front(host_.relay.buffers);
}

uint32_t Flow::waiting_size() {
  return queue_.empty() ? 0 : queue_.front_size(host_.relay.buffers);
}

bool Flow::waiting_full() const {
  return queue_.count() > 1;
}

void Flow::resume_starved() {
  // The watch has the Op; when it is back, the flow is flushed and comes here again.
  if (watching_) return host_.relay.ring.cancel(source_op_);
  arm_receive(false);
}

void Flow::arm_receive(bool later) {
  paused_ = false;
  watched_ = false;
  if (local_) return host_.relay.ring.receive_once(source_op_, on_receive, source_);
  host_.relay.ring.receive_many(source_op_, on_receive, source_, later);
}

void Flow::poll_source() {
  // The watch has the Op; it comes back canceled, and calls here again.
  if (watching_) return host_.relay.ring.cancel(source_op_);
  watched_ = false;
  host_.relay.ring.poll(source_op_, on_source_ready, source_, POLLIN);
}

void Flow::poll_sink() {
  host_.relay.ring.poll(sink_op_, on_sink_ready, sink_, POLLOUT);
  host_.flow_unwatched(*this);
}

void Flow::watch_source() {
  if (!unwatched() || stopping_) return;
  watching_ = true;
  host_.relay.ring.watch(source_op_, on_watched, source_);
}

void Flow::on_watched(Op& op, const Completion& completion) {
  Flow& flow = owner_of(op, &Flow::source_op_);
  flow.watching_ = op.in_flight();
  if (flow.stopping_) return flow.absorb(completion);
  if (completion.result > 0 && (completion.result & (POLLERR | POLLHUP)) != 0) {
    if (const int error = pending_error(flow.source_); error != 0) return flow.host_.flow_failed(flow, true, error);
    // Both directions are shut without an error, as when a UNIX peer closes. What it sent before can still be read; but
    // if it has ended, there is nobody any more to send to.
    if (flow.source_ended_) return flow.host_.flow_failed(flow, true, EPIPE);
  }
  if (flow.watching_) return;
  flow.watched_ = completion.error() != ECANCELED;
  if (flow.mode_ != Mode::splicing) return flow.flush_later();
  if (!flow.sink_op_.in_flight() && !flow.ended_) flow.poll_source();
}

// While stopping: whatever comes back is only put away.
void Flow::absorb(const Completion& completion) {
  if (completion.has_buffer()) {
    host_.relay.buffers.received(completion.buffer());
    host_.relay.buffers.give_back(completion.buffer());
  }
  if (!completion.more()) host_.flow_stopped(*this);
}

void Flow::on_receive(Op& op, const Completion& completion) {
  Flow& flow = owner_of(op, &Flow::source_op_);
  if (flow.stopping_) return flow.absorb(completion);
  flow.received(completion);
}

void Flow::received(const Completion& completion) {
  if (completion.has_buffer()) host_.relay.buffers.received(completion.buffer());
  if (completion.result <= 0) {
    if (completion.has_buffer()) host_.relay.buffers.give_back(completion.buffer());
    return receive_is_over(completion.result);
  }
  const auto bytes = static_cast<uint32_t>(completion.result);
  host_.relay.counters.bytes_copied.add(bytes);
  if (discarding_) {
    host_.relay.buffers.give_back(completion.buffer());
    if (!source_op_.in_flight()) flush_later();
    return;
  }
  queue_.push(host_.relay.buffers, completion.buffer(), bytes);
  const bool full = bytes == Buffers::size && completion.more_to_read();
  streak_ = full ? static_cast<uint8_t>(streak_ + 1) : uint8_t{0};
  host_.flow_received(*this, bytes);

  if (sink_ < 0) {
    host_.flow_waiting(*this);
  } else {
    flush_later();
  }
  if (stopping_) return;
  if (mode_ == Mode::copying && streak_ >= bulk_after_full_buffers && sink_ >= 0) {
    mode_ = Mode::leaving_copy;
    if (source_op_.in_flight()) host_.relay.ring.cancel(source_op_);
  } else if (!paused_ && queue_.count() >= buffers_waiting_max) {
    paused_ = true;
    host_.relay.counters.backpressure.add();
    if (source_op_.in_flight()) host_.relay.ring.cancel(source_op_);
  }
}

// The last completion of a receive, without bytes.
void Flow::receive_is_over(int result) {
  switch (-result) {
    case 0:
      source_ended_ = true;
      if (sink_ < 0) host_.flow_waiting(*this);
      break;
    case ECANCELED:  // by us: paused or leaving_copy
    case EINTR:
    case EAGAIN: break;
    case ENOBUFS:
      host_.relay.counters.buffers_exhausted.add();
      host_.relay.buffers.exhausted();
      break;
    default: host_.flow_failed(*this, true, -result);
  }
  flush_later();
}

void Flow::flush() {
  if (stopping_ || ended_ || mode_ == Mode::splicing) return;
  if (!queue_.empty()) {
    if (sink_ >= 0 && !sink_op_.in_flight()) send_queued();
    if (!source_op_.in_flight()) host_.flow_unwatched(*this);
  } else if (source_ended_) {
    if (sink_ >= 0) pass_on_end();
  } else if (watching_) {
    host_.relay.ring.cancel(source_op_);
  } else if (!source_op_.in_flight()) {
    after_drained();
  }
}

// Nothing is queued, nothing is being received: what now?
void Flow::after_drained() {
  if (mode_ == Mode::leaving_copy) return enter_splicing();
  paused_ = true;
  if (!starving_node.linked()) host_.relay.starving.push_back(*this);
}

// One send at a time, so that bytes stay in order. By the ring, although send(2) would answer at once: all sends of a
// turn then go out in one system call, and the peers they wake do not preempt us in between.
void Flow::send_queued() {
  // An end is already known to follow: the last bytes are held back for it, and both leave in one packet.
  host_.relay.ring.send(sink_op_, on_sent, sink_, queue_.pieces(host_.relay.buffers), source_ended_);
}

void Flow::on_sent(Op& op, const Completion& completion) {
  Flow& flow = owner_of(op, &Flow::sink_op_);
  if (flow.stopping_) return flow.absorb(completion);
  if (completion.failed() && completion.error() != EINTR && completion.error() != EAGAIN) {
    return flow.host_.flow_failed(flow, false, completion.error());
  }
  if (completion.result > 0) {
    flow.queue_.consume(flow.host_.relay.buffers, static_cast<uint32_t>(completion.result));
    flow.host_.flow_sent(flow, static_cast<uint64_t>(completion.result));
  }
  flow.flush_later();
}

void Flow::pass_on_end() {
  WEIR_ASSERT(!ended_);
  ended_ = true;
  host_.flow_ended(*this);
  host_.flow_unwatched(*this);
}

void Flow::enter_splicing() {
  mode_ = Mode::splicing;
  streak_ = 0;
  paused_ = false;
  host_.relay.counters.bulk_entered.add();
  poll_source();
}

void Flow::leave_splicing() {
  mode_ = Mode::copying;
  streak_ = 0;
  host_.relay.counters.bulk_left.add();
  arm_receive(false);
}

void Flow::give_back_pipe() {
  host_.relay.pipes.give_back(pipe_, piped_ == 0);
  pipe_ = no_pipe;
  piped_ = 0;
}

void Flow::on_source_ready(Op& op, const Completion& completion) {
  Flow& flow = owner_of(op, &Flow::source_op_);
  if (flow.stopping_) return flow.absorb(completion);
  // Whatever the events are, splice(2) says precisely what they mean.
  flow.splice_turn();
}

void Flow::on_sink_ready(Op& op, const Completion& completion) {
  Flow& flow = owner_of(op, &Flow::sink_op_);
  if (flow.stopping_) return flow.absorb(completion);
  flow.splice_turn();
}

// One readiness of either side. The pipe is held only as long as bytes are in it.
void Flow::splice_turn() {
  if (pipe_ == no_pipe) pipe_ = host_.relay.pipes.take();
  if (pipe_ == no_pipe) {
    host_.relay.counters.pipes_exhausted.add();
    return leave_splicing();
  }
  using Why = Spliced::Why;
  const Spliced moved = splice_some(host_.relay.pipes, pipe_, piped_, source_, sink_, UINT64_MAX);
  host_.relay.counters.bytes_spliced.add(moved.taken);
  if (moved.taken > 0) host_.flow_received(*this, moved.taken);
  if (moved.given > 0) host_.flow_sent(*this, moved.given);
  switch (moved.why) {
    case Why::sink_full: return poll_sink();
    case Why::source_empty:
    case Why::enough:
    case Why::all: break;
    case Why::source_ended:
      give_back_pipe();
      source_ended_ = true;
      return pass_on_end();
    case Why::source_failed: return host_.flow_failed(*this, true, moved.error);
    case Why::sink_failed: return host_.flow_failed(*this, false, moved.error);
  }
  give_back_pipe();
  streak_ = moved.given < bulk_piece_min ? static_cast<uint8_t>(streak_ + 1) : uint8_t{0};
  if (streak_ >= copy_after_small_pieces) return leave_splicing();
  poll_source();
}

}  // namespace weir
