#include "core/config/config.h"

namespace weir::config {

namespace {

// An address that could not be read names nothing.
template <class T>
void name_by_address(T& named) {
  if (named.name.empty() && named.address.size() != 0) named.name = named.address.to_string();
}

void name_by_number(std::vector<RateLimitConfig>& limits) {
  for (size_t i = 0; i < limits.size(); ++i) {
    if (limits[i].name.empty()) limits[i].name = std::to_string(i + 1);
  }
}

}  // namespace

void name_the_unnamed(Config& config) {
  for (ListenerConfig& listener : config.listeners) {
    name_by_address(listener);
    name_by_number(listener.rate_limits);
    for (size_t i = 0; i < listener.routes.size(); ++i) {
      // With a space in it, which no name that was written has: the two cannot meet.
      if (listener.routes[i].name.empty()) listener.routes[i].name = "route " + std::to_string(i + 1);
      name_by_number(listener.routes[i].rate_limits);
    }
  }
  for (UpstreamConfig& upstream : config.upstreams) {
    for (EndpointConfig& endpoint : upstream.endpoints) name_by_address(endpoint);
  }
}

}  // namespace weir::config
