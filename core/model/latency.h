// LatencyEstimate: how long an endpoint takes to answer, as one worker has seen it: a moving average that believes bad
// news at once and good news slowly ("peak EWMA", as Finagle has it).
//
//     a slower answer than thought   the estimate is that answer
//     a faster one                   the estimate moves there, by as much as time has passed since the last one, and by
//                                    a 64th at least: one hiccup among thousands of answers is soon forgotten
//     no answer at all               the estimate fades towards 0, so that who was slow is asked again some day
//
// Written by one worker; the control thread may read it at any time. It never asks for the time, it is told.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>

#include "core/base/clock.h"
#include "core/model/counters.h"

namespace weir {

// 2^-x for x >= 0, within 0.3 %, in a few instructions.
inline float halved(float times) noexcept {
  if (times >= 120.0F) return 0.0F;
  const auto whole = static_cast<uint32_t>(times);
  const float rest = times - static_cast<float>(whole);
  // 2^-rest on [0, 1) by a polynomial that is exact at both ends.
  const float part = 1.0F - rest * (0.6876F - rest * (0.2244F - rest * 0.0368F));
  return part * std::bit_cast<float>((127U - whole) << 23);
}

class LatencyEstimate {
 public:
  static constexpr Duration failure_min = std::chrono::milliseconds{100};
  static constexpr Duration failure_max = std::chrono::minutes{1};

  // An answer took `sample`. `decay`: the time in which a difference is halved.
  void add(Duration sample, Instant now, Duration decay) noexcept {
    answers_.add();
    answered_ns_.add(static_cast<uint64_t>(std::max<int64_t>(sample.count(), 0)));
    believe(sample, now, decay);
  }

  // An answer came, and was an error. Errors are often quicker than answers, and leave an endpoint idle that makes
  // nothing else: each one doubles what was thought, up to failure_min or four times what good answers take, whichever
  // is more. Who has nothing but errors to show has not been measured.
  void error(Duration sample, Instant now, Duration decay) noexcept {
    const Duration thought{static_cast<int64_t>(last())};
    if (thought == Duration::zero() || answers() == 0) return;
    const Duration usual{static_cast<int64_t>(answered_ns() / answers())};
    const Duration doubled = std::min(2 * thought, std::max(failure_min, 4 * usual));
    believe(std::max({sample, thought, doubled}), now, decay);
  }

  // There was no answer, after so long. Who fails fast is not fast: it counts as twice as slow as it was thought, and
  // as failure_min at least.
  void failed(Duration waited, Instant now, Duration decay) noexcept {
    const Duration twice{static_cast<int64_t>(2 * read(now, decay))};
    believe(std::clamp(std::max(waited, twice), failure_min, failure_max), now, decay);
  }

  // In nanoseconds, as of now; 0: nothing is known, or it was so long ago that it means nothing any more.
  float read(Instant now, Duration decay) const noexcept {
    const float value = value_.load(std::memory_order_relaxed);
    // Under load answers are fresh, and what has faded of them is 1 % at the most: not worth the arithmetic.
    if (value == 0.0F || age(now) * fresh_parts <= decay.count()) return value;
    return value * faded(now, decay);
  }

  // As of the last answer, and when that was.
  float last() const noexcept { return value_.load(std::memory_order_relaxed); }
  Instant stamp() const noexcept { return Instant{Duration{stamp_.load(std::memory_order_relaxed)}}; }

  // How many answers there were, and how long they took together: plain sums, that nothing fades from.
  uint64_t answers() const noexcept { return answers_.read(); }
  uint64_t answered_ns() const noexcept { return answered_ns_.read(); }

 private:
  static constexpr int64_t fresh_parts = 64;
  static constexpr float kept_per_answer = 63.0F / 64;

  void believe(Duration sample, Instant now, Duration decay) noexcept {
    const auto seen = static_cast<float>(sample.count());
    const float thought = value_.load(std::memory_order_relaxed);
    if (seen >= thought) {
      value_.store(seen, std::memory_order_relaxed);
    } else {
      const float old_share = std::min(faded(now, decay), kept_per_answer);
      value_.store(thought * old_share + seen * (1.0F - old_share), std::memory_order_relaxed);
    }
    stamp_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }

  int64_t age(Instant now) const noexcept {
    return now.time_since_epoch().count() - stamp_.load(std::memory_order_relaxed);
  }
  // What is left of a difference since the last answer.
  float faded(Instant now, Duration decay) const noexcept {
    const int64_t old = age(now);
    return old <= 0 ? 1.0F : halved(static_cast<float>(old) / static_cast<float>(decay.count()));
  }

  // Relaxed throughout: figures that order nothing. A reader on another thread may see a value with the stamp of the
  // one before, which is off by one answer.
  std::atomic<float> value_{0.0F};
  std::atomic<int64_t> stamp_{0};
  Counter answers_;
  Counter answered_ns_;
};

}  // namespace weir
