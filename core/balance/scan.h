// The last resort of every algorithm: ask all its members, one by one. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/balance/pickers.h"

namespace weir {

// The indexes of those who take part.
inline std::vector<uint32_t> members_with_share(const PickerMembers& members) {
  std::vector<uint32_t> result;
  for (uint32_t i = 0; i < members.shares.size(); ++i) {
    if (members.shares[i] > 0) result.push_back(i);
  }
  return result;
}

// The first usable of `members` at or after the place `start` (wrapping round), or no_endpoint. Bounded by their
// number, so it is for the rare case: the algorithm's own few proposals were all unusable. `start` is less than that
// number, unless there are none.
inline uint32_t first_usable(const PickRequest& request, std::span<const uint32_t> members, uint64_t start) noexcept {
  for (size_t place = start; place < members.size(); ++place) {
    if (request.usable(members[place])) return members[place];
  }
  for (size_t place = 0; place < start; ++place) {
    if (request.usable(members[place])) return members[place];
  }
  return no_endpoint;
}

}  // namespace weir
