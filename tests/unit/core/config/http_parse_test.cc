// The HTTP part of a file, from its text to the structs of http_config.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr std::string_view upstreams = "upstreams: [{name: app, endpoints: [10.0.0.1:80]}]\n";

Config good(const std::string& text) {
  ParseResult result = parse(text);
  EXPECT_TRUE(result.ok()) << result.render();
  return result.ok() ? std::move(*result.config) : Config{};
}

// The routes of a listener whose `routes:` is that text.
std::vector<RouteConfig> routes(const std::string& text) {
  Config config = good("listeners: [{address: \":80\", mode: http, routes: " + text + "}]\n" + std::string{upstreams});
  return config.listeners.empty() ? std::vector<RouteConfig>{} : std::move(config.listeners[0].routes);
}

// The upstream with these keys too.
UpstreamConfig upstream(const std::string& keys) {
  Config config = good(
      "listeners: [{address: \":80\", mode: http, upstream: app}]\nupstreams: [{name: app, endpoints: "
      "[10.0.0.1:80], " +
      keys + "}]\n");
  return config.upstreams.empty() ? UpstreamConfig{} : std::move(config.upstreams[0]);
}

TEST(HttpParse, WhatIsLeftOutHasItsDefault) {
  const Config config = good("listeners: [{address: \":80\", mode: http, upstream: app}]\n" + std::string{upstreams});
  const ListenerConfig& web = config.listeners[0];
  EXPECT_EQ(web.mode, Mode::http);
  EXPECT_TRUE(web.routes.empty());
  EXPECT_TRUE(web.trusted_proxies.empty());
  EXPECT_TRUE(web.forward.x_forwarded_for && web.forward.x_forwarded_proto && web.forward.x_forwarded_host);
  EXPECT_TRUE(web.forward.x_real_ip && web.forward.request_id);
  EXPECT_FALSE(web.forward.forwarded);
  EXPECT_EQ(web.forward.via, "weir");
  EXPECT_FALSE(web.allow_connect);
  EXPECT_EQ(web.max_requests, 0U);
  EXPECT_TRUE(web.access_log);
  const UpstreamConfig& app = config.upstreams[0];
  EXPECT_EQ(app.pool.idle, 64U);
  EXPECT_EQ(app.pool.idle_timeout, seconds{50});
  EXPECT_EQ(app.pool.max_requests, 0U);
  EXPECT_EQ(app.retry.on, (RetryOn{.connect = true, .reset = true}));
  EXPECT_EQ(app.retry.backoff, milliseconds{25});
  EXPECT_EQ(app.retry.backoff_max, milliseconds{250});
  EXPECT_EQ(app.retry.budget, 20U);
  EXPECT_EQ(app.retry.budget_min, 10U);
  EXPECT_EQ(app.sticky.by, StickyBy::off);
  EXPECT_EQ(app.timeouts.first_byte, std::nullopt);
  EXPECT_EQ(app.timeouts.body, std::nullopt);
  EXPECT_EQ(app.timeouts.request, std::nullopt);
  EXPECT_EQ(config.timeouts.header, seconds{5});
  EXPECT_EQ(config.timeouts.client_body, seconds{30});
  EXPECT_EQ(config.timeouts.keep_alive, seconds{60});
  EXPECT_EQ(config.timeouts.half_close, seconds{1});
  EXPECT_EQ(config.timeouts.first_byte, seconds{60});
  EXPECT_EQ(config.timeouts.body, seconds{60});
  EXPECT_EQ(config.timeouts.request, Duration::zero());
  EXPECT_EQ(config.limits.http_line, 8 * KiB);
  EXPECT_EQ(config.limits.http_head, 15 * KiB);
  EXPECT_EQ(config.limits.http_fields, 128U);
  EXPECT_EQ(config.limits.http_trailers, 4 * KiB);
  EXPECT_FALSE(config.access_log.has_value());
}

