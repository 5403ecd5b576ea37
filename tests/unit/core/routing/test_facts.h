// A request as a test writes it down. Owned by one test.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/address.h"
#include "core/model/router.h"

namespace weir {

class TestFacts final : public RouteFacts {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  TestFacts() { method = "GET"; }
  TestFacts(std::string_view of_host, std::string_view of_path) {
    method = "GET";
    host = of_host;
    path = of_path;
  }

  bool any_header(std::string_view name, Visitor& visit) const override {
    for (const auto& [field, value] : headers) {
      if (field == name && visit(value)) return true;
    }
    return false;
  }
  bool cookie(std::string_view name, std::string_view& value) const override {
    for (const auto& [field, text] : cookies) {
      if (field != name) continue;
      value = text;
      return true;
    }
    return false;
  }

  Fields headers;  // names in lower case
  Fields cookies;
};

inline PeerAddress peer_of(std::string_view address) {
  return SocketAddress::parse(address).value().peer();
}

}  // namespace weir
