#include "core/config/compile.h"

#include "core/balance/pickers.h"
#include "core/config/compile_http.h"

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

Upstream compile_upstream(const UpstreamConfig& config, const TimeoutsConfig& timeouts, Registry& registry) {
  Upstream upstream;
  upstream.id = registry.upstream_id(config.name);
  upstream.name = config.name;
  for (const std::string_view name : picker_names()) {
    if (name == config.balance) upstream.algorithm = name;  // of static storage, unlike the Config's
  }
  for (const EndpointConfig& endpoint : config.endpoints) {
    const Registry::EndpointPlace place = registry.endpoint(config.name, endpoint.name, endpoint.address.to_string());
    upstream.endpoints.push_back({place.id, endpoint.name, endpoint.address, endpoint.weight, &place.state});
  }
  PickerOptions options;
  options.maglev_table_size = config.maglev_table_size;
  upstream.picker = make_picker(upstream.algorithm, upstream.endpoints, options);
  upstream.send_proxy = header_of(config.send_proxy);
  upstream.tries = config.tries;
  upstream.connect_timeout = config.timeouts.connect.value_or(timeouts.connect);
  upstream.http = compile_http_upstream(config, timeouts, upstream, registry);
  return upstream;
}

ListenerSpec compile_listener(const ListenerConfig& config, const Config& whole, Registry& registry) {
  ListenerSpec listener;
  listener.id = registry.listener_id(config.name);
  listener.name = config.name;
  listener.address = config.address;
  if (!config.upstream.empty()) listener.upstream = registry.upstream_id(config.upstream);
  listener.connections_max = config.max_connections;
  listener.proxy_from = config.accept_proxy;
  listener.idle_timeout = whole.timeouts.idle;
  listener.lifetime = whole.timeouts.lifetime;
  listener.proxy_header_timeout = whole.timeouts.proxy_header;
  listener.http = compile_http_listener(config, whole, registry);
  listener.state = &registry.listener_state(listener.id);
  return listener;
}

}  // namespace

std::unique_ptr<Snapshot> compile(const Config& config, const CompileLimits& limits, uint64_t generation,
                                  Registry& registry) {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->generation = generation;
  snapshot->connections_max = config.limits.connections.value_or(limits.connections_max);
  snapshot->connections_per_worker_max = config.limits.connections_per_worker.value_or(snapshot->connections_max);
  for (const UpstreamConfig& upstream : config.upstreams) {
    snapshot->upstreams.push_back(compile_upstream(upstream, config.timeouts, registry));
  }
  for (const ListenerConfig& listener : config.listeners) {
    snapshot->listeners.push_back(compile_listener(listener, config, registry));
  }
  snapshot->upstream_by_id.assign(registry.upstream_count(), ~uint32_t{0});
  for (uint32_t i = 0; i < snapshot->upstreams.size(); ++i) {
    snapshot->upstream_by_id[index_of(snapshot->upstreams[i].id)] = i;
  }
  return snapshot;
}

}  // namespace weir::config
