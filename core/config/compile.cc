#include "core/config/compile.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/config/compile_balance.h"
#include "core/config/compile_http.h"
#include "core/config/compile_resilience.h"

namespace weir::config {
namespace {

ProxyHeader header_of(SendProxy send) {
  switch (send) {
    case SendProxy::off: return ProxyHeader::off;
    case SendProxy::v1: return ProxyHeader::v1;
    case SendProxy::v2: return ProxyHeader::v2;
  }
  return ProxyHeader::off;
}

// One upstream, or a part of it; or the sentence that says why it cannot be.
Result<std::shared_ptr<const Upstream>, std::string> compile_upstream(const UpstreamConfig& config,
                                                                      const SubsetOf& subset, const Config& whole,
                                                                      const zones::ZoneNames& zones,
                                                                      uint64_t generation, Instant now,
                                                                      Registry& registry) {
  auto upstream = std::make_shared<Upstream>();
  upstream->id = registry.upstream_id(registry_name(subset));
  upstream->version = generation;
  upstream->name = config.name;
  upstream->is_subset = !subset.whole();
  if (std::string problem = compile_balance(*upstream, config, subset, zones, now, registry); !problem.empty()) {
    return problem;
  }
  upstream->send_proxy = header_of(config.send_proxy);
  upstream->tries = config.tries;
  upstream->connect_timeout = config.timeouts.connect.value_or(whole.timeouts.connect);
  upstream->resilience = compile_resilience(config);
  upstream->http = compile_http_upstream(config, whole.timeouts, *upstream, registry);
  return std::shared_ptr<const Upstream>{std::move(upstream)};
}

// Or the sentence that says why it cannot be.
Result<ListenerSpec, std::string> compile_listener(const ListenerConfig& config, const Config& whole,
                                                   uint32_t connections_max, Registry& registry) {
  ListenerSpec listener;
  listener.id = registry.listener_id(config.name);
  listener.name = config.name;
  listener.address = config.address;
  if (!config.upstream.empty()) listener.upstream = destination(config, registry);
  listener.connections_max = config.max_connections;
  listener.proxy_from = config.accept_proxy;
  listener.idle_timeout = whole.timeouts.idle;
  listener.lifetime = whole.timeouts.lifetime;
  listener.proxy_header_timeout = whole.timeouts.proxy_header;
  listener.http = compile_http_listener(config, whole, registry);
  if (std::string problem = compile_admission(listener, config, connections_max, registry); !problem.empty()) {
    return problem;
  }
  listener.state = &registry.listener_state(listener.id);
  return listener;
}

}  // namespace

Result<std::unique_ptr<Snapshot>, std::string> compile(const Config& config, const CompileLimits& limits,
                                                       uint64_t generation, Instant now, Registry& registry) {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->generation = generation;
  snapshot->configured = generation;
  snapshot->connections_max = config.limits.connections.value_or(limits.connections_max);
  snapshot->connections_per_worker_max = config.limits.connections_per_worker.value_or(snapshot->connections_max);
  snapshot->shedding = compile_shedding(config.shedding);

  const std::vector<std::string> names = zone_names(config);
  const zones::ZoneNames zones{names};
  auto zone_map = compile_zones(config, names);
  if (!zone_map) return zone_map.error();
  snapshot->zones = std::move(*zone_map);

  std::vector<SubsetOf> parts;
  for (const UpstreamConfig& upstream : config.upstreams) parts.push_back({upstream.name, {}, SubsetFallback::none});
  for (SubsetOf& subset : subsets_of(config)) parts.push_back(std::move(subset));
  for (const SubsetOf& part : parts) {
    const auto upstream = std::find_if(config.upstreams.begin(), config.upstreams.end(),
                                       [&](const UpstreamConfig& each) { return each.name == part.upstream; });
    auto compiled = compile_upstream(*upstream, part, config, zones, generation, now, registry);
    if (!compiled) return compiled.error();
    snapshot->upstreams.push_back(std::move(*compiled));
  }
  for (const ListenerConfig& listener : config.listeners) {
    auto compiled = compile_listener(listener, config, snapshot->connections_max, registry);
    if (!compiled) return compiled.error();
    snapshot->listeners.push_back(std::move(*compiled));
  }
  snapshot->upstream_by_id.assign(registry.upstream_count(), ~uint32_t{0});
  for (uint32_t i = 0; i < snapshot->upstreams.size(); ++i) {
    snapshot->upstream_by_id[index_of(snapshot->upstreams[i]->id)] = i;
  }
  return snapshot;
}

}  // namespace weir::config
