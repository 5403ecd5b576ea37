// ZoneNames: from the name of a zone to its ZoneId, while a ZoneMap is made. A value; it points into the names it was
// made of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/assert.h"
#include "core/model/zone_map.h"

namespace weir::zones {

class ZoneNames {
 public:
  // Distinct, at most zones_max; the place of each is its ZoneId.
  explicit ZoneNames(std::span<const std::string> names) {
    WEIR_ASSERT(names.size() <= zones_max, static_cast<long long>(names.size()));
    for (const std::string& name : names) {
      const bool is_new = ids_.emplace(name, ZoneId{static_cast<uint16_t>(ids_.size())}).second;
      WEIR_ASSERT(is_new);
    }
  }

  // no_zone if it is none of the names.
  ZoneId find(std::string_view name) const {
    const auto found = ids_.find(name);
    return found == ids_.end() ? no_zone : found->second;
  }

 private:
  std::unordered_map<std::string_view, ZoneId> ids_;
};

}  // namespace weir::zones
