// What it costs to find the route of a request among 10 to 100,000, and what a reload pays to compile them.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/routing/router.h"

namespace weir {
namespace {

using routing::make_router;
using routing::RouteMatch;
using routing::ValueMatch;

struct Facts final : RouteFacts {
  bool any_header(std::string_view name, Visitor& visit) const override {
    return name == "x-canary" && visit(std::string_view{"yes"});
  }
  bool cookie(std::string_view, std::string_view&) const override { return false; }
};

constexpr int64_t prefixes_per_host = 10;

std::string host_of(int64_t number) {
  return "customer-" + std::to_string(number) + ".example.com";
}

std::string prefix_of(int64_t number) {
  static const char* const names[] = {"/api/v1",   "/api/v2", "/static", "/login", "/account",
                                      "/checkout", "/search", "/admin",  "/media", "/webhooks/incoming"};
  return names[number % prefixes_per_host];
}

// `count` routes: ten prefixes for each host; "*" in front of hosts makes them wildcards.
std::vector<RouteMatch> routes_of(int64_t count, const std::string& before_host) {
  std::vector<RouteMatch> routes(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    RouteMatch& route = routes[static_cast<size_t>(i)];
    route.hosts = {before_host + host_of(i / prefixes_per_host)};
    route.path_kind = RouteMatch::PathKind::prefix;
    route.path = prefix_of(i);
  }
  return routes;
}

struct Request {
  std::string host;
  std::string path;
};

// Requests for routes at random, so that a big table pays for its cache misses.
std::vector<Request> requests_of(int64_t count, const std::string& before_host) {
  Random random(1);
  std::vector<Request> requests(16'384);
  for (Request& request : requests) {
    const auto route = static_cast<int64_t>(random.below(static_cast<uint64_t>(count)));
    request.host = before_host + host_of(route / prefixes_per_host);
    request.path = prefix_of(route) + "/items/" + std::to_string(random.below(1000)) + "/details";
  }
  return requests;
}

// Each request depends on the answer before, so that this is the time until an answer is there.
void match_all(benchmark::State& bench, const Router& router, const std::vector<Request>& requests) {
  Facts facts;
  facts.method = "GET";
  size_t at = 0;
  for (auto _ : bench) {
    facts.host = requests[at].host;
    facts.path = requests[at].path;
    const uint32_t route = router.match(facts);
    if (route == no_route) bench.SkipWithError("a request found no route");
    at = (at + 1 + (route & 1)) % requests.size();
  }
}

void router_match(benchmark::State& bench) {
  const auto router = make_router(routes_of(bench.range(0), ""));
  match_all(bench, *router, requests_of(bench.range(0), ""));
}
BENCHMARK(router_match)->Arg(10)->Arg(1000)->Arg(10'000)->Arg(100'000);

void router_match_wildcard(benchmark::State& bench) {
  const auto router = make_router(routes_of(bench.range(0), "*."));
  match_all(bench, *router, requests_of(bench.range(0), "www."));
}
BENCHMARK(router_match_wildcard)->Arg(10)->Arg(1000)->Arg(10'000)->Arg(100'000);

// One host and one prefix; the routes differ by a header that all but the last want to have another value.
void router_match_conditions(benchmark::State& bench) {
  std::vector<RouteMatch> routes(static_cast<size_t>(bench.range(0)));
  for (RouteMatch& route : routes)
    route.headers = {{.name = "X-Canary", .kind = ValueMatch::Kind::exact, .value = "no"}};
  routes.back().headers[0].value = "yes";
  match_all(bench, *make_router(routes), requests_of(1, ""));
}
BENCHMARK(router_match_conditions)->Arg(1)->Arg(10)->Arg(100);

void router_match_expression(benchmark::State& bench) {
  RouteMatch route;
  route.path_kind = RouteMatch::PathKind::regex;
  route.path = "^/api/v\\d+/items/\\d+/details$";
  match_all(bench, *make_router({route}), requests_of(1, ""));
}
BENCHMARK(router_match_expression);

void router_make(benchmark::State& bench) {
  const std::vector<RouteMatch> routes = routes_of(bench.range(0), "");
  for (auto _ : bench) benchmark::DoNotOptimize(make_router(routes));
}
BENCHMARK(router_make)->Arg(10)->Arg(1000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir
