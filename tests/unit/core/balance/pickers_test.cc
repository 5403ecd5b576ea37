// What is true of every algorithm, whatever is added to pickers.def.
#include "core/balance/pickers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>

#include "core/base/random.h"
#include "hashing/hash64.h"
#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

TEST(Pickers, Names) {
  EXPECT_EQ(picker_names().front(), "round_robin");
  const std::set<std::string_view> names(picker_names().begin(), picker_names().end());
  EXPECT_EQ(names.size(), picker_names().size());
  EXPECT_TRUE(names.contains("least_connections"));
  EXPECT_TRUE(names.contains("maglev"));
  for (const std::string_view name : names) {
    EXPECT_TRUE(is_picker(name));
    EXPECT_FALSE(picker_sentence(name).empty());
    EXPECT_NE(make_picker(name, PickerMembers{}, {}), nullptr);
  }
  EXPECT_FALSE(is_picker("round robin"));
  EXPECT_FALSE(is_picker(""));
  EXPECT_EQ(picker_sentence("no_such"), "");
  EXPECT_EQ(make_picker("no_such", PickerMembers{}, {}), nullptr);
}

TEST(Pickers, ThoseThatHashWantAKeyAndNoOthersDo) {
  const SomeEndpoints endpoints(3, 1);
  for (const std::string_view name : picker_names()) {
    EXPECT_EQ(make_picker(name, endpoints.members(), {})->wants_key(), picker_hashes(name)) << name;
  }
  EXPECT_FALSE(picker_hashes("no_such"));
}

class EveryPicker : public testing::TestWithParam<std::string_view> {
 protected:
  // The one algorithm that is uneven on purpose: nobody gets anything while there is room before him.
  static bool fills_in_order() { return GetParam() == "first_fit"; }
  // How far shares of random keys may be off, relatively. An endpoint's points on a ring are as random as the keys.
  static double unevenness() { return GetParam() == "ring_hash" ? 0.25 : 0.06; }
};

INSTANTIATE_TEST_SUITE_P(Pickers, EveryPicker, testing::ValuesIn(picker_names().begin(), picker_names().end()),
                         [](const auto& one) { return std::string{one.param}; });

TEST_P(EveryPicker, HasNoneToProposeWithoutEndpoints) {
  const SomeEndpoints none(std::vector<uint32_t>{});
  Picking picking(GetParam(), none);
  EXPECT_EQ(picking.pick(), no_endpoint);
}

TEST_P(EveryPicker, HasNoneToProposeWithoutWeights) {
  const SomeEndpoints endpoints(100, 0);
  Picking picking(GetParam(), endpoints);
  EXPECT_EQ(picking.pick(), no_endpoint);
}

TEST_P(EveryPicker, NeverProposesWhoHasNoShare) {
  for (const uint32_t count : {3U, 200U}) {
    // Without a weight, and with one of which nothing is left.
    for (const uint32_t weight : {0U, 5U}) {
      SomeEndpoints endpoints(count, weight);
      for (uint32_t i = 0; i < count; ++i) endpoints.set_share(i, i % 2 * i);
      Picking picking(GetParam(), endpoints);
      Held held(endpoints, picking);
      held.add(5000);
      const std::vector<uint32_t> counts = held.of_each();
      for (uint32_t i = 0; i < count; i += 2) ASSERT_EQ(counts[i], 0U);
    }
  }
}

TEST_P(EveryPicker, ReachesEveryEndpoint) {
  if (fills_in_order()) GTEST_SKIP() << "it does not as long as there is room";
  for (const uint32_t count : {1U, 2U, 64U, 65U, 1000U}) {
    const SomeEndpoints endpoints(count, 3);
    Picking picking(GetParam(), endpoints);
    Random keys(2);
    std::set<uint32_t> reached;
    for (uint32_t i = 0; i < 40 * count; ++i) reached.insert(picking.pick(keys.next()));
    EXPECT_EQ(reached.size(), count);
  }
}

// Connections come until nobody may have more: then all are full, whatever their shares, and nobody is fuller.
TEST_P(EveryPicker, FillsEverybodyToItsLimitAndNobodyBeyond) {
  for (const uint32_t count : {1U, 3U, 64U, 65U, 200U}) {
    SomeEndpoints endpoints(count, 1);
    std::vector<uint32_t> limits;
    for (uint32_t i = 0; i < count; ++i) {
      limits.push_back(1 + i % 5);
      endpoints.set_connections_max(i, limits[i]);
      endpoints.set_share(i, 1 + 37 * i % 100);
    }
    Picking picking(GetParam(), endpoints);
    Held held(endpoints, picking);
    held.add(std::accumulate(limits.begin(), limits.end(), 0U));
    EXPECT_EQ(held.of_each(), limits);
    EXPECT_EQ(picking.pick(), no_endpoint);
    held.end_one();
    held.add(1);
    EXPECT_EQ(held.of_each(), limits);
  }
}

