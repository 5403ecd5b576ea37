#include "core/routing/router.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/unit/core/routing/test_facts.h"

namespace weir::routing {
namespace {

using PathKind = RouteMatch::PathKind;
using ValueKind = ValueMatch::Kind;

RouteMatch route(std::vector<std::string> hosts, PathKind kind = PathKind::any, std::string path = "") {
  RouteMatch match;
  match.hosts = std::move(hosts);
  match.path_kind = kind;
  match.path = std::move(path);
  return match;
}

RouteMatch with_header(RouteMatch match, const char* name) {
  match.headers.emplace_back().name = name;
  return match;
}

struct Row {
  const char* host;
  const char* path;
  uint32_t expected;
};

void expect_rows(const std::vector<RouteMatch>& routes, const std::vector<Row>& rows) {
  const auto router = make_router(routes);
  for (const Row& row : rows) {
    EXPECT_EQ(router->match(TestFacts(row.host, row.path)), row.expected) << row.host << " " << row.path;
  }
}

TEST(Router, WithoutRoutesTakesNothing) {
  expect_rows({}, {{"example.com", "/", no_route}, {"", "", no_route}});
}

TEST(Router, ARouteWithoutConditionsTakesEverything) {
  expect_rows({RouteMatch{}}, {{"example.com", "/", 0}, {"", "", 0}, {"x", "*", 0}});
}

TEST(Router, TheHostCountsMoreThanThePath) {
  expect_rows({route({}, PathKind::exact, "/x"),                 // 0
               route({"*.com"}, PathKind::exact, "/x"),          // 1
               route({"*.example.com"}, PathKind::exact, "/x"),  // 2
               route({"a.example.com"})},                        // 3
              {{"a.example.com", "/x", 3},
               {"b.example.com", "/x", 2},
               {"example.com", "/x", 1},
               {"example.org", "/x", 0},
               {"example.org", "/y", no_route},
               {"b.example.com", "/y", no_route}});
}

TEST(Router, PathsGoFromExactToNone) {
  expect_rows({route({}),                                  // 0
               route({}, PathKind::prefix, "/"),           // 1
               route({}, PathKind::prefix, "/a"),          // 2
               route({}, PathKind::prefix, "/a/b"),        // 3
               route({}, PathKind::regex, "\\.css$"),      // 4
               route({}, PathKind::regex, "^/a/b/c\\."),   // 5
               route({}, PathKind::exact, "/a/b/c.css")},  // 6
              {{"h", "/a/b/c.css", 6},
               {"h", "/a/b/d.css", 4},
               {"h", "/a/b/c.png", 5},
               {"h", "/a/b/c.x.css", 4},  // two expressions match: the first of the file
               {"h", "/a/b/d", 3},
               {"h", "/a/b", 3},
               {"h", "/a/bc", 2},
               {"h", "/a", 2},
               {"h", "/ab", 1},
               {"h", "*", 0}});
}

// What this router does not do, as its header promises.
TEST(Router, SeesTheBytesTheOriginWillSee) {
  expect_rows({route({}, PathKind::prefix, "/admin"), route({}, PathKind::prefix, "/")}, {{"h", "/admin", 0},
                                                                                          {"h", "/admin/../x", 0},
                                                                                          {"h", "/admin//x", 0},
                                                                                          {"h", "/x/../admin", 1},
                                                                                          {"h", "/./admin", 1},
                                                                                          {"h", "//admin", 1},
                                                                                          {"h", "/%61dmin", 1},
                                                                                          {"h", "/admin%2Fx", 1},
                                                                                          {"h", "/Admin", 1}});
}

TEST(Router, HostsHaveNoCaseAndNoDotAtTheEnd) {
  expect_rows({route({"API.Example.com."}), route({"*.EXAMPLE.org"}), route({"*"})}, {{"api.example.com", "/", 0},
                                                                                      {"api.example.com.", "/", 0},
                                                                                      {"x.example.org.", "/", 1},
                                                                                      {"example.org", "/", 2},
                                                                                      {"api.example.com..", "/", 2}});
}

TEST(Router, ARouteMayHaveManyHosts) {
  expect_rows({route({"a.com", "*.b.com", "A.com"}, PathKind::prefix, "/x"), route({"*.com"})},
              {{"a.com", "/x/y", 0},
               {"z.b.com", "/x", 0},
               {"b.com", "/x", 1},
               {"a.com", "/y", 1},
               {"c.com", "/x", 1},
               {"c.org", "/x", no_route}});
}

TEST(Router, WithinAPlaceTheFirstThatHoldsIsTaken) {
  std::vector<RouteMatch> routes = {with_header(route({"a.com"}, PathKind::prefix, "/x"), "one"),
                                    with_header(route({"a.com"}, PathKind::prefix, "/x"), "two"),
                                    route({"a.com"}, PathKind::prefix, "/x"),
                                    with_header(route({"a.com"}, PathKind::prefix, "/x"), "three")};
  const auto router = make_router(routes);
  TestFacts facts("a.com", "/x");
  EXPECT_EQ(router->match(facts), 2U);
  facts.headers = {{"three", ""}};
  EXPECT_EQ(router->match(facts), 2U);
  facts.headers = {{"two", ""}};
  EXPECT_EQ(router->match(facts), 1U);
  facts.headers = {{"two", ""}, {"one", ""}};
  EXPECT_EQ(router->match(facts), 0U);
}

// Each route wants one header more than the one that is less specific, so taking headers away walks down the ladder.
TEST(Router, WhereNoneHoldsTheNextPlaceIsAsked) {
  const std::vector<RouteMatch> ladder = {route({"a.b.com"}, PathKind::exact, "/x/y"),
                                          route({"a.b.com"}, PathKind::regex, "y$"),
                                          route({"a.b.com"}, PathKind::prefix, "/x/y"),
                                          route({"a.b.com"}, PathKind::prefix, "/x/"),
                                          route({"a.b.com"}, PathKind::prefix, "/x"),
                                          route({"a.b.com"}),
                                          route({"*.b.com"}, PathKind::exact, "/x/y"),
                                          route({"*.b.com"}, PathKind::prefix, "/x"),
                                          route({"*.b.com"}),
                                          route({"*.com"}, PathKind::regex, "^/x"),
                                          route({"*.com"}, PathKind::prefix, "/"),
                                          route({}, PathKind::exact, "/x/y"),
                                          route({}, PathKind::regex, "x"),
                                          route({}, PathKind::prefix, "/x"),
                                          route({})};
  std::vector<RouteMatch> routes;
  for (size_t i = 0; i < ladder.size(); ++i) {
    // The order of the file says nothing here: the least specific comes first.
    routes.push_back(with_header(ladder[ladder.size() - 1 - i], std::string(1, static_cast<char>('a' + i)).c_str()));
  }
  const auto router = make_router(routes);
  TestFacts facts("a.b.com", "/x/y");
  EXPECT_EQ(router->match(facts), no_route);
  for (uint32_t i = 0; i < routes.size(); ++i) {
    facts.headers.emplace_back(std::string(1, static_cast<char>('a' + i)), "");
    EXPECT_EQ(router->match(facts), i);
  }
}

TEST(Router, ExpressionsAreTriedInTheOrderOfTheFile) {
  expect_rows({with_header(route({}, PathKind::regex, "^/a"), "x"), route({}, PathKind::regex, "^/ab"),
               route({}, PathKind::regex, "^/a")},
              {{"h", "/a", 2}, {"h", "/abc", 1}, {"h", "/c", no_route}});
}

TEST(Router, KeepsNothingOfWhatItWasMadeOf) {
  std::vector<RouteMatch> routes = {route({"a.com"}, PathKind::exact, "/some/long/path/that/is/not/in/place"),
                                    route({"a.com"}, PathKind::regex, "^/only/in/the/pool$")};
  routes[0].methods = {"A-METHOD-THAT-IS-NOT-IN-PLACE"};
  routes[0].headers = {{.name = "x", .kind = ValueKind::exact, .value = "a value that is not in place either"}};
  const auto router = make_router(routes);
  routes.clear();
  routes.shrink_to_fit();
  TestFacts facts("a.com", "/some/long/path/that/is/not/in/place");
  facts.method = "A-METHOD-THAT-IS-NOT-IN-PLACE";
  facts.headers = {{"x", "a value that is not in place either"}};
  EXPECT_EQ(router->match(facts), 0U);
  EXPECT_EQ(router->match(TestFacts("a.com", "/only/in/the/pool")), 1U);
}

}  // namespace
}  // namespace weir::routing
