#include "core/config/compile_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "core/config/compile.h"
#include "core/routing/sticky_token.h"
#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr std::string_view secret = "a secret of the test";

// A compiled file, and the Registry that knows its names.
struct Compiled {
  explicit Compiled(const std::string& text) {
    ParseResult result = parse(text);
    EXPECT_TRUE(result.ok()) << result.render();
    if (!result.ok()) return;
    auto compiled = compile(*result.config, {100}, 1, Instant{}, registry);
    EXPECT_TRUE(compiled) << compiled.error();
    if (compiled) snapshot = std::move(*compiled);
  }

  const HttpListener& http(size_t index = 0) const { return *snapshot->listeners[index].http; }
  const HttpUpstream& upstream(size_t index = 0) const { return snapshot->upstreams[index]->http; }

  Registry registry{1, std::string{secret}};
  std::unique_ptr<Snapshot> snapshot;
};

// A request in a few words.
class Request : public RouteFacts {
 public:
  Request(std::string_view host_text, std::string_view path_text) {
    host = host_text;
    path = path_text;
    method = "GET";
    client = &address_;
  }
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case

  bool any_header(std::string_view name, Visitor& visit) const override {
    for (const auto& [each, value] : headers) {
      if (each == name && visit(value)) return true;
    }
    return false;
  }
  bool cookie(std::string_view name, std::string_view& value) const override {
    if (name != "beta") return false;
    value = "on";
    return true;
  }

 private:
  PeerAddress address_ = PeerAddress::ipv4(0x0a000001, 1);
};

std::string with_listener(const std::string& keys) {
  return "listeners: [{address: \":80\", mode: http, " + keys +
         "}]\n"
         "upstreams:\n"
         "  - {name: app, endpoints: [10.0.0.1:80]}\n"
         "  - {name: api, endpoints: [10.0.0.2:80]}\n"
         "  - {name: blue, endpoints: [10.0.0.3:80]}\n";
}

std::string with_upstream(const std::string& keys) {
  return "listeners: [{address: \":80\", mode: http, upstream: app}]\n"
         "upstreams: [{name: app, endpoints: [{name: a, address: 10.0.0.1:80}, {name: b, address: 10.0.0.2:80}], " +
         keys + "}]\n";
}

std::string rewritten(const Route& route, std::string_view path) {
  std::array<char, 256> out{};
  return {out.data(), route.path_rewriter->rewrite(path, out.data(), out.size())};
}

TEST(CompileHttp, AListenerInTcpModeHasNone) {
  const Compiled tcp{
      "listeners: [{address: \":80\", upstream: app}]\nupstreams: [{name: app, endpoints: [10.0.0.1:80]}]\n"};
  EXPECT_EQ(tcp.snapshot->listeners[0].http, nullptr);
}

TEST(CompileHttp, WithoutRoutesEverythingGoesToTheUpstream) {
  Compiled compiled{with_listener("upstream: app")};
  const HttpListener& http = compiled.http();
  EXPECT_TRUE(http.routes.empty());
  EXPECT_EQ(http.router, nullptr);
  ASSERT_NE(http.otherwise, nullptr);
  EXPECT_EQ(http.otherwise->name, "");
  ASSERT_EQ(http.otherwise->split.size(), 1U);
  EXPECT_EQ(http.otherwise->split[0].upstream, compiled.registry.upstream_id("app"));
  EXPECT_EQ(compiled.snapshot->listeners[0].upstream, compiled.registry.upstream_id("app"));
}

TEST(CompileHttp, WithoutAnUpstreamThereIsNoOtherwise) {
  const Compiled compiled{with_listener("routes: [{match: {path: /a}, upstream: app}]")};
  EXPECT_EQ(compiled.http().otherwise, nullptr);
  EXPECT_EQ(compiled.snapshot->listeners[0].upstream, no_upstream);
  EXPECT_EQ(compiled.snapshot->find(no_upstream), nullptr);
}

