// Networks that an operator gave to zones, as a table. For the control thread, while a ZoneMap is made.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/zones/cidr_table.h"
#include "core/zones/make_zone_map.h"
#include "core/zones/zone_names.h"

namespace weir::zones {

// The value of each network is the index of its ZoneId, which is no_zone if its zone is none of the names. An error if
// one network is given to two zones; twice to the same one is once.
Result<std::vector<CidrTable::Entry>, std::string> network_zones(std::span<const ZoneMapSource::Network> networks,
                                                                 const ZoneNames& names);

}  // namespace weir::zones
