// StickTable: which endpoint a session (or a client address) belongs to, shared by all workers, in fixed memory.
//
// A set-associative cache of hashes: a key has one of a few places, and the newest entry takes that of the oldest or an
// expired one. So any number of sessions costs the same memory, and what is lost under pressure is only stickiness.
// Lock-free: any worker reads and writes at any time. Two keys with the same 64-bit hash share a place; a torn
// entry (written by two workers at once) is recognised and counts as absent.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace weir {

class StickTable {
 public:
  // `entries` is rounded up to a power of two; each costs 16 bytes.
  explicit StickTable(uint32_t entries);
  StickTable(const StickTable&) = delete;
  StickTable& operator=(const StickTable&) = delete;

  std::optional<EndpointId> find(uint64_t key, Instant now) const noexcept;
  void put(uint64_t key, EndpointId endpoint, Instant now, Duration ttl) noexcept;

  uint32_t capacity() const noexcept { return count_; }

 private:
  static constexpr uint32_t ways = 4;

  // `check` is `key` xor `value`: an entry whose two words were not written together does not match.
  struct Entry {
    std::atomic<uint64_t> check{0};
    std::atomic<uint64_t> value{0};  // endpoint in the upper half, second of expiry in the lower one; 0: empty
  };

  Entry* set_of(uint64_t key) const noexcept;

  const uint32_t count_;
  std::unique_ptr<Entry[]> entries_;
};

}  // namespace weir
