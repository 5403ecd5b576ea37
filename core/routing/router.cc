#include "core/routing/router.h"

#include <algorithm>
#include <deque>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/routing/conditions.h"
#include "core/routing/expression.h"
#include "core/routing/host_table.h"
#include "core/routing/path_table.h"

namespace weir::routing {
namespace {

// A route at one of its places. Those of a place lie one behind the other, in the order of the configuration.
struct Candidate {
  const Expression* expression = nullptr;  // null: the place alone says that the path matches
  const Conditions* conditions = nullptr;  // null: there are none
  uint32_t route = no_route;
  bool last = true;  // of its place
};

// One route at one host, sorted so that the routes of a place are neighbours.
struct Row {
  HostPattern host;
  RouteMatch::PathKind kind;
  std::string_view path;
  uint32_t route;

  bool same_place(const Row& other) const noexcept {
    return host == other.host && kind == other.kind && path == other.path;
  }
  bool operator==(const Row&) const = default;
  bool operator<(const Row& other) const noexcept {
    return std::tie(host.kind, host.name, kind, path, route) <
           std::tie(other.host.kind, other.host.name, other.kind, other.path, other.route);
  }
};

bool is_looked_up(RouteMatch::PathKind kind) noexcept {
  return kind == RouteMatch::PathKind::exact || kind == RouteMatch::PathKind::prefix;
}

std::vector<Row> sorted_rows(const std::vector<RouteMatch>& routes) {
  std::vector<Row> rows;
  for (uint32_t route = 0; route < routes.size(); ++route) {
    const RouteMatch& match = routes[route];
    const std::string_view path = is_looked_up(match.path_kind) ? std::string_view{match.path} : std::string_view{};
    for (const std::string& host : match.hosts) {
      rows.push_back({HostPattern::parse(host), match.path_kind, path, route});
    }
    if (match.hosts.empty()) rows.push_back({HostPattern{}, match.path_kind, path, route});
  }
  std::sort(rows.begin(), rows.end());
  // A host that a route names twice, perhaps in two spellings.
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

class CompiledRouter final : public Router {
 public:
  explicit CompiledRouter(const std::vector<RouteMatch>& routes) {
    std::vector<const Conditions*> conditions_of_route;
    conditions_of_route.reserve(routes.size());
    for (const RouteMatch& match : routes) {
      Conditions conditions(match, expressions_);
      conditions_of_route.push_back(conditions.empty() ? nullptr : &conditions_.emplace_back(std::move(conditions)));
    }

    const std::vector<Row> rows = sorted_rows(routes);
    std::vector<HostPattern> hosts;
    std::vector<PathTable::Entry> paths;
    candidates_.reserve(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      const Row& row = rows[i];
      if (i == 0 || row.host != rows[i - 1].host) hosts.push_back(row.host);
      if (i == 0 || !row.same_place(rows[i - 1])) {
        paths.push_back({.host = static_cast<uint32_t>(hosts.size() - 1),
                         .kind = row.kind,
                         .path = row.path,
                         .place = static_cast<uint32_t>(candidates_.size())});
      } else {
        candidates_.back().last = false;
      }
      const RouteMatch& match = routes[row.route];
      candidates_.push_back(
          {.expression = match.path_kind == RouteMatch::PathKind::regex ? expressions_.get(match.path) : nullptr,
           .conditions = conditions_of_route[row.route],
           .route = row.route,
           .last = true});
    }
    hosts_ = HostTable(hosts);
    paths_ = PathTable(paths, static_cast<uint32_t>(hosts.size()));
  }

  uint32_t match(const RouteFacts& facts) const noexcept override {
    uint32_t route = no_route;
    hosts_.visit(facts.host, [&](uint32_t host) {
      return paths_.visit(host, facts.path, [&](uint32_t place) {
        route = first_at(place, facts);
        return route != no_route;
      });
    });
    return route;
  }

 private:
  uint32_t first_at(uint32_t place, const RouteFacts& facts) const noexcept {
    for (const Candidate* candidate = &candidates_[place];; ++candidate) {
      // An expression is the dearest to ask, so it is asked last.
      const bool holds = (candidate->conditions == nullptr || candidate->conditions->hold(facts)) &&
                         (candidate->expression == nullptr || candidate->expression->found_in(facts.path));
      if (holds) return candidate->route;
      if (candidate->last) return no_route;
    }
  }

  ExpressionPool expressions_;
  std::deque<Conditions> conditions_;  // of the routes that have any; at stable addresses
  std::vector<Candidate> candidates_;  // points into the two above
  HostTable hosts_;
  PathTable paths_;
};

}  // namespace

std::unique_ptr<const Router> make_router(const std::vector<RouteMatch>& routes) {
  return std::make_unique<CompiledRouter>(routes);
}

}  // namespace weir::routing
