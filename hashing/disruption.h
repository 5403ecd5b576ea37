// How much a change of endpoints or weights disturbs: of all slots, how many lead to another endpoint than before, and
// how many of these moves no change of shares demanded. For tests, benches, and whoever wants to tell an operator what
// a reload will move.
#pragma once

#include <cstdint>

#include "hashing/maglev.h"

namespace weir::hashing {

struct Disruption {
  uint32_t slots = 0;
  uint32_t moved = 0;   // Owned by another identity now.
  uint32_t forced = 0;  // The least that had to move: what all who have fewer slots now have lost, together.

  uint32_t needless() const noexcept { return moved - forced; }
  double moved_share() const noexcept { return static_cast<double>(moved) / slots; }
  double needless_share() const noexcept { return static_cast<double>(needless()) / slots; }
};

// Compares by identity: numbers may mean other endpoints in the two. Throws std::invalid_argument unless both are of
// one size: otherwise slots do not correspond.
Disruption disruption(const MaglevTable& before, const MaglevTable& after);

}  // namespace weir::hashing
