#include "core/routing/host_table.h"

#include <vector>

namespace weir::routing {

HostPattern HostPattern::parse(std::string_view text) {
  if (text == "*") return {};
  HostPattern pattern{.kind = Kind::exact, .name = {}};
  if (text.starts_with("*.")) {
    pattern.kind = Kind::wildcard;
    text.remove_prefix(2);
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  for (const char c : text) pattern.name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  return pattern;
}

HostTable::HostTable(std::span<const HostPattern> patterns) {
  std::vector<TextTable::Entry> exact;
  std::vector<TextTable::Entry> wildcards;
  for (uint32_t index = 0; index < patterns.size(); ++index) {
    const std::string_view name = patterns[index].name;
    switch (patterns[index].kind) {
      case HostPattern::Kind::any: any_ = index; break;
      case HostPattern::Kind::exact: exact.push_back({.scope = 0, .text = name, .value = index}); break;
      case HostPattern::Kind::wildcard:
        wildcards.push_back({.scope = 0, .text = name, .value = index});
        wildcard_lengths_.insert(name.size());
        break;
    }
  }
  exact_ = TextTable(exact);
  wildcards_ = TextTable(wildcards);
}

}  // namespace weir::routing
