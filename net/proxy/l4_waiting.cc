// L4Session: before it has an endpoint: waiting for one that is not full, and counted as one that waits.
#include "net/proxy/l4_session.h"
#include "net/proxy/worker.h"

namespace weir {

bool L4Waiter::turn_came() {
  return session_.turn_came();
}

void L4Waiter::displaced() {
  session_.displaced();
}

void L4Session::wait_in_line(const Upstream& upstream) {
  L4Waiter* waiter = worker_.make_waiter(*this, tried_);
  if (waiter == nullptr) return give_up(CloseReason::queue_full);
  if (!worker_.wait_in_line(upstream, *waiter, {priority_, tried_.count() == 0})) {
    worker_.waiter_over(*waiter);
    return give_up(CloseReason::queue_full);
  }
  in_line_ = true;
  waiter_ = waiter;
  worker_.wheel().arm(timer_, worker_.now() + upstream.resilience.queue.timeout);
}

void L4Session::leave_line() {
  if (!in_line_) return;
  L4Waiter& waiter = *waiter_;
  in_line_ = false;
  tried_ = waiter.tried();
  waiter.leave_line();
  worker_.waiter_over(waiter);
}

bool L4Session::turn_came() {
  WEIR_ASSERT(state_ == State::dialing && in_line_);
  const Upstream* upstream = worker_.snapshot().find(upstream_);
  Choice choice;
  if (upstream != nullptr) {
    L4Waiter& waiter = *waiter_;
    tried_ = waiter.tried();
    choice = choose_endpoint(worker_, *upstream, wish(*upstream));
    waiter_ = &waiter;
    if (choice.index == no_endpoint && choice.full) return false;
  }
  leave_line();
  worker_.wheel().cancel(timer_);
  if (upstream == nullptr) {
    give_up(CloseReason::no_upstream);
  } else if (choice.index == no_endpoint) {
    nobody(*upstream, choice);
  } else {
    connect_to(*upstream, std::move(choice));
  }
  return true;
}

void L4Session::waited_too_long() {
  worker_.upstream_state(upstream_).at(worker_.index()).counters.queue_timeouts.add();
  give_up(CloseReason::queue_timeout);
}

void L4Session::displaced() {
  give_up(CloseReason::queue_displaced);
}

// Counted first and taken back if it was one too many, so that workers together never exceed the bound.
bool L4Session::begin_pending(const Upstream& upstream) {
  if (upstream.resilience.pending_max == 0 || pending_) return true;
  pending_ = upstream.state->pending.fetch_add(1, std::memory_order_relaxed) < upstream.resilience.pending_max;
  if (pending_) return true;
  upstream.state->pending.fetch_sub(1, std::memory_order_relaxed);
  upstream.state->at(worker_.index()).counters.pending_refused.add();
  return false;
}

void L4Session::end_pending() {
  if (pending_) worker_.upstream_state(upstream_).pending.fetch_sub(1, std::memory_order_relaxed);
  pending_ = false;
}

}  // namespace weir
