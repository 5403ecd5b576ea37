#include "core/config/compile.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "core/balance/pickers.h"

namespace weir::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SocketAddress address(std::string_view text) {
  return SocketAddress::parse(text).value();
}

EndpointConfig endpoint(std::string name, std::string_view at, uint32_t weight = 1) {
  return {std::move(name), address(at), weight};
}

UpstreamConfig upstream(std::string name, std::vector<EndpointConfig> endpoints) {
  UpstreamConfig config;
  config.name = std::move(name);
  config.endpoints = std::move(endpoints);
  return config;
}

ListenerConfig listener(std::string name, std::string_view at, std::string upstream_name) {
  ListenerConfig config;
  config.name = std::move(name);
  config.address = address(at);
  config.upstream = std::move(upstream_name);
  return config;
}

// Every field that workers see has a value that is not its default.
Config full() {
  Config config;
  config.listeners.push_back(listener("web", "10.1.2.3:8080", "app"));
  config.listeners[0].max_connections = 77;
  config.listeners[0].accept_proxy.blocks.push_back(Cidr::parse("10.0.0.0/8").value());
  config.listeners.push_back(listener("local", "unix:/run/web.sock", "spare"));
  config.listeners[1].accept_proxy.local = true;
  config.upstreams.push_back(upstream("app", {endpoint("a", "10.0.0.1:80", 3), endpoint("b", "[::1]:81", 0)}));
  config.upstreams[0].balance = "maglev";
  config.upstreams[0].maglev_table_size = 251;
  config.upstreams[0].send_proxy = SendProxy::v2;
  config.upstreams[0].tries = 2;
  config.upstreams[0].timeouts.connect = milliseconds{150};
  config.upstreams.push_back(upstream("spare", {endpoint("c", "unix:/run/c.sock")}));
  config.upstreams[1].balance = "least_connections";
  config.upstreams[1].send_proxy = SendProxy::v1;
  config.timeouts.connect = seconds{9};
  config.timeouts.idle = seconds{60};
  config.timeouts.lifetime = seconds{3600};
  config.timeouts.proxy_header = seconds{2};
  config.limits.connections = 1000;
  config.limits.connections_per_worker = 400;
  return config;
}

// What compile() makes of it; it does.
std::unique_ptr<Snapshot> compiled(const Config& config, const CompileLimits& limits, uint64_t generation,
                                   Registry& registry) {
  auto result = compile(config, limits, generation, Instant{}, registry);
  EXPECT_TRUE(result) << result.error();
  return result ? std::move(*result) : nullptr;
}

TEST(Compile, BringsEveryFieldOfAListener) {
  Registry registry{2};
  const auto snapshot = compiled(full(), {50}, 12, registry);
  EXPECT_EQ(snapshot->generation, 12U);
  ASSERT_EQ(snapshot->listeners.size(), 2U);
  const ListenerSpec& web = snapshot->listeners[0];
  EXPECT_EQ(web.id, registry.listener_id("web"));
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.address.to_string(), "10.1.2.3:8080");
  EXPECT_EQ(web.upstream, registry.upstream_id("app"));
  EXPECT_EQ(web.connections_max, 77U);
  EXPECT_EQ(web.proxy_from.blocks, (std::vector<Cidr>{Cidr::parse("10.0.0.0/8").value()}));
  EXPECT_FALSE(web.proxy_from.local);
  EXPECT_EQ(web.idle_timeout, seconds{60});
  EXPECT_EQ(web.lifetime, seconds{3600});
  EXPECT_EQ(web.proxy_header_timeout, seconds{2});
  EXPECT_EQ(web.state, &registry.listener_state(web.id));
  EXPECT_EQ(web.sockets, nullptr) << "the publisher opens them";
  const ListenerSpec& local = snapshot->listeners[1];
  EXPECT_TRUE(local.proxy_from.local);
  EXPECT_EQ(local.connections_max, 0U);
  EXPECT_EQ(local.upstream, registry.upstream_id("spare"));
  EXPECT_NE(local.state, web.state);
}

