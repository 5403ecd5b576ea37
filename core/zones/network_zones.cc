#include "core/zones/network_zones.h"

#include <map>
#include <tuple>
#include <utility>

namespace weir::zones {

Result<std::vector<CidrTable::Entry>, std::string> network_zones(std::span<const ZoneMapSource::Network> networks,
                                                                 const ZoneNames& names) {
  const auto less = [](const Cidr* a, const Cidr* b) {
    return std::tie(a->bytes, a->bits) < std::tie(b->bytes, b->bits);
  };
  std::map<const Cidr*, const std::string*, decltype(less)> zones(less);
  std::vector<CidrTable::Entry> entries;
  entries.reserve(networks.size());
  for (const auto& [block, zone] : networks) {
    const auto [known, is_new] = zones.emplace(&block, &zone);
    if (!is_new && *known->second != zone) {
      return "the network " + block.to_string() + " is given to two zones, '" + *known->second + "' and '" + zone +
             "'; keep one of them";
    }
    if (is_new) entries.push_back({block, index_of(names.find(zone))});
  }
  return entries;
}

}  // namespace weir::zones
