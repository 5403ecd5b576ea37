// What workers get to know of health and resilience, and what survives a reload.
#include "core/config/compile_resilience.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "core/config/compile.h"
#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr uint32_t connections_max = 5000;

// What a reload of `text` gives; null if it is refused, with the sentence in `problem`.
std::unique_ptr<Snapshot> reloaded(const std::string& text, Registry& registry, std::string* problem = nullptr) {
  const ParseResult result = parse(text);
  EXPECT_TRUE(result.ok()) << result.render();
  if (!result.ok()) return nullptr;
  auto snapshot = compile(*result.config, {connections_max}, 1, Instant{}, registry);
  if (!snapshot && problem != nullptr) *problem = snapshot.error();
  return snapshot ? std::move(*snapshot) : nullptr;
}

std::string upstream_file(const std::string& upstream) {
  return "listeners: [{name: web, address: \":8080\", upstream: app}]\n"
         "upstreams: [{name: app, endpoints: [{address: 10.0.0.1:80, max_connections: 5}]" +
         upstream + "}]\n";
}

std::string listener_file(const std::string& listener) {
  return "listeners: [{name: web, address: \":8080\", upstream: app" + listener +
         "}]\nupstreams: [{name: app, endpoints: [10.0.0.1:80]}]\n";
}

Resilience resilience_of(const std::string& upstream) {
  Registry registry{1};
  const auto snapshot = reloaded(upstream_file(upstream), registry);
  return snapshot == nullptr ? Resilience{} : snapshot->upstreams[0]->resilience;
}

TEST(CompileResilience, WhatIsNotConfiguredIsOff) {
  Registry registry{1};
  const auto snapshot = reloaded(upstream_file(""), registry);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_FALSE(snapshot->shedding.any());
  const Resilience& off = snapshot->upstreams[0]->resilience;
  EXPECT_EQ(off.breaker.failures, 0U);
  EXPECT_EQ(off.breaker.slow, Duration::zero());
  EXPECT_EQ(off.outlier_failures, 0U);
  EXPECT_FALSE(off.learns_limits);
  EXPECT_EQ(off.queue.size, 0U);
  EXPECT_EQ(off.hedge.percentile, 0U);
  EXPECT_EQ(off.pending_max, 0U);
  EXPECT_EQ(off.retries_max, 0U);
  EXPECT_EQ(off.retry_after_s, 1U);
  const ListenerSpec& web = snapshot->listeners[0];
  EXPECT_EQ(web.filter, nullptr);
  EXPECT_EQ(web.connections_per_client_max, 0U);
  EXPECT_EQ(web.state->clients, nullptr);
  EXPECT_TRUE(web.rate_limits.empty());
  EXPECT_EQ(web.priority, priority_usual);
}

TEST(CompileResilience, BringsEveryFieldOfAnUpstream) {
  const Resilience all = resilience_of(
      ", breaker: {failures: 7, slow_rate: 50, slow: 300ms}, outliers: {failures: 9}, max_pending: 11, max_retries: "
      "12, "
      "queue: {size: 13, timeout: 2s, retry_after: 2500ms}, concurrency: {}, "
      "hedge: {percentile: 90, min_wait: 7ms, budget: 3}");
  EXPECT_EQ(all.breaker.failures, 7U);
  EXPECT_EQ(all.breaker.slow, milliseconds{300});
  EXPECT_EQ(all.outlier_failures, 9U);
  EXPECT_TRUE(all.learns_limits);
  EXPECT_EQ(all.queue.size, 13U);
  EXPECT_EQ(all.queue.timeout, seconds{2});
  EXPECT_EQ(all.retry_after_s, 3U);  // whole seconds, and never too early
  EXPECT_EQ(all.hedge.percentile, 90U);
  EXPECT_EQ(all.hedge.wait_min, milliseconds{7});
  EXPECT_EQ(all.hedge.budget_percent, 3U);
  EXPECT_EQ(all.pending_max, 11U);
  EXPECT_EQ(all.retries_max, 12U);
}

