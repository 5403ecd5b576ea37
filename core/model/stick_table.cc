#include "core/model/stick_table.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/base/assert.h"

namespace weir {
namespace {

constexpr uint32_t entries_max = uint32_t{1} << 31;
constexpr uint64_t second_ns = 1'000'000'000;

uint64_t nanoseconds(Instant instant) noexcept {
  return static_cast<uint64_t>(instant.time_since_epoch().count());
}

uint32_t expiry_of(uint64_t value) noexcept {
  return static_cast<uint32_t>(value);
}

// The first second in which the entry is gone: it lives for its time and up to one second more, never shorter. It is
// not 0, so that no value in use is 0. After 136 years, entries do not expire.
uint32_t expiry_second(Instant now, Duration ttl) noexcept {
  const uint64_t end_ns = nanoseconds(now) + static_cast<uint64_t>(ttl.count());
  const uint64_t second = end_ns / second_ns + (end_ns % second_ns != 0 ? 1 : 0);
  return static_cast<uint32_t>(std::min<uint64_t>(second, std::numeric_limits<uint32_t>::max()));
}

bool is_alive(uint64_t value, Instant now) noexcept {
  return value != 0 && nanoseconds(now) / second_ns < expiry_of(value);
}

}  // namespace

// All accesses are relaxed, and partners of each other: the two words of an entry say by themselves whether they belong
// together, and no other memory is read because of what they say.

StickTable::StickTable(uint32_t entries)
    : count_(std::bit_ceil(std::clamp(entries, ways, entries_max))), entries_(std::make_unique<Entry[]>(count_)) {}

// Keys are hashes, but whose hashes is not known here: a product with an odd number (2^64 divided by the golden ratio)
// carries every bit to the highest ones, which choose.
StickTable::Entry* StickTable::set_of(uint64_t key) const noexcept {
  const uint64_t mixed = (key ^ key >> 32) * 0x9e3779b97f4a7c15;
  const uint32_t sets = count_ / ways;
  return &entries_[((mixed >> 32) * sets >> 32) * ways];
}

std::optional<EndpointId> StickTable::find(uint64_t key, Instant now) const noexcept {
  const Entry* set = set_of(key);
  for (uint32_t way = 0; way < ways; ++way) {
    const uint64_t value = set[way].value.load(std::memory_order_relaxed);
    const uint64_t check = set[way].check.load(std::memory_order_relaxed);
    if ((check ^ value) == key && is_alive(value, now)) return EndpointId{static_cast<uint32_t>(value >> 32)};
  }
  return std::nullopt;
}

void StickTable::put(uint64_t key, EndpointId endpoint, Instant now, Duration ttl) noexcept {
  WEIR_ASSERT(ttl > Duration::zero(), ttl.count());
  const uint64_t fresh = uint64_t{index_of(endpoint)} << 32 | expiry_second(now, ttl);
  Entry* set = set_of(key);
  Entry* own = nullptr;
  Entry* oldest = nullptr;
  uint32_t oldest_expiry = 0;
  for (uint32_t way = 0; way < ways; ++way) {
    Entry& entry = set[way];
    const uint64_t value = entry.value.load(std::memory_order_relaxed);
    const uint64_t check = entry.check.load(std::memory_order_relaxed);
    if (value != 0 && (check ^ value) == key) {
      if (own == nullptr) {
        // Most requests of a session come within one second: nothing to write, and no cache line to take from others.
        if (value == fresh) return;
        own = &entry;
      } else {
        // Two workers met the key at once and gave it two places. It keeps the first.
        entry.value.store(0, std::memory_order_relaxed);
      }
    }
    const uint32_t expiry = is_alive(value, now) ? expiry_of(value) : 0;
    if (oldest == nullptr || expiry < oldest_expiry) {
      oldest = &entry;
      oldest_expiry = expiry;
    }
  }
  Entry& place = own != nullptr ? *own : *oldest;
  place.check.store(key ^ fresh, std::memory_order_relaxed);
  place.value.store(fresh, std::memory_order_relaxed);
}

}  // namespace weir
