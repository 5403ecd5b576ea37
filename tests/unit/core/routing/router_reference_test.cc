// The compiled router against one that looks at all routes, over random routes and requests. The reference shares no
// code with what it checks but the types of the question: it is written from the sentences of the documentation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/random.h"
#include "core/routing/router.h"
#include "tests/unit/core/routing/test_facts.h"

namespace weir::routing {
namespace {

using PathKind = RouteMatch::PathKind;
using ValueKind = ValueMatch::Kind;

struct Pattern {
  const char* text;
  std::function<bool(const std::string&)> matches;
};

const std::vector<Pattern> patterns = {
    {"\\.css$", [](const std::string& text) { return text.ends_with(".css"); }},
    {"^/a", [](const std::string& text) { return text.starts_with("/a"); }},
    {"b.*b", [](const std::string& text) { return std::count(text.begin(), text.end(), 'b') >= 2; }},
    {"^[^/]*/[^/]*$", [](const std::string& text) { return std::count(text.begin(), text.end(), '/') == 1; }},
    {"1|2", [](const std::string& text) { return text.find_first_of("12") != std::string::npos; }},
};

bool pattern_matches(const std::string& pattern, const std::string& text) {
  for (const Pattern& known : patterns) {
    if (known.text == pattern) return known.matches(text);
  }
  ADD_FAILURE() << pattern;
  return false;
}

// One request, in pieces that are easy to compare; parameters are encoded on the way to the router.
struct Request {
  std::string method, host, path;
  TestFacts::Fields headers, cookies, query;
  PeerAddress client;
};

// 0: not taken. Any host 1, wildcards by their size, the exact name most.
size_t host_rank(const std::vector<std::string>& hosts, const std::string& host) {
  if (hosts.empty()) return 1;
  size_t best = 0;
  for (std::string pattern : hosts) {
    std::transform(pattern.begin(), pattern.end(), pattern.begin(), [](char c) { return std::tolower(c); });
    if (pattern == host) best = std::max<size_t>(best, 1000);
    if (pattern == "*") best = std::max<size_t>(best, 1);
    if (pattern.size() > 2 && pattern.starts_with("*.") && host.size() > pattern.size() - 1 &&
        host.ends_with(pattern.substr(1))) {
      best = std::max(best, pattern.size());
    }
  }
  return best;
}

// 0: not taken. No path 1, prefixes by their size, expressions, the exact path most.
size_t path_rank(const RouteMatch& route, const std::string& path) {
  switch (route.path_kind) {
    case PathKind::any: return 1;
    case PathKind::exact: return path == route.path ? 2000 : 0;
    case PathKind::regex: return pattern_matches(route.path, path) ? 1000 : 0;
    case PathKind::prefix: {
      const bool below = path == route.path || path.starts_with(route.path + "/") ||
                         (route.path.ends_with('/') && path.starts_with(route.path));
      return below ? 2 + route.path.size() : 0;
    }
  }
  return 0;
}

bool value_holds(const ValueMatch& match, const TestFacts::Fields& fields, bool names_have_case) {
  std::string name = match.name;
  if (!names_have_case) std::transform(name.begin(), name.end(), name.begin(), [](char c) { return std::tolower(c); });
  bool any = false;
  for (const auto& [field, value] : fields) {
    if (field != name) continue;
    switch (match.kind) {
      case ValueKind::present: any = true; break;
      case ValueKind::exact: any = any || value == match.value; break;
      case ValueKind::prefix: any = any || value.starts_with(match.value); break;
      case ValueKind::regex: any = any || pattern_matches(match.value, value); break;
    }
  }
  return any != match.negated;
}

bool conditions_hold(const RouteMatch& route, const Request& request) {
  const auto all = [](const std::vector<ValueMatch>& matches, const TestFacts::Fields& fields, bool names_have_case) {
    return std::all_of(matches.begin(), matches.end(),
                       [&](const ValueMatch& match) { return value_holds(match, fields, names_have_case); });
  };
  const bool method_holds =
      route.methods.empty() || std::count(route.methods.begin(), route.methods.end(), request.method) != 0;
  return method_holds && (route.clients.empty() || route.clients.contains(request.client)) &&
         all(route.headers, request.headers, false) && all(route.cookies, request.cookies, true) &&
         all(route.query, request.query, true);
}

uint32_t reference(const std::vector<RouteMatch>& routes, const Request& request) {
  std::string host = request.host;
  if (host.ends_with('.')) host.pop_back();
  uint32_t best = no_route;
  std::tuple<size_t, size_t> best_rank{0, 0};
  for (uint32_t i = 0; i < routes.size(); ++i) {
    const std::tuple<size_t, size_t> rank{host_rank(routes[i].hosts, host), path_rank(routes[i], request.path)};
    if (std::get<0>(rank) == 0 || std::get<1>(rank) == 0 || rank <= best_rank) continue;
    if (!conditions_hold(routes[i], request)) continue;
    best = i;
    best_rank = rank;
  }
  return best;
}

// Few words, so that they meet.
class Maker {
 public:
  explicit Maker(uint64_t seed) : random_(seed) {}

