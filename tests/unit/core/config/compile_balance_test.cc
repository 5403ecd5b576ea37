// What a Config says of balancing, as it arrives in the Snapshot.
#include "core/config/compile_balance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/config/compile.h"
#include "core/model/lease.h"
#include "tests/unit/net/io/loopback.h"

namespace weir::config {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

const Instant start{seconds{1000}};

EndpointConfig endpoint(std::string name, Metadata metadata = {}, uint8_t tier = 0, std::string zone = "") {
  EndpointConfig config;
  config.name = std::move(name);
  config.address = address_of("10.0.0.1:80");
  config.tier = tier;
  config.zone = std::move(zone);
  config.metadata = std::move(metadata);
  return config;
}

UpstreamConfig upstream(std::string name, std::vector<EndpointConfig> endpoints, std::string balance = "round_robin") {
  UpstreamConfig config;
  config.name = std::move(name);
  config.endpoints = std::move(endpoints);
  config.balance = std::move(balance);
  return config;
}

ListenerConfig listener(std::string name, std::string to, Metadata subset = {},
                        SubsetFallback fallback = SubsetFallback::none) {
  ListenerConfig config;
  config.name = std::move(name);
  config.address = address_of("127.0.0.1:0");
  config.upstream = std::move(to);
  config.subset = std::move(subset);
  config.subset_fallback = fallback;
  return config;
}

class CompileBalance : public testing::Test {
 protected:
  const Snapshot& compiled(const Config& config, Instant now = start) {
    auto result = compile(config, {100}, ++generation_, now, registry);
    EXPECT_TRUE(result) << result.error();
    if (result) snapshot = std::move(*result);
    return *snapshot;
  }
  std::string refusal(const Config& config) {
    const auto result = compile(config, {100}, generation_ + 1, start, registry);
    EXPECT_FALSE(result) << "it compiles";
    return result ? "" : result.error();
  }
  const Upstream& only(const UpstreamConfig& config) {
    Config whole;
    whole.upstreams.push_back(config);
    return *compiled(whole).upstreams[0];
  }

  Registry registry{2, "secret"};
  std::unique_ptr<Snapshot> snapshot;