TEST(HttpParse, EveryKeyOfAMatchReachesItsMember) {
  const auto all = routes(R"yaml(
    [{name: r, upstream: app, timeout: 1500us, match: {
       hosts: [API.example.com, "*.example.org"], path_prefix: /v1, methods: [GET, HEAD],
       headers: [{name: X-A, value: "yes"}, X-B, {name: c, prefix: d, not: true}, {name: e, regex: "^f$"},
                 {name: g, value: ""}],
       query: [{name: version, value: 2}, q], cookies: [{name: beta, regex: "(a|b$)"}], clients: [10.0.0.0/8, "::1"]
}
},
     {upstream: app, match: {hosts: one.example, path: /exact, methods: PUT, clients: 10.0.0.1}},
     {upstream: app, match: {path_regex: "\\.(png|css)$"}}])yaml");
  ASSERT_EQ(all.size(), 3U);
  const MatchConfig& match = all[0].match;
  EXPECT_EQ(all[0].name, "r");
  EXPECT_EQ(all[0].upstream, "app");
  EXPECT_EQ(all[0].timeout, std::chrono::microseconds{1500});
  EXPECT_THAT(match.hosts, ElementsAre("api.example.com", "*.example.org"));
  EXPECT_EQ(match.path, "");
  EXPECT_EQ(match.path_prefix, "/v1");
  EXPECT_EQ(match.path_regex, "");
  EXPECT_THAT(match.methods, ElementsAre("GET", "HEAD"));
  ASSERT_EQ(match.headers.size(), 5U);
  EXPECT_EQ(match.headers[0], (ValueMatchConfig{"X-A", "yes", {}, {}, false}));
  EXPECT_EQ(match.headers[1], (ValueMatchConfig{"X-B", {}, {}, {}, false}));
  EXPECT_EQ(match.headers[2], (ValueMatchConfig{"c", {}, "d", {}, true}));
  EXPECT_EQ(match.headers[3], (ValueMatchConfig{"e", {}, {}, "^f$", false}));
  EXPECT_EQ(match.headers[4], (ValueMatchConfig{"g", "", {}, {}, false}));
  ASSERT_EQ(match.query.size(), 2U);
  EXPECT_EQ(match.query[0], (ValueMatchConfig{"version", "2", {}, {}, false}));
  EXPECT_EQ(match.query[1], (ValueMatchConfig{"q", {}, {}, {}, false}));
  ASSERT_EQ(match.cookies.size(), 1U);
  EXPECT_EQ(match.cookies[0], (ValueMatchConfig{"beta", {}, {}, "(a|b$)", false}));
  EXPECT_EQ(match.clients.blocks, (std::vector<Cidr>{*Cidr::parse("10.0.0.0/8"), *Cidr::parse("::1")}));
  EXPECT_EQ(all[1].name, "route 2");
  EXPECT_THAT(all[1].match.hosts, ElementsAre("one.example"));
  EXPECT_EQ(all[1].match.path, "/exact");
  EXPECT_THAT(all[1].match.methods, ElementsAre("PUT"));
  EXPECT_EQ(all[1].match.clients.blocks.size(), 1U);
  EXPECT_EQ(all[1].timeout, std::nullopt);
  EXPECT_EQ(all[2].match.path_regex, "\\.(png|css)$");
}

TEST(HttpParse, EveryActionReachesItsMember) {
  const auto all = routes(R"yaml(
    [{match: {path: /a}, split: [{upstream: app, weight: 95}], split_by: header:X-User},
     {match: {path: /b}, redirect: {status: 308, location: "https://{host}{path}"}},
     {match: {path: /c}, redirect: {location: /x}},
     {match: {path: /d}, answer: {status: 404, body: "gone\n", content_type: text/html}},
     {match: {path: /e}, answer: {}}])yaml");
  ASSERT_EQ(all.size(), 5U);
  ASSERT_EQ(all[0].split.size(), 1U);
  EXPECT_EQ(all[0].split[0].upstream, "app");
  EXPECT_EQ(all[0].split[0].weight, 95U);
  EXPECT_EQ(all[0].split_by.kind, KeySource::Kind::header);
  EXPECT_EQ(all[0].split_by.name, "X-User");
  ASSERT_TRUE(all[1].redirect.has_value());
  EXPECT_EQ(all[1].redirect->status, 308U);
  EXPECT_EQ(all[1].redirect->location.pieces.size(), 3U);
  EXPECT_EQ(all[2].redirect->status, 302U);
  ASSERT_TRUE(all[3].answer.has_value());
  EXPECT_EQ(all[3].answer->status, 404U);
  EXPECT_EQ(all[3].answer->body, "gone\n");
  EXPECT_EQ(all[3].answer->content_type, "text/html");
  ASSERT_TRUE(all[4].answer.has_value());
  EXPECT_EQ(all[4].answer->status, 200U);
  EXPECT_EQ(all[4].answer->body, "");
  EXPECT_EQ(all[4].answer->content_type, "text/plain; charset=utf-8");
}

