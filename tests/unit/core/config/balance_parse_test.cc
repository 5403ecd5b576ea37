// The keys of balancing: what each takes, where it ends up, and what is said of what it does not take. That defaults
// and ranges agree with the schema is asked in schema_test.cc, for these as for all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/config/http_kinds.h"
#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// A file whose only upstream says so much more, on line 2. Requests go to it: all kinds of keys may be named.
std::string file_of(const std::string& upstream) {
  return "listeners: [{address: \":8080\", mode: http, upstream: app}]\n"
         "upstreams: [{name: app, endpoints: [10.0.0.1:80, 10.0.0.2:80], " +
         upstream + "}]\n";
}

UpstreamConfig taken(const std::string& text) {
  const ParseResult result = parse(text);
  EXPECT_TRUE(result.ok()) << text << result.render();
  return result.ok() ? result.config->upstreams[0] : UpstreamConfig{};
}

TEST(BalanceParse, WhatIsLeftOutHasItsDefault) {
  const UpstreamConfig app = taken(file_of("tries: 1"));
  EXPECT_EQ(app.hash_by.kind, KeySource::Kind::client_ip);
  EXPECT_EQ(app.bounded_load, 0);
  EXPECT_EQ(app.ring_points, 160U);
  EXPECT_EQ(app.latency_decay, seconds{10});
  EXPECT_EQ(app.two_choices.choices, 2U);
  EXPECT_EQ(app.two_choices.load, LoadMeasure::connections);
  EXPECT_EQ(app.resource_aware.header, "X-Weir-Score");
  EXPECT_EQ(app.resource_aware.expiry, seconds{10});
  EXPECT_EQ(app.zone_aware.inside, "round_robin");
  EXPECT_EQ(app.zone_aware.overprovision, 140U);
  EXPECT_EQ(app.adaptive.window, seconds{5});
  EXPECT_EQ(app.adaptive.windows, 3U);
  EXPECT_EQ(app.adaptive.margin, 10U);
  EXPECT_EQ(app.adaptive.requests, 100U);
  EXPECT_FALSE(app.plugin);
  EXPECT_EQ(app.slow_start, Duration::zero());
  EXPECT_EQ(app.slow_start_from, 10U);
  EXPECT_EQ(app.backup_threshold, 0U);
  EXPECT_EQ(app.panic_threshold, 0U);
  EXPECT_FALSE(app.agent);
  EXPECT_EQ(app.endpoints[0].max_connections, 0U);
  EXPECT_EQ(app.endpoints[0].tier, 0);
  EXPECT_EQ(app.endpoints[0].zone, "");
  EXPECT_THAT(app.endpoints[0].metadata, IsEmpty());

  const Config config = *parse(file_of("tries: 1")).config;
  EXPECT_THAT(config.zones.networks, IsEmpty());
  EXPECT_EQ(config.zones.maxmind, "");
  EXPECT_EQ(config.zones.field, "country.iso_code");
  EXPECT_EQ(config.zones.otherwise, "");
  EXPECT_THAT(config.listeners[0].subset, IsEmpty());
  EXPECT_EQ(config.listeners[0].subset_fallback, SubsetFallback::none);
}

TEST(BalanceParse, EveryFieldOfAnEndpointReachesItsMember) {
  const UpstreamConfig app = taken(R"(
listeners: [{address: ":8080", upstream: app}]
upstreams:
  - name: app
    backup_threshold: 70
    panic_threshold: 40
    slow_start: 90s
    slow_start_from: 25
    agent: {port: 9001, send: "who are you", interval: 2s, timeout: 300ms}
    endpoints:
      - {address: 10.0.0.1:80, max_connections: 200, tier: 0, zone: "north, rack 2"}
      - address: 10.0.0.2:80
        tier: 9
        metadata: {version: canary, build: 12, fast: true, "a name": ""}
)");
  EXPECT_EQ(app.backup_threshold, 70U);
  EXPECT_EQ(app.panic_threshold, 40U);
  EXPECT_EQ(app.slow_start, seconds{90});
  EXPECT_EQ(app.slow_start_from, 25U);
  ASSERT_TRUE(app.agent);
  EXPECT_EQ(app.agent->port, 9001);
  EXPECT_EQ(app.agent->send, "who are you");
  EXPECT_EQ(app.agent->interval, seconds{2});
  EXPECT_EQ(app.agent->timeout, milliseconds{300});
  EXPECT_EQ(app.endpoints[0].max_connections, 200U);
  EXPECT_EQ(app.endpoints[0].zone, "north, rack 2");
  EXPECT_EQ(app.endpoints[1].tier, 9);
  // Sorted by name; a number and a boolean are the text that stands there.
  EXPECT_THAT(app.endpoints[1].metadata,
              ElementsAre(Pair("a name", ""), Pair("build", "12"), Pair("fast", "true"), Pair("version", "canary")));
}

