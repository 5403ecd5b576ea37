// Timers by the hundred thousand: a hierarchical timing wheel (Varghese and Lauck, 1987) in which arming, re-arming and
// cancelling cost the same few nanoseconds however many there are.
//
// A Timer is embedded in what it wakes (32 bytes; the handler finds its owner with owner_of()). Each worker owns one
// wheel, advances it once per turn, and sleeps until next(). Time is cut into ticks; a timer is due at the first tick
// not before its deadline, so it fires never early and less than one tick late (plus what the budget puts off).
//
// Eight levels of 64 slots. With the tick's number written in base 64, a timer lies in the level of the highest digit
// in which its tick differs from the current one, in the slot of that digit:
//
//   now   = 0 0 0 0 0 0 5 17
//   timer = 0 0 0 0 0 0 5 40  ->  level 0, slot 40: fires when now reaches it
//   timer = 0 0 0 0 0 0 9 03  ->  level 1, slot  9: when now reaches 9 00, the slot is emptied into level 0
//
// Always true: everything in a level is due before everything in the next higher one, and within a level slots are in
// order of time; so the first bit of the first non-empty level is what comes next. 48 bits of ticks of at least 2^15 ns
// reach past the end of an Instant's range: there is no "too far" and nothing is ever clamped.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/base/list.h"

namespace weir {

class Timer {
 public:
  using Handler = void (*)(Timer&);

  explicit Timer(Handler handler) noexcept : handler_(handler) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  // Asserts that it is not armed.
  ~Timer() = default;

  bool armed() const noexcept { return link_.linked(); }
  // What it was armed with last.
  Instant deadline() const noexcept { return deadline_; }

 private:
  friend class TimerWheel;

  // In a list of the wheel exactly while armed.
  ListNode link_;
  Instant deadline_{};
  Handler handler_;
};
static_assert(sizeof(Timer) == 32, "sessions carry these by the hundred thousand");

class TimerWheel {
 public:
  // `now` is not negative; `tick` is at least min_tick.
  explicit TimerWheel(Instant now, Duration tick = std::chrono::milliseconds(8)) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  // Asserts that no timer is armed.
  ~TimerWheel() = default;

  // The timer will fire once, at `deadline`; an earlier arming is forgotten. A deadline in the past is due at once,
  // which means in the next call of advance(), also if a handler arms it: a handler cannot hold the turn.
  void arm(Timer& timer, Instant deadline) noexcept;

  // Nothing happens if it is not armed.
  void cancel(Timer& timer) noexcept;

  // Fires what is due at `now`, in the order of ticks, but at most `budget`; the rest is fired by the next calls. A
  // timer is disarmed before its handler runs. Handlers may arm, cancel and destroy any timer, their own too. Returns
  // the number fired.
  //
  // Work is bounded: besides firing, at most budget * moves_per_fire timers come down a level per call. If that was not
  // all, or if something due is left, next() is not later than `now`. A `now` before that of an earlier call counts as
  // that one.
  uint32_t advance(Instant now, uint32_t budget) noexcept;

  // When to call advance() again: not later than the earliest deadline rounded up to its tick, and possibly earlier,
  // when timers have to come down a level. Nothing when no timer is armed. O(levels).
  std::optional<Instant> next() const noexcept;

  uint32_t size() const noexcept { return size_; }

  // Walks everything and asserts what the head of this file promises. For tests and the simulator.
  void validate() const noexcept;

  static constexpr Duration min_tick{1 << 15};
  static constexpr uint32_t moves_per_fire = 16;

 private:
  using Tick = uint64_t;

  static constexpr uint32_t levels = 8;
  static constexpr uint32_t digit_bits = 6;
  static constexpr uint32_t slots_per_level = 1 << digit_bits;
  // 2^63 ns / 2^15 ns = 2^48 ticks.
  static_assert(levels * digit_bits == 48);

  // Behind the levels stand three lists for timers that are on their way out of the wheel.
  static constexpr uint32_t sinking =
      levels * slots_per_level;                 // From a slot that was reached, about to be placed anew.
  static constexpr uint32_t due = sinking + 1;  // Fire in the next call of advance().
  static constexpr uint32_t firing = due + 1;   // Fire in this one.
  static constexpr uint32_t lists = firing + 1;

  Tick tick_of(Instant deadline) const noexcept;  // Rounded up.
  Instant instant_of(Tick tick) const noexcept;
  uint32_t list_for(Tick tick) const noexcept;

  void link(Timer& timer, uint32_t list) noexcept;
  void unlink(Timer& timer) noexcept;
  void move_all(uint32_t from, uint32_t to) noexcept;
  bool occupied(uint32_t list) const noexcept;

  struct Slot {
    uint32_t list;
    Tick start;  // The first tick that falls into it.
  };
  std::optional<Slot> first_slot() const noexcept;
  void turn_to(Tick target, uint64_t moves_max) noexcept;

  const Instant start_;
  const Duration tick_;
  // The tick up to which every slot has been emptied.
  Tick now_ = 0;
  uint32_t size_ = 0;
  bool advancing_ = false;
  // A bit is set exactly while its list is not empty. The last word is for the three lists behind the levels.
  std::array<uint64_t, levels + 1> occupied_{};
  std::array<ListHead, lists> lists_;
};

}  // namespace weir
