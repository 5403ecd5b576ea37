// Compiles the conditions of routes into a Router (core/model/router.h), and what is said of paths into PathRewriters.
// The control thread makes both; any thread may use them from then on.
//
// Hosts and paths are looked up by hash: one lookup for the exact host and one per length of a wildcard; within a host
// one for the exact path and one per length of a prefix that ends at a segment of the path. Only regular expressions,
// and routes that share host and path and differ by other conditions, are tried one after the other. Where no route of
// a place holds, the next less specific path is asked, then the next less specific host.
//
// Routes see the bytes that the origin will see. Nothing is decoded, merged or resolved before: to the prefix /admin,
// neither /x/../admin nor /%61dmin nor //admin is below it, though an origin may serve its /admin for all of them. A
// route can therefore choose an origin, but it cannot guard a path of one: whoever must keep clients out of /admin lets
// the origin do it, or routes only the paths that may be asked for.
//
// match() takes no lock and no memory, with one exception: an expression builds its automaton while it meets text it
// has not met before, up to 1 MiB, under a lock of RE2 that is shared in all later matches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/model/address.h"
#include "core/model/route.h"
#include "core/model/router.h"

namespace weir::routing {

// One condition on a header, query parameter or cookie. It holds if any field or parameter of that name has such a
// value, and its negation if none has: also where there is none of that name.
//
// Names of headers are compared without regard to case. Parameters are compared decoded (%41 and + for a blank); of a
// value longer than `parameter_bytes_max` (query.h) only the beginning is looked at, and it equals nothing.
struct ValueMatch {
  enum class Kind : uint8_t { present, exact, prefix, regex };
  std::string name;
  Kind kind = Kind::present;
  std::string value;
  bool negated = false;
};

// The conditions of one route; empty ones hold always. All of them must hold; within a list of hosts, methods or
// client blocks any one must.
struct RouteMatch {
  enum class PathKind : uint8_t { any, exact, prefix, regex };
  std::vector<std::string> hosts;  // "example.com", "*.example.com" (any depth below it, not itself), "*" (any)
  PathKind path_kind = PathKind::any;
  std::string path;  // a prefix ends at a segment: "/api" takes /api and /api/x, not /apix; "/api/" not /api either
  std::vector<std::string> methods;
  std::vector<ValueMatch> headers;
  std::vector<ValueMatch> query;
  std::vector<ValueMatch> cookies;
  CidrSet clients;
};

// Regular expressions must have passed check_regex(). What `routes` holds is copied.
std::unique_ptr<const Router> make_router(const std::vector<RouteMatch>& routes);

// What is wrong with it (RE2's words), or "". Expressions see bytes, not characters, so that no byte a client sends can
// hide from a dot; they are written in ASCII, with \xHH for others.
std::string check_regex(const std::string& pattern);

// Replaces the prefix `from` by `to`; the rest of the path is kept, with one slash between: of /v1//x with "/" for
// "/v1" is left /x, not //x, which an origin might take for another host. A path that is not below `from` is kept.
std::unique_ptr<const PathRewriter> make_prefix_rewriter(std::string from, std::string to);
// Replaces the whole path.
std::unique_ptr<const PathRewriter> make_path_setter(std::string to);
// Replaces the first match; \0 in `to` is all of it, \1 its first group, \\ a backslash. A path that does not match is
// kept. RE2 may allocate while it finds groups; it rarely does where the pattern begins with ^.
std::unique_ptr<const PathRewriter> make_regex_rewriter(const std::string& pattern, const std::string& to);

// What is wrong with `to` of a prefix rewriter or path setter, or "".
std::string check_path(const std::string& to);
// What is wrong with `to` for `pattern`, or with the pattern, or "". A rewriter whose `to` was checked adds nothing to
// a path that may not stand in one.
std::string check_rewrite(const std::string& pattern, const std::string& to);

}  // namespace weir::routing