TEST(BalanceParse, EveryFieldOfAnAlgorithmReachesItsMember) {
  const UpstreamConfig ring =
      taken(file_of("balance: ring_hash, ring_points: 40, hash_by: \"header:X-User\", bounded_load: 1.25"));
  EXPECT_EQ(ring.balance, "ring_hash");
  EXPECT_EQ(ring.ring_points, 40U);
  EXPECT_EQ(ring.hash_by.kind, KeySource::Kind::header);
  EXPECT_EQ(ring.hash_by.name, "X-User");
  EXPECT_DOUBLE_EQ(ring.bounded_load, 1.25);

  const UpstreamConfig drawn =
      taken(file_of("balance: two_choices, latency_decay: 3s, "
                    "two_choices: {choices: 3, load: latency}"));
  EXPECT_EQ(drawn.two_choices.choices, 3U);
  EXPECT_EQ(drawn.two_choices.load, LoadMeasure::latency);
  EXPECT_EQ(drawn.latency_decay, seconds{3});

  const UpstreamConfig fit = taken(file_of("balance: resource_aware, resource_aware: {header: X-Load, expiry: 2s}"));
  EXPECT_EQ(fit.resource_aware.header, "X-Load");
  EXPECT_EQ(fit.resource_aware.expiry, seconds{2});

  const UpstreamConfig adapting =
      taken(file_of("balance: adaptive, adaptive: {window: 1m, windows: 2, margin: 5, requests: 9}"));
  EXPECT_EQ(adapting.adaptive.window, minutes{1});
  EXPECT_EQ(adapting.adaptive.windows, 2U);
  EXPECT_EQ(adapting.adaptive.margin, 5U);
  EXPECT_EQ(adapting.adaptive.requests, 9U);
}

TEST(BalanceParse, ZonesReachTheirMembers) {
  const ParseResult result = parse(R"(
listeners: [{address: ":8080", upstream: app}]
upstreams:
  - name: app
    balance: zone_aware
    zone_aware: {inside: least_time, overprovision: 200}
    endpoints: [{address: 10.0.0.1:80, zone: north}, {address: 10.0.0.2:80, zone: south}]
zones:
  networks:
    - {zone: north, networks: [10.1.2.3/8, "fd00::/8"]}
    - {zone: south, networks: 192.168.0.0/16}
  otherwise: north
)");
  ASSERT_TRUE(result.ok()) << result.render();
  const Config& config = *result.config;
  EXPECT_EQ(config.upstreams[0].zone_aware.inside, "least_time");
  EXPECT_EQ(config.upstreams[0].zone_aware.overprovision, 200U);
  ASSERT_EQ(config.zones.networks.size(), 2U);
  EXPECT_EQ(config.zones.networks[0].zone, "north");
  EXPECT_THAT(config.zones.networks[0].networks.blocks,
              ElementsAre(*Cidr::parse("10.0.0.0/8"), *Cidr::parse("fd00::/8")));
  EXPECT_THAT(config.zones.networks[1].networks.blocks, ElementsAre(*Cidr::parse("192.168.0.0/16")));
  EXPECT_EQ(config.zones.otherwise, "north");
}

TEST(BalanceParse, SubsetsReachWhoNamesThem) {
  const ParseResult result = parse(R"(
listeners:
  - address: ":8080"
    mode: http
    upstream: app
    subset: {version: stable, zone: a}
    routes:
      - {match: {path: /a}, upstream: app, subset: {version: canary}, subset_fallback: any}
      - match: {path: /b}
        split: [{upstream: app, subset: {version: canary}, weight: 1}, {upstream: app, weight: 9}]
upstreams:
  - name: app
    endpoints:
      - {address: 10.0.0.1:80, metadata: {zone: a, version: stable}}
      - {address: 10.0.0.2:80, metadata: {version: canary}}
)");
  ASSERT_TRUE(result.ok()) << result.render();
  const ListenerConfig& listener = result.config->listeners[0];
  EXPECT_THAT(listener.subset, ElementsAre(Pair("version", "stable"), Pair("zone", "a")));
  EXPECT_EQ(listener.subset_fallback, SubsetFallback::none);
  EXPECT_THAT(listener.routes[0].subset, ElementsAre(Pair("version", "canary")));
  EXPECT_EQ(listener.routes[0].subset_fallback, SubsetFallback::any);
  EXPECT_THAT(listener.routes[1].split[0].subset, ElementsAre(Pair("version", "canary")));
  EXPECT_THAT(listener.routes[1].split[1].subset, IsEmpty());
}

