// What proxies say of the client: which fields do so, one element of Forwarded (RFC 7239), and who the client is when
// trusted proxies have written X-Forwarded-For.
//
// Pure: views into the bytes given, no allocation. Any thread. Whom to trust is the caller's knowledge.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "net/http/field.h"

namespace weir::http {

struct ForwardedElement {
  std::string_view client;  // an IP address without a port; anything else is written as `unknown` (section 6.2)
  std::string_view proto;   // "http"; "" leaves it out
  std::string_view host;    // as Host has it; "", or one with control characters, is left out
};

// `for=192.0.2.1;proto=http;host="example.com:8080"`, in quotes where a value is no token. The size; 0 when `out` has
// no room for it.
uint32_t write_forwarded(const ForwardedElement& element, std::span<char> out) noexcept;

// Is it the name of a field that tells origins about the client, and that a client could therefore forge? Compared as
// an origin behind CGI, FastCGI or WSGI sees it: X_Forwarded_For is X-Forwarded-For there, both being
// HTTP_X_FORWARDED_FOR, and some of them take a point for an underscore too.
bool is_forwarding_name(std::string_view name) noexcept;

// An IPv4 address in dotted decimals or an IPv6 address (RFC 4291 section 2.2), without brackets, port and zone.
bool is_ip_address(std::string_view text) noexcept;

// The addresses of an X-Forwarded-For value, from the right (the nearest proxy) to the left (the client, if everybody
// is honest). Ends at the first thing that is no address: what stands left of it may be anybody's invention.
class HopsFromRight {
 public:
  explicit HopsFromRight(std::string_view list) noexcept : rest_(list) {}

  // The next one: without port, brackets and quotes; "" when there are no more.
  std::string_view next() noexcept;
  // Something was no address.
  bool malformed() const noexcept { return malformed_; }

 private:
  std::string_view rest_;
  bool malformed_ = false;
};

// Who the client is, for a connection whose peer is trusted: the first address from the right that
// `is_trusted(std::string_view)` denies. When all are trusted, the leftmost of them; at something that is no address,
// the one to the right of it. "" when there is none of these either: the client is the peer itself.
template <class IsTrusted>
std::string_view first_untrusted(std::string_view x_forwarded_for, IsTrusted&& is_trusted) {
  HopsFromRight hops{x_forwarded_for};
  std::string_view client;
  for (std::string_view hop = hops.next(); !hop.empty(); hop = hops.next()) {
    client = hop;
    if (!is_trusted(hop)) break;
  }
  return client;
}

// The same over all X-Forwarded-For fields of a request, which are one list in the order they stand in.
template <class IsTrusted>
std::string_view first_untrusted(const Fields& fields, IsTrusted&& is_trusted) {
  std::string_view client;
  for (uint32_t i = fields.count(); i-- > 0;) {
    if (fields[i].id != FieldId::x_forwarded_for) continue;
    HopsFromRight hops{fields[i].value};
    for (std::string_view hop = hops.next(); !hop.empty(); hop = hops.next()) {
      client = hop;
      if (!is_trusted(hop)) return client;
    }
    if (hops.malformed()) break;
  }
  return client;
}

}  // namespace weir::http