TEST(CompileHttp, EveryConditionReachesTheRouter) {
  const Compiled compiled{with_listener(R"yaml(routes: [
    {match: {hosts: [API.example.com]}, upstream: app},
    {match: {hosts: ["*.example.org"]}, upstream: app},
    {match: {path: /exact}, upstream: app},
    {match: {path_prefix: /v1}, upstream: app},
    {match: {path_regex: "[.](png|css)$"}, upstream: app},
    {match: {path: /m, methods: POST}, upstream: app},
    {match: {path: /h, headers: [{name: X-Canary, value: "yes"}]}, upstream: app},
    {match: {path: /n, headers: [{name: X-Canary, not: true}]}, upstream: app},
    {match: {path: /q, query: [{name: V, prefix: "2"}]}, upstream: app},
    {match: {path: /c, cookies: [{name: beta, regex: "^o"}]}, upstream: app},
    {match: {path: /i, clients: 10.0.0.0/8}, upstream: app}])yaml")};
  const Router& router = *compiled.http().router;
  EXPECT_EQ(router.match(Request{"api.example.com", "/"}), 0U);
  EXPECT_EQ(router.match(Request{"a.b.example.org", "/"}), 1U);
  EXPECT_EQ(router.match(Request{"x", "/exact"}), 2U);
  EXPECT_EQ(router.match(Request{"x", "/v1/a"}), 3U);
  EXPECT_EQ(router.match(Request{"x", "/v1a"}), no_route);
  EXPECT_EQ(router.match(Request{"x", "/a.png"}), 4U);
  Request post{"x", "/m"};
  EXPECT_EQ(router.match(post), no_route);
  post.method = "POST";
  EXPECT_EQ(router.match(post), 5U);
  Request header{"x", "/h"};
  EXPECT_EQ(router.match(header), no_route);
  header.headers = {{"x-canary", "yes"}};
  EXPECT_EQ(router.match(header), 6U) << "names of headers are looked for in lower case";
  header.path = "/n";
  EXPECT_EQ(router.match(header), no_route);
  EXPECT_EQ(router.match(Request{"x", "/n"}), 7U);
  Request query{"x", "/q"};
  query.query = "V=21";
  EXPECT_EQ(router.match(query), 8U) << "names of parameters keep their case";
  query.query = "v=21";
  EXPECT_EQ(router.match(query), no_route);
  EXPECT_EQ(router.match(Request{"x", "/c"}), 9U);
  EXPECT_EQ(router.match(Request{"x", "/i"}), 10U);
  EXPECT_EQ(router.match(Request{"x", "/none"}), no_route);
}

