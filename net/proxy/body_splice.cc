#include "net/proxy/body_splice.h"

#include <errno.h>
#include <poll.h>

#include "net/proxy/connection.h"
#include "net/proxy/exchange.h"

namespace weir {
namespace {

// One readiness moves this much at most before other sessions have their turn.
constexpr uint64_t bytes_per_turn = 1 << 20;

}  // namespace

void BodySplice::begin(Relay& relay, Connection& source, Connection& sink) {
  WEIR_ASSERT(state_ == State::idle);
  relay_ = &relay;
  source_ = &source;
  sink_ = &sink;
  state_ = State::emptying;
  source.suspend();
}

bool BodySplice::may_move() const noexcept {
  return state_ == State::emptying && source_->suspended() && source_->in().empty() && sink_->drained();
}

void BodySplice::move(uint64_t bytes) {
  WEIR_ASSERT(may_move());
  state_ = State::moving;
  left_ = bytes;
  turn();
}

void BodySplice::on_source_ready(Op& op, const Completion&) {
  BodySplice& splice = owner_of(op, &BodySplice::source_op_);
  if (splice.stopping_) return splice.exchange_.splice_stopped();
  splice.turn();
}

void BodySplice::on_sink_ready(Op& op, const Completion&) {
  BodySplice& splice = owner_of(op, &BodySplice::sink_op_);
  if (splice.stopping_) return splice.exchange_.splice_stopped();
  splice.turn();
}

// One readiness of either side. The pipe is held only as long as bytes are in it.
void BodySplice::turn() {
  Pipes& pipes = relay_->pipes;
  if (pipe_ == no_pipe) pipe_ = pipes.take();
  if (pipe_ == no_pipe) {
    relay_->counters.pipes_exhausted.add();
    return end(End::out_of_pipes);
  }
  uint64_t moved = 0;
  for (;;) {
    while (piped_ > 0) {
      const int64_t drained = pipes.drain(pipe_, sink_->fd(), piped_);
      if (drained == -EAGAIN || drained == -EINTR) {
        if (moved > 0) exchange_.splice_moved(moved);
        return relay_->ring.poll(sink_op_, on_sink_ready, sink_->fd(), POLLOUT);
      }
      if (drained <= 0) {
        if (moved > 0) exchange_.splice_moved(moved);
        return end(End::sink_failed, drained == 0 ? EPIPE : static_cast<int>(-drained));
      }
      piped_ -= static_cast<uint32_t>(drained);
      left_ -= static_cast<uint64_t>(drained);
      moved += static_cast<uint64_t>(drained);
    }
    if (left_ == 0) {
      exchange_.splice_moved(moved);
      return end(End::done);
    }
    if (moved >= bytes_per_turn) break;
    const int64_t filled = pipes.fill(source_->fd(), pipe_, left_);
    if (filled == -EAGAIN || filled == -EINTR) break;
    if (filled <= 0) {
      if (moved > 0) exchange_.splice_moved(moved);
      return filled == 0 ? end(End::source_ended) : end(End::source_failed, static_cast<int>(-filled));
    }
    piped_ = static_cast<uint32_t>(filled);
    relay_->counters.bytes_spliced.add(static_cast<uint64_t>(filled));
  }
  give_back_pipe();
  if (moved > 0) exchange_.splice_moved(moved);
  relay_->ring.poll(source_op_, on_source_ready, source_->fd(), POLLIN);
}

void BodySplice::give_back_pipe() {
  if (pipe_ != no_pipe) relay_->pipes.give_back(pipe_, piped_ == 0);
  if (piped_ > 0) exchange_.splice_lost(piped_);
  pipe_ = no_pipe;
  piped_ = 0;
}

void BodySplice::end(End how, int error) {
  give_back_pipe();
  state_ = State::idle;
  source_->resume();
  exchange_.splice_ended(how, error);
}

void BodySplice::stop() {
  stopping_ = true;
  state_ = State::idle;
  give_back_pipe();
  if (!source_->stopping()) source_->resume();
  if (source_op_.in_flight()) relay_->ring.cancel(source_op_);
  if (sink_op_.in_flight()) relay_->ring.cancel(sink_op_);
}

}  // namespace weir