TEST(Compile, BringsEveryFieldOfAnUpstream) {
  Registry registry{2};
  const auto snapshot = compiled(full(), {}, 1, registry);
  ASSERT_EQ(snapshot->upstreams.size(), 2U);
  const Upstream& app = *snapshot->upstreams[0];
  EXPECT_EQ(app.id, registry.upstream_id("app"));
  EXPECT_EQ(app.name, "app");
  EXPECT_EQ(app.algorithm, "maglev");
  ASSERT_NE(app.picker, nullptr);
  EXPECT_TRUE(app.picker->wants_key()) << "not a maglev";
  EXPECT_EQ(app.send_proxy, ProxyHeader::v2);
  EXPECT_EQ(app.tries, 2U);
  EXPECT_EQ(app.connect_timeout, milliseconds{150});
  ASSERT_EQ(app.endpoints.size(), 2U);
  EXPECT_EQ(app.endpoints[0].name, "a");
  EXPECT_EQ(app.endpoints[0].address.to_string(), "10.0.0.1:80");
  EXPECT_EQ(app.endpoints[0].weight, 3U);
  EXPECT_EQ(app.endpoints[0].id, registry.endpoint("app", "a", "10.0.0.1:80").id);
  EXPECT_EQ(app.endpoints[0].state, &registry.endpoint("app", "a", "10.0.0.1:80").state);
  EXPECT_EQ(app.endpoints[1].weight, 0U);
  EXPECT_NE(app.endpoints[1].id, app.endpoints[0].id);
  EXPECT_NE(app.endpoints[1].state, app.endpoints[0].state);
  const Upstream& spare = *snapshot->upstreams[1];
  EXPECT_EQ(spare.connect_timeout, seconds{9}) << "the global one";
  EXPECT_EQ(spare.send_proxy, ProxyHeader::v1);
  EXPECT_EQ(spare.tries, 3U);
}

TEST(Compile, NamesAlgorithmsThatOutliveTheConfig) {
  Registry registry{1};
  std::unique_ptr<Snapshot> snapshot;
  {
    const Config config = full();
    snapshot = compiled(config, {}, 1, registry);
    EXPECT_NE(snapshot->upstreams[0]->algorithm.data(), config.upstreams[0].balance.data());
  }
  for (const auto& upstream : snapshot->upstreams) EXPECT_TRUE(is_picker(upstream->algorithm)) << upstream->algorithm;
  for (const std::string_view name : picker_names()) {
    Config config = full();
    config.upstreams[0].balance = name;
    EXPECT_EQ(compiled(config, {}, 1, registry)->upstreams[0]->algorithm, name);
  }
}

TEST(Compile, SetsLimitsOrWhatTheMachineAllows) {
  Registry registry{1};
  Config config = full();
  auto snapshot = compiled(config, {50}, 1, registry);
  EXPECT_EQ(snapshot->connections_max, 1000U);
  EXPECT_EQ(snapshot->connections_per_worker_max, 400U);
  config.limits.connections_per_worker.reset();
  EXPECT_EQ(compiled(config, {50}, 1, registry)->connections_per_worker_max, 1000U);
  config.limits.connections.reset();
  snapshot = compiled(config, {50}, 1, registry);
  EXPECT_EQ(snapshot->connections_max, 50U);
  EXPECT_EQ(snapshot->connections_per_worker_max, 50U);
}

TEST(Compile, FindsUpstreamsByIdAcrossReloads) {
  Registry registry{1};
  const auto first = compiled(full(), {}, 1, registry);
  const UpstreamId app = registry.upstream_id("app");
  const UpstreamId spare = registry.upstream_id("spare");
  EXPECT_EQ(first->find(app), first->upstreams[0].get());
  EXPECT_EQ(first->find(spare), first->upstreams[1].get());

  Config config = full();
  config.upstreams.erase(config.upstreams.begin());
  config.upstreams.insert(config.upstreams.begin(), upstream("new", {endpoint("n", "10.0.0.9:80")}));
  config.listeners[0].upstream = "new";
  const auto second = compiled(config, {}, 2, registry);
  EXPECT_EQ(second->find(app), nullptr) << "it is gone";
  EXPECT_EQ(second->find(spare), second->upstreams[1].get());
  EXPECT_EQ(second->find(registry.upstream_id("new")), second->upstreams[0].get());
  EXPECT_EQ(second->upstreams[1]->endpoints[0].state, first->upstreams[1]->endpoints[0].state);
  // A Snapshot that is older than an id does not know it.
  EXPECT_EQ(first->find(registry.upstream_id("new")), nullptr);
}

}  // namespace
}  // namespace weir::config
