#include "health/tcp_conversation.h"

#include <errno.h>

#include <algorithm>
#include <utility>

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
                     : next == State::securing  ? state_ == State::connecting
                     : next == State::listening ? state_ == State::connecting || state_ == State::securing
                     : next == State::joining   ? state_ != State::resting && state_ != State::joining
                                                : state_ == State::joining;
  WEIR_ASSERT(legal, static_cast<int>(state_) * 10 + static_cast<int>(next));
  state_ = next;
}

void TcpConversation::begin(const Opening& opening) {
  become(State::connecting);
  began_ = context_.clock.now();
  say_ = opening.say;
  unsaid_ = {};
  listened_to_ = true;
  too_much_ = false;
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
  if (opening.tls != nullptr) tls_ = std::make_unique<tls::ClientStream>(*opening.tls, opening.server_name);
  context_.wheel.arm(timer_, began_ + opening.timeout);
  context_.ring.connect(speak_op_, on_connected, fd, opening.to.data(), opening.to.size());
}

void TcpConversation::give_up() {
  if (state_ == State::resting || state_ == State::joining) return;
  fail(ProbeFailure::Kind::broken, error_from_errno(ECANCELED, Side::ourselves));
}

void TcpConversation::forget() {
  WEIR_ASSERT(state_ == State::resting, static_cast<int>(state_));
  heard_ = {};
}

// --- what happens ---------------------------------------------------------------------------------------------------

void TcpConversation::on_connected(Op& op, const Completion& completion) {
  TcpConversation& talk = owner_of(op, &TcpConversation::speak_op_);
  if (talk.state_ == State::joining) return talk.rest_if_joined();
  if (completion.failed()) {
    return talk.fail(ProbeFailure::Kind::not_connected, error_from_errno(completion.error(), Side::origin));
  }
  if (talk.tls_) {
    talk.become(State::securing);
    talk.tls_->begin();
    if (talk.tls_->state() == tls::ClientStream::State::failed) return talk.fail_as_tls_did();
  } else {
    talk.become(State::listening);
    if (talk.partner_.is_enough({}, false)) return talk.end();
    talk.unsaid_ = talk.say_;
  }
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
      case ECONNRESET: talk.listened_to_ = false; return;
      default: return talk.fail(ProbeFailure::Kind::broken, error_from_errno(completion.error(), Side::origin));
    }
  } else {
    talk.unsaid_.remove_prefix(static_cast<size_t>(completion.result));
  }
  talk.send();
  if (op.in_flight() || talk.state_ != State::listening || talk.say_.empty()) return;
  if (talk.partner_.all_said()) talk.end();
}

void TcpConversation::on_received(Op& op, const Completion& completion) {
  TcpConversation& talk = owner_of(op, &TcpConversation::listen_op_);
  if (completion.has_buffer()) {
    Buffers& buffers = talk.context_.buffers;
    const BufferId id = completion.buffer();
    buffers.received(id);
    if (completion.result > 0 && talk.state_ != State::joining) {
      talk.hear({reinterpret_cast<const char*>(buffers.data(id)), static_cast<size_t>(completion.result)});
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
    if (talk.tls_ && ended) talk.tls_->receive_end();
    if (talk.state_ == State::securing) {
      switch (talk.tls_->state()) {
        case tls::ClientStream::State::shaking_hands: break;
        case tls::ClientStream::State::failed: return talk.fail_as_tls_did();
        case tls::ClientStream::State::open:
        case tls::ClientStream::State::ended:
          talk.become(State::listening);
          if (talk.partner_.is_enough({}, false)) return talk.end();
          talk.tls_->write(talk.say_);
      }
    }
    if (talk.state_ == State::listening && talk.judge(ended)) return talk.end();
    if (talk.tls_) talk.send();
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
  if (speak_op_.in_flight() || !listened_to_) return;
  if (unsaid_.empty() && tls_) {
    wire_.clear();
    tls_->take_outgoing(wire_);
    unsaid_ = wire_;
  }
  if (unsaid_.empty()) return;
  context_.ring.send(speak_op_, on_sent, fd_.get(), unsaid_.data(), unsaid_.size());
}

void TcpConversation::hear(std::string_view bytes) {
  if (!tls_) {
    const size_t room = hear_max_ - heard_.size();
    too_much_ = bytes.size() > room;
    heard_ += bytes.substr(0, room);
    return;
  }
  tls_->receive(bytes, heard_);
  too_much_ = heard_.size() > hear_max_;
  if (too_much_) heard_.resize(hear_max_);
}

// Is it over, and why, after something was heard, or the end?
bool TcpConversation::judge(bool ended) {
  // Who says goodbye has said all, whether the connection ends there or not.
  ended = ended || (tls_ && tls_->state() == tls::ClientStream::State::ended);
  if (partner_.is_enough(heard_, ended)) return true;
  if (tls_ && tls_->state() == tls::ClientStream::State::failed) {
    failure_ = {ProbeFailure::Kind::broken, {}, tls_->problem()};
  } else if (ended) {
    failure_ = {ProbeFailure::Kind::closed};
  } else if (too_much_) {
    failure_ = {ProbeFailure::Kind::too_long};
  }
  return failure_.has_value();
}

void TcpConversation::fail(ProbeFailure::Kind kind, const Error& error) {
  if (state_ == State::securing) {
    failure_ = {ProbeFailure::Kind::not_secured, error, describe(error)};
  } else {
    failure_ = {kind, error};
  }
  end();
}

void TcpConversation::fail_as_tls_did() {
  failure_ = {ProbeFailure::Kind::not_secured, {}, tls_->problem()};
  end();
}

// A goodbye, or the alert that tells the server what is wrong with it; without it, it would have to believe in an
// attack (RFC 8446 section 6.1), and many write that down.
void TcpConversation::say_goodbye() {
  if (speak_op_.in_flight() || tls_->state() == tls::ClientStream::State::shaking_hands) return;
  tls_->close();
  send();
}

void TcpConversation::end() {
  become(State::joining);
  took_ = context_.clock.now() - began_;
  context_.wheel.cancel(timer_);
  if (tls_) say_goodbye();
  // The kernel begins operations in their order, and sends what it can before it looks at the cancel: the goodbye goes
  // out now or, where the way is blocked, never.
  if (speak_op_.in_flight()) context_.ring.cancel(speak_op_);
  if (listen_op_.in_flight()) context_.ring.cancel(listen_op_);
  rest_if_joined();
}

void TcpConversation::rest_if_joined() {
  WEIR_ASSERT(state_ == State::joining);
  if (speak_op_.in_flight() || listen_op_.in_flight()) return;
  fd_.reset();
  tls_.reset();
  wire_ = {};
  become(State::resting);
  partner_.conversation_over();
}

}  // namespace weir
