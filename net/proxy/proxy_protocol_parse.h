// The two halves of parse_proxy_header() (proxy_protocol.h), which looks at the first byte and calls one of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/proxy/proxy_protocol.h"

namespace weir {

ProxyParse parse_proxy_v1(std::string_view text) noexcept;
ProxyParse parse_proxy_v2(std::span<const std::byte> bytes) noexcept;

// The address as the rest of weir sees it: an IPv4 address in its mapped form is an IPv4 address.
PeerAddress proxied_address(const std::array<uint8_t, 16>& bytes, uint16_t port) noexcept;

// A verdict without a header.
inline ProxyParse undone(ProxyParse::Status status) noexcept {
  ProxyParse parse;
  parse.status = status;
  return parse;
}

}  // namespace weir
