// Shares: how much new work each endpoint of an upstream is to get, reckoned from everything that is known of it. This
// is the one place where weight, health, slow start, duty, panic and tiers meet; the algorithms see the result only.
//
//     share = weight x 100 x health x what its agent says x ramp        0 for who is down, ejected, broken, drained, in
//                                                                       maintenance
//
// Ramp: an endpoint that has just come, or come back, begins with a part of its weight and grows to the whole in a
// straight line over `slow_start`. Never less than one hundredth of a weight for who gets something at all.
//
// Tiers: the endpoints of tier 0 are in play. If what is healthy of a tier falls below `backup_threshold` percent of
// its weight (0: if nothing is left), the next tier's come into play with them, and so on. Those of later tiers are
// asked only by who has tried all that are in play, or found them full.
//
// Panic: if what is healthy of all tiers falls below `panic_threshold` percent of the weight, probes are not believed:
// everybody who is not drained or in maintenance gets its weight's share, healthy or not.
//
// Pure; the control thread calls it and makes pickers of what comes out.
#pragma once

#include <span>

#include "core/base/clock.h"
#include "core/model/endpoint.h"
#include "core/model/shares.h"
#include "core/model/upstream.h"

namespace weir {

// The weight that counts: what somebody has set, else the configured one.
uint32_t weight_of(const Endpoint& endpoint, const Standing& standing) noexcept;

// Does it get new work, as far as it is its own affair? (There may be panic, or other tiers in play.)
bool takes_work(const Endpoint& endpoint, const Standing& standing) noexcept;

// How many of them do. Control thread.
uint32_t healthy_count(const Upstream& upstream) noexcept;

// `standings` and `endpoints` by the same index.
Shares share_out(std::span<const Endpoint> endpoints, std::span<const Standing> standings, const ShareRules& rules,
                 Instant now);

}  // namespace weir
