// ip_hash: the hash of the client's address leads straight to an endpoint, as often to each as its weight says. There
// is no table of slots to make: the map is one column per endpoint (hashing/weighted_draw.h), in the order of their
// names, so that the order in the file does not matter.
//
// The map is over the weights as they are configured, and stays as it is when somebody's share falls below its weight:
// an endpoint that is down, drained or still rising accepts only a part of those that the map sends it. Who is refused
// is hashed again and finds its own next endpoint. So a change of shares moves no client but those it takes or gives,
// whereas a change of the endpoints or their weights changes the map, and moves nearly all. Endpoints of all tiers are
// in the map: when a tier comes into play, it takes its part from the others and they keep the rest.
#include <algorithm>
#include <numeric>

#include "core/balance/by_key.h"
#include "core/balance/scan.h"
#include "hashing/hash64.h"
#include "hashing/weighted_draw.h"

namespace weir {
namespace {

// Lookups in the map per pick. Where nine of ten are refused, one client in thirty still has no endpoint then; where
// every second is, one in four billions.
constexpr uint32_t lookups_max = 32;
// Those without look among the shares of the moment, where nobody refuses. They do move when shares change.
constexpr uint32_t late_lookups_max = 8;

// An endpoint that has its whole weight accepts so many in as many.
constexpr uint32_t whole = 1U << 31;
// Sets what decides whether an endpoint accepts apart from what led there.
constexpr uint64_t acceptance_seed = 0x6163'6365'7074;

// An endpoint's place in the map.
struct Seat {
  uint32_t index;
  uint32_t part;  // of `whole`: its share of its weight

  bool accepts(uint64_t hash) const noexcept {
    return part == whole || static_cast<uint32_t>(hashing::mix64(hash, acceptance_seed) >> 33) < part;
  }
};

// The share it would have in full health.
uint32_t whole_share(const PickerMembers& members, uint32_t index) noexcept {
  return std::max(members.endpoints[index].weight * share_of_one, members.shares[index]);
}

std::vector<Seat> seats_of(const PickerMembers& members) {
  std::vector<uint32_t> order(members.endpoints.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t one, uint32_t other) {
    return members.endpoints[one].name < members.endpoints[other].name;
  });
  std::vector<Seat> seats;
  seats.reserve(order.size());
  for (const uint32_t index : order) {
    const uint64_t in_full_health = std::max(whole_share(members, index), 1U);
    seats.push_back({index, static_cast<uint32_t>(uint64_t{whole} * members.shares[index] / in_full_health)});
  }
  return seats;
}

class IpHash final : public KeyPicker {
 public:
  explicit IpHash(const PickerMembers& members)
      : seats_(seats_of(members)),
        map_(draw_of(seats_, [&](uint32_t index) { return whole_share(members, index); })),
        late_map_(draw_of(seats_, [&](uint32_t index) { return members.shares[index]; })) {
    for (const Seat& seat : seats_) {
      if (members.shares[seat.index] > 0) members_.push_back(seat.index);
    }
  }

  uint32_t pick(PickerState& /*state*/, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == seats_.size());
    if (members_.empty()) return no_endpoint;
    uint64_t hash = request.key;
    for (uint32_t lookup = 1; lookup <= lookups_max; ++lookup) {
      const Seat& seat = seats_[map_.draw(hash)];
      if (seat.accepts(hash) && request.usable(seat.index)) return seat.index;
      hash = hashing::mix64(request.key, lookup);
    }
    for (uint32_t lookup = 1; lookup <= late_lookups_max; ++lookup) {
      const Seat& seat = seats_[late_map_.draw(hash)];
      if (request.usable(seat.index)) return seat.index;
      hash = hashing::mix64(request.key, lookups_max + lookup);
    }
    return first_usable(request, members_, hashing::reduce(hash, static_cast<uint32_t>(members_.size())));
  }

 private:
  template <class Weight>
  static hashing::WeightedDraw draw_of(const std::vector<Seat>& seats, const Weight& weight) {
    std::vector<uint32_t> weights;
    weights.reserve(seats.size());
    for (const Seat& seat : seats) weights.push_back(weight(seat.index));
    return hashing::WeightedDraw(weights);
  }

  std::vector<Seat> seats_;         // of all endpoints
  hashing::WeightedDraw map_;       // to seats, by weight
  hashing::WeightedDraw late_map_;  // to seats, by share
  std::vector<uint32_t> members_;
};

}  // namespace

std::unique_ptr<const Picker> make_ip_hash(const PickerMembers& members, const PickerOptions& /*options*/) {
  return std::make_unique<IpHash>(members);
}

}  // namespace weir