TEST(BalanceParse, HashKeysAreReadAndShown) {
  const KeyFrom kind{KeyFrom::Use::hash};
  for (const char* text : {"client_ip", "client_address", "path", "header:X-User", "cookie:id", "query:session"}) {
    KeySource source;
    const auto mistake = kind.read(text, source);
    EXPECT_FALSE(mistake) << text << ": " << mistake->message;
    EXPECT_EQ(kind.show(source), text);
  }
  // What decides by chance is no hash; and the words of hashing are no keys of a split, or of a session.
  KeySource kept{KeySource::Kind::cookie, "kept"};
  EXPECT_EQ(kind.read("random", kept)->fix,
            "write `client_ip`, `client_address`, `path`, `header:NAME`, "
            "`cookie:NAME` or `query:NAME`");
  for (const auto use : {KeyFrom::Use::split, KeyFrom::Use::session}) {
    for (const char* text : {"client_address", "path"}) EXPECT_TRUE(KeyFrom{use}.read(text, kept)) << text;
  }
  EXPECT_EQ(kept.name, "kept");
}

TEST(BalanceParse, FactorsAreReadAndShown) {
  const Factor kind{1.01, 100};
  struct Row {
    const char* text;
    double value;
    const char* shown;
  };
  for (const Row& row : {Row{"1.01", 1.01, "1.01"}, Row{"1.25", 1.25, "1.25"}, Row{"2", 2, "2"}, Row{"2.0", 2, "2"},
                         Row{"100", 100, "100"}, Row{"off", 0, "off"}}) {
    double value = -1;
    EXPECT_FALSE(kind.read(row.text, value)) << row.text;
    EXPECT_DOUBLE_EQ(value, row.value) << row.text;
    EXPECT_EQ(kind.show(value), row.shown);
  }
  for (const char* text : {"", "1", "1.0", "1.009", "0", "-2", "100.1", "1e1", "inf", "nan", "1.25x", " 1.25", "1,25",
                           "0x2", "Off", "125%"}) {
    double value = 7;
    const auto mistake = kind.read(text, value);
    ASSERT_TRUE(mistake) << text;
    EXPECT_FALSE(mistake->message.empty()) << text;
    EXPECT_FALSE(mistake->fix.empty()) << text;
    EXPECT_EQ(value, 7) << text;
  }
}

TEST(BalanceParse, PathsOfFilesAreReadAndShown) {
  const FilePath kind{"a shared object"};
  std::string path;
  EXPECT_FALSE(kind.read("/usr/lib/weir/my own.so", path));
  EXPECT_EQ(kind.show(path), "/usr/lib/weir/my own.so");
  EXPECT_FALSE(kind.read(std::string(4095, 'a'), path));
  const std::string before = path;
  EXPECT_EQ(kind.read("", path)->message, "the path of a shared object is empty");
  EXPECT_EQ(kind.read(std::string("a\0b", 3), path)->message, "a path cannot hold a NUL byte");
  EXPECT_EQ(kind.read(std::string(4096, 'a'), path)->message, "this path is too long for the kernel");
  EXPECT_EQ(path, before);
}

// What is written, the key of line 2 that is wrong, the message, the fix. The caret is under the value.
struct Bad {
  const char* upstream;
  const char* at;
  const char* message;
  const char* fix;
};

