#include "core/routing/path_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::routing {
namespace {

using Kind = RouteMatch::PathKind;
using Places = std::vector<uint32_t>;

Places places(const PathTable& table, uint32_t host, std::string_view path) {
  Places result;
  EXPECT_FALSE(table.visit(host, path, [&](uint32_t place) {
    result.push_back(place);
    return false;
  }));
  return result;
}

// Two hosts with the same paths in other places, and a third with nothing.
PathTable two_hosts() {
  std::vector<PathTable::Entry> entries;
  for (const uint32_t host : {0U, 1U}) {
    const uint32_t base = host * 100;
    entries.push_back({host, Kind::exact, "/api/v1", base + 1});
    entries.push_back({host, Kind::prefix, "/", base + 2});
    entries.push_back({host, Kind::prefix, "/api", base + 3});
    entries.push_back({host, Kind::prefix, "/api/", base + 4});
    entries.push_back({host, Kind::prefix, "/api/v1", base + 5});
    entries.push_back({host, Kind::any, "", base + 6});
  }
  entries.push_back({1, Kind::regex, "", 107});
  return {entries, 3};
}

TEST(PathTable, GoesFromTheMostToTheLeastSpecific) {
  const PathTable table = two_hosts();
  struct Row {
    const char* path;
    Places expected;
  };
  for (const Row& row : std::vector<Row>{
           {"/api/v1", {1, 5, 4, 3, 2, 6}},
           {"/api/v1/", {5, 4, 3, 2, 6}},
           {"/api/v1/x/y", {5, 4, 3, 2, 6}},
           {"/api/v1x", {4, 3, 2, 6}},
           {"/api/v", {4, 3, 2, 6}},
           {"/api/", {4, 3, 2, 6}},
           {"/api//v1", {4, 3, 2, 6}},
           {"/api", {3, 2, 6}},
           {"/apix", {2, 6}},
           {"/ap", {2, 6}},
           {"//api", {2, 6}},
           {"/./api", {2, 6}},
           {"/API", {2, 6}},
           {"/%61pi", {2, 6}},
           {"/api%2Fv1", {2, 6}},
           {"/", {2, 6}},
           {"*", {6}},  // OPTIONS *
           {"", {6}},
       }) {
    EXPECT_EQ(places(table, 0, row.path), row.expected) << row.path;
  }
  EXPECT_EQ(places(table, 1, "/api/v1"), (Places{101, 107, 105, 104, 103, 102, 106}));
  EXPECT_EQ(places(table, 1, "*"), (Places{107, 106}));
  EXPECT_EQ(places(table, 2, "/api/v1"), Places{});
}

TEST(PathTable, StopsWhereItIsToldTo) {
  const PathTable table = two_hosts();
  const Places all = places(table, 1, "/api/v1");
  for (size_t stop = 0; stop < all.size(); ++stop) {
    Places seen;
    EXPECT_TRUE(table.visit(1, "/api/v1", [&](uint32_t place) {
      seen.push_back(place);
      return place == all[stop];
    }));
    EXPECT_EQ(seen, Places(all.begin(), all.begin() + static_cast<ptrdiff_t>(stop) + 1));
  }
}

TEST(PathTable, TakesLongPaths) {
  const std::string segment = "/" + std::string(49, 's');
  const std::string prefix = segment + segment + segment;
  const PathTable table({{{0, Kind::prefix, prefix, 1}, {0, Kind::prefix, segment, 2}}}, 1);
  EXPECT_EQ(places(table, 0, prefix), (Places{1, 2}));
  EXPECT_EQ(places(table, 0, prefix + "/x"), (Places{1, 2}));
  EXPECT_EQ(places(table, 0, prefix + "x"), (Places{2}));
  EXPECT_EQ(places(table, 0, std::string(15'000, '/')), Places{});
  EXPECT_EQ(places(table, 0, segment + std::string(15'000, '/')), Places{2});
}

}  // namespace
}  // namespace weir::routing
