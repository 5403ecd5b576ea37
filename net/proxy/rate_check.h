// Rate limits applied to one request or connection: which key it has in each limit, whether all of them let it in, and
// what the client is told.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/clock.h"
#include "core/model/address.h"
#include "core/model/rate_limit.h"

namespace weir {

class RequestContext;

// The limit that is nearest to refusing, in the numbers of the RateLimit header fields.
struct RateTold {
  bool told = false;
  uint32_t limit = 0;
  uint32_t remaining = 0;
  uint32_t reset_s = 0;
  uint32_t retry_after_s = 0;  // 0: it was not refused
};

struct RateCheck {
  bool admitted = true;
  bool over = false;  // some limit was exceeded, also one that is not enforced
};

// One request; `told` becomes what its answer is to say. A limit that refuses ends the check: those behind it are not
// charged.
RateCheck check_rates(std::span<const RateLimit> limits, const RequestContext& context, Instant now, RateTold& told);
// One connection. Limits by anything but the client's address do not exist for these.
RateCheck check_rates(std::span<const RateLimit> limits, const PeerAddress& client, Instant now);

// The network of that client: its address with all but the first bits (of an IPv4 address, of IPv6) cleared.
PeerAddress network_of(const PeerAddress& client, unsigned prefix, unsigned prefix6) noexcept;

}  // namespace weir
