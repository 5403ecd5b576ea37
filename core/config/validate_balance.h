// The rules between fields of balancing, a part of validate.h. Each function adds to the Complaints what is wrong. Any
// thread; plug-ins and files of zones are opened to see whether they will do.
#pragma once

#include <string>

#include "core/config/complaints.h"
#include "core/config/config.h"

namespace weir::config {

// `path` is that of the struct: "upstreams[0]".
void validate_balance(Complaints& complaints, const Config& config, const UpstreamConfig& upstream,
                      const std::string& path);
void validate_zones(Complaints& complaints, const Config& config);
// That the subsets which listeners and routes name have somebody in them.
void validate_subsets(Complaints& complaints, const Config& config);

}  // namespace weir::config
