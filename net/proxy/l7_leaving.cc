// L7Session: how long it waits for what, and how it ends.
#include "net/io/socket.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/l7_session.h"
#include "net/proxy/worker.h"

namespace weir {

// --- time -----------------------------------------------------------------------------------------------------------

void L7Session::arm(Instant due) {
  due_ = due;
  if (due == Instant::max()) return;
  // Moved forward only when it fires: most of what is waited for comes long before.
  if (!timer_.armed() || timer_.deadline() > due) http_.worker.wheel().arm(timer_, due);
}

void L7Session::on_timer(Timer& timer) {
  L7Session& session = owner_of(timer, &L7Session::timer_);
  if (session.due_ == Instant::max()) return;
  if (session.http_.worker.now() < session.due_) return session.arm(session.due_);
  session.time_is_up();
}

void L7Session::time_is_up() {
  const Instant now = http_.worker.now();
  switch (state_) {
    case State::greeting: return close(CloseReason::proxy_header_timeout);
    case State::idle:
      // It has not even taken its last answer yet.
      if (!client_.out().empty()) {
        const Instant end = active_ + patience();
        return now < end ? arm(end) : close(CloseReason::body_timeout, true);
      }
      if (now >= lifetime_end_) return leave(CloseReason::lifetime);
      return close(requests_ == 0 ? CloseReason::header_timeout : CloseReason::keep_alive_timeout);
    case State::reading: {
      const ListenerSpec* spec = listener();
      if (spec == nullptr) return leave(CloseReason::done);
      keep_alive_ = false;
      head_only_ = false;
      body_.begin(http::Framing::none, 0, 0);
      return make_exchange(*spec)->begin_timed_out(peer_, head_begun_);
    }
    case State::exchanging: {
      client_.watch();
      if (half_closed_ && !half_close_passed_) {
        if (exchange_->tunneling()) return;
        // It takes its answer, so it is there.
        if (exchange_->answering()) {
          half_close_passed_ = true;
          return wait_for_client();
        }
        listener_state_.counters(http_.worker.index()).client_aborts.add();
        aborting_ = true;
        exchange_->abort(ExchangeEnd::client_left);
        return close(CloseReason::client_left);
      }
      // Is it the client who is waited for? It is not, when the origin does not take what is there already.
      const bool sends_nothing = !body_.over() && !exchange_->blocked_by_origin();
      const bool takes_nothing = !client_.out().empty() || exchange_->blocked_by_client();
      const bool waiting = sends_nothing || takes_nothing;
      if (waiting && now >= active_ + patience()) {
        keep_alive_ = false;
        if (!exchange_->answering()) return exchange_->fail(ExchangeEnd::body_timeout);
        listener_state_.counters(http_.worker.index()).client_aborts.add();
        aborting_ = true;
        exchange_->abort(ExchangeEnd::body_timeout);
        return close(CloseReason::body_timeout, true);
      }
      return arm((waiting ? active_ : now) + patience());
    }
    case State::skipping: return leave(CloseReason::body_timeout);
    case State::leaving:
      // Still taking its answer: as long as it does.
      if (!shut_ && now - active_ < linger_max * 30) return arm(now + linger_max);
      return join(!shut_);
    case State::joining: WEIR_ASSERT(false);
  }
}

// Who should send, or take, is looked after.
void L7Session::wait_for_client() {
  arm(http_.worker.now() + patience());
}

Duration L7Session::patience() const noexcept {
  const ListenerSpec* spec = listener();
  if (spec == nullptr) return linger_max;
  return spec->http->body_timeout;
}

// --- leaving --------------------------------------------------------------------------------------------------------

void L7Session::drain() {
  keep_alive_ = false;
  if (state_ == State::idle && client_.in().empty()) leave(CloseReason::draining);
}

// What was written goes out first.
void L7Session::leave(CloseReason reason) {
  http_.worker.counters().closed[static_cast<size_t>(reason)].add();
  become(State::leaving);
  client_.end_follows();
  arm(http_.worker.now() + linger_max);
  leave_further();
}

void L7Session::leave_further() {
  if (!client_.drained()) return;
  // Closing while bytes of the client are on their way would answer them with a reset, which can overtake the answer.
  const bool quiet = body_.over() && client_.in().empty() && !refused_;
  if (quiet || client_.ended()) {
    // The end leaves with the last bytes, which have waited for it; the rest of closing can take its time.
    shut_down_send(client_.fd());
    return join(false);
  }
  shut_ = true;
  shut_down_send(client_.fd());
  client_.discard();
  arm(http_.worker.now() + linger_max);
}

void L7Session::close(CloseReason reason, bool reset) {
  if (state_ == State::joining) return;
  // Who leaves was counted when it began to.
  if (state_ != State::leaving) http_.worker.counters().closed[static_cast<size_t>(reason)].add();
  join(reset);
}

void L7Session::join(bool reset) {
  become(State::joining);
  reset_ = reset;
  http_.worker.wheel().cancel(timer_);
  client_.stop();
  if (exchange_ != nullptr) {
    exchange_->abort(ExchangeEnd::client_stopped);
  } else if (joined()) {
    http_.worker.session_joined(*this);
  }
}

void L7Session::finish() {
  WEIR_ASSERT(joined());
  client_.release();
  seat_.give_back(listener_state_, peer_);
  if (reset_) reset_on_close(client_.fd());
  http_.worker.ring().close(client_.fd());
}

Instant L7Session::holding_buffers_since() const noexcept {
  if (state_ == State::joining) return Instant::max();
  const bool holding =
      !client_.in().empty() || !client_.out().empty() || (exchange_ != nullptr && exchange_->holds_buffers());
  return holding ? active_ : Instant::max();
}

}  // namespace weir
