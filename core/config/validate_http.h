// The rules between fields of HTTP, a part of validate.h: listeners by their mode, routes, how upstreams are asked, and
// the access log. Each function adds to the Complaints what is wrong. Any thread.
#pragma once

#include <string>
#include <vector>

#include "core/config/complaints.h"
#include "core/config/config.h"

namespace weir::config {

// `path` is that of the struct: "listeners[0]".
void validate_mode(Complaints& complaints, const ListenerConfig& listener, const std::string& path);
void validate_routes(Complaints& complaints, const ListenerConfig& listener, const std::string& path);
void validate_http_upstream(Complaints& complaints, const UpstreamConfig& upstream, const std::string& path);
void validate_http_limits(Complaints& complaints, const LimitsConfig& limits);
void validate_access_log(Complaints& complaints, const Config& config);

// All upstreams that the listener may send something to, some perhaps twice.
std::vector<std::string> upstreams_of(const ListenerConfig& listener);

}  // namespace weir::config
