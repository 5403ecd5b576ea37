// ZoneMap: where a client is. It names the zone of an address, by the same numbers as the endpoints' zones, so that a
// picker compares two numbers and knows nothing of networks.
//
// The control thread makes it (core/zones) and puts it into a Snapshot; from then on it does not change, and all
// workers ask it, once per connection or request.
#pragma once

#include <cstdint>

#include "core/model/address.h"

namespace weir {

// A zone of one configuration: the place of its name in a list that the one who made the ZoneMap holds.
enum class ZoneId : uint16_t {};

// Nothing is known of where that is. It is near to nobody, itself included.
inline constexpr ZoneId no_zone{0xffff};

// As many as there are numbers beside no_zone.
inline constexpr uint32_t zones_max = 0xffff;

constexpr uint32_t index_of(ZoneId id) noexcept {
  return static_cast<uint32_t>(id);
}

class ZoneMap {
 public:
  virtual ~ZoneMap() = default;

  // The zone of a client, or no_zone. Never locks, never allocates. Any thread.
  virtual ZoneId zone_of(const PeerAddress& client) const noexcept = 0;
};

}  // namespace weir
