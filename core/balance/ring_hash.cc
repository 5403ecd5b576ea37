// ring_hash: looks the request's key up on a ring (hashing/ring_hash.h). An endpoint is its name there, and has points
// as its share says. A key whose endpoint may not be proposed goes on to the next one clockwise, which is where it
// would be on a ring without that endpoint.
//
// How many points a share is worth depends on the weights that are configured, not on the shares of the moment: when
// somebody's health falls its points go, and nobody else's change.
#include "hashing/ring_hash.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/balance/by_key.h"
#include "core/balance/scan.h"
#include "hashing/hash64.h"

namespace weir {
namespace {

// A ring has at most so many times `ring_points` for each endpoint, however uneven the weights are.
constexpr uint64_t points_stretch_max = 8;

// `points` are for an endpoint of the usual weight: the median. The mean would follow every change of a weight, and all
// keys a little with it; the median does so seldom. Where a few weights dwarf the others' the mean has a say.
hashing::RingDensity density_of(const PickerMembers& members, uint32_t points) {
  std::vector<uint64_t> weights;
  for (const Endpoint& endpoint : members.endpoints) {
    if (endpoint.weight > 0) weights.push_back(uint64_t{endpoint.weight} * share_of_one);
  }
  if (weights.empty()) return {.points = points, .per_weight = share_of_one};
  const auto middle = weights.begin() + static_cast<ptrdiff_t>((weights.size() - 1) / 2);
  std::nth_element(weights.begin(), middle, weights.end());
  const uint64_t median = *middle;
  const uint64_t mean = std::accumulate(weights.begin(), weights.end(), uint64_t{0}) / weights.size();
  const uint64_t usual = std::max(median, mean / points_stretch_max);
  return {.points = points,
          .per_weight = static_cast<uint32_t>(std::min<uint64_t>(usual, std::numeric_limits<uint32_t>::max()))};
}

class Ring final : public KeyPicker {
 public:
  Ring(const PickerMembers& members, uint32_t points)
      : ring_(by_name<hashing::RingEndpoint>(members), density_of(members, points)),
        members_(members_with_share(members)),
        endpoint_count_(members.endpoints.size()) {}

  uint32_t pick(PickerState& /*state*/, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    const uint32_t first = ring_.lookup(request.key);
    if (first == hashing::RingHash::none || request.usable(first)) return first;
    return next_usable(request);
  }

 private:
  static_assert(hashing::RingHash::none == no_endpoint);

  uint32_t next_usable(const PickRequest& request) const noexcept {
    hashing::RingHash::Walk walk = ring_.walk(request.key);
    for (uint32_t index = walk.next(); index != hashing::RingHash::none; index = walk.next()) {
      if (request.usable(index)) return index;
    }
    // The walk has its bound. Hashed again, so that those who come from one place of the ring do not all meet one.
    const uint64_t rehashed = hashing::mix64(request.key);
    return first_usable(request, members_, hashing::reduce(rehashed, static_cast<uint32_t>(members_.size())));
  }

  hashing::RingHash ring_;
  std::vector<uint32_t> members_;
  size_t endpoint_count_;
};

}  // namespace

std::unique_ptr<const Picker> make_ring_hash(const PickerMembers& members, const PickerOptions& options) {
  return std::make_unique<Ring>(members, options.ring_points);
}

}  // namespace weir
