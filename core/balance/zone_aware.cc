// zone_aware: a client is served by the endpoints of its own zone as long as these can do so, and what they cannot
// serve is spread over the other zones by what each of them has to give. Among the endpoints of a zone another
// algorithm decides, one of its own for each zone.
//
//     capacity of a zone    the sum of its members' shares
//     kept in the zone      capacity / the zone's whole x overprovision, at most all
//     spilled               the rest, over the other zones in proportion to their capacities
//
// The whole of a zone is what it has when all is well: the configured weight of its endpoints of the first tier that
// it has any in, down, drained or not. Endpoints of later tiers are spare: once they are in play they count in what
// there is, never in what there should be. So a zone whose backups stand in for all it has lost keeps all its clients,
// and the same zone without backups sends its clients away.
//
// A client of no known zone, or of one that has no members, is spread over all zones in proportion. Endpoints in no
// zone are a zone of their own that nobody is in.
//
// Where the algorithm inside goes by a key, the key decides about zones as well: a client meets the same endpoint each
// time, also when it is sent away. Otherwise each worker draws at random.
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

#include "core/balance/pickers.h"
#include "core/base/random.h"
#include "hashing/hash64.h"

namespace weir {
namespace {

// Zones drawn by capacity per pick. When so many have nobody usable, the others are asked one by one.
constexpr uint32_t draws_max = 8;
// Sets what decides about zones apart from what the algorithms inside make of the same key.
constexpr uint64_t zone_seed = 0x7a6f'6e65'0000'0000;

constexpr uint32_t nowhere = ~uint32_t{0};

// Of a zone that has members.
struct Zone {
  ZoneId id{};
  std::unique_ptr<const Picker> inside;
  uint64_t capacity = 0;         // never 0
  uint64_t capacity_before = 0;  // of the zones in front of it
  // So many of `keeps_of` of its clients are kept.
  uint64_t keeps = 0;
  uint64_t keeps_of = 0;
};

struct ZoneAwareState final : PickerState {
  explicit ZoneAwareState(uint64_t seed) noexcept : random(seed) {}

  Random random;
  std::vector<std::pair<ZoneId, std::unique_ptr<PickerState>>> inside;  // by place of the zone

  const PickerState* of(ZoneId id) const noexcept {
    for (const auto& [zone, state] : inside) {
      if (zone == id) return state.get();
    }
    return nullptr;
  }
};

// Where the numbers of one pick come from.
class Draws {
 public:
  Draws(Random& random, uint64_t key, bool by_key) noexcept : random_(random), key_(key), by_key_(by_key) {}

  uint64_t below(uint64_t bound) noexcept {
    if (!by_key_) return random_.below(bound);
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>((Wide{hashing::mix64(key_, zone_seed + count_++)} * bound) >> 64);
  }

 private:
  Random& random_;
  uint64_t key_;
  bool by_key_;
  uint64_t count_ = 0;
};

// The places of zones that are not to be drawn, ascending.
class Excluded {
 public:
  void add(uint32_t place) noexcept {
    WEIR_ASSERT(count_ < places_.size(), count_);
    uint32_t at = count_++;
    for (; at > 0 && places_[at - 1] > place; --at) places_[at] = places_[at - 1];
    places_[at] = place;
  }
  std::span<const uint32_t> places() const noexcept { return {places_.data(), count_}; }
  bool contains(uint32_t place) const noexcept {
    return std::find(places_.begin(), places_.begin() + count_, place) != places_.begin() + count_;
  }

 private:
  std::array<uint32_t, draws_max> places_{};
  uint32_t count_ = 0;
};

// What is reckoned of a zone before it is known whether it has members.
struct Sums {
  uint64_t capacity = 0;
  uint64_t whole = 0;
  uint8_t first_tier = std::numeric_limits<uint8_t>::max();
};

std::map<ZoneId, Sums> sums_of(const PickerMembers& members) {
  std::map<ZoneId, Sums> zones;
  for (const Endpoint& endpoint : members.endpoints) {
    uint8_t& first = zones[endpoint.zone].first_tier;
    if (endpoint.weight > 0) first = std::min(first, endpoint.tier);
  }
  for (size_t i = 0; i < members.endpoints.size(); ++i) {
    const Endpoint& endpoint = members.endpoints[i];
    Sums& sums = zones[endpoint.zone];
    sums.capacity += members.shares[i];
    if (endpoint.tier == sums.first_tier) sums.whole += uint64_t{endpoint.weight} * share_of_one;
  }
  return zones;
}

class ZoneAware final : public Picker {
 public:
  ZoneAware(const PickerMembers& members, const PickerOptions& options) : endpoint_count_(members.endpoints.size()) {
    // To the algorithm inside a zone the endpoints of others are as if they had no weight.
    std::vector<Endpoint> endpoints(members.endpoints.begin(), members.endpoints.end());
    std::vector<uint32_t> shares(endpoints.size());
    for (const auto& [id, sums] : sums_of(members)) {
      if (sums.capacity == 0) continue;
      for (size_t i = 0; i < endpoints.size(); ++i) {
        const Endpoint& endpoint = members.endpoints[i];
        endpoints[i].weight = endpoint.zone == id ? endpoint.weight : 0;
        shares[i] = endpoint.zone == id ? members.shares[i] : 0;
      }
      zones_.push_back({.id = id,
                        .inside = make_picker(options.zone_inside, {endpoints, shares}, options),
                        .capacity = sums.capacity,
                        .capacity_before = capacity_,
                        .keeps = sums.capacity * options.overprovision,
                        .keeps_of = sums.whole * 100});
      capacity_ += sums.capacity;
    }
  }

