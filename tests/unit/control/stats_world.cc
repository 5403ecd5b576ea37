#include "tests/unit/control/stats_world.h"

#include "core/balance/reshare.h"

namespace weir {
namespace {

ListenerSpec listener(uint32_t id, std::string name, std::string_view address, ListenerState& state) {
  ListenerSpec spec;
  spec.id = ListenerId{id};
  spec.name = std::move(name);
  spec.address = *SocketAddress::parse(address);
  spec.upstream = UpstreamId{0};
  spec.state = &state;
  return spec;
}

}  // namespace

std::shared_ptr<const Route> route_to(std::vector<uint32_t> upstreams) {
  auto route = std::make_shared<Route>();
  for (const uint32_t upstream : upstreams) route->split.push_back({UpstreamId{upstream}, 1});
  return route;
}

std::shared_ptr<const Route> route_mirrored_to(uint32_t mirror) {
  auto route = std::make_shared<Route>();
  route->answer = std::make_unique<FixedAnswer>();
  route->has_mirror = true;
  route->mirror = UpstreamId{mirror};
  return route;
}

StatsWorld::StatsWorld() {
  figures.started = now - std::chrono::seconds{93'784};  // a day, two hours, three minutes and four seconds
  figures.reloads = 4;
  figures.reloads_refused = 1;
  figures.descriptors_max = 20'000;
  figures.config_source = "weir.yaml";

  process.connections.store(5, std::memory_order_relaxed);
  process.workers[0]->cpu = 0;
  process.workers[1]->cpu = 3;
  process.workers[0]->counters.accepted.add(30);
  process.workers[1]->counters.accepted.add(12);
  process.workers[0]->counters.turns.add(1000);
  process.workers[1]->counters.closed[static_cast<size_t>(CloseReason::done)].add(36);
  process.workers[0]->counters.closed[static_cast<size_t>(CloseReason::idle_timeout)].add(1);
  process.workers[0]->counters.exchanges_ended[static_cast<size_t>(ExchangeEnd::done)].add(90);
  process.workers[1]->counters.exchanges_ended[static_cast<size_t>(ExchangeEnd::done)].add(9);
  process.workers[1]->counters.exchanges_ended[static_cast<size_t>(ExchangeEnd::unrouted)].add(2);
  process.workers[0]->connections.store(3, std::memory_order_relaxed);
  process.workers[1]->connections.store(2, std::memory_order_relaxed);
  process.workers[0]->origin_connections.store(20, std::memory_order_relaxed);
  process.workers[1]->origin_connections.store(3, std::memory_order_relaxed);
  process.workers[0]->origin_connections_idle.store(14, std::memory_order_relaxed);
  process.workers[1]->origin_connections_idle.store(1, std::memory_order_relaxed);
  process.workers[0]->exchanges.store(6, std::memory_order_relaxed);
  process.workers[1]->exchanges.store(2, std::memory_order_relaxed);

  snapshot.generation = 5;
  snapshot.connections_max = 9000;
  snapshot.connections_per_worker_max = 4500;

  web.connections.store(4, std::memory_order_relaxed);
  web.counters(0).connections_total.add(29);
  web.counters(1).connections_total.add(11);
  web.counters(0).bytes_in.add(1000);
  web.counters(1).bytes_in.add(1);
  web.counters(1).bytes_out.add(70'000);
  web.counters(0).proxy_headers_bad.add(2);
  web.counters(1).paused.add(1);
  snapshot.listeners.push_back(listener(0, "web", "127.0.0.1:0", web));
  snapshot.listeners.back().connections_max = 100;
  auto sockets = std::make_shared<ListenSockets>();
  sockets->bound = *SocketAddress::parse("127.0.0.1:8080");
  snapshot.listeners.back().sockets = sockets;
  snapshot.listeners.push_back(listener(1, "local, \"private\"", "unix:/run/x.sock", local));

  add_upstream("app", 2);
  Upstream& app = *upstreams.front();
  app.endpoints[0].weight = app.endpoints[0].configured_weight = 2;
  app.endpoints[1].weight = app.endpoints[1].configured_weight = 0;
  reshare(app, now);
  EndpointState& first = *app.endpoints[0].state;
  first.connections.store(4, std::memory_order_relaxed);
  first.counters(0).connections_total.add(30);
  first.counters(1).connections_total.add(9);
  first.counters(0).picked.add(44);
  first.counters(0).bytes_up.add(1001);
  first.counters(1).bytes_down.add(70'000);
  first.counters(0).connect_errors.add(3);
  first.counters(1).connect_timeouts.add(2);
  first.counters(0).retries.add(4);
  first.counters(1).resets.add(1);
  EndpointState& second = *app.endpoints[1].state;
  second.connections.store(1, std::memory_order_relaxed);
  second.counters(0).connections_total.add(1);
  second.counters(0).picked.add(1);
}

void StatsWorld::add_upstream(const std::string& name, uint32_t endpoints) {
  auto shared = std::make_shared<Upstream>();
  Upstream& upstream = *shared;
  const auto index = static_cast<uint32_t>(snapshot.upstreams.size());
  upstream.id = UpstreamId{index};
  upstream.name = name;
  upstream.algorithm = "round_robin";
  for (uint32_t i = 0; i < endpoints; ++i) {
    Endpoint endpoint;
    endpoint.id = EndpointId{static_cast<uint32_t>(endpoint_states.size())};
    endpoint.address = *SocketAddress::parse("10.0.0.1:" + std::to_string(9000 + i));
    endpoint.name = "e" + std::to_string(i);
    endpoint_states.emplace_back(2U);
    endpoint.state = &endpoint_states.back();
    upstream.endpoints.push_back(std::move(endpoint));
  }
  upstream.state = &upstream_states.emplace_back();
  reshare(upstream, now);
  snapshot.upstreams.push_back(shared);
  upstreams.push_back(std::move(shared));
  snapshot.upstream_by_id.push_back(index);
}

void StatsWorld::make_http(size_t listener, std::vector<std::shared_ptr<const Route>> routes) {
  ListenerSpec& spec = snapshot.listeners[listener];
  auto http = std::make_shared<HttpListener>();
  http->routes = std::move(routes);
  if (spec.upstream != no_upstream) http->otherwise = route_to({index_of(spec.upstream)});
  spec.http = std::move(http);
}

}  // namespace weir
