// PathTable: within a host, the places where routes for a path may be, from the most to the least specific one: the
// exact path, then regular expressions, then prefixes from the longest to the shortest, then routes that say nothing of
// the path. Part of a Router: immutable, any thread.
//
// A place is a number that the maker gave. That of expressions is the same for every path: whoever finds candidates
// there still has to ask each one's expression.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/routing/length_set.h"
#include "core/routing/router.h"
#include "core/routing/text_table.h"

namespace weir::routing {

class PathTable {
 public:
  struct Entry {
    uint32_t host = 0;
    RouteMatch::PathKind kind = RouteMatch::PathKind::any;
    std::string_view path;  // not with `any` and `regex`, of which a host has one place each
    uint32_t place = 0;
  };

  PathTable() = default;
  // Distinct entries; hosts are numbered from 0.
  PathTable(std::span<const Entry> entries, uint32_t host_count);

  // Calls visit(place) for each place where routes for `path` may be, until it returns true. Whether it did.
  template <class Visit>
  bool visit(uint32_t host, std::string_view path, Visit&& visit) const noexcept {
    const auto found_at = [&](uint32_t place) { return place != TextTable::none && visit(place); };
    const Host& of = hosts_[host];
    if (of.has_exact && found_at(exact_.find(host, path))) return true;
    if (found_at(of.expressions)) return true;
    const bool found = of.prefix_lengths.descend(path.size(), [&](size_t length) {
      return ends_segment(path, length) && found_at(prefixes_.find(host, path.substr(0, length)));
    });
    return found || found_at(of.any);
  }

 private:
  struct Host {
    LengthSet prefix_lengths;
    uint32_t expressions = TextTable::none;
    uint32_t any = TextTable::none;
    bool has_exact = false;
  };

  // Whether a prefix of that length is one of `path` by segments: it is all of it, or a slash stands there on one side.
  static bool ends_segment(std::string_view path, size_t length) noexcept {
    return length == path.size() || path[length] == '/' || (length > 0 && path[length - 1] == '/');
  }

  std::vector<Host> hosts_;
  TextTable exact_;     // the scope is the host
  TextTable prefixes_;  // the same
};

}  // namespace weir::routing
