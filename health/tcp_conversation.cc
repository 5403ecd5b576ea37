#include "health/tcp_conversation.h"

#include <errno.h>

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/owner_of.h"
#include "net/io/socket.h"

namespace weir {

TcpConversation::TcpConversation(const ProbeContext& context, Partner& partner) noexcept
    : context_(context), partner_(partner), timer_(on_timer) {}

TcpConversation::~TcpConversation() {
  WEIR_ASSERT(state_ == State::resting, static_cast<int>(state_));
}

void TcpConversation::become(State next) {
  const bool legal = next == State::connecting  ? state_ == State::resting
                     : next == State::listening ? state_ == State::connecting
                     : next == State::joining   ? state_ == State::connecting || state_ == State::listening
                                                : state_ == State::joining;
  WEIR_ASSERT(legal, static_cast<int>(state_) * 10 + static_cast<int>(next));
  state_ = next;
}

void TcpConversation::begin(const Opening& opening) {
  become(State::connecting);
  began_ = context_.clock.now();
  unsaid_ = opening.say;
  hear_max_ = opening.hear_max;
  heard_.clear();
  failure_.reset();
  const int fd = open_stream(opening.to.family());
  if (fd < 0) {
    failure_ = {ProbeFailure::Kind::not_connected, error_from_errno(-fd, Side::ourselves)};
    // The wheel's next turn tells the partner.
    context_.wheel.arm(timer_, began_);
    return;
  }
  fd_.reset(fd);
  context_.wheel.arm(timer_, began_ + opening.timeout);
  context_.ring.connect(speak_op_, on_connected, fd, opening.to.data(), opening.to.size());
}

void TcpConversation::give_up() {
  if (state_ == State::resting || state_ == State::joining) return;
  fail(ProbeFailure::Kind::broken, error_from_errno(ECANCELED, Side::ourselves));
}

// --- what happens ---------------------------------------------------------------------------------------------------

void TcpConversation::on_connected(Op& op, const Completion& completion) {
  TcpConversation& talk = owner_of(op, &TcpConversation::speak_op_);
  if (talk.state_ == State::joining) return talk.rest_if_joined();
  if (completion.failed()) {
    return talk.fail(ProbeFailure::Kind::not_connected, error_from_errno(completion.error(), Side::origin));
  }
  talk.become(State::listening);
  if (talk.partner_.is_enough({}, false)) return talk.end();
  talk.receive();
  talk.send();
}

void TcpConversation::on_sent(Op& op, const Completion& completion) {
  TcpConversation& talk = owner_of(op, &TcpConversation::speak_op_);
  if (talk.state_ == State::joining) return talk.rest_if_joined();
  if (completion.failed()) {
    switch (completion.error()) {
      case EINTR:
      case EAGAIN: break;
      // It does not listen (any more). What it said before, and how it ended, the receive hears.
      case EPIPE:
      case ECONNRESET: return;
      default: return talk.fail(ProbeFailure::Kind::broken, error_from_errno(completion.error(), Side::origin));
    }
  } else {
    talk.unsaid_.remove_prefix(static_cast<size_t>(completion.result));
  }
  talk.send();
}

void TcpConversation::on_received(Op& op, const Completion& completion) {
  TcpConversation& talk = owner_of(op, &TcpConversation::listen_op_);
  bool too_much = false;
  if (completion.has_buffer()) {
    Buffers& buffers = talk.context_.buffers;
    const BufferId id = completion.buffer();
    buffers.received(id);
    if (completion.result > 0 && talk.state_ == State::listening) {
      const size_t size = static_cast<size_t>(completion.result);
      const size_t taken = std::min(size, talk.hear_max_ - talk.heard_.size());
      talk.heard_.append(reinterpret_cast<const char*>(buffers.data(id)), taken);
      too_much = taken < size;
    }
    buffers.give_back(id);
  }
  if (talk.state_ == State::joining) return talk.rest_if_joined();

  if (completion.failed()) {
    switch (completion.error()) {
      case ENOBUFS: talk.context_.buffers.exhausted(); break;  // there are some again by the time this is submitted
      case EINTR:
      case EAGAIN: break;
      default: return talk.fail(ProbeFailure::Kind::broken, error_from_errno(completion.error(), Side::origin));
    }
  } else {
    const bool ended = completion.result == 0;
    if (talk.partner_.is_enough(talk.heard_, ended)) return talk.end();
    if (ended) return talk.fail(ProbeFailure::Kind::closed);
    if (too_much) return talk.fail(ProbeFailure::Kind::too_long);
  }
  if (!op.in_flight()) talk.receive();
}

void TcpConversation::on_timer(Timer& timer) {
  TcpConversation& talk = owner_of(timer, &TcpConversation::timer_);
  if (talk.failure_) return talk.end();  // it could not even begin
  const Error late = error_from_errno(ETIMEDOUT, Side::origin);
  talk.fail(talk.state_ == State::connecting ? ProbeFailure::Kind::not_connected : ProbeFailure::Kind::silent, late);
}

// --- what we do -----------------------------------------------------------------------------------------------------

void TcpConversation::receive() {
  context_.ring.receive_many(listen_op_, on_received, fd_.get(), false);
}

void TcpConversation::send() {
  if (unsaid_.empty()) return;
  context_.ring.send(speak_op_, on_sent, fd_.get(), unsaid_.data(), unsaid_.size());
}

void TcpConversation::fail(ProbeFailure::Kind kind, const Error& error) {
  failure_ = {kind, error};
  end();
}

void TcpConversation::end() {
  become(State::joining);
  took_ = context_.clock.now() - began_;
  context_.wheel.cancel(timer_);
  if (speak_op_.in_flight()) context_.ring.cancel(speak_op_);
  if (listen_op_.in_flight()) context_.ring.cancel(listen_op_);
  rest_if_joined();
}

void TcpConversation::rest_if_joined() {
  WEIR_ASSERT(state_ == State::joining);
  if (speak_op_.in_flight() || listen_op_.in_flight()) return;
  fd_.reset();
  become(State::resting);
  partner_.conversation_over();
}

}  // namespace weir