 private:
  uint64_t generation_ = 0;
};

TEST_F(CompileBalance, BringsEveryFieldOfAnUpstream) {
  UpstreamConfig config = upstream("app", {endpoint("a"), endpoint("b", {{"k", "v"}}, 3)}, "two_choices");
  config.endpoints[1].weight = 7;
  config.endpoints[1].max_connections = 50;
  config.maglev_table_size = 251;
  config.ring_points = 9;
  config.two_choices = {3, LoadMeasure::latency};
  config.latency_decay = seconds{4};
  config.resource_aware.expiry = seconds{5};
  config.zone_aware = {"least_time", 200};
  config.slow_start = seconds{60};
  config.slow_start_from = 20;
  config.panic_threshold = 30;
  config.backup_threshold = 40;
  const Upstream& app = only(config);
  EXPECT_EQ(app.algorithm, "two_choices");
  EXPECT_EQ(app.state, &registry.upstream_state(app.id));
  EXPECT_EQ(app.picker_options.maglev_table_size, 251U);
  EXPECT_EQ(app.picker_options.ring_points, 9U);
  EXPECT_EQ(app.picker_options.choices, 3U);
  EXPECT_EQ(app.picker_options.load, LoadMeasure::latency);
  EXPECT_EQ(app.picker_options.latency_decay, seconds{4});
  EXPECT_EQ(app.picker_options.score_expiry, seconds{5});
  EXPECT_EQ(app.picker_options.zone_inside, "least_time");
  EXPECT_EQ(app.picker_options.overprovision, 200U);
  EXPECT_EQ(app.share_rules.slow_start, seconds{60});
  EXPECT_EQ(app.share_rules.slow_start_from, 20U);
  EXPECT_EQ(app.share_rules.panic_threshold, 30U);
  EXPECT_EQ(app.share_rules.backup_threshold, 40U);
  ASSERT_EQ(app.endpoints.size(), 2U);
  const Endpoint& b = app.endpoints[1];
  EXPECT_EQ(b.configured_weight, 7U);
  EXPECT_EQ(b.weight, 7U);
  EXPECT_EQ(b.configured_connections_max, 50U);
  EXPECT_EQ(b.connections_max, 50U);
  EXPECT_EQ(b.tier, 3);
  EXPECT_EQ(b.metadata, (Metadata{{"k", "v"}}));
  EXPECT_TRUE(b.takes_sessions);
  // What pickers read is the same, side by side.
  ASSERT_EQ(app.candidates.size(), 2U);
  EXPECT_EQ(app.candidates[1].state, b.state);
  EXPECT_EQ(app.candidates[1].id, b.id);
  EXPECT_EQ(app.candidates[1].share, 7 * share_of_one);
  EXPECT_EQ(app.candidates[1].connections_max, 50U);
  EXPECT_THAT(app.shares.levels, ElementsAre(0, 3));
  EXPECT_NE(app.picker, nullptr);
}

TEST_F(CompileBalance, HashesByWhatItWasTold) {
  struct Row {
    KeySource written;
    std::string name;
  };
  using Kind = KeySource::Kind;
  for (const Row& row :
       {Row{{Kind::header, "X-User-ID"}, "x-user-id"}, Row{{Kind::cookie, "SessionID"}, "SessionID"},
        Row{{Kind::query, "User"}, "User"}, Row{{Kind::client_ip, ""}, ""}, Row{{Kind::path, ""}, ""}}) {
    UpstreamConfig config = upstream("app", {endpoint("a")}, "maglev");
    config.hash_by = row.written;
    const Upstream& app = only(config);
    EXPECT_EQ(app.hash_by.kind, row.written.kind);
    EXPECT_EQ(app.hash_by.name, row.name);
    EXPECT_TRUE(app.picker->wants_key());
  }
}

TEST_F(CompileBalance, ReadsScoresOnlyWhereTheyCount) {
  UpstreamConfig config = upstream("app", {endpoint("a", {}, 0, "here")});
  config.resource_aware.header = "X-Load";
  config.zone_aware.inside = "resource_aware";
  for (const std::string_view balance : {"round_robin", "two_choices", "maglev", "least_time"}) {
    config.balance = balance;
    EXPECT_EQ(only(config).score_header, "") << balance;
  }
  for (const std::string_view balance : {"resource_aware", "zone_aware"}) {
    config.balance = balance;
    EXPECT_EQ(only(config).score_header, "x-load") << balance;
  }
  config.zone_aware.inside = "round_robin";
  EXPECT_EQ(only(config).score_header, "");
}

TEST_F(CompileBalance, CountsTotalsWhereLoadIsBounded) {
  UpstreamConfig config = upstream("app", {endpoint("a"), endpoint("b")}, "ring_hash");
  const Upstream* app = &only(config);
  EXPECT_EQ(app->endpoints[0].state->total.load(std::memory_order_relaxed), nullptr);
  config.bounded_load = 1.5;
  app = &only(config);
  EXPECT_EQ(app->picker_options.bounded_load, 1.5);
  const Lease first{*app->endpoints[0].state};
  const Lease second{*app->endpoints[1].state};
  EXPECT_EQ(app->state->connections.load(std::memory_order_relaxed), 2U);
}

// --- zones ----------------------------------------------------------------------------------------------------------

TEST_F(CompileBalance, ZonesHaveTheNumbersOfTheirNames) {
  Config config;
  config.upstreams.push_back(
      upstream("app", {endpoint("a", {}, 0, "south"), endpoint("b"), endpoint("c", {}, 0, "north")}));
  config.upstreams.push_back(upstream("api", {endpoint("d", {}, 0, "east"), endpoint("e", {}, 0, "south")}));
  EXPECT_THAT(zone_names(config), ElementsAre("east", "north", "south"));
  const Snapshot& made = compiled(config);
  EXPECT_EQ(made.upstreams[0]->endpoints[0].zone, ZoneId{2});
  EXPECT_EQ(made.upstreams[0]->endpoints[1].zone, no_zone);
  EXPECT_EQ(made.upstreams[0]->endpoints[2].zone, ZoneId{1});
  EXPECT_EQ(made.upstreams[1]->endpoints[0].zone, ZoneId{0});
  EXPECT_EQ(made.upstreams[1]->endpoints[1].zone, ZoneId{2});
  EXPECT_EQ(made.zones, nullptr) << "nobody says where clients are";
}

TEST_F(CompileBalance, ClientsAreInTheZonesOfEndpoints) {
  Config config;
  config.upstreams.push_back(
      upstream("app", {endpoint("a", {}, 0, "south"), endpoint("b", {}, 0, "north")}, "zone_aware"));
  ZoneNetworksConfig north{"north", {}};
  north.networks.blocks = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("fd00::/8")};
  ZoneNetworksConfig south{"south", {}};
  south.networks.blocks = {*Cidr::parse("10.1.0.0/16")};
  ZoneNetworksConfig nowhere{"nowhere", {}};
  nowhere.networks.blocks = {*Cidr::parse("10.2.0.0/16")};
  config.zones.networks = {north, south, nowhere};
  config.zones.otherwise = "south";
  const Snapshot& made = compiled(config);
  ASSERT_NE(made.zones, nullptr);
  const auto zone_of = [&](const char* client) {
    return made.zones->zone_of(PeerAddress::from(address_of(client).data()));
  };
  const Upstream& app = *made.upstreams[0];
  EXPECT_EQ(zone_of("10.9.9.9:1"), app.endpoints[1].zone);
  EXPECT_EQ(zone_of("10.1.9.9:1"), app.endpoints[0].zone);
  EXPECT_EQ(zone_of("[fd00::1]:1"), app.endpoints[1].zone);
  EXPECT_EQ(zone_of("10.2.0.1:1"), no_zone) << "its zone has no endpoints";
  EXPECT_EQ(zone_of("192.0.2.1:1"), app.endpoints[0].zone);
  EXPECT_TRUE(app.picker->wants_zone());
}