  std::vector<RouteMatch> routes() {
    // Some sets have few conditions, so that structure decides; some have many, so that places are left again.
    condition_percent_ = random_.below(60);
    std::vector<RouteMatch> result(1 + random_.below(random_.below(4) == 0 ? 200 : 25));
    for (RouteMatch& match : result) {
      for (uint64_t count = random_.below(4); count > 0; --count) match.hosts.push_back(host_pattern());
      match.path_kind = static_cast<PathKind>(random_.below(4));
      if (match.path_kind == PathKind::regex) match.path = pattern();
      if (match.path_kind == PathKind::exact || match.path_kind == PathKind::prefix) match.path = path();
      if (percent(condition_percent_)) match.methods = {method(), method()};
      if (percent(condition_percent_)) match.headers = {value("X-N"), value("x-M")};
      if (percent(condition_percent_)) match.cookies = {value("n")};
      if (percent(condition_percent_)) match.query = {value("n m")};
      if (percent(condition_percent_)) match.clients.blocks = {Cidr::parse(pick({"10.0.0.0/31", "10.0.0.2"})).value()};
    }
    return result;
  }

  Request request() {
    Request result{.method = method(),
                   .host = host(),
                   .path = path(),
                   .headers = {},
                   .cookies = {},
                   .query = {},
                   .client = PeerAddress::ipv4(0x0a000000 + static_cast<uint32_t>(random_.below(4)), 1)};
    for (uint64_t count = random_.below(3); count > 0; --count)
      result.headers.emplace_back(pick({"x-n", "x-m"}), word());
    for (uint64_t count = random_.below(2); count > 0; --count) result.cookies.emplace_back("n", word());
    for (uint64_t count = random_.below(3); count > 0; --count) result.query.emplace_back(pick({"n m", "m"}), word());
    return result;
  }

  // As one of the many ways to write them.
  std::string encode(const TestFacts::Fields& query) {
    std::string result;
    for (const auto& [name, value] : query) {
      if (!result.empty()) result += "&";
      for (const std::string& text : {name, "=" + value}) {
        for (const char c : text) {
          if (c == ' ') {
            result += percent(50) ? "+" : "%20";
          } else if (c != '=' && percent(30)) {
            result += "%";
            result += "0123456789abcdef"[c >> 4];
            result += "0123456789ABCDEF"[c & 15];
          } else {
            result += c;
          }
        }
      }
    }
    return result;
  }

 private:
  bool percent(uint64_t of) { return random_.below(100) < of; }
  std::string pick(const std::vector<std::string>& from) { return from[random_.below(from.size())]; }
  std::string word() { return pick({"", "a", "/ab", "b", "bb", "1", "x.css"}); }
  std::string method() { return pick({"GET", "HEAD", "POST"}); }
  std::string pattern() { return patterns[random_.below(patterns.size())].text; }

  std::string host() {
    std::string result = pick({"com", "org"});
    for (uint64_t labels = random_.below(4); labels > 0; --labels)
      result = pick({"a", "b", "long-label"}) + "." + result;
    if (percent(5)) return pick({"", ".", ".com", "a..com"});
    return percent(10) ? result + "." : result;
  }

  std::string host_pattern() {
    if (percent(3)) return "*";
    std::string result = host();
    if (result.empty() || result == ".") return "a.COM";
    if (result.ends_with('.')) result.pop_back();
    if (percent(20))
      std::transform(result.begin(), result.end(), result.begin(), [](char c) { return std::toupper(c); });
    return percent(40) ? "*." + result : result;
  }

  std::string path() {
    if (percent(3)) return pick({"/", "//", "/./a", "/a/../b"});
    std::string result;
    const bool deep = percent(5);  // beyond 64 bytes
    for (uint64_t segments = random_.below(deep ? 30 : 4); segments > 0; --segments) {
      result += "/" + pick({"a", "b", "ab", "v1", "1.css", "segment"});
    }
    return result.empty() || percent(15) ? result + "/" : result;
  }

  ValueMatch value(const char* name) {
    ValueMatch match{
        .name = name, .kind = static_cast<ValueKind>(random_.below(4)), .value = word(), .negated = percent(30)};
    if (match.kind == ValueKind::regex) match.value = pattern();
    return match;
  }

  Random random_;
  uint64_t condition_percent_ = 0;
};

TEST(RouterReference, AgreesOverRandomRoutesAndRequests) {
  constexpr int sets = 1000;
  constexpr int requests_per_set = 200;
  Maker maker(20);
  int taken = 0;
  for (int set = 0; set < sets; ++set) {
    const std::vector<RouteMatch> routes = maker.routes();
    const auto router = make_router(routes);
    for (int i = 0; i < requests_per_set; ++i) {
      const Request request = maker.request();
      const std::string query = maker.encode(request.query);
      TestFacts facts(request.host, request.path);
      facts.method = request.method;
      facts.query = query;
      facts.client = &request.client;
      facts.headers = request.headers;
      facts.cookies = request.cookies;
      const uint32_t expected = reference(routes, request);
      ASSERT_EQ(router->match(facts), expected) << "set " << set << ", request " << i << ": " << request.method << " "
                                                << request.host << request.path << "?" << query;
      taken += expected != no_route ? 1 : 0;
    }
  }
  // Neither does everything match, nor nothing: or the test would say little.
  EXPECT_GT(taken, sets * requests_per_set / 2);
  EXPECT_LT(taken, sets * requests_per_set);
}

}  // namespace
}  // namespace weir::routing