  bool wants_key() const noexcept override { return !zones_.empty() && zones_.front().inside->wants_key(); }
  bool wants_zone() const noexcept override { return true; }

  // Zones may have come and gone since: each finds its memory by its name.
  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<ZoneAwareState>(seed);
    const auto* before = dynamic_cast<const ZoneAwareState*>(previous);
    if (before != nullptr) state->random = before->random;
    for (const Zone& zone : zones_) {
      const PickerState* memory = before != nullptr ? before->of(zone.id) : nullptr;
      state->inside.emplace_back(zone.id, zone.inside->make_state(hashing::mix64(seed, index_of(zone.id)), memory));
    }
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    auto& memory = static_cast<ZoneAwareState&>(state);
    Draws draws(memory.random, request.key, wants_key());
    Excluded asked;
    uint32_t place = first_zone(request.zone, draws);
    for (uint32_t draw = 0; place != nowhere; ++draw) {
      const uint32_t index = ask(place, memory, request);
      if (index != no_endpoint) return index;
      asked.add(place);
      if (draw + 1 == draws_max) return ask_the_rest(place, asked, memory, request);
      place = drawn(draws, asked.places());
    }
    return no_endpoint;
  }

 private:
  uint32_t ask(uint32_t place, ZoneAwareState& memory, const PickRequest& request) const noexcept {
    return zones_[place].inside->pick(*memory.inside[place].second, request);
  }

  uint32_t ask_the_rest(uint32_t start, const Excluded& asked, ZoneAwareState& memory,
                        const PickRequest& request) const noexcept {
    const auto count = static_cast<uint32_t>(zones_.size());
    for (uint32_t step = 1; step < count; ++step) {
      const uint32_t place = (start + step) % count;
      if (asked.contains(place)) continue;
      const uint32_t index = ask(place, memory, request);
      if (index != no_endpoint) return index;
    }
    return no_endpoint;
  }

  uint32_t first_zone(ZoneId zone, Draws& draws) const noexcept {
    const uint32_t home = place_of(zone);
    if (home == nowhere) return drawn(draws, {});
    if (zones_[home].keeps >= zones_[home].keeps_of) return home;
    if (draws.below(zones_[home].keeps_of) < zones_[home].keeps) return home;
    const uint32_t other = drawn(draws, {&home, 1});
    return other != nowhere ? other : home;
  }

  uint32_t place_of(ZoneId id) const noexcept {
    if (id == no_zone) return nowhere;
    const auto at = std::lower_bound(zones_.begin(), zones_.end(), id,
                                     [](const Zone& zone, ZoneId wanted) { return zone.id < wanted; });
    return at != zones_.end() && at->id == id ? static_cast<uint32_t>(at - zones_.begin()) : nowhere;
  }

  // A zone in proportion to capacity, none of the excluded (places, ascending); `nowhere` if there is no other. The
  // capacities lie end to end, those of the excluded are skipped.
  uint32_t drawn(Draws& draws, std::span<const uint32_t> excluded) const noexcept {
    uint64_t capacity = capacity_;
    for (const uint32_t place : excluded) capacity -= zones_[place].capacity;
    if (capacity == 0) return nowhere;
    uint64_t at = draws.below(capacity);
    for (const uint32_t place : excluded) {
      if (at >= zones_[place].capacity_before) at += zones_[place].capacity;
    }
    const auto behind = std::upper_bound(zones_.begin(), zones_.end(), at, [](uint64_t wanted, const Zone& zone) {
      return wanted < zone.capacity_before;
    });
    return static_cast<uint32_t>(behind - zones_.begin()) - 1;
  }

  std::vector<Zone> zones_;  // that have members, by id
  uint64_t capacity_ = 0;    // of all of them
  size_t endpoint_count_;
};

}  // namespace

std::unique_ptr<const Picker> make_zone_aware(const PickerMembers& members, const PickerOptions& options) {
  const std::string& inside = options.zone_inside;
  if (!is_picker(inside) || inside == "zone_aware" || inside == "adaptive" || inside == "plugin") {
    // tidy-allow: exceptions, the control thread makes pickers, and refuses the configuration with it
    throw std::invalid_argument("zone_aware cannot have `" + inside + "` inside");
  }
  return std::make_unique<ZoneAware>(members, options);
}

}  // namespace weir
