// Origin: a server of the simulation. It works on some requests at the same time, the others wait in the order in which
// they came. Whoever plays the time tells it what time it is; it keeps the books of how busy it was.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/model/latency.h"

namespace weir::balance_sim {

class Origin {
 public:
  // Books are kept from `begin` to `end`.
  Origin(uint32_t slots, Duration begin, Duration end) : slots_(slots), begin_(begin), end_(end) {}

  // A request comes. True if work on it begins at once.
  bool arrive(uint32_t request, Duration now) {
    settle(now);
    if (busy_ < slots_) {
      ++busy_;
      return true;
    }
    waiting_.push_back(request);
    return false;
  }

  // Work on some request is done. The one that is begun now, if any waits.
  std::optional<uint32_t> finish(Duration now) {
    settle(now);
    WEIR_ASSERT(busy_ > 0);
    if (waiting_.empty()) {
      --busy_;
      return std::nullopt;
    }
    const uint32_t next = waiting_.front();
    waiting_.pop_front();
    return next;
  }

  // Brings the books up to now.
  void settle(Duration now) noexcept {
    const double kept =
        static_cast<double>((std::clamp(now, begin_, end_) - std::clamp(settled_, begin_, end_)).count());
    busy_time_ += kept * busy_;
    present_time_ += kept * present();
    const float old_part = halved(static_cast<float>((now - settled_).count()) / meter_half_life);
    utilisation_ = utilisation_ * old_part + static_cast<float>(busy_) / static_cast<float>(slots_) * (1 - old_part);
    settled_ = now;
  }

  uint32_t present() const noexcept { return busy_ + static_cast<uint32_t>(waiting_.size()); }
  // The sums over time of the slots at work and of the requests present, in nanoseconds.
  double busy_time() const noexcept { return busy_time_; }
  double present_time() const noexcept { return present_time_; }

  // What it says of itself in its answers: the part of it that is free, by a meter such as servers have. Never 0: who
  // says that gets nothing, gives no answers, and has no way to say anything else.
  double score() const noexcept { return std::max(1.0 - utilisation_, 0.02); }

 private:
  static constexpr float meter_half_life = 500e6F;  // nanoseconds

  uint32_t slots_;
  Duration begin_;
  Duration end_;
  Duration settled_{};
  uint32_t busy_ = 0;
  std::deque<uint32_t> waiting_;
  double busy_time_ = 0;
  double present_time_ = 0;
  float utilisation_ = 0;
};

}  // namespace weir::balance_sim
