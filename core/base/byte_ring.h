// ByteRing: records of different sizes from one thread to one other, in fixed memory and without locks. The access log
// of a worker travels in it.
//
//     | record | record |        free        | record | record | skip |
//     0        front    ^ committed          ^ popped                  capacity
//
// The producer calls reserve(), fills what it gets, and calls commit(); it never waits: when there is no room it is
// told so. The consumer calls front() and pop(). A record lies in one piece: one that would not fit before the end of
// the memory begins at its start, and a mark says that the rest is skipped.
//
// The consumer is expected to look by itself now and then. The producer rings its eventfd only when a commit brings the
// ring above half of its capacity: once for each time it gets there, so that a busy ring costs no system calls, and
// one that fills between two looks is emptied in time.
//
// Always true: committed_ - popped_ is between 0 and the capacity. Only the producer writes committed_, only the
// consumer writes popped_; each keeps the last value it saw of the other's, and looks again only when that says full
// (empty).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/fd.h"

namespace weir {

class ByteRing {
 public:
  static constexpr uint32_t capacity_min = 64;
  static constexpr uint32_t capacity_max = uint32_t{1} << 30;

  // Allocates (and touches) so many bytes, a power of two.
  explicit ByteRing(uint32_t capacity);
  ByteRing(const ByteRing&) = delete;
  ByteRing& operator=(const ByteRing&) = delete;

  uint32_t capacity() const noexcept { return mask_ + 1; }
  // A larger record never fits: where the free bytes lie must not matter.
  uint32_t record_bytes_max() const noexcept { return capacity() / 2 - prefix_bytes; }

  // Producer. Room for a record of `size` bytes (not 0), aligned to 8, or null when there is none. Nothing has happened
  // before commit(): a reservation that is not committed is forgotten with the next one.
  std::byte* reserve(uint32_t size) noexcept;
  // Producer. The record that was reserved is the consumer's now.
  void commit() noexcept;

  // Consumer. The oldest record, until pop(); empty when there is none.
  std::span<const std::byte> front() noexcept;
  void pop() noexcept;
  // Consumer. Readable (8 bytes) after the ring has passed half.
  int event_fd() const noexcept { return event_.get(); }

 private:
  // Before each record: its size in 32 bits, and padding. Positions are multiples of it, so there is always room for
  // one.
  static constexpr uint32_t prefix_bytes = 8;
  static constexpr uint32_t skip = ~uint32_t{0};  // in place of a size: the next record lies at the start
  // Two lines of 64 bytes: the adjacent-line prefetcher of x86 fetches lines in pairs.
  static constexpr std::size_t line = 128;

  std::byte* at(uint32_t position) noexcept { return memory_.get() + (position & mask_); }

  // Positions count bytes and run over 2^32; the capacity divides that.
  struct alignas(line) Producer {
    std::atomic<uint32_t> committed{0};
    uint32_t reserved = 0;     // where committed will be after commit()
    uint32_t popped_seen = 0;  // at most consumer_.popped; read and written by the producer alone
  };
  struct alignas(line) Consumer {
    std::atomic<uint32_t> popped{0};
    uint32_t front_end = 0;       // where popped will be after pop()
    uint32_t committed_seen = 0;  // at most producer_.committed; read and written by the consumer alone
  };

  const uint32_t mask_;
  const std::unique_ptr<std::byte[]> memory_;
  const Fd event_;
  Producer producer_;
  Consumer consumer_;
};

}  // namespace weir
