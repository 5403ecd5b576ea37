// What a word of a RateTable says, and how one more request changes it: for RateTable and its tests. `Bucket` and
// `Window` are the two ways of counting at one instant, pure; take_in() uses either of them on a set of words that any
// worker may change at the same time.
//
// A word is a sum: a tag of the key, which has the upper 22 bits, and what is known of the key, whose lower 42 bits
// count time. What is too much for these is not cut off, but carried over into the tag:
//
//     tag                 00000000 ... 0
//     ... higher bits  +  the lower ones         of the same number
//
// A reader takes the lower 42 bits for what they mean nearest to now, subtracts that number, and what is left is the
// tag. For an entry that is older than 42 bits can tell, that is not the tag of its key: it is nobody's, and no old
// entry is ever taken for a new one, however often time wraps around.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/base/clock.h"
#include "core/model/rate_limit.h"
#include "core/model/word_sets.h"

namespace weir::rate_words {

inline constexpr unsigned state_bits = 42;

// In what time is counted: see `Precision` in core/model/rate_limit.h.
inline constexpr unsigned unit_bits = 18;
inline constexpr uint64_t unit = uint64_t{1} << unit_bits;

inline constexpr Duration told_max = std::chrono::hours{24} * 36'525;

__extension__ using Wide = unsigned __int128;

// A difference of which only the lowest `bits` are known, as the number nearest to 0.
template <unsigned bits>
constexpr int64_t nearest(uint64_t difference) noexcept {
  return static_cast<int64_t>(difference << (64 - bits)) >> (64 - bits);
}

// From time to ticks and back, exactly: so many in each `per`, whole or not. Both of them round so that who waits as
// long as it was told has waited long enough.
class Scale {
 public:
  Scale(uint64_t ticks, Duration per) noexcept : ticks_(ticks), per_ns_(static_cast<uint64_t>(per.count())) {}

  // Wraps around, after a day at the fastest.
  uint64_t at(Instant now) const noexcept {
    return static_cast<uint64_t>(Wide{static_cast<uint64_t>(now.time_since_epoch().count())} * ticks_ / per_ns_);
  }
  Duration duration(uint64_t ticks) const noexcept {
    const Wide ns = (Wide{ticks} * per_ns_ + ticks_ - 1) / ticks_;
    return Duration{static_cast<int64_t>(std::min(ns, Wide{static_cast<uint64_t>(told_max.count())}))};
  }

 private:
  const uint64_t ticks_;
  const uint64_t per_ns_;
};

template <class State>
struct Reading {
  State state;
  uint64_t tag;
};

// The token bucket at one instant. A request takes one unit of ticks to come back; the word is the tick at which all of
// them will be back.
class Bucket {
 public:
  Bucket(const RateRule& rule, Instant now) noexcept
      : scale_(rule.requests * unit, rule.per), depth_(rule.burst * unit), now_(scale_.at(now)) {}
  // The greatest debt is well below what 42 bits tell, on either side of now.
  static_assert(2 * RateRule::requests_max * unit < uint64_t{1} << (state_bits - 1));

  struct State {
    uint64_t debt = 0;  // in ticks
  };

  Reading<State> read(uint64_t word) const noexcept {
    const int64_t debt = nearest<state_bits>(word - now_);
    return {{debt > 0 ? static_cast<uint64_t>(debt) : 0}, word - now_ - static_cast<uint64_t>(debt)};
  }
  uint64_t write(const State& state) const noexcept { return now_ + state.debt; }

  // What it would be a pity to forget; 0: nothing has been begun. No key owes that much, so it is a time long ago.
  uint64_t weight(const State& state) const noexcept { return state.debt <= 2 * depth_ ? state.debt : 0; }

  State sum(const State& one, const State& other) const noexcept {
    return {std::min(one.debt + other.debt, 2 * depth_)};
  }

  RateVerdict take(State& state) const noexcept {
    const uint64_t debt = state.debt + unit;
    if (debt > depth_) return {false, 0, scale_.duration(debt - depth_), scale_.duration(state.debt)};
    state.debt = debt;
    return {true, static_cast<uint32_t>((depth_ - debt) / unit), Duration::zero(), scale_.duration(debt)};
  }

 private:
  const Scale scale_;
  const uint64_t depth_;
  const uint64_t now_;
};

// The sliding window at one instant. `per` is one unit of ticks. From its lowest bit, a word has: the requests of the
// present window (18), those of the window before in steps (12), and when the present one began, in 64ths of `per`
// (12, and the tag).
class Window {
 public:
  Window(const RateRule& rule, Instant now) noexcept
      : scale_(unit, rule.per),
        requests_(rule.requests),
        step_((rule.requests - 1) / steps_max + 1),
        now_(scale_.at(now)) {}

  struct State {
    uint64_t begin = 0;  // the tick when the present window began, a multiple of `grain`; it may lie ahead
    uint32_t before = 0;
    uint32_t here = 0;

    bool is_empty() const noexcept { return before == 0 && here == 0; }
  };

  Reading<State> read(uint64_t word) const noexcept {
    const auto here = static_cast<uint32_t>(word & here_mask);
    const auto steps = static_cast<uint32_t>(word >> before_shift & steps_max);
    const int64_t elapsed = nearest<begin_bits>(now_ - (word >> begin_shift & ~(grain - 1)));
    const uint64_t begin = now_ - static_cast<uint64_t>(elapsed);
    const uint64_t tag = word - pack(begin, steps, here);
    if (elapsed >= 2 * window) return {{}, tag};
    if (elapsed >= window) return {{begin + unit, rounded(here), 0}, tag};
    return {{begin, counted(steps), here}, tag};
  }
  uint64_t write(const State& state) const noexcept { return pack(state.begin, steps_of(state.before), state.here); }

