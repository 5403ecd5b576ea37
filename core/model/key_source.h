// KeySource: what tells two clients, or two sessions, apart: for splits, stickiness and hashing. A value.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

struct KeySource {
  // A client_address has a port, too. The path is without the query.
  enum class Kind : uint8_t { random, client_ip, client_address, header, cookie, query, path };
  Kind kind = Kind::random;
  std::string name;  // of the header, cookie or parameter
};

}  // namespace weir