TEST_F(CompileBalance, AFileOfZonesThatIsGoneIsAnError) {
  Config config;
  config.upstreams.push_back(upstream("app", {endpoint("a", {}, 0, "south")}));
  config.zones.maxmind = "/nowhere/zones.mmdb";
  EXPECT_THAT(refusal(config), HasSubstr("/nowhere/zones.mmdb"));
}

TEST_F(CompileBalance, APluginThatIsGoneIsAnError) {
  Config config;
  config.upstreams.push_back(upstream("app", {endpoint("a")}, "plugin"));
  config.upstreams[0].plugin = PluginConfig{"/nowhere/plugin.so", ""};
  EXPECT_THAT(refusal(config), HasSubstr("/nowhere/plugin.so"));
}

// --- subsets --------------------------------------------------------------------------------------------------------

const Metadata stable{{"version", "stable"}};
const Metadata canary{{"version", "canary"}};

Config with_subsets() {
  Config config;
  config.upstreams.push_back(upstream("app", {endpoint("a", {{"rack", "1"}, {"version", "stable"}}),
                                              endpoint("b", canary), endpoint("c"), endpoint("d", stable, 1)}));
  return config;
}

std::vector<std::string> names_of(const Upstream& upstream) {
  std::vector<std::string> names;
  for (const Endpoint& endpoint : upstream.endpoints) names.push_back(endpoint.name);
  return names;
}

TEST(CompileSubsets, AreThoseWhoHaveAllOfIt) {
  const EndpointConfig config = endpoint("a", {{"a", "1"}, {"b", "2"}, {"c", ""}});
  const std::vector<std::pair<Metadata, bool>> table{
      {{}, true},
      {{{"a", "1"}}, true},
      {{{"a", "1"}, {"c", ""}}, true},
      {{{"a", "1"}, {"b", "2"}, {"c", ""}}, true},
      {{{"a", "2"}}, false},
      {{{"a", ""}}, false},
      {{{"c", "x"}}, false},
      {{{"a", "1"}, {"d", "1"}}, false},
      {{{"", ""}}, false},
  };
  for (const auto& [subset, inside] : table) EXPECT_EQ(is_in_subset(config, subset), inside) << subset.size();
}

