#include "core/base/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "core/base/assert.h"
#include "core/base/owner_of.h"

namespace weir {

TimerWheel::TimerWheel(Instant now, Duration tick) noexcept : start_(now), tick_(tick) {
  WEIR_ASSERT(now.time_since_epoch().count() >= 0, now.time_since_epoch().count());
  WEIR_ASSERT(tick >= min_tick, tick.count());
}

void TimerWheel::arm(Timer& timer, Instant deadline) noexcept {
  cancel(timer);
  timer.deadline_ = deadline;
  link(timer, list_for(tick_of(deadline)));
  ++size_;
}

void TimerWheel::cancel(Timer& timer) noexcept {
  if (!timer.armed()) return;
  WEIR_ASSERT(size_ > 0);
  unlink(timer);
  --size_;
}

uint32_t TimerWheel::advance(Instant now, uint32_t budget) noexcept {
  WEIR_ASSERT(!advancing_);  // Handlers do not advance the wheel they are fired by.
  advancing_ = true;
  if (now > start_) {
    turn_to(static_cast<Tick>((now - start_) / tick_), uint64_t{budget} * moves_per_fire);
  }
  // What handlers arm from here on lands behind this line and waits for the next call.
  move_all(due, firing);
  uint32_t fired = 0;
  while (fired < budget && occupied(firing)) {
    Timer& timer = owner_of(*lists_[firing].front(), &Timer::link_);
    cancel(timer);
    ++fired;
    timer.handler_(timer);  // May destroy the timer.
  }
  advancing_ = false;
  return fired;
}

std::optional<Instant> TimerWheel::next() const noexcept {
  if (occupied_[levels] != 0) return instant_of(now_);
  const std::optional<Slot> slot = first_slot();
  if (!slot) return std::nullopt;
  return instant_of(slot->start);
}

// Moves the hand to `target`, putting what it passes on the due list. Skips empty slots, so a jump of days costs no
// more than the slots that are occupied on the way.
void TimerWheel::turn_to(Tick target, uint64_t moves_max) noexcept {
  for (uint64_t moves = 0;;) {
    while (ListNode* node = lists_[sinking].front()) {
      if (moves++ == moves_max) return;
      Timer& timer = owner_of(*node, &Timer::link_);
      unlink(timer);
      link(timer, list_for(tick_of(timer.deadline_)));
    }
    const std::optional<Slot> slot = first_slot();
    if (!slot || slot->start > target) break;
    // Nothing lies between: every other timer keeps its level and slot under the new hand.
    now_ = slot->start;
    move_all(slot->list, slot->list < slots_per_level ? due : sinking);
  }
  now_ = std::max(now_, target);
}

std::optional<TimerWheel::Slot> TimerWheel::first_slot() const noexcept {
  for (uint32_t level = 0; level < levels; ++level) {
    if (occupied_[level] == 0) continue;
    const uint32_t digit = static_cast<uint32_t>(std::countr_zero(occupied_[level]));
    const uint32_t shift = level * digit_bits;
    const Tick higher_digits = now_ >> (shift + digit_bits) << (shift + digit_bits);
    return Slot{.list = level * slots_per_level + digit, .start = higher_digits | (Tick{digit} << shift)};
  }
  return std::nullopt;
}

uint32_t TimerWheel::list_for(Tick tick) const noexcept {
  if (tick <= now_) return due;
  const uint32_t level = static_cast<uint32_t>(std::bit_width(tick ^ now_) - 1) / digit_bits;
  WEIR_ASSERT(level < levels, level);
  return level * slots_per_level + static_cast<uint32_t>((tick >> (level * digit_bits)) % slots_per_level);
}

TimerWheel::Tick TimerWheel::tick_of(Instant deadline) const noexcept {
  if (deadline <= start_) return 0;
  // The last tick that still has an Instant; 292 years after the machine was started.
  const Duration distance = std::min(deadline, Instant::max() - tick_) - start_;
  return static_cast<Tick>((distance + tick_ - Duration{1}) / tick_);
}

Instant TimerWheel::instant_of(Tick tick) const noexcept {
  return start_ + tick_ * static_cast<Duration::rep>(tick);
}

void TimerWheel::link(Timer& timer, uint32_t list) noexcept {
  lists_[list].push_back(timer.link_);
  occupied_[list / slots_per_level] |= uint64_t{1} << (list % slots_per_level);
}

void TimerWheel::unlink(Timer& timer) noexcept {
  const ListHead* emptied = ListHead::unlink(timer.link_);
  if (emptied == nullptr) return;
  const auto list = static_cast<std::size_t>(emptied - lists_.data());
  WEIR_ASSERT(list < lists, static_cast<long long>(list));  // It was armed in this wheel.
  occupied_[list / slots_per_level] &= ~(uint64_t{1} << (list % slots_per_level));
}

void TimerWheel::move_all(uint32_t from, uint32_t to) noexcept {
  if (!occupied(from)) return;
  lists_[to].take_all(lists_[from]);
  occupied_[from / slots_per_level] &= ~(uint64_t{1} << (from % slots_per_level));
  occupied_[to / slots_per_level] |= uint64_t{1} << (to % slots_per_level);
}

bool TimerWheel::occupied(uint32_t list) const noexcept {
  return (occupied_[list / slots_per_level] >> (list % slots_per_level) & 1) != 0;
}

void TimerWheel::validate() const noexcept {
  uint32_t timers = 0;
  for (uint32_t list = 0; list < lists; ++list) {
    WEIR_ASSERT(occupied(list) != lists_[list].empty(), list);
    for (ListNode* node = lists_[list].front(); node != nullptr; node = lists_[list].after(*node)) {
      ++timers;
      WEIR_ASSERT(node->next->prev == node, list);
      const Tick tick = tick_of(owner_of(*node, &Timer::link_).deadline_);
      if (list < sinking) {
        WEIR_ASSERT(list_for(tick) == list, list);
      } else if (list == sinking) {
        WEIR_ASSERT(tick >= now_, list);
      } else {
        WEIR_ASSERT(tick <= now_, list);
      }
    }
  }
  WEIR_ASSERT(timers == size_, timers);
}

}  // namespace weir
