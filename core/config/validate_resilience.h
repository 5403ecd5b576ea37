// The rules between fields of health and resilience, a part of validate.h: how endpoints are probed and judged, who is
// let in and how often, and who is told. Each function adds to the Complaints what is wrong. Any thread.
#pragma once

#include <string>
#include <vector>

#include "core/config/complaints.h"
#include "core/config/config.h"

namespace weir::config {

// `path` is that of the struct, or of the list: "upstreams[0]", "listeners[0].rate_limits".
void validate_resilience(Complaints& complaints, const Config& config, const UpstreamConfig& upstream,
                         const std::string& path);

// Who may come in. Reads the files that the listener names.
void validate_admission(Complaints& complaints, const Config& config, const ListenerConfig& listener,
                        const std::string& path);
void validate_rate_limits(Complaints& complaints, const std::vector<RateLimitConfig>& limits, Mode mode,
                          const std::string& path);

void validate_shedding(Complaints& complaints, const SheddingConfig& shedding);
void validate_alerts(Complaints& complaints, const Config& config);

}  // namespace weir::config