TEST(CompileHttp, BringsEveryFieldOfARoute) {
  Compiled compiled{with_listener(R"yaml(upstream: app, routes: [
    {name: to-api, match: {path_prefix: /v1}, upstream: api, timeout: 1500us, mirror: {upstream: blue, percent: 0.5},
     rewrite: {prefix: /internal, host: "in.{host}"},
     request_headers: {add: ["X-C: c"], set: ["X-B: {route}"], remove: [X-A]},
     answer_headers: {add: ["X-D: d"]}},
    {match: {path: /s}, split: [{upstream: app, weight: 95}, {upstream: api, weight: 0}, {upstream: blue, weight: 5}],
     split_by: "header:X-User"},
    {match: {path: /r}, redirect: {status: 308, location: "/x{query}"}},
    {match: {path: /a}, answer: {status: 404, body: gone, content_type: text/html}}])yaml")};
  const auto& routes = compiled.http().routes;
  ASSERT_EQ(routes.size(), 4U);
  const Route& api = *routes[0];
  EXPECT_EQ(api.name, "to-api");
  ASSERT_EQ(api.split.size(), 1U);
  EXPECT_EQ(api.split[0].upstream, compiled.registry.upstream_id("api"));
  EXPECT_EQ(api.request_timeout_ms, 2U) << "rounded up";
  EXPECT_TRUE(api.has_mirror);
  EXPECT_EQ(api.mirror, compiled.registry.upstream_id("blue"));
  EXPECT_EQ(api.mirror_parts, 5'000U);
  EXPECT_EQ(rewritten(api, "/v1/x"), "/internal/x");
  ASSERT_NE(api.host_rewrite, nullptr);
  EXPECT_EQ(api.host_rewrite->pieces.size(), 2U);
  ASSERT_EQ(api.request_rules.size(), 3U) << "remove, set, add";
  EXPECT_EQ(api.request_rules[0].kind, FieldRule::Kind::remove);
  EXPECT_EQ(api.request_rules[0].name, "X-A");
  EXPECT_EQ(api.request_rules[1].kind, FieldRule::Kind::set);
  EXPECT_EQ(api.request_rules[1].value.pieces[0].fact, TemplateFact::route);
  EXPECT_EQ(api.request_rules[2].kind, FieldRule::Kind::add);
  EXPECT_EQ(api.request_rules[2].value.literal_text(), "c");
  ASSERT_EQ(api.answer_rules.size(), 1U);
  EXPECT_EQ(api.answer_rules[0].name, "X-D");
  EXPECT_EQ(api.redirect, nullptr);
  EXPECT_EQ(api.answer, nullptr);

  const Route& split = *routes[1];
  EXPECT_EQ(split.name, "route 2");
  ASSERT_EQ(split.split.size(), 2U) << "who has no weight is not among them";
  EXPECT_EQ(split.split[0].weight, 95U);
  EXPECT_EQ(split.split[1].upstream, compiled.registry.upstream_id("blue"));
  EXPECT_EQ(split.split_key.kind, KeySource::Kind::header);
  EXPECT_EQ(split.split_key.name, "x-user");
  EXPECT_FALSE(split.has_mirror);
  EXPECT_EQ(split.path_rewriter, nullptr);
  EXPECT_EQ(split.host_rewrite, nullptr);
  EXPECT_EQ(split.request_timeout_ms, 0U);

  ASSERT_NE(routes[2]->redirect, nullptr);
  EXPECT_EQ(routes[2]->redirect->status, 308U);
  EXPECT_EQ(routes[2]->redirect->location.pieces.size(), 2U);
  EXPECT_TRUE(routes[2]->split.empty());
  ASSERT_NE(routes[3]->answer, nullptr);
  EXPECT_EQ(routes[3]->answer->status, 404U);
  EXPECT_EQ(routes[3]->answer->body, "gone");
  EXPECT_EQ(routes[3]->answer->content_type, "text/html");
}

TEST(CompileHttp, EveryRewriteHasItsRewriter) {
  const Compiled compiled{with_listener(R"yaml(routes: [
    {match: {path: /a}, upstream: app, rewrite: {path: /fixed}},
    {match: {path: /b}, upstream: app, rewrite: {regex: "^/u/([0-9]+)", to: "/users/\\1"}},
    {match: {path: /c}, upstream: app, rewrite: {regex: "x", to: ""}},
    {match: {path: /d}, upstream: app, rewrite: {host: h.example}}])yaml")};
  const auto& routes = compiled.http().routes;
  EXPECT_EQ(rewritten(*routes[0], "/a"), "/fixed");
  EXPECT_EQ(rewritten(*routes[1], "/u/7/x"), "/users/7/x");
  EXPECT_EQ(rewritten(*routes[2], "/axb"), "/ab");
  EXPECT_EQ(routes[3]->path_rewriter, nullptr);
  EXPECT_EQ(routes[3]->host_rewrite->literal_text(), "h.example");
}

TEST(CompileHttp, BringsEveryOtherFieldOfAListener) {
  const std::string text = with_listener(
                               "upstream: app, trusted_proxies: [10.0.0.0/8], forward: {x_forwarded_for: false, "
                               "x_forwarded_proto: false, x_forwarded_host: false, x_real_ip: false, forwarded: true, "
                               "request_id: false, via: edge}, allow_connect: true, max_requests: 7") +
                           "timeouts: {header: 1s, client_body: 2s, keep_alive: 3s, half_close: 4s}\n"
                           "limits: {http_line: 1KiB, http_head: 2KiB, http_fields: 9, http_trailers: 3KiB}\n";
  const Compiled compiled{text};
  const HttpListener& http = compiled.http();
  EXPECT_EQ(http.forward.trusted.blocks, (std::vector<Cidr>{*Cidr::parse("10.0.0.0/8")}));
  EXPECT_FALSE(http.forward.x_forwarded_for || http.forward.x_forwarded_proto || http.forward.x_forwarded_host);
  EXPECT_FALSE(http.forward.x_real_ip || http.forward.request_id);
  EXPECT_TRUE(http.forward.forwarded);
  EXPECT_EQ(http.forward.via, "edge");
  EXPECT_TRUE(http.allow_connect);
  EXPECT_EQ(http.requests_max, 7U);
  EXPECT_EQ(http.header_timeout, seconds{1});
  EXPECT_EQ(http.body_timeout, seconds{2});
  EXPECT_EQ(http.keep_alive_timeout, seconds{3});
  EXPECT_EQ(http.half_close_timeout, seconds{4});
  EXPECT_EQ(http.limits.line_bytes_max, 1024U);
  EXPECT_EQ(http.limits.head_bytes_max, 2048U);
  EXPECT_EQ(http.limits.fields_max, 9U);
  EXPECT_EQ(http.limits.trailer_bytes_max, 3072U);
}

TEST(CompileHttp, TheAccessLogIsForListenersThatSaySoWhenThereIsOne) {
  EXPECT_FALSE(Compiled{with_listener("upstream: app")}.http().access_log);
  EXPECT_TRUE(Compiled{with_listener("upstream: app") + "access_log: {to: stdout}\n"}.http().access_log);
  const Compiled two{
      "listeners:\n"
      "  - {address: \":80\", mode: http, upstream: app}\n"
      "  - {address: \":81\", mode: http, upstream: app, access_log: false}\n"
      "upstreams: [{name: app, endpoints: [10.0.0.1:80]}]\n"
      "access_log: {to: stdout}\n"};
  EXPECT_TRUE(two.http(0).access_log);
  EXPECT_FALSE(two.http(1).access_log);
}

TEST(CompileHttp, BringsPoolRetriesAndTimeouts) {
  const Compiled own{
      with_upstream("pool: {idle: 1, idle_timeout: 2s, max_requests: 3}, retry: {on: [timeout, 503], "
                    "backoff: 4s, backoff_max: 5s, budget: 6, budget_min: 7}, "
                    "timeouts: {first_byte: 8s, body: 9s, request: 10s}")};
  const HttpUpstream& http = own.upstream();
  EXPECT_EQ(http.pool.idle_max, 1U);
  EXPECT_EQ(http.pool.idle_timeout, seconds{2});
  EXPECT_EQ(http.pool.requests_max, 3U);
  EXPECT_FALSE(http.retry.on_connect || http.retry.on_reset);
  EXPECT_TRUE(http.retry.on_timeout);
  EXPECT_THAT(http.retry.on_statuses, ElementsAre(503));
  EXPECT_EQ(http.retry.backoff_base, seconds{4});
  EXPECT_EQ(http.retry.backoff_max, seconds{5});
  EXPECT_EQ(http.retry.budget_percent, 6U);
  EXPECT_EQ(http.retry.budget_min, 7U);
  EXPECT_EQ(http.first_byte_timeout, seconds{8});
  EXPECT_EQ(http.body_timeout, seconds{9});
  EXPECT_EQ(http.request_timeout, seconds{10});

  const Compiled global{with_upstream("tries: 3") + "timeouts: {first_byte: 11s, body: 12s, request: 13s}\n"};
  EXPECT_EQ(global.upstream().first_byte_timeout, seconds{11});
  EXPECT_EQ(global.upstream().body_timeout, seconds{12});
  EXPECT_EQ(global.upstream().request_timeout, seconds{13});
  const Compiled zero{with_upstream("timeouts: {request: 0}") + "timeouts: {request: 13s}\n"};
  EXPECT_EQ(zero.upstream().request_timeout, Duration::zero()) << "0 is said, and not left out";
}

TEST(CompileHttp, TheModelsDefaultsAreTheConfigs) {
  const Compiled compiled{with_upstream("tries: 3")};
  const PoolPolicy pool;
  const RetryPolicy retry;
  const HttpLimits limits;
  const HttpUpstream& http = compiled.upstream();
  EXPECT_EQ(http.pool.idle_max, pool.idle_max);
  EXPECT_EQ(http.pool.requests_max, pool.requests_max);
  EXPECT_EQ(http.retry.on_connect, retry.on_connect);
  EXPECT_EQ(http.retry.on_reset, retry.on_reset);
  EXPECT_EQ(http.retry.on_timeout, retry.on_timeout);
  EXPECT_EQ(http.retry.budget_percent, retry.budget_percent);
  EXPECT_EQ(http.retry.budget_min, retry.budget_min);
  EXPECT_EQ(http.sticky.kind, StickyPolicy::Kind::off);
  EXPECT_EQ(http.sticky.table, nullptr);
  EXPECT_EQ(compiled.http().limits.line_bytes_max, limits.line_bytes_max);
  EXPECT_EQ(compiled.http().limits.head_bytes_max, limits.head_bytes_max);
  EXPECT_EQ(compiled.http().limits.fields_max, limits.fields_max);
  EXPECT_EQ(compiled.http().limits.trailer_bytes_max, limits.trailer_bytes_max);
}

TEST(CompileHttp, ACookieHasATokenForEachEndpoint) {
  const Compiled own{
      with_upstream("sticky: {by: cookie, cookie: C, indirect: false, no_cache: false, secure: true, "
                    "http_only: false, same_site: none, domain: d.example, path: /p, max_age: 1h, "
                    "secret: 0123456789abcdef}")};
  const StickyPolicy& sticky = own.upstream().sticky;
  EXPECT_EQ(sticky.kind, StickyPolicy::Kind::cookie);
  EXPECT_EQ(sticky.cookie_name, "C");
  EXPECT_FALSE(sticky.indirect || sticky.no_cache || sticky.http_only);
  EXPECT_TRUE(sticky.secure);
  EXPECT_EQ(sticky.same_site, StickyPolicy::SameSite::none);
  EXPECT_EQ(sticky.domain, "d.example");
  EXPECT_EQ(sticky.path, "/p");
  EXPECT_EQ(sticky.max_age, minutes{60});
  EXPECT_EQ(sticky.table, nullptr);
  EXPECT_THAT(sticky.tokens, ElementsAre(routing::sticky_token("0123456789abcdef", "app", "a"),
                                         routing::sticky_token("0123456789abcdef", "app", "b")));
  const Compiled drawn{with_upstream("sticky: {by: cookie}")};
  EXPECT_EQ(drawn.upstream().sticky.tokens[1], routing::sticky_token(secret, "app", "b")) << "the Registry's secret";
}

TEST(CompileHttp, WhatIsLearnedLiesInATableOfTheRegistry) {
  Compiled learned{with_upstream("sticky: {by: learned, source: \"header:X-Sid\", ttl: 2m, entries: 2048}")};
  const StickyPolicy& sticky = learned.upstream().sticky;
  EXPECT_EQ(sticky.kind, StickyPolicy::Kind::learned);
  EXPECT_EQ(sticky.source.kind, KeySource::Kind::header);
  EXPECT_EQ(sticky.source.name, "x-sid");
  EXPECT_EQ(sticky.learn_from.kind, KeySource::Kind::header) << "as the source";
  EXPECT_EQ(sticky.learn_from.name, "x-sid");
  EXPECT_EQ(sticky.ttl, minutes{2});
  ASSERT_NE(sticky.table, nullptr);
  EXPECT_EQ(sticky.table->capacity(), 2048U);
  EXPECT_EQ(sticky.table, learned.registry.stick_table(learned.registry.upstream_id("app"), 2048));

  const Compiled other{with_upstream("sticky: {by: learned, source: cookie:Sid, learn: \"header:X-New\"}")};
  EXPECT_EQ(other.upstream().sticky.source.name, "Sid") << "names of cookies keep their case";
  EXPECT_EQ(other.upstream().sticky.learn_from.kind, KeySource::Kind::header);
  EXPECT_EQ(other.upstream().sticky.learn_from.name, "x-new");

  const Compiled address{with_upstream("sticky: {by: client_ip}")};
  EXPECT_EQ(address.upstream().sticky.kind, StickyPolicy::Kind::client_ip);
  ASSERT_NE(address.upstream().sticky.table, nullptr);
  EXPECT_EQ(address.upstream().sticky.ttl, minutes{30});
}

}  // namespace
}  // namespace weir::config
