// Authority: the host and port that a request is for, as they stand in Host or in a target, taken apart.
//
// A value, views into the text it was parsed from. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::http {

struct Authority {
  std::string_view host;  // not empty; an IPv6 address with its brackets
  bool has_port = false;  // "example.com:" has none
  uint16_t port = 0;

  uint16_t port_or(uint16_t preset) const noexcept { return has_port ? port : preset; }
};

// `host [":" port]` (RFC 3986 section 3.2) without user information. False when it is not that.
bool parse_authority(std::string_view text, Authority& out) noexcept;

}  // namespace weir::http
