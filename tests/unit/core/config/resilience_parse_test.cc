// The keys of health and resilience: where each ends up, and the rules between them that fixtures do not show. That
// defaults and ranges agree with the schema is asked in schema_test.cc, for these as for all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string file_of(const std::string& upstream) {
  return "listeners: [{address: \":8080\", mode: http, upstream: app}]\n"
         "upstreams: [{name: app, endpoints: [{address: 10.0.0.1:80, max_connections: 9}], " +
         upstream + "}]\n";
}

UpstreamConfig taken(const std::string& upstream) {
  const ParseResult result = parse(file_of(upstream) + "alerts: [{name: a, log: true}]\n");
  EXPECT_TRUE(result.ok()) << result.render();
  return result.ok() ? result.config->upstreams[0] : UpstreamConfig{};
}

TEST(ResilienceParse, ASectionThatIsLeftOutIsOff) {
  const UpstreamConfig app = taken("tries: 1");
  EXPECT_FALSE(app.health || app.outliers || app.breaker || app.queue || app.concurrency || app.hedge ||
               app.health_score || app.degraded);
  // Commented out it is off too.
  EXPECT_FALSE(taken("breaker: ").breaker);
  EXPECT_FALSE(taken("health: ").health);
}

TEST(ResilienceParse, AnEmptySectionHasItsDefaults) {
  const UpstreamConfig app =
      taken("health: {}, outliers: {}, breaker: {}, queue: {}, concurrency: {}, hedge: {}, health_score: {}");
  EXPECT_EQ(app.health, HealthConfig{});
  EXPECT_EQ(app.outliers, OutliersConfig{});
  EXPECT_EQ(app.breaker, BreakerConfig{});
  EXPECT_EQ(app.queue, QueueConfig{});
  EXPECT_EQ(app.concurrency, ConcurrencyConfig{});
  EXPECT_EQ(app.hedge, HedgeConfig{});
  EXPECT_EQ(app.health_score, HealthScoreConfig{});
}

TEST(ResilienceParse, EveryKeyOfHealthEndsUpInItsField) {
  const UpstreamConfig app = taken(
      "health: {probe: http, interval: 2s, timeout: 500ms, fall: 4, rise: 5, interval_in_doubt: 250ms, "
      "interval_proven: "
      "9s, port: 81, http: {method: POST, path: '/h?x', host: 'a:82', headers: {B: '2', A: '1'}, statuses: [204, "
      "500-599], body: ok, tls: on, verify: false, server_name: b}}");
  HealthConfig health;
  health.probe = ProbeKind::http;
  health.interval = seconds{2};
  health.timeout = milliseconds{500};
  health.fall = 4;
  health.rise = 5;
  health.interval_in_doubt = milliseconds{250};
  health.interval_proven = seconds{9};
  health.port = 81;
  health.http = {.method = "POST",
                 .path = "/h?x",
                 .host = "a:82",
                 .headers = {{"A", "1"}, {"B", "2"}},
                 .statuses = {{204, 204}, {500, 599}},
                 .body = "ok",
                 .tls = true,
                 .verify = false,
                 .server_name = "b",
                 .ca = ""};
  EXPECT_EQ(app.health, health);
  EXPECT_EQ(taken("health: {probe: http, http: {tls: on, ca: /etc/ca.pem}}").health->http.ca, "/etc/ca.pem");
  EXPECT_EQ(taken("health: {tcp: {send: \"a\\r\\n\", expect: b}}").health->tcp, (TcpProbeConfig{"a\r\n", "b"}));
  EXPECT_THAT(taken("health: {probe: exec, exec: {command: [/a, b, b]}}").health->exec.command,
              ElementsAre("/a", "b", "b"));
}

TEST(ResilienceParse, EveryOtherKeyOfAnUpstreamEndsUpInItsField) {
  const UpstreamConfig app = taken(
      "outliers: {failures: 1, error_rate: 2, latency: 3.5, window: 4s, requests: 5, ejection: 6s, ejection_max: 7m, "
      "max_ejected: 8}, breaker: {failures: 1, error_rate: 2, slow_rate: 3, slow: 4ms, window: 5s, requests: 6, "
      "recovery: 7s, trials: 8}, max_pending: 1, max_retries: 2, queue: {size: 1, timeout: 2s, retry_after: 3s}, "
      "concurrency: {min: 1, max: 3, start: 2}, hedge: {percentile: 50, min_wait: 1ms, budget: 2}, health_score: "
      "{half_life: 1s, floor: 2}, degraded: {error_rate: 1, p99: 2ms, healthy: 3, window: 4s}");
  EXPECT_EQ(app.outliers, (OutliersConfig{1, 2, 3.5, seconds{4}, 5, seconds{6}, minutes{7}, 8}));
  EXPECT_EQ(app.breaker, (BreakerConfig{1, 2, 3, milliseconds{4}, seconds{5}, 6, seconds{7}, 8}));
  EXPECT_EQ(app.max_pending, 1U);
  EXPECT_EQ(app.max_retries, 2U);
  EXPECT_EQ(app.queue, (QueueConfig{1, seconds{2}, seconds{3}}));
  EXPECT_EQ(app.concurrency, (ConcurrencyConfig{1, 3, 2}));
  EXPECT_EQ(app.hedge, (HedgeConfig{50, milliseconds{1}, 2}));
  EXPECT_EQ(app.health_score, (HealthScoreConfig{seconds{1}, 2}));
  EXPECT_EQ(app.degraded, (DegradedConfig{1, milliseconds{2}, 3, seconds{4}}));
}