TEST(BalanceParse, SaysWhatIsWrongWithAValueAndWhere) {
  const std::vector<Bad> table{
      {"balance: maglev, hash_by: random", "random", "`random` is not known here",
       "write `client_ip`, `client_address`, `path`, `header:NAME`, `cookie:NAME` or `query:NAME`"},
      {"balance: maglev, hash_by: \"header:\"", "\"header:\"", "an empty value cannot be the name of a header",
       "use letters, digits, `-` and `_`"},
      {"balance: maglev, bounded_load: 1", "1}", "`1` is out of range", "write a number from 1.01 to 100, or `off`"},
      {"balance: maglev, bounded_load: much", "much", "`much` is not a factor", "write a number like 1.25, or `off`"},
      {"balance: ring_hash, ring_points: 0", "0}", "`0` is out of range", "write a number from 1 to 10000"},
      {"balance: least_time, latency_decay: 0", "0}", "`0` is out of range", "write a duration from 1ms to 1h"},
      {"balance: two_choices, two_choices: {choices: 17}", "17", "`17` is out of range", "write a number from 2 to 16"},
      {"balance: two_choices, two_choices: {load: requests}", "requests", "`requests` is not known here",
       "known here: `connections`, `latency`"},
      {"balance: two_choices, two_choices: [2]", "[2]", "`two_choices` must be a mapping, not a list", ""},
      {"balance: resource_aware, resource_aware: {header: \"a b\"}", "\"a b\"", "`a b` cannot be the name of a header",
       ""},
      {"balance: adaptive, adaptive: {window: 99ms}", "99ms", "`99ms` is out of range", ""},
      {"balance: adaptive, adaptive: {windows: 0}", "0}", "`0` is out of range", "write a number from 1 to 100"},
      {"balance: adaptive, adaptive: {margin: 101}", "101", "`101` is out of range", "write a number from 1 to 100"},
      {"balance: plugin, plugin: {options: x}", "{options", "the key `path` is missing here", ""},
      {"slow_start: fast", "fast", "`fast` is not a duration", ""},
      {"slow_start: 1s, slow_start_from: 0", "0}", "`0` is out of range", "write a number from 1 to 100"},
      {"panic_threshold: 101", "101", "`101` is out of range", "write a number from 0 to 100"},
      {"panic_threshold: 50%", "50%", "`50%` is not a whole number", ""},
      {"agent: {interval: 1s}", "{interval", "the key `port` is missing here", ""},
      {"agent: {port: 65536}", "65536", "`65536` is out of range", "write a number from 1 to 65535"},
      {"agent: {port: 1, interval: 10ms}", "10ms", "`10ms` is out of range", ""},
  };
  for (const Bad& row : table) {
    const std::string text = file_of(row.upstream);
    const ParseResult result = parse(text);
    SCOPED_TRACE(text + result.render());
    ASSERT_FALSE(result.ok());
    const Diagnostic& first = result.diagnostics.front();
    EXPECT_EQ(result.diagnostics.size(), 1U);
    EXPECT_EQ(first.line, 2U);
    EXPECT_EQ(first.column, text.find(row.at, text.find(row.upstream)) - text.find('\n'));
    EXPECT_EQ(first.message, row.message);
    EXPECT_FALSE(first.fix.empty());
    if (*row.fix == '\0') continue;
    EXPECT_EQ(first.fix, row.fix);
  }
}

// An endpoint alone on line 2.
TEST(BalanceParse, SaysWhatIsWrongWithAnEndpointAndWhere) {
  const std::string long_text(129, 'x');
  struct Row {
    std::string endpoint;
    std::string at;
    std::string message;
  };
  const std::vector<Row> table{
      {"tier: 10", "10}", "`10` is out of range"},
      {"max_connections: -1", "-1}", "`-1` is not a whole number"},
      {"zone: \"\"", "\"\"", "the name of a zone cannot be empty"},
      {"metadata: canary", "canary", "`metadata` must be a mapping, not a single value"},
      {"metadata: [canary]", "[canary]", "`metadata` must be a mapping, not a list"},
      {"metadata: {\"\": x}", "\"\"", ""},
      {"metadata: {" + long_text + ": x}", long_text, ""},
      {"metadata: {version: " + long_text + "}", long_text, ""},
      {"metadata: {version: }", "version: }", "there is no value here"},
      {"metadata: {version: null}", "version: null", "there is no value here"},
      // Names of subsets are put together with line ends.
      {"metadata: {\"a\\nb\": c}", "\"a\\n", "a name has a control character in it"},
      {"metadata: {a: \"b\\nc\"}", "\"b\\n", "a value has a control character in it"},
      {"metadata: {version: [a]}", "[a]", ""},
      {"metadata: {version: {a: b}}", "{a", ""},
      {"metadata: {version: a, version: b}", "version: b", "the key `version` comes twice"},
      {"metadata: {version: \"${NOWHERE}\"}", "${NOWHERE}", ""},
  };
  for (const Row& row : table) {
    const std::string text = "upstreams: [{name: app, endpoints: [\n{address: 10.0.0.1:80, " + row.endpoint +
                             "}]}]\nlisteners: [{address: \":8080\", upstream: app}]\n";
    const ParseResult result = parse(text);
    SCOPED_TRACE(text + result.render());
    ASSERT_EQ(result.diagnostics.size(), 1U);
    const Diagnostic& first = result.diagnostics.front();
    EXPECT_EQ(first.line, 2U);
    EXPECT_EQ(first.column, text.find(row.at, text.find("10.0.0.1:80, ")) - text.find('\n'));
    EXPECT_FALSE(first.message.empty());
    EXPECT_FALSE(first.fix.empty());
    if (row.message.empty()) continue;
    EXPECT_EQ(first.message, row.message);
  }
}

