// Router: finds the route of a request. Immutable, inside a Snapshot; any thread asks it.
//
// Of all routes that match, the most specific one is taken: an exact host before the longest wildcard before any host;
// then an exact path before a regular expression before the longest prefix; then the one with conditions that come
// first in the configuration. What it costs does not depend on how many routes there are, as far as they differ in host
// and path prefix.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/model/address.h"

namespace weir {

// What a route may ask of a request. The views live as long as the call.
class RouteFacts {
 public:
  std::string_view method;
  std::string_view host;  // without the port, in lower case
  std::string_view path;  // as it was sent, without the query
  std::string_view query;
  const PeerAddress* client = nullptr;

  // Calls visit(value) for each field of that name (given in lower case) until it returns true. Whether it did.
  struct Visitor {
    virtual bool operator()(std::string_view value) = 0;

   protected:
    ~Visitor() = default;
  };
  virtual bool any_header(std::string_view name, Visitor& visit) const = 0;
  // The value of a cookie; false if there is none of that name.
  virtual bool cookie(std::string_view name, std::string_view& value) const = 0;

 protected:
  ~RouteFacts() = default;
};

inline constexpr uint32_t no_route = ~uint32_t{0};

class Router {
 public:
  virtual ~Router() = default;
  // The index of the route, or no_route. Allocates and locks only while an expression meets new text; see
  // core/routing/router.h.
  virtual uint32_t match(const RouteFacts& facts) const noexcept = 0;
};

}  // namespace weir
