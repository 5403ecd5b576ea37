// The rules between fields of balancing: each has a row that breaks it, and rows that do not.
#include "core/config/validate_balance.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/core/config/support.h"
#include "tests/unit/core/zones/mmdb_writer.h"
#include "tests/unit/net/io/loopback.h"

namespace weir::config {
namespace {

using namespace test;

// A mistake is where the `at` behind the bar of its line would be: `|` marks the place in the text, and is taken out.
struct Row {
  std::string text;  // with a | before what is complained of; "" of them: it is taken
  std::string message;
  std::string fix;
};

void expect(const Row& row) {
  std::string text = row.text;
  const size_t at = text.find('|');
  if (at != std::string::npos) text.erase(at, 1);
  const ParseResult result = parse(text);
  SCOPED_TRACE(text + "\n" + result.render());
  if (at == std::string::npos) {
    EXPECT_TRUE(result.ok());
    return;
  }
  ASSERT_EQ(result.diagnostics.size(), 1U);
  const Diagnostic& said = result.diagnostics.front();
  const std::string before = text.substr(0, at);
  EXPECT_EQ(said.line, 1 + std::count(before.begin(), before.end(), '\n'));
  EXPECT_EQ(said.column, at - (before.rfind('\n') + 1) + 1);
  EXPECT_EQ(said.message, row.message);
  EXPECT_EQ(said.fix, row.fix);
}

void expect_all(const std::vector<Row>& table) {
  for (const Row& row : table) expect(row);
}

// For an upstream with two endpoints that says this too, with a listener that reads requests.
std::string http(const std::string& upstream) {
  return "listeners: [{address: \":8080\", mode: http, upstream: app}]\n"
         "upstreams: [{name: app, endpoints: [10.0.0.1:80, 10.0.0.2:80], " +
         upstream + "}]\n";
}
// One that says nothing but this.
std::string app(const std::string& upstream) {
  return "listeners: [{name: web, address: \":8080\", upstream: app}]\nupstreams: [{name: app, " + upstream + "}]\n";
}

std::string nothing_with(const std::string& what) {
  return "this says nothing with `" + what + "`";
}

TEST(ValidateBalance, KeysGoWithTheirAlgorithms) {
  const std::string plain = nothing_with("balance: round_robin");
  expect_all({
      {http("maglev_table_size: |65537"), plain, "remove it, or write `balance: maglev`"},
      {http("ring_points: |160"), plain, "remove it, or write `balance: ring_hash`"},
      {http("hash_by: |path"), plain,
       "remove it, or write `balance: maglev`, `balance: ring_hash`, `balance: rendezvous` or `balance: plugin`"},
      {http("latency_decay: |1s"), plain,
       "remove it, or write `balance: least_time`, `balance: two_choices`, `balance: adaptive` or `balance: plugin`"},
      {http("two_choices: |{choices: 3}"), plain, "remove it, or write `balance: two_choices`"},
      {http("resource_aware: |{expiry: 1s}"), plain, "remove it, or write `balance: resource_aware`"},
      {http("zone_aware: |{overprovision: 100}"), plain, "remove it, or write `balance: zone_aware`"},
      {http("adaptive: |{windows: 1}"), plain, "remove it, or write `balance: adaptive`"},
      {http("plugin: |{path: /nowhere.so}"), plain, "remove it, or write `balance: plugin`"},
      {http("bounded_load: |1.25"), plain, "remove it, or write an algorithm that hashes, such as `balance: maglev`"},
      {http("balance: least_time, ring_points: |9"), nothing_with("balance: least_time"),
       "remove it, or write `balance: ring_hash`"},
      {http("slow_start_from: |10"), nothing_with("slow_start: 0"), "remove it, or write how long it takes"},
      {http("balance: two_choices, latency_decay: |1s"), nothing_with("two_choices: {load: connections}"),
       "remove it, or write `load: latency`"},
      // And where they do.
      {http("balance: ring_hash, ring_points: 9, hash_by: path, bounded_load: 1.5"), "", ""},
      {http("balance: rendezvous, hash_by: \"cookie:id\", bounded_load: 1.5"), "", ""},
      {http("balance: maglev, maglev_table_size: 251, hash_by: client_ip, bounded_load: off"), "", ""},
      {http("balance: least_time, latency_decay: 1s"), "", ""},
      {http("balance: two_choices, two_choices: {load: latency}, latency_decay: 1s"), "", ""},
      {http("balance: adaptive, adaptive: {windows: 1}, latency_decay: 1s"), "", ""},
      {http("slow_start: 1s, slow_start_from: 10"), "", ""},
  });
}

// The keys of the algorithm inside count too.
TEST(ValidateBalance, KeysGoWithTheAlgorithmInsideZones) {
  const auto zoned = [](const std::string& inside, const std::string& more) {
    return "zones: {otherwise: a}\nlisteners: [{address: \":8080\", mode: http, upstream: app}]\n"
           "upstreams: [{name: app, endpoints: [{address: 10.0.0.1:80, zone: a}], balance: zone_aware, "
           "zone_aware: {inside: " +
           inside + "}" + more + "}]\n";
  };
  const std::string plain = nothing_with("balance: zone_aware");
  expect_all({
      {zoned("maglev", ", maglev_table_size: 251, hash_by: path, bounded_load: 2"), "", ""},
      {zoned("ring_hash", ", ring_points: 9, hash_by: path"), "", ""},
      {zoned("two_choices", ", two_choices: {choices: 3, load: latency}, latency_decay: 1s"), "", ""},
      {zoned("resource_aware", ", resource_aware: {expiry: 1s}"), "", ""},
      {zoned("least_time", ", ring_points: |9"), plain, "remove it, or write `balance: ring_hash`"},
      {zoned("least_time", ", bounded_load: |2"), plain,
       "remove it, or write an algorithm that hashes, such as `balance: maglev`"},
      {zoned("maglev", ", maglev_table_size: |250"), "250 is not a prime", "the next one is 251"},
      {zoned("round_robin, overprovision: |99", ""), "`99` is out of range", "write a number from 100 to 1000"},
      {zoned("|least_tmie", ""), "`least_tmie` is not known here", "did you mean `least_time`?"},
      {"zones: {otherwise: a}\nlisteners: [{address: \":1\", upstream: app}]\n"
       "upstreams: [{name: app, balance: zone_aware, zone_aware: {inside: first_fit}, endpoints: [{address: "
       "10.0.0.1:80, "
       "zone: a}, {address: 10.0.0.2:80, zone: b}]}]\n",
       "", ""},
      {"zones: {otherwise: a}\nlisteners: [{address: \":1\", upstream: app}]\n"
       "upstreams: [{name: app, balance: zone_aware, zone_aware: {inside: first_fit}, endpoints: [|{address: "
       "10.0.0.1:80, "
       "zone: a}, {address: 10.0.0.2:80, zone: b}, {address: 10.0.0.3:80, zone: a}]}]\n",
       "with `first_fit` those behind an endpoint without `max_connections` never get anything",
       "say how much fits into this one"},
      {zoned("|adaptive", ""), "`adaptive` does not work inside a zone",
       "write another algorithm, such as `round_robin` or `least_time`"},
      {zoned("|zone_aware", ""), "`zone_aware` does not work inside a zone",
       "write another algorithm, such as `round_robin` or `least_time`"},
      {zoned("|plugin", ""), "`plugin` does not work inside a zone",
       "write another algorithm, such as `round_robin` or `least_time`"},
  });
}

TEST(ValidateBalance, MaglevTablesArePrimeAndLargeEnough) {
  const std::string three = "endpoints: [10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80], ";
  expect_all({
      {app(three + "balance: maglev, maglev_table_size: |4"), "4 is not a prime", "the next one is 5"},
      {app(three + "balance: maglev, maglev_table_size: |2"), "a Maglev table of 2 slots is too small for 3 endpoints",
       "set `maglev_table_size` to a prime of about a hundred slots per endpoint"},
      {app(three + "balance: maglev, maglev_table_size: 3"), "", ""},
      // Once is enough: it says nothing here, whatever it says.
      {app(three + "maglev_table_size: |4"), nothing_with("balance: round_robin"),
       "remove it, or write `balance: maglev`"},
  });
}

TEST(ValidateBalance, WhatIsNotKnownInTcpIsNoKey) {
  const std::string message = "the listener `web` is in `mode: tcp` and sees no requests";
  const std::string fix = "write `client_ip` or `client_address`, or `mode: http` there";
  const std::string two = "endpoints: [10.0.0.1:80, 10.0.0.2:80], ";
  const std::string canary = "endpoints: [{address: 10.0.0.1:80, metadata: {a: b}}], ";
  expect_all({
      {app(two + "balance: maglev, hash_by: |path"), message, fix},
      {app(two + "balance: ring_hash, hash_by: |\"header:a\""), message, fix},
      {app(two + "balance: rendezvous, hash_by: |\"cookie:a\""), message, fix},
      {app(two + "balance: rendezvous, hash_by: |\"query:a\""), message, fix},
      {app(two + "balance: maglev, hash_by: client_ip"), "", ""},
      {app(two + "balance: maglev, hash_by: client_address"), "", ""},
      {http("balance: maglev, hash_by: path"), "", ""},
      // One of several is enough, and a part of the upstream is of it.
      {"listeners: [{address: \":1\", mode: http, upstream: app}, {name: web, address: \":2\", upstream: app, subset: "
       "{a: b}}]\nupstreams: [{name: app, " +
           canary + "balance: maglev, hash_by: |path}]\n",
       message, fix},
      // A mode that nobody understands is no tcp, and one complaint is enough.
      {"listeners: [{address: \":1\", mode: |htttp, upstream: app}]\nupstreams: [{name: app, " + two +
           "balance: maglev, hash_by: path}]\n",
       "`htttp` is not known here", "did you mean `http`?"},
      {app(two + "hash_by: |path"), nothing_with("balance: round_robin"),
       "remove it, or write `balance: maglev`, `balance: ring_hash`, `balance: rendezvous` or `balance: plugin`"},
  });
}

TEST(ValidateBalance, BackupsStandBehindSomebody) {
  const std::string backups = "endpoints: |[{address: 10.0.0.1:80, tier: 1}, {address: 10.0.0.2:80, tier: 2}]";
  const std::string tiers = "endpoints: [10.0.0.1:80, {address: 10.0.0.2:80, tier: 1}]";
  expect_all({
      {app(backups), "all endpoints of `app` are backups", "give at least one `tier: 0`, or remove its `tier`"},
      {app(tiers), "", ""},
      {app(tiers + ", backup_threshold: 70"), "", ""},
      {app("endpoints: [10.0.0.1:80], backup_threshold: |70"), "this says nothing without endpoints of another tier",
       "remove it, or give backups `tier: 1`"},
      // A tier that cannot be read is complained of, and nothing is made of it.
      {app("endpoints: [10.0.0.1:80, {address: 10.0.0.2:80, tier: |10}], backup_threshold: 70"), "`10` is out of range",
       "write a number from 0 to 9"},
      // The others are the backups of a subset.
      {"listeners: [{address: \":1\", upstream: app, subset: {a: b}, subset_fallback: any}]\nupstreams: [{name: app, "
       "endpoints: [{address: 10.0.0.1:80, metadata: {a: b}}, 10.0.0.2:80], backup_threshold: 70}]\n",
       "", ""},
      {"listeners: [{address: \":1\", upstream: app, subset: {a: b}}]\nupstreams: [{name: app, "
       "endpoints: [{address: 10.0.0.1:80, metadata: {a: b}}, 10.0.0.2:80], backup_threshold: |70}]\n",
       "this says nothing without endpoints of another tier", "remove it, or give backups `tier: 1`"},
  });
}

TEST(ValidateBalance, AgentsListenOnPorts) {
  expect_all({
      {app("endpoints: [10.0.0.1:80, {name: s, address: unix:/s}], agent: |{port: 9}"),
       "the endpoint `s` is a UNIX socket and has no ports",
       "remove `agent`, or put such endpoints into an upstream of their own"},
      {app("endpoints: [10.0.0.1:80, \"[::1]:80\"], agent: {port: 9}"), "", ""},
      {app("endpoints: [unix:/s]"), "", ""},
  });
}

TEST(ValidateBalance, FirstFitKnowsHowMuchFits) {
  const std::string message =
      "with `first_fit` those behind an endpoint without `max_connections` never get "
      "anything";
  const std::string fix = "say how much fits into this one";
  const auto of = [](const std::string& endpoints) {
    return app("balance: first_fit, endpoints: [" + endpoints + "]");
  };
  const std::string full = "{address: 10.0.0.1:80, max_connections: 9}, ";
  expect_all({
      {of("|10.0.0.1:80, 10.0.0.2:80"), message, fix},
      {of(full + "|10.0.0.2:80, 10.0.0.3:80"), message, fix},
      {of(full + "10.0.0.2:80"), "", ""},
      {of("10.0.0.1:80"), "", ""},
      {of("{address: 10.0.0.3:80, weight: 0}, " + full + "10.0.0.2:80"), "", ""},
      // Behind it is nobody, or nobody who gets anything.
      {of(full + "10.0.0.2:80, {address: 10.0.0.3:80, weight: 0}"), "", ""},
      // A backup is not reached by overflow alone.
      {of("10.0.0.1:80, {address: 10.0.0.2:80, tier: 1}"), "", ""},
      {of("10.0.0.1:80, |{address: 10.0.0.2:80, tier: 1}, {address: 10.0.0.3:80, tier: 1}"), message, fix},
      {of("{address: 10.0.0.1:80, max_connections: |x}, 10.0.0.2:80"), "`x` is not a whole number",
       "write decimal digits only"},
  });
}

TEST(ValidateBalance, ZonesAreSaidOfEndpointsAndClients) {
  const auto of = [](const std::string& upstream, const std::string& zones) {
    return "listeners: [{address: \":1\", upstream: app}]\nupstreams: [{name: app, " + upstream + "}]\n" + zones;
  };
  const std::string here = "endpoints: [{address: 10.0.0.1:80, zone: a}, 10.0.0.2:80], balance: ";
  expect_all({
      {of("endpoints: |[10.0.0.1:80], balance: zone_aware", "zones: {otherwise: a}\n"),
       "with `balance: zone_aware` no endpoint of `app` has a `zone`", "say where each of them is: `zone: NAME`"},
      {of(here + "|zone_aware", ""), "`zone_aware` is not told where clients are",
       "describe it in `zones`, at the top of the file; for all of them alike: `zones: {otherwise: NAME}`"},
      {of(here + "|zone_aware", "zones:\n"), "`zone_aware` is not told where clients are",
       "describe it in `zones`, at the top of the file; for all of them alike: `zones: {otherwise: NAME}`"},
      {of(here + "zone_aware", "zones: {otherwise: a}\n"), "", ""},
      {of(here + "zone_aware", "zones: {networks: [{zone: a, networks: 10.0.0.0/8}]}\n"), "", ""},
      // What cannot be read is not missing.
      {of(here + "zone_aware", "zones: {otherwise: |\"\"}\n"), "the name of a zone cannot be empty",
       "write it, or remove the key"},
      {of("endpoints: [{address: 10.0.0.1:80, zone: |\"\"}], balance: zone_aware", "zones: {otherwise: a}\n"),
       "the name of a zone cannot be empty", "write it, or remove the key"},
  });
}

TEST(ValidateBalance, FilesOfZonesAreReadAtOnce) {
  const Folder folder;
  const std::string file = folder / "zones.mmdb";
  zones::MmdbWriter writer;
  using Value = zones::MmdbValue;
  writer.add("10.0.0.0/8", Value::map({{"city", Value::text("here")}}));
  writer.write(file);
  const auto of = [](const std::string& zones) {
    return "listeners: [{address: \":1\", upstream: app}]\nupstreams: [{name: app, endpoints: [10.0.0.1:80]}]\n" +
           zones;
  };
  expect_all({
      {of("zones: {maxmind: " + file + ", field: city}\n"), "", ""},
      {of("zones: {field: |country.iso_code}\n"), "this says nothing without `maxmind`", "remove it, or name the file"},
  });
  // Their own sentences are those of core/zones; here only who says them, and where.
  const std::string missing = of("zones: {maxmind: " + (folder / "none.mmdb") + "}\n");
  const ParseResult result = parse(missing);
  ASSERT_EQ(result.diagnostics.size(), 1U) << result.render();
  EXPECT_EQ(result.diagnostics[0].line, 3U);
  EXPECT_EQ(result.diagnostics[0].column, 18U);
  EXPECT_NE(result.diagnostics[0].message.find("none.mmdb"), std::string::npos) << result.diagnostics[0].message;

  const ParseResult twice =
      parse(of("zones: {networks: [{zone: a, networks: 10.0.0.0/8}, {zone: b, networks: 10.0.0.0/8}]}\n"));
  ASSERT_EQ(twice.diagnostics.size(), 1U) << twice.render();
  EXPECT_EQ(twice.diagnostics[0].line, 3U);
  EXPECT_EQ(twice.diagnostics[0].column, 8U);
  EXPECT_NE(twice.diagnostics[0].message.find("10.0.0.0/8"), std::string::npos) << twice.diagnostics[0].message;
}

TEST(ValidateBalance, PluginsAreTriedAtOnce) {
  const Folder folder;
  expect_all({
      {http("balance: |plugin"), "`plugin` is not told which", "write `plugin: {path: /usr/lib/weir/NAME.so}`"},
      {http("balance: plugin, plugin: |[here.so]"), "`plugin` must be a mapping, not a list",
       "write `key: value` lines, indented, below `plugin:`"},
      {http("balance: plugin, plugin: {path: |\"\"}"), "the path of a shared object is empty",
       "write it, or remove the key"},
  });
  const ParseResult result = parse(http("balance: plugin, plugin: {path: " + (folder / "none.so") + "}"));
  ASSERT_EQ(result.diagnostics.size(), 1U) << result.render();
  EXPECT_EQ(result.diagnostics[0].line, 2U);
  EXPECT_NE(result.diagnostics[0].message.find("none.so"), std::string::npos) << result.diagnostics[0].message;
}

TEST(ValidateBalance, SubsetsHaveSomebodyInThem) {
  const auto of = [](const std::string& listener, const std::string& endpoint) {
    return "listeners:\n  - {address: \":1\", mode: http, " + listener + "}\nupstreams:\n  - {name: app, endpoints: [" +
           endpoint + "]}\n";
  };
  const std::string canary = "{address: 10.0.0.1:80, metadata: {version: canary, rack: r1}}";
  const std::string message = "no endpoint of `app` with a weight has `version: stable`";
  const std::string fix = "write it into the `metadata` of those that are meant";
  const std::string route = "routes: [{match: {path: /}, ";
  expect_all({
      {of("upstream: app, subset: {version: canary}", canary), "", ""},
      {of("upstream: app, subset: {rack: r1, version: canary}", canary), "", ""},
      {of("upstream: app, subset: |{version: stable}", canary), message, fix},
      {of("upstream: app, subset: |{version: canary, zone: a}", canary),
       "no endpoint of `app` with a weight has `version: canary, zone: a`", fix},
      {of(route + "upstream: app, subset: |{version: stable}}]", canary), message, fix},
      {of(route + "split: [{upstream: app, weight: 9}, {upstream: app, subset: |{version: stable}}]}]", canary),
       message, fix},
      // Who has no weight gets nothing, in a subset too. `any` does not help: that it never has anybody is a mistake.
      {of("upstream: app, subset: |{version: stable}",
          canary + ", {address: 10.0.0.2:80, weight: 0, metadata: {version: stable}}"),
       message, fix},
      {of("upstream: app, subset: |{version: stable}, subset_fallback: any", canary), message, fix},
      {of("upstream: app, subset_fallback: |none", canary), "this says nothing without `subset`",
       "remove it, or say which endpoints are meant"},
      {of(route + "upstream: app, subset_fallback: |any}]", canary), "this says nothing without `subset`",
       "remove it, or say which endpoints are meant"},
      {of("subset: |{version: canary}, " + route + "upstream: app}]", canary), "this is a subset of nothing",
       "name the `upstream` too, or remove it"},
      {of(route + "answer: {body: x}, subset: |{version: canary}}]", canary), "this is a subset of nothing",
       "name the `upstream` too, or remove it"},
      // Of an upstream that there is not, and with metadata that could not be read, one complaint is enough.
      {of("upstream: |ap, subset: {version: stable}", canary), "there is no upstream `ap`", "did you mean `app`?"},
      {of("upstream: app, subset: {version: stable}", "{address: 10.0.0.1:80, metadata: |stable}"),
       "`metadata` must be a mapping, not a single value", "write `key: value` lines, indented, below `metadata:`"},
      {of("upstream: app, subset: |stable", canary), "`subset` must be a mapping, not a single value",
       "write `key: value` lines, indented, below `subset:`"},
  });
}

// A split names an upstream twice, whole and in parts: that is what canaries are.
TEST(ValidateBalance, PartsOfAnUpstreamShareASplit) {
  const auto of = [](const std::string& split) {
    return "listeners:\n  - {address: \":1\", mode: http, routes: [{match: {path: /}, split: [" + split +
           "]}]}\nupstreams:\n  - {name: app, endpoints: [{address: 10.0.0.1:80, metadata: {v: a}}, "
           "{address: 10.0.0.2:80, metadata: {v: b}}]}\n";
  };
  expect_all({
      {of("{upstream: app, subset: {v: a}, weight: 95}, {upstream: app, subset: {v: b}, weight: 5}"), "", ""},
      {of("{upstream: app, weight: 95}, {upstream: app, subset: {v: b}, weight: 5}"), "", ""},
      {of("{upstream: app, subset: {v: a}}, {upstream: |app, subset: {v: a}}"), "this split names `app` already",
       "to give it a larger share, raise its `weight`"},
  });
}

}  // namespace
}  // namespace weir::config
