#include "core/routing/path_table.h"

namespace weir::routing {

PathTable::PathTable(std::span<const Entry> entries, uint32_t host_count) : hosts_(host_count) {
  std::vector<TextTable::Entry> exact;
  std::vector<TextTable::Entry> prefixes;
  for (const Entry& entry : entries) {
    Host& host = hosts_[entry.host];
    switch (entry.kind) {
      case RouteMatch::PathKind::any: host.any = entry.place; break;
      case RouteMatch::PathKind::regex: host.expressions = entry.place; break;
      case RouteMatch::PathKind::exact:
        exact.push_back({.scope = entry.host, .text = entry.path, .value = entry.place});
        host.has_exact = true;
        break;
      case RouteMatch::PathKind::prefix:
        prefixes.push_back({.scope = entry.host, .text = entry.path, .value = entry.place});
        host.prefix_lengths.insert(entry.path.size());
        break;
    }
  }
  exact_ = TextTable(exact);
  prefixes_ = TextTable(prefixes);
}

}  // namespace weir::routing
