#include "core/config/compile_balance.h"

#include <algorithm>
#include <exception>

#include "core/balance/pickers.h"
#include "core/balance/plugin_library.h"
#include "core/balance/reshare.h"
#include "core/config/characters.h"
#include "core/config/compile_http.h"
#include "core/config/diagnostic.h"
#include "core/zones/make_zone_map.h"

namespace weir::config {
namespace {

// Where the endpoints outside a subset stand, if they may stand in for it: behind all tiers of the others.
constexpr uint8_t tiers_behind = 10;

PickerOptions options_of(const UpstreamConfig& config) {
  PickerOptions options;
  options.maglev_table_size = config.maglev_table_size;
  options.ring_points = config.ring_points;
  options.bounded_load = config.bounded_load;
  options.choices = config.two_choices.choices;
  options.load = config.two_choices.load;
  options.latency_decay = config.latency_decay;
  options.score_expiry = config.resource_aware.expiry;
  options.zone_inside = config.zone_aware.inside;
  options.overprovision = config.zone_aware.overprovision;
  return options;
}

void add_endpoint(Upstream& upstream, const EndpointConfig& config, uint8_t tier, const zones::ZoneNames& zones,
                  Instant now, Registry& registry) {
  const auto [id, state, is_new] = registry.endpoint(upstream.name, config.name, config.address.to_string());
  // At the very start everybody is new, and nobody is to be spared.
  if (is_new && registry.upstream_state(registry.upstream_id(upstream.name)).seen) state.standing.since = now;
  Endpoint endpoint;
  endpoint.id = id;
  endpoint.name = config.name;
  endpoint.address = config.address;
  endpoint.configured_weight = config.weight;
  endpoint.configured_connections_max = config.max_connections;
  endpoint.state = &state;
  endpoint.tier = tier;
  endpoint.zone = zones.find(config.zone);
  endpoint.metadata = config.metadata;
  upstream.endpoints.push_back(std::move(endpoint));
}

// Pickers that want to know them find the sums here.
void count_totals(Upstream& upstream, UpstreamState& whole) {
  for (const Endpoint& endpoint : upstream.endpoints) {
    // Release, with the acquire of the Lease that counts in it.
    if (endpoint.state->total.load(std::memory_order_relaxed) == nullptr) {
      endpoint.state->total.store(&whole.connections, std::memory_order_release);
    }
  }
}

}  // namespace

bool is_in_subset(const EndpointConfig& endpoint, const Metadata& subset) noexcept {
  return std::includes(endpoint.metadata.begin(), endpoint.metadata.end(), subset.begin(), subset.end());
}

std::string registry_name(const SubsetOf& subset) {
  std::string name = subset.upstream;
  // No name has a line end in it, so nothing else is called so.
  for (const auto& [key, value] : subset.subset) name.append("\n").append(key).append("\n").append(value);
  if (!subset.whole() && subset.fallback == SubsetFallback::any) name += "\n";
  return name;
}

std::vector<SubsetOf> subsets_of(const Config& config) {
  std::vector<SubsetOf> all;
  const auto add = [&](const auto& destination) {
    const SubsetOf subset{destination.upstream, destination.subset, destination.subset_fallback};
    if (!subset.whole() && std::find(all.begin(), all.end(), subset) == all.end()) all.push_back(subset);
  };
  for (const ListenerConfig& listener : config.listeners) {
    add(listener);
    for (const RouteConfig& route : listener.routes) {
      add(route);
      for (const SplitConfig& share : route.split) add(share);
    }
  }
  return all;
}

std::vector<std::string> zone_names(const Config& config) {
  std::vector<std::string> names;
  for (const UpstreamConfig& upstream : config.upstreams) {
    for (const EndpointConfig& endpoint : upstream.endpoints) {
      if (!endpoint.zone.empty()) names.push_back(endpoint.zone);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::shared_ptr<const ZoneMap>, std::string> compile_zones(const Config& config,
                                                                  const std::vector<std::string>& names) {
  const ZonesConfig& zones = config.zones;
  if (zones.networks.empty() && zones.maxmind.empty() && zones.otherwise.empty()) {
    return std::shared_ptr<const ZoneMap>{};
  }
  zones::ZoneMapSource source;
  for (const ZoneNetworksConfig& each : zones.networks) {
    for (const Cidr& block : each.networks.blocks) source.networks.push_back({block, each.zone});
  }
  source.maxmind_path = zones.maxmind;
  source.maxmind_field = zones.field;
  source.default_zone = zones.otherwise;
  source.names = names;
  return zones::make_zone_map(source);
}

std::string compile_balance(Upstream& upstream, const UpstreamConfig& config, const SubsetOf& subset,
                            const zones::ZoneNames& zones, Instant now, Registry& registry) {
  UpstreamState& whole = registry.upstream_state(registry.upstream_id(config.name));
  upstream.state = &registry.upstream_state(upstream.id);
  for (const std::string_view name : picker_names()) {
    if (name == config.balance) upstream.algorithm = name;  // of static storage, unlike the Config's
  }
  for (const EndpointConfig& endpoint : config.endpoints) {
    const bool inside = is_in_subset(endpoint, subset.subset);
    if (!inside && subset.fallback == SubsetFallback::none) continue;
    const auto tier = static_cast<uint8_t>(endpoint.tier + (inside ? 0 : tiers_behind));
    add_endpoint(upstream, endpoint, tier, zones, now, registry);
  }
  upstream.hash_by = compiled_key(config.hash_by);
  upstream.share_rules = {.slow_start = config.slow_start,
                          .slow_start_from = config.slow_start_from,
                          .panic_threshold = config.panic_threshold,
                          .backup_threshold = config.backup_threshold};
  upstream.picker_options = options_of(config);
  if (config.bounded_load > 0) count_totals(upstream, whole);
  const std::string& chooser = config.balance == "zone_aware" ? config.zone_aware.inside : config.balance;
  if (chooser == "resource_aware") upstream.score_header = lower_case(config.resource_aware.header);
  if (config.balance == "adaptive") {
    if (upstream.state->shadows == nullptr) {
      upstream.state->shadows = std::make_unique<ShadowScores[]>(registry.workers());
    }
    upstream.picker_options.state = upstream.state;
  }
  if (config.balance == "plugin" && config.plugin) {
    auto library = PluginLibrary::load(config.plugin->path);
    if (!library) return library.error();
    upstream.picker_options.plugin = std::move(*library);
    upstream.picker_options.plugin_options = config.plugin->options;
  }
  try {
    reshare(upstream, now);
  } catch (const std::exception& refused) {
    // A plug-in may refuse its members; nothing else throws for a Config that has passed validation.
    return "upstream " + quoted(config.name) + ": " + refused.what();
  }
  return {};
}

}  // namespace weir::config
