// Networks of a MaxMind DB file, and the zones they are in by a field of their records. For the control thread, while a
// ZoneMap is made.
//
// The whole search tree is walked once, and only blocks that are in the zone of an endpoint are kept, neighbours in the
// same zone as one. Asking the file itself for each client was the alternative. That is up to 128 jumps through a file
// of tens of megabytes and then the decoding of a record, every page of it perhaps still on the disk, which a worker
// would have to wait for; and it goes wrong when the file is damaged or cut short while clients are there. Now a worker
// looks into a table (core/zones/cidr_table.h), and the file is closed.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/zones/cidr_table.h"
#include "core/zones/zone_names.h"

namespace weir::zones {

// Blocks without a common address; the value of each is the index of a ZoneId. The names are compared with a text as it
// is, with a number as it is written in decimal. An error, a sentence about what is wrong and what would be right, if
// the file cannot be read, is damaged, or has no such field. Nobody may shorten the file meanwhile: it is mapped.
Result<std::vector<CidrTable::Entry>, std::string> read_maxmind_zones(const std::string& path, const std::string& field,
                                                                      const ZoneNames& names);

}  // namespace weir::zones