TEST(BalanceParse, MetadataTakesVariablesMergesAndNothing) {
  const ParseResult result = parse_text(
      "x-a: &a {rack: r1, version: old}\n"
      "listeners: [{address: \":1\", upstream: app}]\n"
      "upstreams:\n"
      "  - name: app\n"
      "    endpoints:\n"
      "      - {address: 10.0.0.1:80, metadata: {<<: *a, version: \"${VERSION}\"}}\n"
      "      - address: 10.0.0.2:80\n"
      "        metadata:\n",
      "weir.yaml", environment_of({{"VERSION", "v2"}}), algorithms);
  ASSERT_TRUE(result.ok()) << result.render();
  const auto& endpoints = result.config->upstreams[0].endpoints;
  EXPECT_THAT(endpoints[0].metadata, ElementsAre(Pair("rack", "r1"), Pair("version", "v2")));
  EXPECT_THAT(endpoints[1].metadata, IsEmpty());
}

// The words of others for what is here: HAProxy's, nginx's, Envoy's.
TEST(BalanceParse, UnderstandsTheWordsOfOthers) {
  struct Row {
    const char* where;  // `upstream`, `endpoint`, `top`
    const char* theirs;
    const char* ours;
  };
  const std::vector<Row> table{
      {"endpoint", "backup", "tier"},
      {"endpoint", "priority", "tier"},
      {"endpoint", "maxconn", "max_connections"},
      {"endpoint", "max_conns", "max_connections"},
      {"endpoint", "labels", "metadata"},
      {"endpoint", "tags", "metadata"},
      {"endpoint", "locality", "zone"},
      {"endpoint", "region", "zone"},
      {"upstream", "slowstart", "slow_start"},
      {"upstream", "slow_start_config", "slow_start"},
      {"upstream", "hash", "hash_by"},
      {"upstream", "hash_policy", "hash_by"},
      {"upstream", "consistent_hash", "hash_by"},
      {"upstream", "hash_balance_factor", "bounded_load"},
      {"upstream", "minimum_ring_size", "ring_points"},
      {"upstream", "table_size", "maglev_table_size"},
      {"upstream", "choice_count", "two_choices"},
      {"upstream", "healthy_panic_threshold", "panic_threshold"},
      {"upstream", "overprovisioning_factor", "backup_threshold"},
      {"upstream", "agent_check", "agent"},
      {"top", "localities", "zones"},
      {"top", "geo", "zones"},
      {"listener", "subset_selectors", "subset"},
      {"listener", "fallback_policy", "subset_fallback"},
  };
  for (const Row& row : table) {
    const std::string where = row.where;
    const std::string said = std::string{row.theirs} + ": 1";
    const std::string text = "listeners: [{address: \":1\", upstream: app" + (where == "listener" ? ", " + said : "") +
                             "}]\nupstreams: [{name: app" + (where == "upstream" ? ", " + said : "") +
                             ", endpoints: [{address: 10.0.0.1:80" + (where == "endpoint" ? ", " + said : "") +
                             "}]}]\n" + (where == "top" ? said + "\n" : "");
    const ParseResult result = parse(text);
    ASSERT_EQ(result.diagnostics.size(), 1U) << text << result.render();
    EXPECT_EQ(result.diagnostics[0].message, "unknown key `" + std::string{row.theirs} + "`");
    EXPECT_EQ(result.diagnostics[0].fix, "weir calls it `" + std::string{row.ours} + "`") << row.theirs;
  }
}

}  // namespace
}  // namespace weir::config
