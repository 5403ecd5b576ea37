// The PROXY protocol, versions 1 and 2: how a proxy tells the next one who the client was, in a header before the first
// byte of the connection. ("The PROXY protocol", haproxy.org/download/3.0/doc/proxy-protocol.txt; "section" means its.)
//
// A pure codec: bytes in, values out, no I/O, no allocation, no state between calls. Any thread. Whether a peer may
// send a header at all is the caller's business: a header is an unproven claim.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/model/address.h"
#include "core/model/upstream.h"

namespace weir {

// A version 1 line with its CRLF (section 2.1: "worst case"). No header that we write is longer either.
inline constexpr size_t proxy_line_size_max = 107;

// The longest header accepted. The protocol allows version 2 headers of 64 KiB; those in use are below 1 KiB
// (addresses, and what a TLS-terminating proxy says of the client's certificate).
inline constexpr size_t proxy_header_size_max = 4096;

struct ProxyParse {
  // `bad` as soon as no further bytes could make it a header; `need_more` as long as some could. (One exception: a
  // wrong checksum of version 2 is found at the header's end.)
  enum class Status : uint8_t { need_more, bad, done };

  Status status = Status::need_more;
  // The rest means something only if done:
  bool local = false;       // The header names nobody: the addresses of the socket itself are the client's and ours.
  uint32_t size = 0;        // The header's bytes; what follows is the client's.
  PeerAddress source;       // The client.
  PeerAddress destination;  // What the client connected to.
};

// Looks at the start of what a connection has sent so far. Accepts both versions, strictly, with two indulgences that
// real senders need: IPv6 text may end in a dotted quad the way inet_ntop(3) prints mapped addresses
// ("::ffff:10.0.0.1"), and of a version 2 header without usable addresses (LOCAL, or family or transport unspecified)
// the rest is skipped unread.
ProxyParse parse_proxy_header(std::span<const std::byte> bytes) noexcept;

// Writes the header that tells an origin of this client; returns its size, 0 for `off`. `out` has room for
// proxy_line_size_max. If one side is IPv4 and the other IPv6, both are written as IPv6 (mapped), because a header has
// one family. If either is no IP address, the header names nobody: UNKNOWN in version 1, LOCAL in version 2, which
// every receiver must accept, where "relayed for somebody unspecified" may be refused.
uint32_t write_proxy_header(ProxyHeader version, const PeerAddress& source, const PeerAddress& destination,
                            std::span<std::byte> out) noexcept;

}  // namespace weir
