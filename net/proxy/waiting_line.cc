#include "net/proxy/waiting_line.h"

namespace weir {

void Waiter::leave_line() noexcept {
  if (line_ != nullptr) line_->remove(*this);
}

WaitingLine::~WaitingLine() {
  WEIR_ASSERT(empty(), count_);
}

bool WaitingLine::enter(Waiter& waiter, const Wish& wish, Instant now, uint32_t size_max) {
  WEIR_ASSERT(!waiter.in_line() && wish.priority <= priority_max);
  // Counted first and taken back if it was one too many, so that workers together never exceed the bound.
  if (state_.waiting.fetch_add(1, std::memory_order_relaxed) >= size_max) {
    Waiter* const other = last_below(wish.priority);
    if (other == nullptr) {
      state_.waiting.fetch_sub(1, std::memory_order_relaxed);
      return false;
    }
    remove(*other);
    at_.counters.queue_displaced.add();
    other->line_ = this;
    other->is_displaced_ = true;
    displaced_.push_back(*other);
  }
  waiter.waiting_since_ = now;
  waiter.waiting_priority_ = wish.priority;
  waiter.takes_any_ = wish.takes_any;
  lines_[wish.priority].push_back(waiter);
  count_in(waiter);
  at_.counters.queued.add();
  publish_oldest();
  return true;
}

void WaitingLine::tell_displaced() {
  while (Waiter* const waiter = displaced_.front()) {
    remove(*waiter);
    waiter->displaced();
  }
}

void WaitingLine::try_all() {
  List<Waiter, &Waiter::waiting_node_> in_vain;
  while (Waiter* const waiter = first()) {
    // Its place in the bound is kept meanwhile: it may come back to it.
    lines_[waiter->waiting_priority_].remove(*waiter);
    count_out(*waiter);
    if (waiter->turn_came()) {
      state_.waiting.fetch_sub(1, std::memory_order_relaxed);
      continue;
    }
    count_in(*waiter);
    in_vain.push_back(*waiter);
    if (waiter->takes_any_) break;
  }
  while (Waiter* const waiter = in_vain.back()) {
    in_vain.remove(*waiter);
    lines_[waiter->waiting_priority_].push_front(*waiter);
  }
  publish_oldest();
}

Waiter* WaitingLine::first() noexcept {
  for (size_t priority = lines_.size(); priority-- > 0;) {
    if (Waiter* const waiter = lines_[priority].front(); waiter != nullptr) return waiter;
  }
  return nullptr;
}

Waiter* WaitingLine::last_below(Priority priority) noexcept {
  for (Priority lower = 0; lower < priority; ++lower) {
    if (Waiter* const waiter = lines_[lower].back(); waiter != nullptr) return waiter;
  }
  return nullptr;
}

void WaitingLine::count_in(Waiter& waiter) noexcept {
  waiter.line_ = this;
  ++count_;
  if (waiter.takes_any_) state_.waiting_for_any.fetch_add(1, std::memory_order_relaxed);
}

void WaitingLine::count_out(Waiter& waiter) noexcept {
  waiter.line_ = nullptr;
  --count_;
  if (waiter.takes_any_) state_.waiting_for_any.fetch_sub(1, std::memory_order_relaxed);
}

void WaitingLine::remove(Waiter& waiter) noexcept {
  if (waiter.is_displaced_) {
    displaced_.remove(waiter);
    waiter.line_ = nullptr;
    waiter.is_displaced_ = false;
    return;
  }
  lines_[waiter.waiting_priority_].remove(waiter);
  count_out(waiter);
  state_.waiting.fetch_sub(1, std::memory_order_relaxed);
  publish_oldest();
}

// Relaxed: it is a hint. Who reads a stale one wakes a worker for nothing, or lets a place be found by the next look.
void WaitingLine::publish_oldest() noexcept {
  int64_t since = 0;
  for (size_t priority = lines_.size(); priority-- > 0 && since == 0;) {
    // Who does not take any place is passed over: it may be waiting for none of those that come free.
    lines_[priority].for_each([&](const Waiter& waiter) {
      if (since == 0 && waiter.takes_any_) since = waiter.waiting_since_.time_since_epoch().count();
    });
  }
  at_.oldest_waiting.store(since, std::memory_order_relaxed);
}

}  // namespace weir
