#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/core/balance/hashing_fixture.h"

namespace weir {
namespace {

constexpr ZoneId a{0};
constexpr ZoneId b{1};
constexpr ZoneId c{2};
constexpr uint32_t picks_of_each = 20'000;
constexpr double tolerance = 0.015;  // 4 standard deviations of a half

PickerOptions with(std::string inside = "round_robin", uint32_t overprovision = 140) {
  PickerOptions options;
  options.zone_inside = std::move(inside);
  options.overprovision = overprovision;
  options.maglev_table_size = 5003;
  return options;
}

// Endpoints in zones, with the picker that is made for them.
class Town {
 public:
  // `up`: how many of the `count` have their share, the first ones.
  Town& add(ZoneId zone, uint32_t count, uint32_t up, uint32_t weight = 1, uint8_t tier = 0) {
    for (uint32_t i = 0; i < count; ++i) {
      Endpoint endpoint;
      endpoint.id = EndpointId{100 + static_cast<uint32_t>(endpoints.size())};
      endpoint.name = "e" + std::to_string(endpoints.size());
      endpoint.weight = weight;
      endpoint.tier = tier;
      endpoint.zone = zone;
      endpoint.state = &states_.emplace_back(1);
      endpoints.push_back(endpoint);
      shares.push_back(i < up ? weight * share_of_one : 0);
    }
    return *this;
  }
  Asking asking(const PickerOptions& options = with(), uint64_t seed = 1) const {
    return {"zone_aware", endpoints, shares, options, seed};
  }
  ZoneId zone_of(uint32_t index) const { return endpoints.at(index).zone; }

  // The part of a zone's clients that each zone serves.
  std::map<ZoneId, double> served(ZoneId clients, const PickerOptions& options = with(),
                                  const TriedEndpoints& tried = {}) const {
    Asking one = asking(options);
    std::map<ZoneId, double> parts{{a, 0}, {b, 0}, {c, 0}, {no_zone, 0}};
    for (const uint64_t key : some_keys(picks_of_each)) parts[zone_of(one.pick(key, tried, clients))] += 1;
    for (auto& [zone, part] : parts) part /= picks_of_each;
    return parts;
  }

  std::vector<Endpoint> endpoints;
  std::vector<uint32_t> shares;

