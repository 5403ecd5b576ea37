#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/core/balance/hashing_fixture.h"

namespace weir {
namespace {

std::string name(uint32_t i) {
  return "10.0.0." + std::to_string(i) + ":80";
}

PickerOptions with_points(uint32_t points) {
  PickerOptions options;
  options.ring_points = points;
  return options;
}

std::vector<std::string> names(Asking& asking, const SomeEndpoints& endpoints, const std::vector<uint64_t>& keys) {
  std::vector<std::string> result;
  for (const uint64_t key : keys) result.push_back(endpoints[asking.pick(key)].name);
  return result;
}

// A reload that adds one: it takes its part, and nobody else gets or loses a key.
TEST(RingHash, AnotherEndpointTakesItsPartAndNoMore) {
  SomeEndpoints ten(std::vector<uint32_t>{});
  SomeEndpoints eleven(std::vector<uint32_t>{});
  for (uint32_t i = 0; i < 10; ++i) ten.add(name(i), 2);
  for (uint32_t i = 0; i < 11; ++i) eleven.add(name(i), i == 4 ? 6 : 2);  // and one has become heavier
  Asking before("ring_hash", ten);
  Asking after("ring_hash", eleven);
  const std::vector<uint64_t> keys = some_keys(20'000);
  const auto old_homes = names(before, ten, keys);
  const auto new_homes = names(after, eleven, keys);
  size_t moved = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (old_homes[i] == new_homes[i]) continue;
    ++moved;
    ASSERT_TRUE(new_homes[i] == name(10) || new_homes[i] == name(4)) << old_homes[i] << " -> " << new_homes[i];
  }
  EXPECT_GT(moved, keys.size() / 5);
}

TEST(RingHash, MorePointsMakeSharesMoreEven) {
  const SomeEndpoints endpoints(20, 1);
  const std::vector<uint64_t> keys = some_keys(100'000);
  const auto deviation = [&](uint32_t points) {
    Asking asking("ring_hash", endpoints, {}, with_points(points));
    double sum = 0;
    for (const uint32_t count : count_of_each(asking.homes(keys), 20)) sum += std::pow(count / 5000.0 - 1, 2);
    return std::sqrt(sum / 20);
  };
  EXPECT_GT(deviation(4), 0.25);
  EXPECT_LT(deviation(160), 0.16);
  EXPECT_LT(deviation(4000), 0.04);
}

// One that outweighs all others does not decide how fine the ring is, and the others keep their part.
TEST(RingHash, AFewHeavyEndpoints) {
  std::vector<uint32_t> weights(50, 10);
  weights.resize(52, 5000);
  const SomeEndpoints endpoints(weights);
  const std::vector<uint32_t> counts = count_of_each(Asking("ring_hash", endpoints).homes(some_keys(200'000)), 52);
  uint32_t light = 0;
  for (uint32_t i = 0; i < 50; ++i) light += counts[i];
  EXPECT_NEAR(light, 200'000 * 500 / 10'500.0, 1500);
  EXPECT_NEAR(counts[50], 200'000 * 5000 / 10'500.0, 3000);
}

TEST(RingHash, WeightsAsFarApartAsCanBe) {
  const SomeEndpoints endpoints({1, 1, 1, 65'535});
  Asking asking("ring_hash", endpoints);
  const std::vector<uint32_t> counts = count_of_each(asking.homes(some_keys(10'000)), 4);
  EXPECT_GT(counts[3], 9900U);
  for (const uint64_t key : some_keys(100)) EXPECT_LT(asking.pick(key, endpoints.tried({3})), 3U);
}

// Keys that are all at one place of the ring, and find the first sixteen of their heirs full.
TEST(RingHash, BeyondTheWalkTheRestAreFoundAndShared) {
  const SomeEndpoints endpoints(200, 1);
  Asking asking("ring_hash", endpoints);
  std::vector<Lease> leases;
  for (int i = 0; i < 100; ++i) {
    const uint32_t index = asking.pick(1);
    asking.candidates()[index].connections_max = 1;
    leases.emplace_back(*endpoints[index].state);
  }
  std::vector<uint32_t> met;
  for (uint64_t key = 0; key < 1000; ++key) {
    const uint32_t index = asking.pick(key);
    ASSERT_NE(index, no_endpoint);
    EXPECT_EQ(endpoints[index].state->connections, 0U);
    met.push_back(index);
  }
  std::sort(met.begin(), met.end());
  EXPECT_GT(std::unique(met.begin(), met.end()) - met.begin(), 30);
}

TEST(RingHash, ARingHasPoints) {
  const SomeEndpoints endpoints(3, 1);
  EXPECT_THROW(Asking("ring_hash", endpoints, {}, with_points(0)), std::invalid_argument);
}

}  // namespace
}  // namespace weir