TEST(CompileResilience, NobodyCountsSlowAnswersThatNoBreakerWants) {
  EXPECT_EQ(resilience_of(", breaker: {}").breaker.slow, Duration::zero());
  EXPECT_EQ(resilience_of(", breaker: {}").breaker.failures, 5U);
  EXPECT_EQ(resilience_of(", breaker: {failures: 0, slow_rate: 1}").breaker.slow, seconds{1});
  EXPECT_EQ(resilience_of(", outliers: {failures: 0}").outlier_failures, 0U);
}

TEST(CompileResilience, BringsShedding) {
  Registry registry{1};
  const auto snapshot =
      reloaded(upstream_file("") + "shedding: {turn: 20ms, buffers: 80, descriptors: 90, memory: 1GiB}\n", registry);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(snapshot->shedding.turn, milliseconds{20});
  EXPECT_EQ(snapshot->shedding.buffers_percent, 80U);
  EXPECT_EQ(snapshot->shedding.descriptors_percent, 90U);
  EXPECT_EQ(snapshot->shedding.memory_bytes, 1 * GiB);
}

TEST(CompileResilience, ASubsetHasWhatItsUpstreamHas) {
  Registry registry{1};
  const auto snapshot = reloaded(
      "listeners: [{address: \":1\", upstream: app, subset: {v: a}}]\n"
      "upstreams: [{name: app, breaker: {}, endpoints: [{address: 10.0.0.1:80, metadata: {v: a}}]}]\n",
      registry);
  ASSERT_NE(snapshot, nullptr);
  ASSERT_EQ(snapshot->upstreams.size(), 2U);
  EXPECT_EQ(snapshot->upstreams[1]->resilience.breaker.failures, 5U);
}

TEST(CompileResilience, BringsPrioritiesOfListenersRoutesAndRequests) {
  Registry registry{1};
  const auto snapshot = reloaded(
      listener_file(", mode: http, priority: 2, priority_header: X-Priority, routes: [{match: {path: /a}, upstream: "
                    "app, priority: 0}, {match: {path: /b}, upstream: app}]"),
      registry);
  ASSERT_NE(snapshot, nullptr);
  const ListenerSpec& web = snapshot->listeners[0];
  EXPECT_EQ(web.priority, 2);
  EXPECT_EQ(web.http->priority_header, "x-priority");
  EXPECT_EQ(web.http->routes[0]->priority, Priority{0});
  EXPECT_EQ(web.http->routes[1]->priority, std::nullopt);
  EXPECT_EQ(web.http->otherwise->priority, std::nullopt);
}

TEST(CompileResilience, BringsEveryFieldOfARateLimit) {
  Registry registry{1};
  const auto snapshot = reloaded(
      listener_file(", mode: http, rate_limits: [{requests: 5, per: 2s, prefix: 24, prefix6: 48}, {name: keys, by: "
                    "'header:X-Key', requests: 7, burst: 9, entries: 5000, action: count, headers: always}, {by: all, "
                    "requests: 3, per: 1m, algorithm: sliding_window}], "
                    "routes: [{upstream: app, rate_limits: [{by: 'cookie:Id', requests: 1}]}]"),
      registry);
  ASSERT_NE(snapshot, nullptr);
  const auto& limits = snapshot->listeners[0].rate_limits;
  ASSERT_EQ(limits.size(), 3U);
  EXPECT_EQ(limits[0].name, "1");
  EXPECT_EQ(limits[0].by->kind, KeySource::Kind::client_ip);
  EXPECT_EQ(limits[0].prefix, 24);
  EXPECT_EQ(limits[0].prefix6, 48);
  EXPECT_TRUE(limits[0].enforced);
  EXPECT_EQ(limits[0].tell, RateLimit::Tell::refused);
  EXPECT_EQ(limits[0].table->rule(), (RateRule{RateAlgorithm::token_bucket, 5, seconds{2}, 5}));
  EXPECT_EQ(limits[0].table->capacity(), 65536U);
  EXPECT_EQ(limits[1].name, "keys");
  EXPECT_EQ(limits[1].by->kind, KeySource::Kind::header);
  EXPECT_EQ(limits[1].by->name, "x-key");
  EXPECT_FALSE(limits[1].enforced);
  EXPECT_EQ(limits[1].tell, RateLimit::Tell::always);
  EXPECT_EQ(limits[1].table->rule(), (RateRule{RateAlgorithm::token_bucket, 7, seconds{1}, 9}));
  EXPECT_EQ(limits[1].table->capacity(), 8192U);
  EXPECT_FALSE(limits[2].by);
  EXPECT_EQ(limits[2].table->rule(), (RateRule{RateAlgorithm::sliding_window, 3, minutes{1}, 0}));
  EXPECT_EQ(limits[2].table->capacity(), 1024U);  // one entry is enough
  const auto& of_route = snapshot->listeners[0].http->routes[0]->rate_limits;
  ASSERT_EQ(of_route.size(), 1U);
  EXPECT_EQ(of_route[0].by->name, "Id");
  EXPECT_NE(of_route[0].table, limits[0].table);
}