TEST(ResilienceParse, EveryKeyOfAlertsAndSheddingEndsUpInItsField) {
  const ParseResult result = parse(
      file_of("tries: 1") +
      "alerts: [{name: a, on: [upstream], upstreams: [app], webhook: 'http://h/x', exec: [/p, q], log: true, timeout: "
      "1s, retries: 2, backoff: 3s, limit: 4, per: 5m}, {name: b, log: true}]\n"
      "shedding: {turn: 1ms, buffers: 2, descriptors: 3, memory: 64MiB}\n");
  ASSERT_TRUE(result.ok()) << result.render();
  AlertConfig alert;
  alert.name = "a";
  alert.on = {AlertOn::upstream};
  alert.upstreams = {"app"};
  alert.webhook = {false, "h", 80, "/x", "h"};
  alert.exec = {"/p", "q"};
  alert.log = true;
  alert.timeout = seconds{1};
  alert.retries = 2;
  alert.backoff = seconds{3};
  alert.limit = 4;
  alert.per = minutes{5};
  EXPECT_EQ(result.config->alerts[0], alert);
  EXPECT_THAT(result.config->alerts[1].on, ElementsAre(AlertOn::endpoint, AlertOn::upstream, AlertOn::degraded));
  EXPECT_EQ(result.config->shedding, (SheddingConfig{milliseconds{1}, 2, 3, 64 * MiB}));
}

TEST(ResilienceParse, IntervalsFollowTheUsualOne) {
  struct Row {
    Duration interval;
    Duration in_doubt;
    Duration proven;
  };
  for (const Row& row :
       {Row{seconds{5}, seconds{1}, seconds{20}}, Row{milliseconds{400}, milliseconds{100}, milliseconds{1600}},
        Row{milliseconds{60}, milliseconds{60}, milliseconds{240}}}) {
    HealthConfig health;
    health.interval = row.interval;
    EXPECT_EQ(health.in_doubt(), row.in_doubt);
    EXPECT_EQ(health.proven(), row.proven);
  }
  HealthConfig said;
  said.interval_in_doubt = milliseconds{1};
  said.interval_proven = seconds{9};
  EXPECT_EQ(said.in_doubt(), milliseconds{1});
  EXPECT_EQ(said.proven(), seconds{9});
}

// A reload acts on what has changed, and leaves probes alone that have not.
TEST(ResilienceParse, ConfigsTellWhetherTheyChanged) {
  const std::string all = "health: {probe: http, http: {headers: {a: b}}}, breaker: {}";
  EXPECT_EQ(taken(all).health, taken(all).health);
  for (const char* other : {"health: {probe: http}", "health: {probe: http, http: {headers: {a: c}}}", "health: {}"}) {
    EXPECT_NE(taken(all).health, taken(other).health) << other;
  }
  EXPECT_NE(taken(all).breaker, taken("breaker: {trials: 4}").breaker);
}

// Whoever reads the file sees it; whoever reads the log is not to.
TEST(ResilienceParse, AWebhookFromTheEnvironmentStaysSecret) {
  const std::string text = file_of("tries: 1") + "alerts: [{name: a, webhook: \"${HOOK}\"}]\n";
  const ParseResult result =
      parse_text(text, "weir.yaml", environment_of({{"HOOK", "ftp://example.com/hidden"}}), algorithms);
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(result.render(), HasSubstr("this is no address of a webhook"));
  EXPECT_EQ(result.render().find("hidden"), std::string::npos);
}

TEST(ResilienceParse, LongHeadersOfProbesAreTaken) {
  const std::string token(4000, 'x');
  EXPECT_THAT(taken("health: {probe: http, http: {headers: {Authorization: " + token + "}}}").health->http.headers,
              ElementsAre(Pair("Authorization", token)));
  EXPECT_FALSE(
      parse(file_of("health: {probe: http, http: {headers: {Authorization: " + std::string(4097, 'x') + "}}}")).ok());
}

// One mistake is reported once, and what follows from it is not.
TEST(ResilienceParse, WhatIsBrokenProvesNothing) {
  for (const char* upstream :
       {"health: {interval: 1x, timeout: 1m}", "health: {probe: htp, exec: {command: /a}}",
        "breaker: {failures: 0, slow_rate: x, slow: 1s}", "outliers: {ejection: 1h, ejection_max: x}",
        "concurrency: {min: 100, max: 1x}", "health: {probe: http, http: {method: get, body: x}}",
        "health: {probe: http, http: {tls: yes, ca: /x}}", "queue: {size: x}", "degraded: {p99: x}",
        "health: {probe: exec, exec: {command: x}}"}) {
    const ParseResult result = parse(file_of(upstream));
    EXPECT_EQ(result.diagnostics.size(), 1U) << upstream << "\n" << result.render();
  }
}

TEST(ResilienceParse, RulesHoldForAConfigMadeByHand) {
  ParseResult good = parse(file_of("health: {}"));
  ASSERT_TRUE(good.ok());
  EXPECT_TRUE(check_config(*good.config, "here").ok());
  good.config->upstreams[0].health->timeout = minutes{1};
  const ParseResult bad = check_config(*good.config, "here");
  ASSERT_EQ(bad.diagnostics.size(), 1U);
  EXPECT_THAT(bad.render(), HasSubstr("upstreams[0].health.interval: a probe may take 1m"));
}

}  // namespace
}  // namespace weir::config