TEST(HttpParse, EveryChangeReachesItsMember) {
  const auto all = routes(R"yaml(
    [{upstream: app, match: {path_prefix: /a}, rewrite: {prefix: /b, host: "in.{host}"},
      request_headers: {remove: X-D, set: ["X-E: a", "X-F: {route}"], add: "X-G: b"},
      answer_headers: {remove: [Server], set: "X-H: c", add: ["X-I: d"]}, mirror: {upstream: app, percent: 0.5}},
     {upstream: app, match: {path: /b}, rewrite: {path: /fixed}, mirror: {upstream: app}},
     {upstream: app, match: {path: /c}, rewrite: {regex: "^/u/(\\d+)", to: "/users/\\1"
}
},
     {upstream: app, match: {path: /d}, rewrite: {regex: "x", to: ""}}])yaml");
  ASSERT_EQ(all.size(), 4U);
  ASSERT_TRUE(all[0].rewrite.has_value());
  EXPECT_EQ(all[0].rewrite->prefix, "/b");
  EXPECT_EQ(all[0].rewrite->host.pieces.size(), 2U);
  EXPECT_THAT(all[0].request_headers.remove, ElementsAre("X-D"));
  ASSERT_EQ(all[0].request_headers.set.size(), 2U);
  EXPECT_EQ(all[0].request_headers.set[1].name, "X-F");
  EXPECT_EQ(all[0].request_headers.set[1].value.pieces[0].fact, TemplateFact::route);
  ASSERT_EQ(all[0].request_headers.add.size(), 1U);
  EXPECT_EQ(all[0].request_headers.add[0].value.literal_text(), "b");
  EXPECT_THAT(all[0].answer_headers.remove, ElementsAre("Server"));
  EXPECT_EQ(all[0].answer_headers.set.size(), 1U);
  EXPECT_EQ(all[0].answer_headers.add.size(), 1U);
  ASSERT_TRUE(all[0].mirror.has_value());
  EXPECT_EQ(all[0].mirror->upstream, "app");
  EXPECT_EQ(all[0].mirror->parts, 5'000U);
  EXPECT_EQ(all[1].rewrite->path, "/fixed");
  EXPECT_EQ(all[1].mirror->parts, 1'000'000U);
  EXPECT_EQ(all[2].rewrite->regex, "^/u/(\\d+)");
  EXPECT_EQ(all[2].rewrite->to, "/users/\\1");
  EXPECT_EQ(all[3].rewrite->to, "");
}

TEST(HttpParse, EveryOtherKeyOfAListenerReachesItsMember) {
  const Config config = good(
      "listeners:\n"
      "  - address: \":80\"\n"
      "    mode: http\n"
      "    upstream: app\n"
      "    trusted_proxies: [10.0.0.0/8, unix, \"::1\"]\n"
      "    accept_proxy: [10.0.0.0/8]\n"
      "    forward: {x_forwarded_for: false, x_forwarded_proto: false, x_forwarded_host: false, x_real_ip: false,\n"
      "              forwarded: true, request_id: false, via: off}\n"
      "    allow_connect: true\n"
      "    max_requests: 7\n"
      "    access_log: false\n" +
      std::string{upstreams});
  const ListenerConfig& web = config.listeners[0];
  EXPECT_EQ(web.trusted_proxies.blocks.size(), 2U);
  EXPECT_TRUE(web.trusted_proxies.local);
  EXPECT_FALSE(web.forward.x_forwarded_for || web.forward.x_forwarded_proto || web.forward.x_forwarded_host);
  EXPECT_FALSE(web.forward.x_real_ip || web.forward.request_id);
  EXPECT_TRUE(web.forward.forwarded);
  EXPECT_EQ(web.forward.via, "");
  EXPECT_TRUE(web.allow_connect);
  EXPECT_EQ(web.max_requests, 7U);
  EXPECT_FALSE(web.access_log);
}

TEST(HttpParse, EveryKeyOfAnUpstreamReachesItsMember) {
  const UpstreamConfig app = upstream(
      "pool: {idle: 1, idle_timeout: 2s, max_requests: 3}, retry: {on: [timeout, 502, 429], backoff: 0, backoff_max: "
      "4s, "
      "budget: 5, budget_min: 6}, timeouts: {connect: 1s, first_byte: 7s, body: 8s, request: 0}, sticky: {by: cookie, "
      "cookie: C, indirect: false, no_cache: false, secure: true, http_only: false, same_site: none, domain: "
      "example.com, path: /p, max_age: 1h, secret: 0123456789abcdef}");
  EXPECT_EQ(app.pool.idle, 1U);
  EXPECT_EQ(app.pool.idle_timeout, seconds{2});
  EXPECT_EQ(app.pool.max_requests, 3U);
  EXPECT_EQ(app.retry.on, (RetryOn{.timeout = true, .statuses = {502, 429}})) << "what is written replaces the default";
  EXPECT_EQ(app.retry.backoff, Duration::zero());
  EXPECT_EQ(app.retry.backoff_max, seconds{4});
  EXPECT_EQ(app.retry.budget, 5U);
  EXPECT_EQ(app.retry.budget_min, 6U);
  EXPECT_EQ(app.timeouts.first_byte, seconds{7});
  EXPECT_EQ(app.timeouts.body, seconds{8});
  EXPECT_EQ(app.timeouts.request, Duration::zero());
  const StickyConfig& sticky = app.sticky;
  EXPECT_EQ(sticky.by, StickyBy::cookie);
  EXPECT_EQ(sticky.cookie, "C");
  EXPECT_FALSE(sticky.indirect || sticky.no_cache || sticky.http_only);
  EXPECT_TRUE(sticky.secure);
  EXPECT_EQ(sticky.same_site, SameSite::none);
  EXPECT_EQ(sticky.domain, "example.com");
  EXPECT_EQ(sticky.path, "/p");
  EXPECT_EQ(sticky.max_age, minutes{60});
  EXPECT_EQ(sticky.secret, "0123456789abcdef");
}

TEST(HttpParse, EveryWayOfBeingStickyReachesItsMember) {
  const UpstreamConfig learned =
      upstream("sticky: {by: learned, source: cookie:SID, learn: header:X-Session, ttl: 2m, entries: 2048}");
  EXPECT_EQ(learned.sticky.by, StickyBy::learned);
  EXPECT_EQ(learned.sticky.source->name, "SID");
  EXPECT_EQ(learned.sticky.learn->kind, KeySource::Kind::header);
  EXPECT_EQ(learned.sticky.ttl, minutes{2});
  EXPECT_EQ(learned.sticky.entries, 2048U);
  EXPECT_EQ(upstream("sticky: {by: client_ip, ttl: 1s}").sticky.by, StickyBy::client_ip);
}

TEST(HttpParse, NothingIsTriedAgainInTwoSpellings) {
  EXPECT_EQ(upstream("retry: {on: []}").retry.on, RetryOn{});
  EXPECT_EQ(upstream("retry: {on: off}").retry.on, RetryOn{.off = true});
  EXPECT_EQ(upstream("retry: {on: 503}").retry.on, (RetryOn{.statuses = {503}}));
}

TEST(HttpParse, GlobalKeysReachTheirMembers) {
  const Config config = good(
      "listeners: [{address: \":80\", mode: http, upstream: app}]\n"
      "timeouts: {header: 1s, client_body: 2s, keep_alive: 3s, half_close: 4s, first_byte: 5s, body: 6s, request: 7s}\n"
      "limits: {http_line: 1KiB, http_head: 2KiB, http_fields: 9, http_trailers: 0}\n"
      "access_log: {to: \"unix:/run/log.sock\", format: combined, mode: 0600, queue: 128KiB}\n" +
      std::string{upstreams});
  EXPECT_EQ(config.timeouts.header, seconds{1});
  EXPECT_EQ(config.timeouts.client_body, seconds{2});
  EXPECT_EQ(config.timeouts.keep_alive, seconds{3});
  EXPECT_EQ(config.timeouts.half_close, seconds{4});
  EXPECT_EQ(config.timeouts.first_byte, seconds{5});
  EXPECT_EQ(config.timeouts.body, seconds{6});
  EXPECT_EQ(config.timeouts.request, seconds{7});
  EXPECT_EQ(config.limits.http_line, KiB);
  EXPECT_EQ(config.limits.http_head, 2 * KiB);
  EXPECT_EQ(config.limits.http_fields, 9U);
  EXPECT_EQ(config.limits.http_trailers, 0U);
  ASSERT_TRUE(config.access_log.has_value());
  EXPECT_EQ(config.access_log->to, "unix:/run/log.sock");
  EXPECT_EQ(config.access_log->format, AccessLogFormat::combined);
  EXPECT_EQ(config.access_log->mode, 0600U);
  EXPECT_EQ(config.access_log->queue, 128 * KiB);
}

TEST(HttpParse, SectionsMayBeCommentedOut) {
  const Config config = good(
      "listeners:\n  - address: \":80\"\n    mode: http\n    upstream: app\n    routes:\n      - match:\n"
      "        redirect:\n        upstream: app\n        rewrite:\n        mirror:\n        request_headers:\n"
      "access_log:\n" +
      std::string{upstreams});
  EXPECT_FALSE(config.access_log.has_value());
  ASSERT_EQ(config.listeners[0].routes.size(), 1U);
  EXPECT_FALSE(config.listeners[0].routes[0].redirect.has_value());
  EXPECT_FALSE(config.listeners[0].routes[0].rewrite.has_value());
  EXPECT_FALSE(config.listeners[0].routes[0].mirror.has_value());
}

TEST(HttpParse, AConfigOfFlagsGoesThroughTheSameRules) {
  Config config;
  ListenerConfig& listener = config.listeners.emplace_back();
  listener.address = *SocketAddress::parse(":80");
  listener.mode = Mode::http;
  UpstreamConfig& app = config.upstreams.emplace_back();
  app.name = "app";
  app.endpoints.push_back({.name = "", .address = *SocketAddress::parse("10.0.0.1:80")});
  EXPECT_EQ(check_config(config, "command line").render(),
            "command line: error: listeners[0].upstream: this listener sends requests nowhere\n"
            "  help: name an `upstream`, or `routes` that do\n");
  config.listeners[0].upstream = "app";
  EXPECT_TRUE(check_config(config, "command line").ok());
  config.listeners[0].routes.emplace_back();
  EXPECT_EQ(check_config(config, "command line").render(),
            "command line: error: listeners[0].routes[0]: this route does nothing\n"
            "  help: write one of `upstream`, `split`, `redirect` and `answer`\n");
  config.listeners[0].routes[0].upstream = "app";
  const ParseResult taken = check_config(config, "command line");
  ASSERT_TRUE(taken.ok()) << taken.render();
  EXPECT_EQ(taken.config->listeners[0].routes[0].name, "route 1");
}

TEST(HttpParse, ManyRoutesAreReadInTime) {
  std::string text = "listeners:\n  - address: \":80\"\n    mode: http\n    routes:\n";
  constexpr int count = 10'000;
  for (int i = 0; i < count; ++i) {
    text += "      - {match: {hosts: h" + std::to_string(i % 100) + ".example, path_prefix: /p" + std::to_string(i) +
            "}, upstream: app}\n";
  }
  const Config config = good(text + std::string{upstreams});
  ASSERT_EQ(config.listeners.size(), 1U);
  EXPECT_EQ(config.listeners[0].routes.size(), static_cast<size_t>(count));
}

}  // namespace
}  // namespace weir::config