// An endpoint that somebody else has filled beyond its limit (a reload made it smaller) is full.
TEST_P(EveryPicker, PassesOverWhoIsBeyondItsLimit) {
  SomeEndpoints endpoints(3, 1);
  endpoints.set_connections_max(4);
  endpoints.state(0).connections = 9;
  endpoints.state(1).connections = 4;
  Picking picking(GetParam(), endpoints);
  for (uint64_t key = 0; key < 100; ++key) ASSERT_EQ(picking.pick(key * 0x9e3779b97f4a7c15), 2U);
}

TEST_P(EveryPicker, HeldConnectionsAreInProportionToShares) {
  if (fills_in_order()) GTEST_SKIP() << "the first has them all";
  for (const uint32_t copies : {1U, 20U}) {
    // Weights 3, 1, 4, 2, of which the last one's is at a quarter; and nothing for the fifth.
    SomeEndpoints endpoints(5 * copies, 1);
    const std::vector<uint32_t> shares{300, 100, 400, 50, 0};
    for (uint32_t i = 0; i < endpoints.size(); ++i) endpoints.set_share(i, shares[i % 5]);
    Picking picking(GetParam(), endpoints);
    Held held(endpoints, picking);
    held.add(85'000);
    std::vector<double> counts(5, 0);
    const std::vector<uint32_t> each = held.of_each();
    for (uint32_t i = 0; i < endpoints.size(); ++i) counts[i % 5] += each[i];
    for (uint32_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(counts[i], 100.0 * shares[i], 100.0 * shares[i] * unevenness()) << i << " of " << endpoints.size();
    }
  }
}

// One connection whose every endpoint refuses: it meets each but once, and then is told that there is no more.
TEST_P(EveryPicker, NeverProposesWhatWasTried) {
  for (const uint32_t count : {1U, 2U, 3U, TriedEndpoints::capacity}) {
    // Equal ones, and one that dwarfs the rest.
    for (const uint32_t heaviest : {1U, 50'000U}) {
      std::vector<uint32_t> weights(count, 1);
      weights[0] = heaviest;
      const SomeEndpoints endpoints(weights);
      Picking picking(GetParam(), endpoints);
      Random keys(3);
      for (int connection = 0; connection < 300; ++connection) {
        const uint64_t key = keys.next();
        TriedEndpoints tried;
        for (uint32_t tries = 0; tries < count; ++tries) {
          const uint32_t index = picking.pick(tried, key);
          ASSERT_LT(index, count);
          ASSERT_FALSE(tried.contains(endpoints[index].id));
          tried.add(endpoints[index].id);
        }
        ASSERT_EQ(picking.pick(tried, key), no_endpoint);
      }
    }
  }
}

// A dead endpoint's connections are spread over the others; nobody inherits them all.
TEST_P(EveryPicker, SpreadsWhatAnUnusableEndpointLeaves) {
  if (fills_in_order()) GTEST_SKIP() << "the next in order has it";
  SomeEndpoints endpoints(5, 1);
  Picking picking(GetParam(), endpoints);
  Random keys(4);
  std::vector<uint32_t> counts(5, 0);
  const uint32_t connections = 20'000;
  for (uint32_t i = 0; i < connections; ++i) {
    const uint64_t key = keys.next();
    uint32_t index = picking.pick(key);
    if (index == 2) index = picking.pick(endpoints.tried({2}), key);
    ++counts.at(index);
  }
  EXPECT_EQ(counts[2], 0U);
  for (const uint32_t index : {0U, 1U, 3U, 4U}) {
    EXPECT_NEAR(counts[index], connections / 4.0, connections / 4.0 * unevenness());
  }
}

// Neither who is asking, nor when, nor from where makes anybody unreachable, or reachable who is not.
TEST_P(EveryPicker, TakesAnyWorkerTimeAndZone) {
  SomeEndpoints endpoints({1, 0, 2, 3});
  for (uint32_t i = 0; i < 3; ++i) endpoints.set_zone(i, ZoneId{static_cast<uint16_t>(i)});
  for (const unsigned worker : {0U, SomeEndpoints::workers - 1}) {
    for (const ZoneId zone : {ZoneId{0}, ZoneId{1}, ZoneId{2}, ZoneId{77}, no_zone}) {
      Picking picking(GetParam(), endpoints);
      picking.worker = worker;
      picking.zone = zone;
      Random keys(5);
      for (const Instant now : {Instant{}, Instant{Duration{1}}, Instant{std::chrono::hours{24 * 365 * 50}}}) {
        picking.now = now;
        for (int i = 0; i < 50; ++i) {
          const uint64_t key = keys.next();
          const uint32_t index = picking.pick(endpoints.tried({0}), key);
          ASSERT_TRUE(index == 2 || index == 3) << index;
          ASSERT_EQ(picking.pick(endpoints.tried({0, 2}), key), 3U);
          ASSERT_EQ(picking.pick(endpoints.tried({0, 2, 3}), key), no_endpoint);
        }
      }
    }
  }
}

// Two tiers: the second has nothing until the first has nobody left for a connection.
TEST_P(EveryPicker, AsksTheTiersInOrder) {
  SomeEndpoints endpoints({1, 2, 1, 1});
  endpoints.set_connections_max(100);
  const Shares shares{.each = {100, 200, 100, 100}, .levels = {1, 0, 1, 0}};
  Picking picking(GetParam(), endpoints, shares);
  EXPECT_EQ(picking.picker().wants_key(), picker_hashes(GetParam()));
  Random keys(6);
  for (int i = 0; i < 500; ++i) {
    const uint32_t index = picking.pick(keys.next());
    ASSERT_TRUE(index == 1 || index == 3) << index;
  }
  EXPECT_EQ(picking.pick(endpoints.tried({1})), 3U);
  const uint32_t backup = picking.pick(endpoints.tried({1, 3}));
  EXPECT_TRUE(backup == 0 || backup == 2) << backup;
  EXPECT_EQ(picking.pick(endpoints.tried({1, 3, 0, 2})), no_endpoint);

  Held held(endpoints, picking);
  held.add(200);
  EXPECT_EQ(held.of_each(), (std::vector<uint32_t>{0, 100, 0, 100}));
  held.add(200);
  EXPECT_EQ(held.of_each(), std::vector<uint32_t>(4, 100));
  EXPECT_EQ(picking.pick(), no_endpoint);
}

TEST_P(EveryPicker, SameSeedSamePicks) {
  const SomeEndpoints endpoints(200, 1);
  Picking one(GetParam(), endpoints, 9);
  Picking other(GetParam(), endpoints, 9);
  EXPECT_EQ(one.picks(500), other.picks(500));
}

TEST_P(EveryPicker, WantsTheEndpointsItWasMadeFor) {
  const SomeEndpoints three(3, 1);
  const SomeEndpoints two(2, 1);
  const auto picker = make_picker(GetParam(), three.members(), {});
  const auto state = picker->make_state(1, nullptr);
  const TriedEndpoints tried;
  EXPECT_DEATH(picker->pick(*state, PickRequest{.candidates = two.candidates(), .tried = tried}), "assertion failed");
}

// State made for a larger or a smaller upstream, as after a reload that removes or adds endpoints.
TEST_P(EveryPicker, TakesOverFromAnUpstreamOfAnotherSize) {
  for (const uint32_t before : {1000U, 100U, 7U, 0U}) {
    for (const uint32_t after : {0U, 1U, 3U, 64U, 65U, 300U}) {
      const SomeEndpoints old_endpoints(before, 1);
      const SomeEndpoints new_endpoints(after, 1);
      Picking old(GetParam(), old_endpoints);
      if (before > 0) old.picks(before - 1);
      Picking fresh(GetParam(), new_endpoints);
      fresh.take_over(old);
      for (uint32_t i = 0; i < 2 * after + 1; ++i) {
        const uint32_t index = fresh.pick();
        ASSERT_TRUE(after == 0 ? index == no_endpoint : index < after);
      }
    }
  }
}

// `balance` was another one before the reload.
TEST_P(EveryPicker, TakesNothingFromAnotherAlgorithm) {
  const SomeEndpoints endpoints(3, 1);
  for (const std::string_view other : picker_names()) {
    Picking old(other, endpoints);
    Picking fresh(GetParam(), endpoints);
    fresh.take_over(old);
    EXPECT_LT(fresh.pick(), 3U) << other;
  }
}

// Tiers come and go: the picker has levels after a reload, or has none any more.
TEST_P(EveryPicker, TakesOverWhenLevelsComeAndGo) {
  const SomeEndpoints endpoints(4, 1);
  const std::vector<uint32_t> each(4, 100);
  Picking flat(GetParam(), endpoints, Shares{.each = each, .levels = {0, 0, 0, 0}});
  Picking tiered(GetParam(), endpoints, Shares{.each = each, .levels = {0, 0, 1, 2}});
  flat.picks(3);
  tiered.take_over(flat);
  for (const uint32_t index : tiered.picks(20)) EXPECT_LT(index, 2U);
  flat.take_over(tiered);
  for (const uint32_t index : flat.picks(20)) EXPECT_LT(index, 4U);
}

}  // namespace
}  // namespace weir
