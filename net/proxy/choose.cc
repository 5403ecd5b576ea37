#include "net/proxy/choose.h"

#include <algorithm>

#include "net/proxy/worker.h"

namespace weir {
namespace {

// Another worker may have taken the last place between a pick and its Lease. That it happens so often in a row means
// that there is no room worth the name.
constexpr int races_max = 4;

bool is_full(const Candidate& candidate) noexcept {
  return candidate.share > 0 && candidate.connections_max > 0 && candidate.connections() >= candidate.connections_max;
}

}  // namespace

Choice choose_endpoint(Worker& worker, const Upstream& upstream, const ChoiceFor& wish) {
  const PickRequest request{.candidates = upstream.candidates,
                            .tried = wish.tried,
                            .key = wish.key,
                            .zone = wish.zone,
                            .worker = worker.index(),
                            .now = worker.now()};
  Choice choice;
  for (int race = 0; race < races_max; ++race) {
    const uint32_t index = upstream.picker->pick(worker.picker_state(upstream.id), request);
    if (index == no_endpoint) break;
    choice.lease = lease_of(upstream, index);
    if (!choice.lease) continue;
    choice.index = index;
    return choice;
  }
  choice.full = std::any_of(upstream.candidates.begin(), upstream.candidates.end(), [&](const Candidate& candidate) {
    return is_full(candidate) && !wish.tried.contains(candidate.id);
  });
  return choice;
}

Lease lease_of(const Upstream& upstream, uint32_t index) {
  const Candidate& candidate = upstream.candidates[index];
  return Lease::within(*candidate.state, candidate.connections_max);
}

}  // namespace weir