TEST(CompileResilience, AReloadForgivesNobody) {
  Registry registry{1};
  const std::string file = listener_file(
      ", mode: http, max_connections_per_client: 3, rate_limits: [{requests: 5}], "
      "routes: [{upstream: app, rate_limits: [{requests: 5}]}]");
  const auto before = reloaded(file, registry);
  const auto after = reloaded(file + "log: {level: debug}\n", registry);
  ASSERT_NE(before, nullptr);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->listeners[0].rate_limits[0].table, before->listeners[0].rate_limits[0].table);
  EXPECT_EQ(after->listeners[0].http->routes[0]->rate_limits[0].table,
            before->listeners[0].http->routes[0]->rate_limits[0].table);
  EXPECT_NE(after->listeners[0].rate_limits[0].table, after->listeners[0].http->routes[0]->rate_limits[0].table);
  const ClientTable* clients = before->listeners[0].state->clients.get();
  ASSERT_NE(clients, nullptr);
  EXPECT_EQ(after->listeners[0].state->clients.get(), clients);
  EXPECT_GE(clients->capacity(), 2 * connections_max);

  const auto changed = reloaded(listener_file(", rate_limits: [{requests: 6}]"), registry);
  EXPECT_NE(changed->listeners[0].rate_limits[0].table, before->listeners[0].rate_limits[0].table);
}

TEST(CompileResilience, ClientsAreCountedForAsManyConnectionsAsThereMayBe) {
  Registry registry{1};
  const auto snapshot = reloaded(listener_file(", max_connections: 600, max_connections_per_client: 3"), registry);
  EXPECT_EQ(snapshot->listeners[0].connections_per_client_max, 3U);
  EXPECT_EQ(snapshot->listeners[0].state->clients->capacity(), 2048U);
}

TEST(CompileResilience, TheFilterAsksListsAndFiles) {
  const auto file = std::filesystem::path{testing::TempDir()} / ("weir_clients_" + std::to_string(::getpid()));
  write(file, "10.2.0.0/16\n");
  Registry registry{1};
  const std::string text = listener_file(", allow: 10.0.0.0/8, deny: 10.1.0.0/16, deny_file: " + file.string());
  const auto snapshot = reloaded(text, registry);
  ASSERT_NE(snapshot, nullptr);
  const auto admits = [&](uint32_t address) {
    return snapshot->listeners[0].filter->admits(PeerAddress::ipv4(address, 1));
  };
  EXPECT_TRUE(admits(0x0a000001));
  EXPECT_FALSE(admits(0x0a010001));
  EXPECT_FALSE(admits(0x0a020001));
  EXPECT_FALSE(admits(0x0b000001));

  // The file goes between checking and compiling.
  const ParseResult checked = parse(text);
  ASSERT_TRUE(checked.ok()) << checked.render();
  std::filesystem::remove(file);
  const auto refused = compile(*checked.config, {connections_max}, 2, Instant{}, registry);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().starts_with("listener `web`: ")) << refused.error();
  EXPECT_NE(refused.error().find(file.string()), std::string::npos) << refused.error();
}

}  // namespace
}  // namespace weir::config
