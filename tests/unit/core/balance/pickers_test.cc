// What is true of every algorithm, whatever is added to pickers.def.
#include "core/balance/pickers.h"

#include <gtest/gtest.h>

#include <algorithm>
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
    EXPECT_NE(make_picker(name, {}, {}), nullptr);
  }
  EXPECT_FALSE(is_picker("round robin"));
  EXPECT_FALSE(is_picker(""));
  EXPECT_EQ(picker_sentence("no_such"), "");
  EXPECT_EQ(make_picker("no_such", {}, {}), nullptr);
}

class EveryPicker : public testing::TestWithParam<std::string_view> {};

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

TEST_P(EveryPicker, NeverProposesWeightZero) {
  for (const uint32_t count : {3U, 200U}) {
    std::vector<uint32_t> weights(count, 0);
    for (uint32_t i = 1; i < count; i += 2) weights[i] = i;
    const SomeEndpoints endpoints(weights);
    Picking picking(GetParam(), endpoints);
    Random keys(1);
    for (int i = 0; i < 5000; ++i) {
      const uint32_t index = picking.pick(keys.next());
      ASSERT_LT(index, count);
      ASSERT_GT(weights[index], 0U);
    }
  }
}

TEST_P(EveryPicker, ReachesEveryEndpoint) {
  for (const uint32_t count : {1U, 2U, 64U, 65U, 1000U}) {
    const SomeEndpoints endpoints(count, 3);
    Picking picking(GetParam(), endpoints);
    Random keys(2);
    std::set<uint32_t> reached;
    for (uint32_t i = 0; i < 40 * count; ++i) reached.insert(picking.pick(keys.next()));
    EXPECT_EQ(reached.size(), count);
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
  for (const uint32_t index : {0U, 1U, 3U, 4U}) EXPECT_NEAR(counts[index], connections / 4.0, connections * 0.015);
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
  const auto picker = make_picker(GetParam(), three.all(), {});
  const auto state = picker->make_state(1, nullptr);
  const TriedEndpoints tried;
  EXPECT_DEATH(picker->pick(*state, PickRequest{two.all(), tried}), "assertion failed");
}

// State made for a larger upstream, as after a reload that removes endpoints.
TEST_P(EveryPicker, TakesOverFromALargerUpstream) {
  for (const uint32_t before : {1000U, 100U, 7U}) {
    for (const uint32_t after : {0U, 1U, 3U, 64U, 65U}) {
      const SomeEndpoints large(before, 1);
      const SomeEndpoints small(after, 1);
      Picking old(GetParam(), large);
      old.picks(before - 1);
      Picking fresh(GetParam(), small);
      fresh.take_over(old);
      for (uint32_t i = 0; i < 2 * after + 1; ++i) {
        const uint32_t index = fresh.pick();
        ASSERT_TRUE(after == 0 ? index == no_endpoint : index < after);
      }
    }
  }
}

}  // namespace
}  // namespace weir
