#include "net/proxy/body_splice.h"

#include <poll.h>

#include "net/proxy/connection.h"
#include "net/proxy/exchange.h"
#include "net/proxy/splice_some.h"

namespace weir {

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
  if (!splice.stopping_) splice.turn();
}

void BodySplice::on_sink_ready(Op& op, const Completion&) {
  BodySplice& splice = owner_of(op, &BodySplice::sink_op_);
  if (!splice.stopping_) splice.turn();
}

// One readiness of either side. The pipe is held only as long as bytes are in it.
void BodySplice::turn() {
  Pipes& pipes = relay_->pipes;
  if (pipe_ == no_pipe) pipe_ = pipes.take();
  if (pipe_ == no_pipe) {
    relay_->counters.pipes_exhausted.add();
    return end(End::out_of_pipes);
  }
  using Why = Spliced::Why;
  const Spliced moved = splice_some(pipes, pipe_, piped_, source_->fd(), sink_->fd(), left_ - piped_);
  left_ -= moved.given;
  relay_->counters.bytes_spliced.add(moved.taken);
  if (moved.given > 0) exchange_.splice_moved(moved.given);
  switch (moved.why) {
    case Why::sink_full: return relay_->ring.poll(sink_op_, on_sink_ready, sink_->fd(), POLLOUT);
    case Why::source_empty:
    case Why::enough: break;
    case Why::all: return end(End::done);
    case Why::source_ended: return end(End::source_ended);
    case Why::source_failed: return end(End::source_failed, moved.error);
    case Why::sink_failed: return end(End::sink_failed, moved.error);
  }
  give_back_pipe();
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