 private:
  std::deque<EndpointState> states_;
};

void expect_served(std::map<ZoneId, double> parts, double by_a, double by_b, double by_c, double by_none = 0) {
  EXPECT_NEAR(parts[a], by_a, by_a == 0 || by_a == 1 ? 0 : tolerance);
  EXPECT_NEAR(parts[b], by_b, by_b == 0 || by_b == 1 ? 0 : tolerance);
  EXPECT_NEAR(parts[c], by_c, by_c == 0 || by_c == 1 ? 0 : tolerance);
  EXPECT_NEAR(parts[no_zone], by_none, by_none == 0 || by_none == 1 ? 0 : tolerance);
}

TEST(ZoneAware, AZoneThatCanServesItsClientsAlone) {
  Town town;
  town.add(a, 2, 2).add(b, 7, 7).add(c, 3, 3);
  expect_served(town.served(a), 1, 0, 0);
  expect_served(town.served(b), 0, 1, 0);
  expect_served(town.served(c), 0, 0, 1);
}

// 5 of 7 times 1.4 is exactly all of them; 5 of 10 are 70 %.
TEST(ZoneAware, WhatAZoneCannotServeIsSpreadByCapacity) {
  expect_served(Town{}.add(a, 7, 5).add(b, 1, 1).add(c, 3, 3).served(a), 1, 0, 0);
  expect_served(Town{}.add(a, 10, 5).add(b, 1, 1).add(c, 3, 3).served(a), 0.7, 0.3 / 4, 0.9 / 4);
  expect_served(Town{}.add(a, 10, 1).add(b, 1, 1).add(c, 3, 2).served(a), 0.14, 0.86 / 3, 0.86 * 2 / 3);
  expect_served(Town{}.add(a, 10, 0).add(b, 1, 1).add(c, 3, 3).served(a), 0, 0.25, 0.75);
  // Others' clients are not sent to a zone that is short of what it needs itself.
  expect_served(Town{}.add(a, 10, 5).add(b, 1, 1).add(c, 3, 3).served(b), 0, 1, 0);
}

TEST(ZoneAware, CapacityGoesByWeightAndHealth) {
  Town town;
  town.add(a, 1, 1, 4).add(b, 2, 2, 1).add(c, 1, 1, 6);
  town.shares[0] = 100;                                         // a quarter of its weight: 35 % are kept
  expect_served(town.served(a), 0.35, 0.65 / 4, 0.65 * 3 / 4);  // 2 and 6
}

TEST(ZoneAware, Overprovision) {
  Town town;
  town.add(a, 10, 9).add(b, 10, 10);
  expect_served(town.served(a, with("round_robin", 100)), 0.9, 0.1, 0);
  expect_served(town.served(a, with("round_robin", 111)), 0.999, 0.001, 0);
  expect_served(town.served(a, with("round_robin", 112)), 1, 0, 0);
  expect_served(town.served(a, with("round_robin", 50)), 0.45, 0.55, 0);
}

TEST(ZoneAware, ClientsFromElsewhereAreSpreadOverAllZones) {
  Town town;
  town.add(a, 2, 2).add(b, 5, 5).add(no_zone, 3, 3);
  expect_served(town.served(no_zone), 0.2, 0.5, 0, 0.3);
  expect_served(town.served(c), 0.2, 0.5, 0, 0.3);
  expect_served(town.served(ZoneId{4711}), 0.2, 0.5, 0, 0.3);
}

// They are near to nobody, but take what is spilled.
TEST(ZoneAware, EndpointsInNoZone) {
  Town town;
  town.add(a, 2, 1).add(no_zone, 3, 3);
  expect_served(town.served(a), 0.7, 0, 0, 0.3);
  expect_served(Town{}.add(no_zone, 3, 3).served(a), 0, 0, 0, 1);
  // There is nowhere else to go.
  expect_served(Town{}.add(a, 10, 1).served(a), 1, 0, 0);
}

// Later tiers are spare: what they have in play counts, what they are worth does not.
TEST(ZoneAware, BackupsAreNoPartOfWhatAZoneShouldHave) {
  struct Case {
    const char* what;
    uint32_t first_up;    // of 4 in tier 0 of zone a
    uint32_t backups;     // in tier 1 of zone a
    uint32_t backups_up;  // of these in play
    double kept;
  };
  for (const Case& one : {
           Case{"backups that stand by", 4, 8, 0, 1},
           Case{"two of four are gone, backups stand by", 2, 8, 0, 0.7},
           Case{"backups stand in for the lost ones", 2, 8, 2, 1},
           Case{"backups alone", 0, 8, 8, 1},
           Case{"one backup for four", 0, 1, 1, 0.35},
           Case{"two backups for four", 0, 2, 2, 0.7},
       }) {
    SCOPED_TRACE(one.what);
    Town town;
    town.add(a, 4, one.first_up).add(a, one.backups, one.backups_up, 1, 1).add(b, 4, 4);
    expect_served(town.served(a), one.kept, 1 - one.kept, 0);
  }
  // A zone that has nothing but backups is measured by these.
  expect_served(Town{}.add(a, 4, 2, 1, 1).add(b, 4, 4).served(a), 0.7, 0.3, 0);
  // An endpoint of weight 0 is not what the zone has in its first tier.
  expect_served(Town{}.add(a, 4, 0, 0, 0).add(a, 4, 2, 1, 1).add(b, 4, 4).served(a), 0.7, 0.3, 0);
}

TEST(ZoneAware, TiersThatStandByHaveZonesToo) {
  Town town;
  town.add(a, 1, 1).add(b, 1, 1).add(a, 2, 2, 1, 1).add(b, 2, 2, 1, 1);
  Shares shares;
  shares.each = town.shares;
  for (const Endpoint& endpoint : town.endpoints) shares.levels.push_back(endpoint.tier);
  const auto picker = make_picker("zone_aware", town.endpoints, shares, with());
  const auto state = picker->make_state(1, nullptr);
  std::vector<Candidate> candidates = town.asking().candidates();
  EXPECT_TRUE(picker->wants_zone());
  TriedEndpoints tried;
  std::vector<uint32_t> order;
  for (int i = 0; i < 6; ++i) {
    order.push_back(picker->pick(*state, {.candidates = candidates, .tried = tried, .zone = b}));
    ASSERT_LT(order.back(), 6U);
    tried.add(town.endpoints[order.back()].id);
  }
  std::sort(order.begin() + 2, order.begin() + 4);
  std::sort(order.begin() + 4, order.end());
  EXPECT_EQ(order, (std::vector<uint32_t>{1, 0, 4, 5, 2, 3}));
}

TEST(ZoneAware, WhenAllOfAZoneWereTriedTheOthersAreAskedByCapacity) {
  Town town;
  town.add(a, 2, 2).add(b, 1, 1).add(c, 4, 4);
  TriedEndpoints tried;
  tried.add(town.endpoints[0].id);
  expect_served(town.served(a, with(), tried), 1, 0, 0);
  tried.add(town.endpoints[1].id);
  expect_served(town.served(a, with(), tried), 0, 0.2, 0.8);
  tried.add(town.endpoints[2].id);
  expect_served(town.served(a, with(), tried), 0, 0, 1);
}

TEST(ZoneAware, WhenAllOfTwoZonesWereTriedTheOthersAreAskedByCapacity) {
  Town town;
  town.add(a, 2, 2).add(b, 1, 1, 60).add(c, 1, 1).add(no_zone, 3, 3);
  TriedEndpoints tried;
  tried.add(town.endpoints[2].id);
  tried.add(town.endpoints[3].id);
  for (const ZoneId clients : {b, c}) expect_served(town.served(clients, with(), tried), 0.4, 0, 0, 0.6);
}

// Many more zones than are drawn in one pick, and one endpoint that is not full.
TEST(ZoneAware, TheLastUsableEndpointIsFound) {
  Town town;
  for (uint16_t zone = 0; zone < 40; ++zone) town.add(ZoneId{zone}, 2, 2, 1 + zone % 3);
  for (const char* inside : {"round_robin", "maglev"}) {
    Asking asking = town.asking(with(inside));
    std::vector<Lease> leases;
    for (Candidate& candidate : asking.candidates()) {
      candidate.connections_max = 1;
      leases.emplace_back(*candidate.state);
    }
    for (uint32_t left = 0; left < town.endpoints.size(); ++left) {
      asking.candidates()[left].connections_max = 2;
      for (const ZoneId zone : {a, ZoneId{39}, no_zone}) ASSERT_EQ(asking.pick(left * 7, {}, zone), left);
      asking.candidates()[left].connections_max = 1;
    }
    ASSERT_EQ(asking.pick(1, {}, a), no_endpoint);
  }
}

TEST(ZoneAware, NobodyIsProposedWithoutAShare) {
  Town town;
  town.add(a, 5, 2).add(b, 5, 1).add(c, 2, 0);
  for (const ZoneId zone : {a, b, c, no_zone}) {
    Asking asking = town.asking();
    for (const uint64_t key : some_keys(2000)) ASSERT_GT(town.shares.at(asking.pick(key, {}, zone)), 0U);
  }
  EXPECT_EQ(Town{}.add(a, 3, 0).asking().pick(1, {}, a), no_endpoint);
}

TEST(ZoneAware, WhatMayBeInside) {
  Town town;
  town.add(a, 3, 3).add(b, 3, 3);
  for (const std::string_view inside : picker_names()) {
    if (inside == "zone_aware" || inside == "adaptive" || inside == "plugin") continue;
    SCOPED_TRACE(inside);
    Asking asking = town.asking(with(std::string{inside}));
    EXPECT_TRUE(asking.picker().wants_zone());
    EXPECT_EQ(asking.picker().wants_key(), picker_hashes(inside));
    for (const uint64_t key : some_keys(200)) EXPECT_EQ(town.zone_of(asking.pick(key, {}, b)), b);
  }
  for (const char* inside : {"zone_aware", "adaptive", "plugin", "no_such", ""}) {
    EXPECT_THROW(town.asking(with(inside)), std::invalid_argument) << inside;
    EXPECT_THROW(make_picker("zone_aware", PickerMembers{}, with(inside)), std::invalid_argument) << inside;
  }
}

// Each zone walks its own cycle, exactly even, whatever the others do.
TEST(ZoneAware, TheAlgorithmInsideDecidesWithinTheZone) {
  Town town;
  town.add(a, 3, 3).add(b, 4, 4);
  Asking asking = town.asking();
  std::vector<uint32_t> picks;
  for (int i = 0; i < 1200; ++i) {
    picks.push_back(asking.pick(0, {}, a));
    if (i % 3 == 0) picks.push_back(asking.pick(0, {}, b));
  }
  EXPECT_EQ(count_of_each(picks, 7), (std::vector<uint32_t>{400, 400, 400, 100, 100, 100, 100}));
}

// By a key, a client meets one endpoint, wherever it asks, at home or sent away.
TEST(ZoneAware, WithAKeyAClientMeetsTheSameEndpointEachTime) {
  Town town;
  town.add(a, 10, 5).add(b, 4, 4).add(c, 4, 4);
  for (const char* inside : {"maglev", "ring_hash", "rendezvous", "ip_hash"}) {
    Asking one = town.asking(with(inside), 1);
    Asking other = town.asking(with(inside), 2);
    for (const ZoneId zone : {a, no_zone}) {
      std::set<uint32_t> met;
      for (const uint64_t key : some_keys(3000)) {
        const uint32_t index = one.pick(key, {}, zone);
        ASSERT_EQ(one.pick(key, {}, zone), index);
        ASSERT_EQ(other.pick(key, {}, zone), index);
        met.insert(index);
      }
      EXPECT_EQ(met.size(), 13U);
    }
    expect_served(town.served(a, with(inside)), 0.7, 0.15, 0.15);
  }
}

// In forty zones each has its own map of its own endpoints: a change in one zone is none in the others.
TEST(ZoneAware, WithAKeyOtherZonesDoNotMatter) {
  Town alone;
  alone.add(a, 5, 4);
  Town among;
  among.add(a, 5, 4);
  for (uint16_t zone = 1; zone < 40; ++zone) among.add(ZoneId{zone}, 5, 5, 100);
  for (const char* inside : {"maglev", "ring_hash", "rendezvous", "ip_hash"}) {
    Asking one = alone.asking(with(inside));
    Asking other = among.asking(with(inside));
    for (const uint64_t key : some_keys(3000)) ASSERT_EQ(one.pick(key, {}, a), other.pick(key, {}, a)) << inside;
  }
}

// Who is sent away decides nothing about who is met at home: each endpoint there keeps an even part.
TEST(ZoneAware, WithAKeyThoseWhoStayAreSpreadEvenly) {
  Town town;
  town.add(a, 10, 5).add(b, 4, 4);
  for (const char* inside : {"maglev", "rendezvous", "ip_hash"}) {
    std::vector<uint32_t> picks;
    Asking asking = town.asking(with(inside));
    for (const uint64_t key : some_keys(40'000)) picks.push_back(asking.pick(key, {}, a));
    const std::vector<uint32_t> counts = count_of_each(picks, 14);
    for (uint32_t i = 0; i < 5; ++i) EXPECT_NEAR(counts[i], 40'000 * 0.7 / 5, 4 * 70) << inside << i;
    for (uint32_t i = 10; i < 14; ++i) EXPECT_NEAR(counts[i], 40'000 * 0.3 / 4, 4 * 53) << inside << i;
  }
}

// A zone that gets weaker sends some away; those that stay do so at the endpoint where they were.
TEST(ZoneAware, WithAKeyAWeakerZoneMovesOnlyWhomItMust) {
  Town town;
  town.add(a, 10, 6).add(b, 4, 4);
  Asking before = town.asking(with("rendezvous"));
  town.shares[5] = 0;
  Asking after = town.asking(with("rendezvous"));
  uint32_t moved = 0;
  for (const uint64_t key : some_keys(20'000)) {
    const uint32_t was = before.pick(key, {}, a);
    const uint32_t is = after.pick(key, {}, a);
    if (was == is) continue;
    ++moved;
    // It was at the one that is down, or it is sent away now. Nobody comes back, nobody moves for nothing.
    ASSERT_TRUE(was == 5 || (town.zone_of(was) == a && town.zone_of(is) == b)) << was << " -> " << is;
  }
  EXPECT_NEAR(moved, 20'000 * (0.84 / 6 + 0.14 * 5 / 6), 400);  // a sixth of those kept, and 84 % - 70 % of the others
}

// Within a zone the fair part is of the zone's connections.
TEST(ZoneAware, BoundedLoadIsOfEachZone) {
  Town town;
  town.add(a, 4, 4).add(b, 4, 4);
  PickerOptions options = with("maglev");
  options.bounded_load = 1.25;
  Asking asking = town.asking(options);
  std::vector<Lease> leases;
  for (int i = 0; i < 4000; ++i) leases.emplace_back(*town.endpoints[4].state);  // zone b is full of connections
  for (uint32_t connections = 1; connections <= 400; ++connections) {
    const uint32_t index = asking.pick(some_keys(2)[connections % 2], {}, a);
    ASSERT_LT(index, 4U);
    leases.emplace_back(*town.endpoints[index].state);
    ASSERT_LE(town.endpoints[index].state->connections, (5 * connections + 15) / 16);
  }
}

// A reload that changes the zones leaves those that remain where they were in their cycles.
TEST(ZoneAware, ZonesThatRemainGoOnWhereTheyWere) {
  Town town;
  town.add(a, 2, 2).add(b, 30, 30);
  Town changed;
  changed.add(b, 30, 30).add(c, 3, 3);
  Asking untouched = town.asking();
  Asking old = town.asking();
  const auto places = [](Asking& asking, uint32_t first, int count) {
    std::vector<uint32_t> result;
    for (int i = 0; i < count; ++i) result.push_back(asking.pick(0, {}, b) - first);
    return result;
  };
  EXPECT_EQ(places(old, 2, 7), places(untouched, 2, 7));
  Asking fresh = changed.asking(with(), 99);
  fresh.take_over(old, 99);
  EXPECT_EQ(places(fresh, 0, 40), places(untouched, 2, 40));
}

TEST(ZoneAware, WorkersDoNotWalkInStep) {
  Town town;
  town.add(a, 50, 50).add(b, 50, 50);
  std::set<uint32_t> starts;
  for (uint64_t seed = 0; seed < 32; ++seed) starts.insert(town.asking(with(), seed).pick(0, {}, no_zone));
  EXPECT_GT(starts.size(), 20U);
}

// Sums of shares that 32 bits do not hold.
TEST(ZoneAware, HeavyWeightsInGreatNumbers) {
  Town town;
  town.add(a, 1000, 500, 65'535).add(b, 1000, 1000, 65'535).add(c, 1000, 1000, 65'535);
  expect_served(town.served(a), 0.7, 0.15, 0.15);
  expect_served(town.served(no_zone), 0.2, 0.4, 0.4);
}

}  // namespace
}  // namespace weir
