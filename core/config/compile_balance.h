// The balancing part of compiling (compile.h): endpoints with their shares, and the picker. Control thread; the Config
// has passed validation.
#pragma once

#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/model/registry.h"
#include "core/model/upstream.h"
#include "core/model/zone_map.h"
#include "core/zones/zone_names.h"

namespace weir::config {

// Some endpoints of an upstream, as a listener or a route names them.
struct SubsetOf {
  std::string upstream;
  Metadata subset;
  SubsetFallback fallback = SubsetFallback::none;

  bool whole() const noexcept { return subset.empty(); }
  bool operator==(const SubsetOf&) const = default;
};

// Does the endpoint have all of these?
bool is_in_subset(const EndpointConfig& endpoint, const Metadata& subset) noexcept;

// By what name the registry knows it; of a whole upstream, its own.
std::string registry_name(const SubsetOf& subset);

// All of them that are named somewhere, each once; whole upstreams are not among them.
std::vector<SubsetOf> subsets_of(const Config& config);

// The names of the zones that endpoints are in, by ZoneId.
std::vector<std::string> zone_names(const Config& config);

// The map of the clients' zones; null if `zones` says nothing. An error: a sentence.
Result<std::shared_ptr<const ZoneMap>, std::string> compile_zones(const Config& config,
                                                                  const std::vector<std::string>& names);

// The upstream, or the part of it, that a listener, a route or a part of a split names.
template <class Destination>
UpstreamId destination(const Destination& config, Registry& registry) {
  return registry.upstream_id(registry_name({config.upstream, config.subset, config.subset_fallback}));
}

// Fills in endpoints, what they are balanced by, and the picker. Empty, or the sentence that says why that cannot be.
std::string compile_balance(Upstream& upstream, const UpstreamConfig& config, const SubsetOf& subset,
                            const zones::ZoneNames& zones, Instant now, Registry& registry);

}  // namespace weir::config
