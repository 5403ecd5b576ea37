// Gate: what stands between an endpoint and new work at this very moment, besides its share: a circuit breaker that has
// opened, a rest after it could not be reached, a limit that is learned from its latency. Shares are reckoned by the
// control thread every now and then; a Gate shuts at once, and for all workers.
//
//                 failures in a row (a worker), or their rate (control)
//      closed -------------------------------------------------------------> open
//        ^                                                                  |    ^
//        | all trials were good (control)       the recovery time (control) |    | a trial failed (a worker)
//        |                                                                  v    |
//        '---------------------------------------------------------------- half-open: so many trials, and no more
//
// Workers only ever open it and control alone does the rest, so control, which looks often, sees every state in turn
// and can say so in the log.
//
// Beside that, and with no breaker configured, too: who could not be reached rests for a moment, longer each time. Then
// one is let through; if that fails, it rests again. Resting is advice: where nobody else is left, it is ignored.
//
// Any thread; lock-free. It never asks for the time, it is told.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/base/clock.h"

namespace weir {

class Gate {
 public:
  enum class State : uint8_t { closed, open, half_open };
  // What was let through: as usual, as one of the trials of a breaker that is half open, or not at all.
  enum class Pass : uint8_t { refused, usual, trial };

  static constexpr uint32_t trials_max = 1000;
  static constexpr Duration rest_min = std::chrono::milliseconds{500};
  static constexpr unsigned rest_doublings_max = 3;  // 4 s

  // --- by workers

  // Would somebody be let through? `urgent`: there is nobody else who could be asked.
  bool admits(Instant now, bool urgent) const noexcept {
    const uint64_t word = word_.load(std::memory_order_relaxed);
    if (word == 0) return true;
    switch (state_of(word)) {
      case State::open: return false;
      case State::half_open: return trials_left(word) > 0;
      case State::closed: return urgent || milliseconds(now) >= rest_until(word);
    }
    return false;
  }

  // Lets one through, or does not. What came of a trial is told by one of the three functions below.
  Pass enter(Instant now, bool urgent) noexcept {
    uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (word == 0) return Pass::usual;
      uint64_t next = 0;
      Pass pass = Pass::usual;
      if (state_of(word) == State::open) return Pass::refused;
      if (state_of(word) == State::half_open) {
        if (trials_left(word) == 0) return Pass::refused;
        next = word - one_trial;
        pass = Pass::trial;
      } else {
        const uint64_t at = milliseconds(now);
        if (at < rest_until(word)) return urgent ? Pass::usual : Pass::refused;
        // The one who finds out; the others wait for what it finds, and longer than the last time.
        next = resting(at, std::min(doublings(word) + 1, rest_doublings_max));
      }
      if (word_.compare_exchange_weak(word, next, std::memory_order_relaxed)) return pass;
    }
  }

  // It has answered, and no error.
  void succeeded(bool trial) noexcept {
    if (streak_.load(std::memory_order_relaxed) != 0) streak_.store(0, std::memory_order_relaxed);
    uint64_t word = word_.load(std::memory_order_relaxed);
    if (word == 0) return;
    uint64_t next = 0;
    do {
      next = word;
      if (state_of(word) == State::closed) next = 0;  // the rest is over
      if (state_of(word) == State::half_open && trial) next = word + one_good;
    } while (next != word && !word_.compare_exchange_weak(word, next, std::memory_order_relaxed));
  }

