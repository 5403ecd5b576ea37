// Maglev: a table that maps a hash to an endpoint in a few nanoseconds, such that equal hashes meet the same endpoint
// on every machine that knows the same endpoints, shares are as even as numbers allow, and a change of endpoints moves
// few hashes beyond those that must move. (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load
// Balancer", NSDI 2016, section 3.4.)
//
// Each endpoint has its own preference order over all slots, derived from its identity alone: offset, offset + skip,
// offset + 2 skip, ... modulo the size, which is prime so that this visits every slot. They take turns, each time
// taking the slot they like best of those still free. A weight decides how many turns one has: its exact share of the
// slots (see apportion.h), evenly spread over the time.
//
// Made by the control plane as a part of a Snapshot, immutable from then on, read by all workers. Always true: the
// table depends on identities, weights and size, not on the order in which endpoints were given; that order only says
// which number stands for which endpoint.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "hashing/hash64.h"

namespace weir::hashing {

struct MaglevEndpoint {
  uint64_t id = 0;      // Who it is, well mixed: hash64(name). Two with one id share each other's preferences.
  uint32_t weight = 1;  // 0 gets no slot. One of less than half a slot's worth may get none, too.
};

class MaglevTable {
 public:
  static constexpr uint32_t none = std::numeric_limits<uint32_t>::max();

  // Throws std::invalid_argument unless `size` is prime: who reads the configuration has to ask before.
  MaglevTable(std::span<const MaglevEndpoint> endpoints, uint32_t size);

  // The number (in the order given to the constructor) of the endpoint for a hash whose 64 bits are well mixed; `none`
  // if no endpoint has a weight.
  uint32_t lookup(uint64_t hash) const noexcept { return owner(reduce(hash, size_)); }

  // The same for slots from 0 to size() - 1.
  uint32_t owner(uint32_t slot) const noexcept { return narrow_.empty() ? wide_[slot] : narrow_[slot]; }
  uint32_t size() const noexcept { return size_; }

  // What was given to the constructor, by number.
  std::span<const uint64_t> ids() const noexcept { return ids_; }

 private:
  uint32_t size_;
  // One of the two is in use. Half the width is half the cache, and no table of that many endpoints needs more.
  std::vector<uint16_t> narrow_;
  std::vector<uint32_t> wide_;
  std::vector<uint64_t> ids_;
};

}  // namespace weir::hashing
