// HostTable: the patterns that take a host, from the most to the least specific one: the exact name, then wildcards
// from the longest to the shortest, then the one that takes any host. Part of a Router: immutable, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/routing/length_set.h"
#include "core/routing/text_table.h"

namespace weir::routing {

struct HostPattern {
  enum class Kind : uint8_t { any, wildcard, exact };
  Kind kind = Kind::any;
  std::string name;  // in lower case; of "*.example.com" it is "example.com"

  // "*", "*.example.com" or a name, in any case, with or without the dot of the root at its end.
  static HostPattern parse(std::string_view text);
  bool operator==(const HostPattern&) const = default;
};

class HostTable {
 public:
  HostTable() = default;
  // Distinct patterns; they are known by their index from then on.
  explicit HostTable(std::span<const HostPattern> patterns);

  // Calls visit(index) for each pattern that takes `host` (in lower case), until it returns true. Whether it did.
  template <class Visit>
  bool visit(std::string_view host, Visit&& visit) const noexcept {
    host = without_root(host);
    if (const uint32_t exact = exact_.find(0, host); exact != TextTable::none && visit(exact)) return true;
    // "*.example.com" wants at least one character before its dot.
    const bool found = host.size() > 2 && wildcard_lengths_.descend(host.size() - 2, [&](size_t length) {
      const size_t begin = host.size() - length;
      if (host[begin - 1] != '.') return false;
      const uint32_t wildcard = wildcards_.find(0, host.substr(begin));
      return wildcard != TextTable::none && visit(wildcard);
    });
    return found || (any_ != TextTable::none && visit(any_));
  }

 private:
  // "example.com." is "example.com", said more exactly.
  static std::string_view without_root(std::string_view host) noexcept {
    if (host.ends_with('.')) host.remove_suffix(1);
    return host;
  }

  TextTable exact_;
  TextTable wildcards_;
  LengthSet wildcard_lengths_;
  uint32_t any_ = TextTable::none;
};

}  // namespace weir::routing