  // It failed, or answered with an error. `failures_max`: so many in a row open the breaker; 0: they do not.
  // How many in a row there have been.
  uint32_t failed(bool trial, uint32_t failures_max) noexcept {
    const uint32_t streak = streak_.fetch_add(1, std::memory_order_relaxed) + 1;
    uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const bool trips = state_of(word) == State::half_open
                             ? trial
                             : state_of(word) == State::closed && failures_max > 0 && streak >= failures_max;
      if (!trips || word_.compare_exchange_weak(word, open_word, std::memory_order_relaxed)) return streak;
    }
  }

  // It had seemed to answer well, and then did not. Its successes come before such failures, so these have a row of
  // their own, which completed() ends.
  uint32_t spoiled(uint32_t failures_max) noexcept {
    const uint32_t streak = spoiled_streak_.fetch_add(1, std::memory_order_relaxed) + 1;
    uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const bool trips = state_of(word) == State::half_open ||
                         (state_of(word) == State::closed && failures_max > 0 && streak >= failures_max);
      if (!trips || word_.compare_exchange_weak(word, open_word, std::memory_order_relaxed)) return streak;
    }
  }
  // An answer was good to its end.
  void completed() noexcept {
    if (spoiled_streak_.load(std::memory_order_relaxed) != 0) spoiled_streak_.store(0, std::memory_order_relaxed);
  }

  // Nothing is known of how it would have gone. (If the breaker has opened and is half open again, this is one trial
  // more than was meant; there are never more than trials_max.)
  void gave_up_trial() noexcept {
    uint64_t word = word_.load(std::memory_order_relaxed);
    while (state_of(word) == State::half_open && trials_left(word) < trials_max &&
           !word_.compare_exchange_weak(word, word + one_trial, std::memory_order_relaxed)) {
    }
  }

  // It could not be reached: after failed().
  void unreachable(Instant now) noexcept {
    uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (state_of(word) != State::closed) return;
      const uint64_t at = milliseconds(now);
      // It rests: that was known, or has been foreseen by enter().
      if (word != 0 && at < rest_until(word)) return;
      const unsigned next = word == 0 ? 0 : std::min(doublings(word) + 1, rest_doublings_max);
      if (word_.compare_exchange_weak(word, resting(at, next), std::memory_order_relaxed)) return;
    }
  }

  // The most connections that its latency allows; 0: any number.
  uint32_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }

  // --- by control

  State state() const noexcept { return state_of(word_.load(std::memory_order_relaxed)); }
  bool rests(Instant now) const noexcept {
    const uint64_t word = word_.load(std::memory_order_relaxed);
    return word != 0 && state_of(word) == State::closed && milliseconds(now) < rest_until(word);
  }
  uint32_t trials_good() const noexcept { return good(word_.load(std::memory_order_relaxed)); }
  uint32_t failures_in_row() const noexcept {
    return std::max(streak_.load(std::memory_order_relaxed), spoiled_streak_.load(std::memory_order_relaxed));
  }

  void open() noexcept { word_.store(open_word, std::memory_order_relaxed); }
  // Also to give trials anew; a failed one that comes in between is not lost.
  void half_open(uint32_t trials) noexcept {
    forget_rows();
    const uint64_t next = state_bits(State::half_open) | uint64_t{std::min(trials, trials_max)} << trials_shift;
    uint64_t word = word_.load(std::memory_order_relaxed);
    const bool anew = state_of(word) == State::half_open;
    while (!word_.compare_exchange_weak(word, next, std::memory_order_relaxed)) {
      if (anew && state_of(word) == State::open) return;
    }
  }
  void close() noexcept {
    forget_rows();
    word_.store(0, std::memory_order_relaxed);
  }
  // There is reason to believe that it can be reached again.
  void wake() noexcept {
    uint64_t word = word_.load(std::memory_order_relaxed);
    while (word != 0 && state_of(word) == State::closed &&
           !word_.compare_exchange_weak(word, 0, std::memory_order_relaxed)) {
    }
  }
  void set_limit(uint32_t connections) noexcept { limit_.store(connections, std::memory_order_relaxed); }

 private:
  // The word, from its lowest bit: state (2), trials left (10) and trials that were good (10), or doublings (4) and the
  // millisecond until which it rests (58). 0: nothing stands in the way.
  static constexpr unsigned trials_shift = 2;
  static constexpr unsigned good_shift = 12;
  static constexpr unsigned doublings_shift = 2;
  static constexpr unsigned until_shift = 6;
  static constexpr uint64_t ten_bits = 1023;
  static constexpr uint64_t one_trial = uint64_t{1} << trials_shift;
  static constexpr uint64_t one_good = uint64_t{1} << good_shift;

  void forget_rows() noexcept {
    streak_.store(0, std::memory_order_relaxed);
    spoiled_streak_.store(0, std::memory_order_relaxed);
  }
  static constexpr uint64_t state_bits(State state) noexcept { return static_cast<uint64_t>(state); }
  static constexpr uint64_t open_word = static_cast<uint64_t>(State::open);
  static constexpr State state_of(uint64_t word) noexcept { return static_cast<State>(word & 3); }
  static constexpr uint32_t trials_left(uint64_t word) noexcept {
    return static_cast<uint32_t>(word >> trials_shift & ten_bits);
  }
  static constexpr uint32_t good(uint64_t word) noexcept {
    return state_of(word) == State::half_open ? static_cast<uint32_t>(word >> good_shift & ten_bits) : 0;
  }
  static constexpr unsigned doublings(uint64_t word) noexcept {
    return static_cast<unsigned>(word >> doublings_shift & 15);
  }
  static constexpr uint64_t rest_until(uint64_t word) noexcept { return word >> until_shift; }
  static uint64_t milliseconds(Instant now) noexcept {
    return static_cast<uint64_t>(now.time_since_epoch().count() / 1'000'000);
  }
  static constexpr uint64_t length_ms(unsigned doublings) noexcept {
    return static_cast<uint64_t>(rest_min.count() / 1'000'000) << doublings;
  }
  static uint64_t resting(uint64_t at, unsigned doublings) noexcept {
    return (at + length_ms(doublings)) << until_shift | uint64_t{doublings} << doublings_shift;
  }

  // Relaxed throughout: each word stands for itself and orders nothing else.
  std::atomic<uint64_t> word_{0};
  std::atomic<uint32_t> streak_{0};
  std::atomic<uint32_t> spoiled_streak_{0};
  std::atomic<uint32_t> limit_{0};
};

}  // namespace weir
