// A bounded queue from one thread to one other, without locks: one producer calls try_push(), one consumer calls
// try_pop() and empty(). Messages from the control thread to a worker, and back, travel in it.
//
// Always true: pushed_ - popped_ is the number of elements, between 0 and N. Only the producer writes pushed_, only the
// consumer writes popped_; each keeps the last value it saw of the other's, and looks again only when that says full
// (empty). So in the steady state a push touches no cache line that the consumer writes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace weir {

template <class T, uint32_t N>
class SpscQueue {
  // The counters run over 2^32; slots stay in step only if N divides that.
  static_assert(N > 0 && (N & (N - 1)) == 0, "N is a power of two");
  static_assert(std::is_nothrow_move_assignable_v<T> && std::is_default_constructible_v<T>);

 public:
  SpscQueue() = default;
  SpscQueue(const SpscQueue&) = delete;
  SpscQueue& operator=(const SpscQueue&) = delete;

  static constexpr uint32_t capacity() noexcept { return N; }

  // Producer. False when full; `value` is then untouched.
  bool try_push(T&& value) noexcept {
    const uint32_t pushed = producer_.pushed.load(std::memory_order_relaxed);  // Our own.
    if (pushed - producer_.popped_seen == N) {
      // Pairs with the release in try_pop(): the consumer has moved out of the slots that we see as popped.
      producer_.popped_seen = consumer_.popped.load(std::memory_order_acquire);
      if (pushed - producer_.popped_seen == N) return false;
    }
    slots_[pushed % N] = std::move(value);
    // Pairs with the acquires in try_pop() and empty(): who sees the count sees the element.
    producer_.pushed.store(pushed + 1, std::memory_order_release);
    return true;
  }

  // Consumer. False when empty; `value` is then untouched.
  bool try_pop(T& value) noexcept {
    const uint32_t popped = consumer_.popped.load(std::memory_order_relaxed);  // Our own.
    if (popped == consumer_.pushed_seen) {
      // Pairs with the release in try_push().
      consumer_.pushed_seen = producer_.pushed.load(std::memory_order_acquire);
      if (popped == consumer_.pushed_seen) return false;
    }
    value = std::move(slots_[popped % N]);
    // Pairs with the acquire in try_push(): our reads of the slot are over before it is filled again.
    consumer_.popped.store(popped + 1, std::memory_order_release);
    return true;
  }

  // Consumer. True means that nothing had been pushed when it looked; the next push may already be under way.
  bool empty() const noexcept {
    // Pairs with the release in try_push().
    return producer_.pushed.load(std::memory_order_acquire) == consumer_.popped.load(std::memory_order_relaxed);
  }

 private:
  // Two lines of 64 bytes: the adjacent-line prefetcher of x86 fetches lines in pairs.
  static constexpr std::size_t line = 128;

  struct alignas(line) Producer {
    std::atomic<uint32_t> pushed{0};
    uint32_t popped_seen = 0;  // At most consumer_.popped; read and written by the producer alone.
  };
  struct alignas(line) Consumer {
    std::atomic<uint32_t> popped{0};
    uint32_t pushed_seen = 0;  // At most producer_.pushed; read and written by the consumer alone.
  };

  Producer producer_;
  Consumer consumer_;
  alignas(line) std::array<T, N> slots_{};
};

}  // namespace weir