TEST(CompileSubsets, HaveNamesOfTheirOwn) {
  const std::vector<SubsetOf> all{
      {"app", {}, SubsetFallback::none},
      {"app", {{"a", "b"}}, SubsetFallback::none},
      {"app", {{"a", "b"}}, SubsetFallback::any},
      {"app", {{"a", ""}}, SubsetFallback::none},
      {"app", {{"a", ""}}, SubsetFallback::any},
      {"app", {{"a", "b"}, {"c", "d"}}, SubsetFallback::none},
      {"app", {{"a", "b"}, {"", ""}}, SubsetFallback::none},
      {"api", {{"a", "b"}}, SubsetFallback::none},
  };
  std::set<std::string> names;
  for (const SubsetOf& each : all) EXPECT_TRUE(names.insert(registry_name(each)).second) << registry_name(each);
  EXPECT_EQ(registry_name(all[0]), "app");
}

TEST_F(CompileBalance, SubsetsAreUpstreamsOfTheirOwn) {
  Config config = with_subsets();
  config.listeners.push_back(listener("whole", "app"));
  config.listeners.push_back(listener("stable", "app", stable));
  config.listeners.push_back(listener("again", "app", stable));
  const Snapshot& made = compiled(config);
  ASSERT_EQ(made.upstreams.size(), 2U) << "each subset once";
  EXPECT_EQ(upstream_count(made), 1U);
  const Upstream& whole = *made.upstreams[0];
  const Upstream& part = *made.upstreams[1];
  EXPECT_FALSE(whole.is_subset);
  EXPECT_TRUE(part.is_subset);
  EXPECT_EQ(part.name, "app");
  EXPECT_NE(part.id, whole.id);
  EXPECT_NE(part.state, whole.state);
  EXPECT_THAT(names_of(whole), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(names_of(part), ElementsAre("a", "d"));
  EXPECT_EQ(part.endpoints[0].state, whole.endpoints[0].state);
  EXPECT_EQ(part.endpoints[0].id, whole.endpoints[0].id);
  EXPECT_EQ(part.endpoints[1].state, whole.endpoints[3].state);
  EXPECT_EQ(part.endpoints[1].tier, 1);

  EXPECT_EQ(made.find(made.listeners[0].upstream), &whole);
  EXPECT_EQ(made.find(made.listeners[1].upstream), &part);
  EXPECT_EQ(made.find(made.listeners[2].upstream), &part);
}

TEST_F(CompileBalance, TheOthersStandBehindASubsetThatTakesAny) {
  Config config = with_subsets();
  config.listeners.push_back(listener("none", "app", stable));
  config.listeners.push_back(listener("any", "app", stable, SubsetFallback::any));
  const Snapshot& made = compiled(config);
  ASSERT_EQ(made.upstreams.size(), 3U);
  const Upstream& any = *made.find(made.listeners[1].upstream);
  EXPECT_NE(any.id, made.listeners[0].upstream);
  EXPECT_THAT(names_of(any), ElementsAre("a", "b", "c", "d"));
  // First those of the subset, its own backups next, the others behind them all.
  EXPECT_EQ(any.shares.tiers_in_use, 1U);
  EXPECT_EQ(any.shares.levels[0], 0);
  EXPECT_LT(any.shares.levels[0], any.shares.levels[3]);
  EXPECT_LT(any.shares.levels[3], any.shares.levels[1]);
  EXPECT_EQ(any.shares.levels[1], any.shares.levels[2]);

  // And that is how they are asked.
  const auto state = any.picker->make_state(1, nullptr);
  TriedEndpoints tried;
  const auto next = [&] {
    const uint32_t index = any.picker->pick(*state, {.candidates = any.candidates, .tried = tried, .now = start});
    if (index == no_endpoint) return std::string{"nobody"};
    tried.add(any.endpoints[index].id);
    return any.endpoints[index].name;
  };
  EXPECT_EQ(next(), "a");
  EXPECT_EQ(next(), "d");
  EXPECT_THAT((std::set<std::string>{next(), next()}), ElementsAre("b", "c"));
  EXPECT_EQ(next(), "nobody");
}

TEST_F(CompileBalance, RoutesAndSplitsLeadToSubsets) {
  Config config = with_subsets();
  config.listeners.push_back(listener("web", "app", canary));
  config.listeners[0].mode = Mode::http;
  RouteConfig one;
  one.upstream = "app";
  one.subset = stable;
  RouteConfig two;
  two.split = {{"app", canary, SubsetFallback::none, 5},
               {"app", {}, SubsetFallback::none, 95},
               {"app", {{"rack", "1"}}, SubsetFallback::any, 0}};
  config.listeners[0].routes = {one, two};
  const Snapshot& made = compiled(config);
  EXPECT_EQ(made.upstreams.size(), 4U);
  const HttpListener& http = *made.listeners[0].http;
  const auto names_at = [&](UpstreamId id) { return names_of(*made.find(id)); };
  ASSERT_EQ(http.routes.size(), 2U);
  EXPECT_THAT(names_at(http.routes[0]->split[0].upstream), ElementsAre("a", "d"));
  ASSERT_EQ(http.routes[1]->split.size(), 2U) << "a share of 0 is nobody's";
  EXPECT_THAT(names_at(http.routes[1]->split[0].upstream), ElementsAre("b"));
  EXPECT_THAT(names_at(http.routes[1]->split[1].upstream), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(names_at(http.otherwise->split[0].upstream), ElementsAre("b"));
  EXPECT_EQ(http.otherwise->split[0].upstream, http.routes[1]->split[0].upstream);
}

TEST_F(CompileBalance, IdsOfSubsetsStayAcrossReloads) {
  Config config = with_subsets();
  config.listeners = {listener("s", "app", stable), listener("c", "app", canary)};
  const Snapshot& first = compiled(config);
  const UpstreamId stable_id = first.listeners[0].upstream;
  const UpstreamId canary_id = first.listeners[1].upstream;
  UpstreamState* const state = first.find(canary_id)->state;
  config.listeners = {listener("c", "app", canary), listener("n", "app", {{"rack", "1"}})};
  config.upstreams.insert(config.upstreams.begin(), upstream("new", {endpoint("n")}));
  const Snapshot& second = compiled(config);
  EXPECT_EQ(second.listeners[0].upstream, canary_id);
  EXPECT_EQ(second.find(canary_id)->state, state);
  EXPECT_EQ(second.find(stable_id), nullptr) << "nobody names it any more";
  EXPECT_NE(second.listeners[1].upstream, stable_id) << "ids are not given out again";
  EXPECT_NE(second.listeners[1].upstream, canary_id);
}

TEST_F(CompileBalance, ASubsetOfABoundedUpstreamCountsInItsTotal) {
  Config config = with_subsets();
  config.upstreams[0].balance = "maglev";
  config.upstreams[0].bounded_load = 1.25;
  config.listeners.push_back(listener("s", "app", stable));
  const Snapshot& made = compiled(config);
  const Lease lease{*made.upstreams[1]->endpoints[0].state};
  EXPECT_EQ(made.upstreams[0]->state->connections.load(std::memory_order_relaxed), 1U);
  EXPECT_EQ(made.upstreams[1]->state->connections.load(std::memory_order_relaxed), 0U);
}

// --- newcomers ------------------------------------------------------------------------------------------------------

class CompileNewcomers : public CompileBalance {
 protected:
  // As the publisher does.
  const Snapshot& publish(const Config& config, Instant now) {
    std::unique_ptr<Snapshot> before = std::move(snapshot);
    compiled(config, now);
    registry.retain(*snapshot);
    if (before != nullptr) registry.release(*before);
    registry.sweep();
    return *snapshot;
  }
  static Config of(std::vector<EndpointConfig> endpoints) {
    Config config;
    config.upstreams.push_back(upstream("app", std::move(endpoints)));
    config.upstreams[0].slow_start = seconds{100};
    return config;
  }
  Instant since(size_t index) const { return snapshot->upstreams[0]->endpoints[index].state->standing.since; }
};

TEST_F(CompileNewcomers, NobodyIsSparedAtTheStart) {
  publish(of({endpoint("a"), endpoint("b")}), start);
  EXPECT_EQ(since(0), Instant::min());
  EXPECT_FALSE(snapshot->upstreams[0]->shares.ramping);
}

TEST_F(CompileNewcomers, WhoComesByAReloadStartsSlowly) {
  publish(of({endpoint("a")}), start);
  const Instant later = start + seconds{5};
  publish(of({endpoint("a"), endpoint("b")}), later);
  EXPECT_EQ(since(0), Instant::min());
  EXPECT_EQ(since(1), later);
  EXPECT_TRUE(snapshot->upstreams[0]->shares.ramping);
  EXPECT_THAT(snapshot->upstreams[0]->shares.each, ElementsAre(100, 10));
  // A reload in the middle of it changes nothing about when it came.
  publish(of({endpoint("a"), endpoint("b")}), later + seconds{50});
  EXPECT_EQ(since(1), later);
  EXPECT_THAT(snapshot->upstreams[0]->shares.each, ElementsAre(100, 55));
}

TEST_F(CompileNewcomers, WhoComesBackIsANewcomerAgain) {
  publish(of({endpoint("a"), endpoint("b")}), start);
  // A connection is left, so its state is, too.
  EndpointState* const state = snapshot->upstreams[0]->endpoints[1].state;
  const Lease lease{*state};
  state->standing.duty = Duty::maint;
  publish(of({endpoint("a")}), start + seconds{1});
  publish(of({endpoint("a"), endpoint("b")}), start + seconds{2});
  EXPECT_EQ(snapshot->upstreams[0]->endpoints[1].state, state);
  EXPECT_EQ(since(1), start + seconds{2});
  EXPECT_EQ(state->standing.duty, Duty::ready) << "what was said of it was said of another life";
}

TEST_F(CompileNewcomers, AnUpstreamThatIsNewItselfHasNoNewcomers) {
  publish(of({endpoint("a")}), start);
  Config config = of({endpoint("a")});
  config.upstreams.push_back(upstream("api", {endpoint("x")}));
  publish(config, start + seconds{1});
  EXPECT_EQ(snapshot->upstreams[1]->endpoints[0].state->standing.since, Instant::min());
}

TEST_F(CompileNewcomers, ASubsetSeesTheSameNewcomer) {
  Config config = of({endpoint("a", stable)});
  config.listeners.push_back(listener("s", "app", stable));
  publish(config, start);
  config.upstreams[0].endpoints.push_back(endpoint("b", stable));
  publish(config, start + seconds{7});
  EXPECT_EQ(since(1), start + seconds{7});
  EXPECT_EQ(snapshot->upstreams[1]->shares, snapshot->upstreams[0]->shares);
  // A subset that somebody names for the first time is not news to its endpoints.
  config.listeners.push_back(listener("t", "app", stable, SubsetFallback::any));
  publish(config, start + seconds{200});
  EXPECT_EQ(since(0), Instant::min());
  EXPECT_EQ(since(1), start + seconds{7});
}

TEST_F(CompileNewcomers, ARefusedReloadLeavesNoTrace) {
  publish(of({endpoint("a")}), start);
  Config config = of({endpoint("a"), endpoint("b")});
  config.upstreams.push_back(upstream("broken", {endpoint("x")}, "plugin"));
  config.upstreams[1].plugin = PluginConfig{"/nowhere/plugin.so", ""};
  refusal(config);
  registry.sweep();
  const Instant later = start + seconds{5};
  publish(of({endpoint("a"), endpoint("b")}), later);
  EXPECT_EQ(since(0), Instant::min());
  EXPECT_EQ(since(1), later);
}

}  // namespace
}  // namespace weir::config
