#include "control/alerts/alert_delivery.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/owner_of.h"

namespace weir {

AlertDelivery::AlertDelivery(TimerWheel& wheel, const Clock& clock, const Log& log, Settings settings, uint64_t seed,
                             std::unique_ptr<AlertTarget> target)
    : wheel_(wheel),
      clock_(clock),
      log_(log),
      settings_(std::move(settings)),
      random_(seed),
      target_(std::move(target)),
      timer_(on_timer) {
  figures_.rule = settings_.rule;
  figures_.target = target_->kind();
  message_.rule = settings_.rule;
  message_.host = settings_.host;
}

AlertDelivery::~AlertDelivery() {
  WEIR_ASSERT(state_ == State::ended || state_ == State::idle, static_cast<int>(state_));
}

void AlertDelivery::become(State next) {
  const bool legal = next == State::delivering ? state_ == State::idle || state_ == State::waiting
                     : next == State::waiting  ? state_ == State::delivering
                     : next == State::idle     ? state_ == State::delivering
                     : next == State::ending   ? state_ == State::delivering
                                               : state_ != State::delivering && state_ != State::ended;
  WEIR_ASSERT(legal, static_cast<int>(state_) * 10 + static_cast<int>(next));
  state_ = next;
}

// --- from the rule --------------------------------------------------------------------------------------------------

void AlertDelivery::push(std::shared_ptr<const Numbered> alert) {
  WEIR_ASSERT(state_ != State::ending && state_ != State::ended);
  if (queue_.size() == queue_max) {
    queue_.pop_front();
    ++figures_.dropped;
    ++lost_untold_;
    if (!std::exchange(overflowing_, true)) {
      log_.warn("alert", "too many alerts are waiting; the oldest are dropped",
                {{"rule", settings_.rule}, {"target", target_->kind()}, {"waiting", queue_max}});
    }
  }
  queue_.push_back(std::move(alert));
  if (state_ == State::idle) begin_next();
}

void AlertDelivery::count_suppressed() noexcept {
  ++figures_.suppressed;
  ++suppressed_untold_;
}

void AlertDelivery::end() {
  queue_.clear();
  switch (state_) {
    case State::waiting: wheel_.cancel(timer_); return become(State::ended);
    case State::idle: return become(State::ended);
    case State::delivering: become(State::ending); return target_->give_up();
    case State::ending:
    case State::ended: return;
  }
}

AlertFigures AlertDelivery::figures() const {
  AlertFigures figures = figures_;
  figures.queued = queue_.size() + (state_ == State::delivering || state_ == State::waiting ? 1 : 0);
  return figures;
}

// --- to the target --------------------------------------------------------------------------------------------------

// The queue is not empty.
void AlertDelivery::begin_next() {
  const std::shared_ptr<const Numbered> next = std::move(queue_.front());
  queue_.pop_front();
  if (queue_.empty()) overflowing_ = false;
  message_.alert = next->alert;
  message_.number = next->number;
  message_.suppressed = suppressed_untold_;
  message_.lost = lost_untold_;
  text_ = to_json(message_);
  tries_ = 0;
  try_now();
}

void AlertDelivery::try_now() {
  become(State::delivering);
  if (++tries_ > 1) ++figures_.retries;
  target_->deliver(message_, text_, *this);
}

void AlertDelivery::delivered(const std::string& failure) {
  if (state_ == State::ending) return become(State::ended);
  if (failure.empty()) {
    arrived();
  } else if (tries_ <= settings_.retries) {
    become(State::waiting);
    const double part = 1 - random_.unit() / 2;
    const Duration wait = wait_after(tries_, settings_.backoff);
    wheel_.arm(timer_, clock_.now() + std::chrono::duration_cast<Duration>(wait * part));
    return;
  } else {
    failed(failure);
  }
  become(State::idle);
  if (!queue_.empty()) begin_next();
}

void AlertDelivery::on_timer(Timer& timer) {
  owner_of(timer, &AlertDelivery::timer_).try_now();
}

void AlertDelivery::arrived() {
  ++figures_.sent;
  suppressed_untold_ -= message_.suppressed;
  lost_untold_ -= message_.lost;
  if (!std::exchange(figures_.failing, false)) return;
  log_.info("alert", "alerts arrive again",
            {{"rule", settings_.rule}, {"target", target_->kind()}, {"lost", message_.lost}});
}

void AlertDelivery::failed(const std::string& failure) {
  ++figures_.failed;
  ++lost_untold_;
  // Once, until one arrives: a receiver may be away for days.
  if (std::exchange(figures_.failing, true)) return;
  log_.warn("alert", "alerts do not arrive",
            {{"rule", settings_.rule}, {"target", target_->kind()}, {"tries", tries_}, {"reason", failure}});
}

Duration AlertDelivery::wait_after(uint32_t tries, Duration backoff) noexcept {
  // A backoff that is longer than the longest was asked for.
  const Duration longest = std::max(backoff, backoff_max);
  Duration wait = backoff;
  for (uint32_t i = 1; i < tries && wait < longest; ++i) wait *= 2;
  return std::min(wait, longest);
}

}  // namespace weir
