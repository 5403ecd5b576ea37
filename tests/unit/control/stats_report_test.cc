#include "control/stats_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <chrono>
#include <string>

#include "core/balance/reshare.h"
#include "core/base/fd.h"
#include "core/base/version.h"
#include "tests/unit/control/stats_world.h"

namespace weir {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const ProcessUsage usage{4711, "host7", 42, 12'345'678};

TEST(StatsInfo, HasHaproxysLines) {
  const StatsWorld world;
  const std::string text = info_text(world.view(), usage);
  EXPECT_THAT(text, ::testing::StartsWith("Name: weir\nVersion: " + std::string{version} + "\nNbthread: 2\n"));
  for (const char* line : {"\nPid: 4711\n", "\nUptime: 1d 2h03m04s\n", "\nUptime_sec: 93784\n", "\nUlimit-n: 20000\n",
                           "\nMaxconn: 9000\n", "\nCurrConns: 5\n", "\nCumConns: 42\n", "\nCumReq: 0\n",
                           "\nStopping: 0\n", "\nnode: host7\n", "\nTotalBytesOut: 70000\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("\n\n")));
}

TEST(StatsInfo, HasOurOwnLinesToo) {
  const StatsWorld world;
  const std::string text = info_text(world.view(), usage);
  for (const char* line : {"\nConfig: weir.yaml\n", "\nSnapshot: 5\n", "\nReloads: 4\n", "\nReloads_refused: 1\n",
                           "\nDescriptors: 42\n", "\nMemory_rss_bytes: 12345678\n", "\nOrigin_connections: 23\n",
                           "\nOrigin_connections_idle: 15\n", "\nExchanges_now: 8\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(StatsInfo, SumsRequestsOverListeners) {
  StatsWorld world;
  world.web.counters(0).requests.add(3);
  world.web.counters(1).requests.add(20);
  world.local.counters(1).requests.add(100);
  EXPECT_THAT(info_text(world.view(), usage), HasSubstr("\nCumReq: 123\n"));
}

TEST(StatsInfo, AsJsonSaysTheSameAndMoreOfEachWorker) {
  StatsWorld world;
  world.figures.draining = true;
  const std::string text = info_json(world.view(), usage);
  EXPECT_THAT(text, EndsWith("}\n"));
  const json info = json::parse(text);
  EXPECT_EQ(info["name"], "weir");
  EXPECT_EQ(info["pid"], 4711);
  EXPECT_EQ(info["uptime_s"], 93'784);
  EXPECT_EQ(info["workers"], 2);
  EXPECT_EQ(info["connections"], 5);
  EXPECT_EQ(info["connections_total"], 42);
  EXPECT_EQ(info["max_connections"], 9000);
  EXPECT_EQ(info["reloads"], 4);
  EXPECT_EQ(info["reloads_refused"], 1);
  EXPECT_EQ(info["snapshot"], 5);
  EXPECT_EQ(info["descriptors"], 42);
  EXPECT_EQ(info["memory_rss_bytes"], 12'345'678);
  EXPECT_EQ(info["draining"], true);
  ASSERT_EQ(info["worker"].size(), 2U);
  EXPECT_EQ(info["worker"][1]["cpu"], 3);
  EXPECT_EQ(info["worker"][0]["turns"], 1000);
  EXPECT_EQ(info["worker"][1]["close_reasons"]["done"], 36);
  EXPECT_EQ(info["worker"][1]["exchange_ends"]["unrouted"], 2);
  EXPECT_EQ(info["worker"][0]["exchange_ends"].size(), exchange_end_count);
}

TEST(StatsInfo, SpeaksOfTheAccessLogIfThereIsOne) {
  StatsWorld world;
  EXPECT_THAT(info_text(world.view(), usage), Not(HasSubstr("Access_log")));
  EXPECT_FALSE(json::parse(info_json(world.view(), usage)).contains("access_log"));

  AccessLogFigures log;
  log.lines.store(100, std::memory_order_relaxed);
  log.lost.store(7, std::memory_order_relaxed);
  log.bytes.store(20'000'000'000, std::memory_order_relaxed);
  log.reopened.store(2, std::memory_order_relaxed);
  world.figures.access_log = &log;
  EXPECT_THAT(info_text(world.view(), usage),
              EndsWith("\nAccess_log_lines: 100\nAccess_log_lost: 7\nAccess_log_bytes: 20000000000\n"
                       "Access_log_reopened: 2\n"));
  EXPECT_EQ(json::parse(info_json(world.view(), usage))["access_log"],
            json({{"lines", 100}, {"lost", 7}, {"bytes", 20'000'000'000}, {"reopened", 2}}));
}

TEST(StatsInfo, SaysWhatHttpHasOpen) {
  const StatsWorld world;
  const json info = json::parse(info_json(world.view(), usage));
  EXPECT_EQ(info["origin_connections"], 23);
  EXPECT_EQ(info["origin_connections_idle"], 15);
  EXPECT_EQ(info["exchanges_now"], 8);
  EXPECT_EQ(info["worker"][0]["origin_connections"], 20);
  EXPECT_EQ(info["worker"][1]["origin_connections_idle"], 1);
  EXPECT_EQ(info["worker"][0]["exchanges_now"], 6);
}

TEST(StatsInfo, EachWorkerHasEveryCounter) {
  const StatsWorld world;
  const json worker = json::parse(info_json(world.view(), usage))["worker"][0];
  size_t counters = 0;
  world.process.workers[0]->counters.for_each([&](const CounterName& name, const Counter& counter) {
    ++counters;
    EXPECT_EQ(worker[std::string{name.name}], counter.read()) << name.name;
  });
  EXPECT_GT(counters, 10U);
}

TEST(StatsJson, DescribesListeners) {
  const StatsWorld world;
  const json stat = json::parse(stat_json(world.view()));
  ASSERT_EQ(stat["listeners"].size(), 2U);
  const json& web = stat["listeners"][0];
  EXPECT_EQ(web["name"], "web");
  EXPECT_EQ(web["address"], "127.0.0.1:8080");  // what port 0 became
  EXPECT_EQ(web["mode"], "tcp");
  EXPECT_EQ(web["upstream"], "app");
  EXPECT_EQ(web["connections"], 4);
  EXPECT_EQ(web["max_connections"], 100);
  EXPECT_EQ(web["connections_total"], 40);
  EXPECT_EQ(web["bytes_in"], 1001);
  EXPECT_EQ(web["bytes_out"], 70'000);
  EXPECT_EQ(web["proxy_headers_bad"], 2);
  EXPECT_EQ(web["paused"], 1);
  EXPECT_EQ(stat["listeners"][1]["name"], "local, \"private\"");
  EXPECT_EQ(stat["listeners"][1]["address"], "unix:/run/x.sock");
}

TEST(StatsJson, DescribesListenersOfHttp) {
  StatsWorld world;
  world.add_upstream("other", 1);
  world.make_http(0, {route_to({1}), route_to({0, 1}), route_mirrored_to(1)});
  world.snapshot.listeners[1].upstream = no_upstream;
  world.make_http(1);
  const json listeners = json::parse(stat_json(world.view()))["listeners"];
  EXPECT_EQ(listeners[0]["mode"], "http");
  EXPECT_EQ(listeners[0]["upstream"], "app");
  EXPECT_EQ(listeners[0]["routes"], 3);
  EXPECT_EQ(listeners[1]["mode"], "http");
  EXPECT_TRUE(listeners[1]["upstream"].is_null());
  EXPECT_EQ(listeners[1]["routes"], 0);
}

TEST(StatsJson, AListenerOfTcpHasNoRoutes) {
  EXPECT_FALSE(json::parse(stat_json(StatsWorld{}.view()))["listeners"][0].contains("routes"));
}

TEST(StatsJson, DescribesUpstreamsAndTheirEndpoints) {
  const StatsWorld world;
  const json stat = json::parse(stat_json(world.view()));
  ASSERT_EQ(stat["upstreams"].size(), 1U);
  const json& app = stat["upstreams"][0];
  EXPECT_EQ(app["name"], "app");
  EXPECT_EQ(app["balance"], "round_robin");
  EXPECT_EQ(app["connections"], 5);
  ASSERT_EQ(app["endpoints"].size(), 2U);
  const json& first = app["endpoints"][0];
  EXPECT_EQ(first["name"], "e0");
  EXPECT_EQ(first["address"], "10.0.0.1:9000");
  EXPECT_EQ(first["weight"], 2);
  EXPECT_EQ(first["connections"], 4);
  EXPECT_EQ(first["connections_total"], 39);
  EXPECT_EQ(first["connect_errors"], 3);
  EXPECT_EQ(first["connect_timeouts"], 2);
  EXPECT_EQ(first["resets"], 1);
}

// What each endpoint gets, and why.
TEST(StatsJson, SaysWhatEndpointsGetAndWhy) {
  StatsWorld world;
  world.add_upstream("more", 4);
  Upstream& more = *world.upstreams[1];
  more.share_rules.panic_threshold = 10;
  for (size_t i = 0; i < 4; ++i) more.endpoints[i].configured_weight = 10;
  more.endpoints[3].tier = 1;
  more.endpoints[0].metadata = {{"rack", "1"}, {"version", "canary"}};
  EndpointState& state = *more.endpoints[0].state;
  state.standing.weight = 4;
  state.standing.health = 0.5;
  state.standing.capacity = 1.5;
  state.standing.agent_connections_max = 30;
  state.reported.report(0.25, world.now);
  state.at(0).latency.add(std::chrono::microseconds{200}, world.now, std::chrono::seconds{10});
  state.at(1).latency.add(std::chrono::microseconds{350}, world.now, std::chrono::seconds{10});
  more.endpoints[1].state->standing.duty = Duty::drain;
  more.endpoints[2].state->standing.up = false;
  reshare(more, world.now);
  const json upstream = json::parse(stat_json(world.view()))["upstreams"][1];
  EXPECT_EQ(upstream["panic"], false);
  EXPECT_EQ(upstream["panics"], 0);
  EXPECT_EQ(upstream["tiers_in_use"], 1);
  EXPECT_FALSE(upstream.contains("plugin"));

  const json& first = upstream["endpoints"][0];
  EXPECT_EQ(first["state"], "ready");
  EXPECT_EQ(first["weight"], 4);
  EXPECT_EQ(first["configured_weight"], 10);
  EXPECT_EQ(first["effective_weight"], 3.0);
  EXPECT_EQ(first["health"], 0.5);
  EXPECT_EQ(first["capacity"], 1.5);
  EXPECT_EQ(first["tier"], 0);
  EXPECT_EQ(first["in_play"], true);
  EXPECT_EQ(first["max_connections"], 30);
  EXPECT_EQ(first["latency_us"], 350);
  EXPECT_EQ(first["score"], 0.25);
  EXPECT_EQ(first["metadata"], json({{"rack", "1"}, {"version", "canary"}}));

  const json& backup = upstream["endpoints"][3];
  EXPECT_EQ(backup["tier"], 1);
  EXPECT_EQ(backup["effective_weight"], 10.0);
  EXPECT_EQ(backup["in_play"], false);
  EXPECT_EQ(backup["latency_us"], 0);
  EXPECT_TRUE(backup["score"].is_null());
  EXPECT_EQ(backup["metadata"], json::object());
  EXPECT_EQ(upstream["endpoints"][1]["state"], "drain");
  EXPECT_EQ(upstream["endpoints"][1]["effective_weight"], 0.0);
  EXPECT_EQ(upstream["endpoints"][1]["in_play"], false);
  EXPECT_EQ(upstream["endpoints"][2]["state"], "down");
}

TEST(StatsJson, AScoreThatIsOldIsNone) {
  StatsWorld world;
  world.upstreams[0]->endpoints[0].state->reported.report(0.25, world.now);
  EXPECT_EQ(json::parse(stat_json(world.view()))["upstreams"][0]["endpoints"][0]["score"], 0.25);
  world.now += std::chrono::seconds{11};
  EXPECT_TRUE(json::parse(stat_json(world.view()))["upstreams"][0]["endpoints"][0]["score"].is_null());
}

TEST(StatsJson, SaysThatThereIsPanic) {
  StatsWorld world;
  Upstream& app = *world.upstreams[0];
  app.share_rules.panic_threshold = 50;
  app.endpoints[0].state->standing.up = false;
  app.state->panics = 3;
  reshare(app, world.now);
  const json upstream = json::parse(stat_json(world.view()))["upstreams"][0];
  EXPECT_EQ(upstream["panic"], true);
  EXPECT_EQ(upstream["panics"], 3);
  EXPECT_EQ(upstream["endpoints"][0]["state"], "down");
  EXPECT_EQ(upstream["endpoints"][0]["in_play"], true);
}

// A subset is a part of an upstream, and is not counted once more.
TEST(StatsJson, SubsetsAreNoUpstreams) {
  StatsWorld world;
  world.add_upstream("app", 1);
  world.upstreams[1]->is_subset = true;
  world.make_http(0, {route_to({1})});
  EXPECT_EQ(json::parse(stat_json(world.view()))["upstreams"].size(), 1U);
  EXPECT_EQ(json::parse(info_json(world.view(), usage))["upstreams"], 1);
}

TEST(StatsJson, NamesEveryCloseReason) {
  const StatsWorld world;
  const json reasons = json::parse(stat_json(world.view()))["close_reasons"];
  EXPECT_EQ(reasons.size(), close_reason_count);
  EXPECT_EQ(reasons["done"], 36);
  EXPECT_EQ(reasons["idle_timeout"], 1);
  EXPECT_EQ(reasons["drain_timeout"], 0);
}

TEST(StatsJson, NamesEveryEndOfAnExchange) {
  const StatsWorld world;
  const json ends = json::parse(stat_json(world.view()))["exchange_ends"];
  EXPECT_EQ(ends.size(), exchange_end_count);
  EXPECT_EQ(ends["done"], 99);
  EXPECT_EQ(ends["unrouted"], 2);
  EXPECT_EQ(ends["client_left"], 0);
}

TEST(StatsJson, AListenerWhoseUpstreamIsGoneHasNone) {
  StatsWorld world;
  world.snapshot.listeners[0].upstream = UpstreamId{77};
  EXPECT_TRUE(json::parse(stat_json(world.view()))["listeners"][0]["upstream"].is_null());
}

TEST(StatsJson, ANameThatIsNoUtf8StaysPrintable) {
  StatsWorld world;
  world.snapshot.listeners[0].name = "we\xff";
  EXPECT_EQ(json::parse(stat_json(world.view()))["listeners"][0]["name"], "we\xef\xbf\xbd");
}

TEST(StatsActivity, ShowsSumsAndEachWorker) {
  const StatsWorld world;
  const std::string text = activity_text(world.view());
  for (const char* line :
       {"workers: 2\n", "\ncpu: [ 0 3 ]\n", "\nconnections: 5 [ 3 2 ]\n", "\naccepted: 42 [ 30 12 ]\n",
        "\nclosed_done: 36 [ 0 36 ]\n", "\norigin_connections_idle: 15 [ 14 1 ]\n", "\nexchanges_now: 8 [ 6 2 ]\n",
        "\nended_done: 99 [ 90 9 ]\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("\n\n")));
}

TEST(StatsVersion, IsTheVersion) {
  EXPECT_EQ(version_text(), std::string{version} + "\n");
  EXPECT_EQ(json::parse(version_json())["version"], version);
}

TEST(ProcessUsage, CountsDescriptors) {
  const uint64_t before = read_process_usage().descriptors;
  {
    const Fd one{::dup(0)};
    const Fd two{::dup(0)};
    ASSERT_TRUE(one && two);
    EXPECT_EQ(read_process_usage().descriptors, before + 2);
  }
  EXPECT_EQ(read_process_usage().descriptors, before);
  EXPECT_EQ(read_process_usage().pid, ::getpid());
}

TEST(ProcessUsage, SeesMemoryThatIsTouched) {
  const uint64_t before = read_process_usage().memory_rss_bytes;
  constexpr size_t size = size_t{64} << 20;
  const std::vector<char> touched(size, 'x');
  EXPECT_GT(read_process_usage().memory_rss_bytes, before + size / 2) << touched.back();
}

}  // namespace
}  // namespace weir
