#include "core/config/config.h"

namespace weir::config {

namespace {

// An address that could not be read names nothing.
template <class T>
void name_by_address(T& named) {
  if (named.name.empty() && named.address.size() != 0) named.name = named.address.to_string();
}

}  // namespace

void name_the_unnamed(Config& config) {
  for (ListenerConfig& listener : config.listeners) name_by_address(listener);
  for (UpstreamConfig& upstream : config.upstreams) {
    for (EndpointConfig& endpoint : upstream.endpoints) name_by_address(endpoint);
  }
}

}  // namespace weir::config
