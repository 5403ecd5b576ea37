// A Slab holds up to a fixed number of T in slots that never move, and hands out the most recently freed slot first, so
// that the hottest memory is used again.
//
// It is owned by one thread (a worker has one per kind of object: sessions, pipes, ...). The capacity costs only
// address space: pages are touched when a slot is used for the first time, so resident memory follows the peak, not the
// limit. Nothing is allocated after construction; create() answers nullptr when full, and the caller sheds load by a
// counted reason. Always true: a slot is live exactly while its bit is set; all slots are free when the Slab dies
// (asserted).
//
//   slots  | live | free | live | free |  never used, never touched ...            |
//          0             ^ free_          ^ peak_                                  ^ capacity_
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "core/base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace weir {

// Zeroed address space without memory behind it until it is touched. Where there is none to have, the process ends with
// a sentence: reservations are made at start-up.
class Reservation {
 public:
  explicit Reservation(std::size_t size);
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation();

  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::byte* data_;
  std::size_t size_;
};

template <class T>
class Slab {
 public:
  explicit Slab(uint32_t capacity)
      : capacity_(capacity),
        slots_(std::size_t{capacity} * slot_size),
        live_((std::size_t{capacity} + 63) / 64 * sizeof(uint64_t)) {
    WEIR_ASSERT(capacity < none);
    poison(slots_.data(), slots_.size());
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    WEIR_ASSERT(size_ == 0, size_);
    // The next mapping at this address must not find our poison.
    unpoison(slots_.data(), slots_.size());
  }

  // A constructor that throws ends the program: the data plane knows no exceptions.
  template <class... Args>
  T* create(Args&&... args) noexcept {
    const uint32_t index = take_slot();
    if (index == none) return nullptr;
    live_word(index) |= live_bit(index);
    ++size_;
    return std::construct_at(slot(index), std::forward<Args>(args)...);
  }

  // Runs the destructor and frees the slot, which the next create() will use.
  void destroy(T& object) noexcept {
    WEIR_ASSERT(contains(&object));
    const uint32_t index = index_of(object);
    std::destroy_at(&object);
    WEIR_ASSERT((live_word(index) & live_bit(index)) != 0);  // The destructor did not destroy the same slot again.
    live_word(index) &= ~live_bit(index);
    --size_;
    std::memcpy(static_cast<void*>(slot(index)), &free_, sizeof free_);
    poison(slot(index), slot_size);
    free_ = index;
  }

  uint32_t size() const noexcept { return size_; }
  uint32_t capacity() const noexcept { return capacity_; }
  // The most that were live at the same time.
  uint32_t peak() const noexcept { return peak_; }

  // Whether this is a live object of this slab.
  bool contains(const T* object) const noexcept {
    const std::size_t offset =
        reinterpret_cast<std::uintptr_t>(object) - reinterpret_cast<std::uintptr_t>(slots_.data());
    if (offset >= std::size_t{peak_} * slot_size || offset % slot_size != 0) return false;
    const uint32_t index = static_cast<uint32_t>(offset / slot_size);
    return (live_word(index) & live_bit(index)) != 0;
  }

  // The number of its slot: below capacity(), the same as long as it lives.
  uint32_t index_of(const T& object) const noexcept {
    return static_cast<uint32_t>(static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&object) - slots_.data()) /
                                 slot_size);
  }

  // Visits the live ones in the order of their slots. `visit` may destroy any object, and create some: those are
  // visited or not.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (uint32_t first = 0; first < peak_; first += 64) {
      for (uint64_t left = live_word(first); left != 0; left &= left - 1) {
        const uint32_t index = first + static_cast<uint32_t>(std::countr_zero(left));
        if ((live_word(index) & live_bit(index)) != 0) visit(*slot(index));
      }
    }
  }

  // Walks everything: free slots and live slots make up all that was ever used. For tests and the simulator.
  void validate() noexcept {
    uint32_t live = 0;
    for_each([&](T&) { ++live; });
    WEIR_ASSERT(live == size_, live);
    uint32_t free = 0;
    for (uint32_t index = free_; index != none; index = next_free(index)) {
      WEIR_ASSERT(index < peak_, index);
      WEIR_ASSERT((live_word(index) & live_bit(index)) == 0, index);
      WEIR_ASSERT(++free <= peak_, free);
    }
    WEIR_ASSERT(free + live == peak_, free);
  }

 private:
  static constexpr uint32_t none = std::numeric_limits<uint32_t>::max();
  static constexpr std::size_t slot_align = std::max(alignof(T), alignof(uint32_t));
  // A free slot keeps the number of the next free one in itself, hence at least its size.
  static constexpr std::size_t slot_size =
      (std::max(sizeof(T), sizeof(uint32_t)) + slot_align - 1) / slot_align * slot_align;
  static_assert(alignof(T) <= 4096, "a Reservation is aligned to a page");

  uint32_t take_slot() noexcept {
    if (free_ == none) {
      if (peak_ == capacity_) return none;
      unpoison(slot(peak_), slot_size);
      return peak_++;
    }
    const uint32_t index = free_;
    unpoison(slot(index), slot_size);
    std::memcpy(&free_, static_cast<const void*>(slot(index)), sizeof free_);
    return index;
  }

  uint32_t next_free(uint32_t index) noexcept {
    uint32_t next;
    unpoison(slot(index), slot_size);
    std::memcpy(&next, static_cast<const void*>(slot(index)), sizeof next);
    poison(slot(index), slot_size);
    return next;
  }

  T* slot(uint32_t index) const noexcept {
    return reinterpret_cast<T*>(slots_.data() + std::size_t{index} * slot_size);
  }
  uint64_t& live_word(uint32_t index) const noexcept { return reinterpret_cast<uint64_t*>(live_.data())[index / 64]; }
  static uint64_t live_bit(uint32_t index) noexcept { return uint64_t{1} << (index % 64); }

  // Free slots are poisoned under AddressSanitizer, so that a use after destroy() is seen there.
  static void poison([[maybe_unused]] const void* at, [[maybe_unused]] std::size_t size) noexcept {
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(at, size);
#endif
  }
  static void unpoison([[maybe_unused]] const void* at, [[maybe_unused]] std::size_t size) noexcept {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(at, size);
#endif
  }

  const uint32_t capacity_;
  uint32_t size_ = 0;
  // Slots from here on were never used. As freed slots go first, it is also the peak.
  uint32_t peak_ = 0;
  // The slot freed last; each free slot names the one freed before it.
  uint32_t free_ = none;
  const Reservation slots_;
  // One bit per slot, 64 to a word.
  const Reservation live_;
};

}  // namespace weir
