#include "core/base/byte_ring.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <bit>
#include <cstring>

#include "core/base/assert.h"

namespace weir {
namespace {

constexpr uint32_t rounded_up(uint32_t size, uint32_t step) noexcept {
  return (size + step - 1) / step * step;
}

}  // namespace

ByteRing::ByteRing(uint32_t capacity)
    : mask_(capacity - 1),
      memory_(std::make_unique<std::byte[]>(capacity)),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  WEIR_ASSERT(std::has_single_bit(capacity) && capacity >= capacity_min && capacity <= capacity_max, capacity);
  WEIR_ASSERT(event_.valid());
}

std::byte* ByteRing::reserve(uint32_t size) noexcept {
  WEIR_ASSERT(size != 0);
  const uint32_t committed = producer_.committed.load(std::memory_order_relaxed);  // Our own.
  producer_.reserved = committed;
  if (size > record_bytes_max()) return nullptr;
  const uint32_t needed = prefix_bytes + rounded_up(size, prefix_bytes);
  const uint32_t before_end = capacity() - (committed & mask_);
  const uint32_t skipped = needed > before_end ? before_end : 0;
  if (committed - producer_.popped_seen + skipped + needed > capacity()) {
    // Pairs with the release in pop(): the consumer has read what lay in the bytes that we see as free.
    producer_.popped_seen = consumer_.popped.load(std::memory_order_acquire);
    if (committed - producer_.popped_seen + skipped + needed > capacity()) return nullptr;
  }
  if (skipped != 0) std::memcpy(at(committed), &skip, sizeof skip);
  std::byte* record = at(committed + skipped);
  std::memcpy(record, &size, sizeof size);
  producer_.reserved = committed + skipped + needed;
  return record + prefix_bytes;
}

void ByteRing::commit() noexcept {
  const uint32_t before = producer_.committed.load(std::memory_order_relaxed);  // Our own.
  const uint32_t after = producer_.reserved;
  WEIR_ASSERT(after != before);  // reserve() came first
  // Pairs with the acquire in front(): who sees the position sees the record, and the skip before it.
  producer_.committed.store(after, std::memory_order_release);

  const uint32_t half = capacity() / 2;
  if (after - producer_.popped_seen <= half) return;
  // As in reserve(). What we knew may be old: a ring that is emptied again and again seems full from here.
  producer_.popped_seen = consumer_.popped.load(std::memory_order_acquire);
  const bool was_below = before - producer_.popped_seen <= half;
  const bool is_above = after - producer_.popped_seen > half;
  // The consumer may be beyond `before` already, and the first difference below zero, that is, very large. Then nearly
  // nothing is left in the ring, and there is no reason to ring either.
  if (!was_below || !is_above) return;
  const uint64_t one = 1;
  // Fails only when nobody has read it 2^64 - 1 times.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

std::span<const std::byte> ByteRing::front() noexcept {
  uint32_t popped = consumer_.popped.load(std::memory_order_relaxed);  // Our own.
  if (popped == consumer_.committed_seen) {
    // Pairs with the release in commit().
    consumer_.committed_seen = producer_.committed.load(std::memory_order_acquire);
    if (popped == consumer_.committed_seen) return {};
  }
  uint32_t size = 0;
  std::memcpy(&size, at(popped), sizeof size);
  if (size == skip) {
    // A skip is committed together with the record behind it.
    popped += capacity() - (popped & mask_);
    std::memcpy(&size, at(popped), sizeof size);
  }
  consumer_.front_end = popped + prefix_bytes + rounded_up(size, prefix_bytes);
  return {at(popped) + prefix_bytes, size};
}

void ByteRing::pop() noexcept {
  // Front came first, and gave a record.
  WEIR_ASSERT(consumer_.front_end != consumer_.popped.load(std::memory_order_relaxed));
  // Pairs with the acquires in reserve() and commit(): our reads of the record are over before it is overwritten.
  consumer_.popped.store(consumer_.front_end, std::memory_order_release);
}

}  // namespace weir
