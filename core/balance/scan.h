// The last resort of every algorithm: ask all endpoints, one by one. Pure; any thread.
#pragma once

#include <cstdint>

#include "core/model/picker.h"

namespace weir {

// The first usable endpoint at or after `start` (wrapping round), or no_endpoint. Bounded by the number of endpoints,
// so it is for the rare case: the algorithm's own few proposals were all unusable. `start` is less than that number.
inline uint32_t first_usable(const PickRequest& request, uint32_t start) noexcept {
  const auto count = static_cast<uint32_t>(request.endpoints.size());
  for (uint32_t index = start; index < count; ++index) {
    if (request.usable(index)) return index;
  }
  for (uint32_t index = 0; index < start; ++index) {
    if (request.usable(index)) return index;
  }
  return no_endpoint;
}

}  // namespace weir