  // What counts now; of those who count the same, the older window goes. Windows do not begin that far ahead, so it is
  // a time long ago.
  uint64_t weight(const State& state) const noexcept {
    if (state.is_empty() || since(state) < -window) return 0;
    return 2 * (state.here * unit + state.before * left(state)) + left(state);
  }

  State sum(const State& one, const State& other) const noexcept {
    if (one.is_empty()) return other;
    if (other.is_empty()) return one;
    const bool is_later = since(one) < since(other);
    return {is_later ? one.begin : other.begin, rounded(one.before + other.before),
            std::min(one.here + other.here, requests_)};
  }

  RateVerdict take(State& state) const noexcept {
    if (state.is_empty()) state.begin = (now_ + grain - 1) & ~(grain - 1);
    const uint32_t begun = begun_in(state);
    if (begun >= requests_) return {false, 0, until(room_again(state)), until(forgotten(state))};
    ++state.here;
    return {true, requests_ - begun - 1, Duration::zero(), until(forgotten(state))};
  }

 private:
  static constexpr auto window = static_cast<int64_t>(unit);
  static constexpr uint64_t grain = unit / 64;
  static constexpr uint32_t steps_max = 4095;
  static constexpr unsigned before_shift = 18;
  static constexpr uint64_t here_mask = (uint64_t{1} << before_shift) - 1;
  static_assert(RateRule::requests_max <= here_mask);
  // The lowest bits of `begin` are 0; the steps stand there.
  static constexpr unsigned begin_shift = before_shift;
  static_assert(grain == steps_max + 1);
  static constexpr unsigned begin_bits = state_bits - begin_shift;

  static uint64_t pack(uint64_t begin, uint64_t steps, uint64_t here) noexcept {
    return (begin << begin_shift) + (steps << before_shift) + here;
  }
  // As the word can say it: never fewer, and no more than there can be.
  uint32_t rounded(uint32_t requests) const noexcept { return counted(steps_of(requests)); }
  uint32_t steps_of(uint32_t requests) const noexcept { return (requests + step_ - 1) / step_; }
  uint32_t counted(uint32_t steps) const noexcept { return std::min(steps * step_, requests_); }

  int64_t since(const State& state) const noexcept { return static_cast<int64_t>(now_ - state.begin); }
  uint64_t left(const State& state) const noexcept {
    return static_cast<uint64_t>(window - std::clamp<int64_t>(since(state), 0, window));
  }
  // Those before lie at even distances, the first of them where their window began: just when `per` has passed since
  // it, it counts no more.
  uint32_t begun_in(const State& state) const noexcept {
    const uint64_t still = state.before * left(state);
    return state.here + static_cast<uint32_t>(still == 0 ? 0 : (still - 1) >> unit_bits);
  }

  // The tick at which a key that is refused now would be admitted, and that from which nothing counts any more.
  uint64_t room_again(const State& state) const noexcept {
    const bool here = state.here < requests_;
    const uint64_t room = here ? requests_ - state.here : requests_;
    const uint64_t before = here ? state.before : rounded(state.here);
    return state.begin + (here ? unit : 2 * unit) - room * unit / before;
  }
  static uint64_t forgotten(const State& state) noexcept { return state.begin + (state.here > 0 ? 2 * unit : unit); }
  Duration until(uint64_t tick) const noexcept { return scale_.duration(tick - now_); }

  const Scale scale_;
  const uint32_t requests_;
  const uint32_t step_;
  const uint64_t now_;
};

// All accesses are relaxed, and partners of each other: a word stands for itself, and no other memory is read because
// of what it says.
//
// Two workers that meet a new key at once may give it two entries, if something else in the set changed between their
// looks. Who sees both carries what the second one says over to the first.
template <class Meter>
RateVerdict take_in(WordSets::Set& set, uint64_t tag, const Meter& meter) noexcept {
  typename Meter::State carried;
  bool carries = false;
  for (;;) {
    typename Meter::State state;
    std::atomic<uint64_t>* own = nullptr;
    std::atomic<uint64_t>* lightest = nullptr;
    uint64_t own_word = 0;
    uint64_t lightest_word = 0;
    uint64_t least = 0;
    for (std::atomic<uint64_t>& entry : set.words) {
      uint64_t word = entry.load(std::memory_order_relaxed);
      const auto reading = meter.read(word);
      if (word != 0 && reading.tag == tag) {
        if (own == nullptr) {
          own = &entry;
          own_word = word;
          state = reading.state;
        } else if (entry.compare_exchange_strong(word, 0, std::memory_order_relaxed)) {
          carried = meter.sum(carried, reading.state);
          carries = true;
        }
        continue;
      }
      const uint64_t weight = word == 0 ? 0 : meter.weight(reading.state);
      if (lightest == nullptr || weight < least) {
        lightest = &entry;
        lightest_word = word;
        least = weight;
      }
    }
    if (carries) state = meter.sum(state, carried);
    const RateVerdict verdict = meter.take(state);
    if (!verdict.admitted && !carries) return verdict;
    // If another worker was faster, it got on; then everything is looked at again.
    uint64_t& word = own != nullptr ? own_word : lightest_word;
    std::atomic<uint64_t>& place = own != nullptr ? *own : *lightest;
    if (place.compare_exchange_strong(word, tag + meter.write(state), std::memory_order_relaxed)) return verdict;
  }
}

}  // namespace weir::rate_words
