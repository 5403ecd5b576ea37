#include "core/model/registry.h"

#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "core/model/lease.h"

namespace weir {
namespace {

// A Snapshot that names these listeners, and these endpoints of the upstream "app" at the address of their name.
Snapshot naming(Registry& registry, std::initializer_list<std::string_view> listeners,
                std::initializer_list<std::string_view> endpoints) {
  Snapshot snapshot;
  for (const std::string_view name : listeners) {
    ListenerSpec& spec = snapshot.listeners.emplace_back();
    spec.id = registry.listener_id(name);
    spec.state = &registry.listener_state(spec.id);
  }
  auto shared = std::make_shared<Upstream>();
  Upstream& upstream = *shared;
  upstream.id = registry.upstream_id("app");
  upstream.state = &registry.upstream_state(upstream.id);
  snapshot.upstreams.push_back(std::move(shared));
  for (const std::string_view name : endpoints) {
    const auto place = registry.endpoint("app", name, name);
    Endpoint& endpoint = upstream.endpoints.emplace_back();
    endpoint.id = place.id;
    endpoint.state = &place.state;
  }
  return snapshot;
}

TEST(Registry, GivesTheSameIdToTheSameName) {
  Registry registry{2};
  const ListenerId web = registry.listener_id("web");
  const ListenerId mail = registry.listener_id("mail");
  EXPECT_NE(web, mail);
  EXPECT_EQ(registry.listener_id("web"), web);
  const UpstreamId app =
      registry.upstream_id("web");  // names of listeners and upstreams have nothing to do with each other
  EXPECT_EQ(registry.upstream_id("web"), app);
  EXPECT_NE(registry.upstream_id("other"), app);
  EXPECT_EQ(registry.upstream_count(), 2U);
}

TEST(Registry, AnEndpointIsItsUpstreamItsNameAndItsAddress) {
  Registry registry{1};
  const auto first = registry.endpoint("app", "a", "10.0.0.1:80");
  const auto again = registry.endpoint("app", "a", "10.0.0.1:80");
  EXPECT_EQ(first.id, again.id);
  EXPECT_EQ(&first.state, &again.state);
  const auto moved = registry.endpoint("app", "a", "10.0.0.2:80");
  const auto renamed = registry.endpoint("app", "b", "10.0.0.1:80");
  const auto elsewhere = registry.endpoint("other", "a", "10.0.0.1:80");
  for (const auto& other : {moved, renamed, elsewhere}) {
    EXPECT_NE(other.id, first.id);
    EXPECT_NE(&other.state, &first.state);
  }
  EXPECT_NE(moved.id, renamed.id);
  EXPECT_NE(renamed.id, elsewhere.id);
}

TEST(Registry, MakesStatesWithCountersForEachWorker) {
  Registry registry{3};
  EXPECT_EQ(registry.listener_state(registry.listener_id("web")).workers(), 3U);
  EXPECT_EQ(registry.endpoint("app", "a", "a").state.workers(), 3U);
}

TEST(Registry, SharesStatesAcrossSnapshots) {
  Registry registry{1};
  const Snapshot first = naming(registry, {"web"}, {"a", "b"});
  registry.retain(first);
  first.upstreams[0]->endpoints[0].state->counters(0).picked.add(7);
  const Snapshot second = naming(registry, {"web", "mail"}, {"b", "a"});
  registry.retain(second);
  EXPECT_EQ(second.listeners[0].state, first.listeners[0].state);
  EXPECT_EQ(second.upstreams[0]->endpoints[1].state, first.upstreams[0]->endpoints[0].state);
  EXPECT_EQ(second.upstreams[0]->endpoints[1].state->counters(0).picked.read(), 7U);
  registry.release(first);
  EXPECT_EQ(registry.sweep(), 0U);
  // Still there: the second names it.
  EXPECT_EQ(registry.endpoint("app", "a", "a").state.counters(0).picked.read(), 7U);
  registry.release(second);
}

TEST(Registry, SweepsWhatNoSnapshotAndNoLeaseNames) {
  Registry registry{1};
  const Snapshot first = naming(registry, {"web"}, {"a", "b"});
  registry.retain(first);
  const EndpointId old_a = first.upstreams[0]->endpoints[0].id;
  const EndpointId old_b = first.upstreams[0]->endpoints[1].id;
  first.upstreams[0]->endpoints[0].state->counters(0).picked.add(5);
  first.upstreams[0]->endpoints[1].state->counters(0).picked.add(5);
  const Lease lease{*first.upstreams[0]->endpoints[1].state};

  const Snapshot second = naming(registry, {"web"}, {});
  registry.retain(second);
  EXPECT_EQ(registry.sweep(), 0U);  // The first names everything yet, so nothing lingers.
  registry.release(first);
  EXPECT_EQ(registry.sweep(), 1U);  // b, for the Lease

  const auto a = registry.endpoint("app", "a", "a");
  EXPECT_NE(a.id, old_a) << "an id was given out again";
  EXPECT_EQ(a.state.counters(0).picked.read(), 0U);
  const auto b = registry.endpoint("app", "b", "b");
  EXPECT_EQ(b.id, old_b);
  EXPECT_EQ(b.state.counters(0).picked.read(), 5U);
  registry.release(second);
}

TEST(Registry, AStateThatLingersGoesWhenItsLeaseEnds) {
  Registry registry{1};
  const Snapshot snapshot = naming(registry, {}, {"a"});
  registry.retain(snapshot);
  Lease lease{*snapshot.upstreams[0]->endpoints[0].state};
  registry.release(snapshot);
  EXPECT_EQ(registry.sweep(), 1U);
  EXPECT_EQ(registry.sweep(), 1U);
  lease.end();
  EXPECT_EQ(registry.sweep(), 0U);
  EXPECT_NE(registry.endpoint("app", "a", "a").id, snapshot.upstreams[0]->endpoints[0].id);
}

TEST(Registry, AStateThatIsNamedAgainInTimeStays) {
  Registry registry{1};
  const Snapshot first = naming(registry, {}, {"a"});
  registry.retain(first);
  const Lease lease{*first.upstreams[0]->endpoints[0].state};
  registry.release(first);
  EXPECT_EQ(registry.sweep(), 1U);
  const Snapshot second = naming(registry, {}, {"a"});
  registry.retain(second);
  EXPECT_EQ(second.upstreams[0]->endpoints[0].state, &lease.state());
  EXPECT_EQ(registry.sweep(), 0U);
  registry.release(second);
}

TEST(Registry, KeepsAListenersStateWhileSessionsAreLeft) {
  Registry registry{1};
  const Snapshot snapshot = naming(registry, {"web"}, {});
  registry.retain(snapshot);
  ListenerState& state = *snapshot.listeners[0].state;
  state.counters(0).connections_total.add(3);
  state.connections.store(1, std::memory_order_relaxed);
  registry.release(snapshot);
  EXPECT_EQ(registry.sweep(), 1U);
  EXPECT_EQ(&registry.listener_state(registry.listener_id("web")), &state);
  state.connections.store(0, std::memory_order_relaxed);
  EXPECT_EQ(registry.sweep(), 0U);
  const ListenerId id = registry.listener_id("web");
  EXPECT_EQ(id, snapshot.listeners[0].id) << "the name keeps its id for good";
  EXPECT_EQ(registry.listener_state(id).counters(0).connections_total.read(), 0U);
}

TEST(Registry, KeepsAnEndpointsStateWhilePooledConnectionsAreLeft) {
  Registry registry{1};
  const Snapshot snapshot = naming(registry, {}, {"a"});
  registry.retain(snapshot);
  EndpointState& state = *snapshot.upstreams[0]->endpoints[0].state;
  state.pooled.store(1, std::memory_order_relaxed);
  registry.release(snapshot);
  EXPECT_EQ(registry.sweep(), 1U);
  EXPECT_EQ(&registry.endpoint("app", "a", "a").state, &state);
  state.pooled.store(0, std::memory_order_relaxed);
  EXPECT_EQ(registry.sweep(), 0U);
}

TEST(Registry, KeepsAStickTableAcrossReloadsOfTheSameSize) {
  Registry registry{1};
  const UpstreamId app = registry.upstream_id("app");
  const auto table = registry.stick_table(app, 1024);
  EXPECT_EQ(table->capacity(), 1024U);
  registry.sweep();
  EXPECT_EQ(registry.stick_table(app, 1024), table) << "somebody still has it";
  EXPECT_NE(registry.stick_table(registry.upstream_id("other"), 1024), table);
}

TEST(Registry, AnotherSizeIsAnotherTableAndTheOldOneStaysForItsUsers) {
  Registry registry{1};
  const UpstreamId app = registry.upstream_id("app");
  auto small = registry.stick_table(app, 1024);
  const std::weak_ptr<StickTable> watched = small;
  // A reload asks for a larger one and is refused: nobody keeps that, and the old one is there as before.
  EXPECT_EQ(registry.stick_table(app, 4096)->capacity(), 4096U);
  registry.sweep();
  EXPECT_EQ(registry.stick_table(app, 1024), small);
  // It is taken: the old one lives as long as a Snapshot shares it, and not longer.
  const auto large = registry.stick_table(app, 4096);
  registry.sweep();
  EXPECT_FALSE(watched.expired());
  small.reset();
  registry.sweep();
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(registry.stick_table(app, 4096), large);
}

TEST(Registry, KeepsARateTableForTheSameRuleAtTheSamePlace) {
  Registry registry{1};
  const RateRule rule{RateAlgorithm::token_bucket, 5, std::chrono::seconds{1}, 5};
  const auto table = registry.rate_table("web\n1", rule, 2048);
  EXPECT_EQ(table->rule(), rule);
  EXPECT_EQ(table->capacity(), 2048U);
  EXPECT_EQ(registry.rate_table("web\n1", rule, 2048), table);
  EXPECT_NE(registry.rate_table("web\n2", rule, 2048), table);
  EXPECT_NE(registry.rate_table("web\n1", rule, 4096), table);
  // Each part of a rule makes another one of it.
  for (const RateRule& other : {RateRule{RateAlgorithm::sliding_window, 5, std::chrono::seconds{1}, 5},
                                RateRule{RateAlgorithm::token_bucket, 6, std::chrono::seconds{1}, 5},
                                RateRule{RateAlgorithm::token_bucket, 5, std::chrono::seconds{2}, 5},
                                RateRule{RateAlgorithm::token_bucket, 5, std::chrono::seconds{1}, 6}}) {
    const auto another = registry.rate_table("web\n1", other, 2048);
    EXPECT_NE(another, table);
    EXPECT_EQ(another->rule(), other);
  }
}

TEST(Registry, SweepsRateTablesThatNobodyHas) {
  Registry registry{1};
  const RateRule rule{RateAlgorithm::token_bucket, 1, std::chrono::hours{1}, 1};
  auto table = registry.rate_table("web\n1", rule, 1024);
  EXPECT_TRUE(table->take(42, Instant{std::chrono::hours{2}}).admitted);
  registry.sweep();
  EXPECT_EQ(registry.rate_table("web\n1", rule, 1024), table);
  const std::weak_ptr<RateTable> watched = table;
  table.reset();
  registry.sweep();
  EXPECT_TRUE(watched.expired());
  // A new one, in which nothing was begun.
  EXPECT_TRUE(registry.rate_table("web\n1", rule, 1024)->take(42, Instant{std::chrono::hours{2}}).admitted);
}

TEST(Registry, CountsClientsInOneTableForAsLongAsTheListenerIsThere) {
  Registry registry{1};
  const ListenerId web = registry.listener_id("web");
  EXPECT_EQ(registry.listener_state(web).clients, nullptr);
  registry.count_clients(web, 2048);
  const ClientTable* clients = registry.listener_state(web).clients.get();
  ASSERT_NE(clients, nullptr);
  EXPECT_EQ(clients->capacity(), 2048U);
  registry.count_clients(web, 65536);
  EXPECT_EQ(registry.listener_state(web).clients.get(), clients);
  EXPECT_EQ(registry.listener_state(registry.listener_id("mail")).clients, nullptr);
}

TEST(Registry, DrawsASecretOfItsOwn) {
  const Registry one{1};
  const Registry other{1};
  EXPECT_GE(one.sticky_secret().size(), 16U);
  EXPECT_NE(one.sticky_secret(), other.sticky_secret());
  EXPECT_EQ((Registry{1, "given"}.sticky_secret()), "given");
}

TEST(RegistryDeathTest, ReleasingTwiceIsABug) {
  Registry registry{1};
  const Snapshot snapshot = naming(registry, {"web"}, {"a"});
  registry.retain(snapshot);
  registry.release(snapshot);
  EXPECT_DEATH(registry.release(snapshot), "assertion failed: listener.state->snapshots > 0");
}

TEST(Snapshot, FindsByIdWhatIsThere) {
  Registry registry{1};
  const UpstreamId gone = registry.upstream_id("gone");
  Snapshot snapshot = naming(registry, {"web", "mail"}, {"a"});
  snapshot.upstream_by_id = {~uint32_t{0}, 0};
  EXPECT_EQ(snapshot.find(gone), nullptr);
  EXPECT_EQ(snapshot.find(registry.upstream_id("app")), snapshot.upstreams[0].get());
  EXPECT_EQ(snapshot.find(registry.upstream_id("later")), nullptr);
  EXPECT_EQ(snapshot.find(registry.listener_id("mail")), &snapshot.listeners[1]);
  EXPECT_EQ(snapshot.find(registry.listener_id("none")), nullptr);
}

TEST(ListenSockets, AreOnePerWorkerOrOneForAll) {
  ListenSockets sockets;
  sockets.fds.emplace_back(-1);
  EXPECT_EQ(sockets.fd_of(0), sockets.fd_of(5));
  sockets.fds.emplace_back(-1);
  sockets.fds[0].reset(1'000'001);  // numbers that no descriptor has; released below
  sockets.fds[1].reset(1'000'002);
  EXPECT_EQ(sockets.fd_of(0), 1'000'001);
  EXPECT_EQ(sockets.fd_of(1), 1'000'002);
  for (Fd& fd : sockets.fds) fd.release();
}

}  // namespace
}  // namespace weir
