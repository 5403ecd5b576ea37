#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/balance/key.h"
#include "tests/unit/core/balance/hashing_fixture.h"

namespace weir {
namespace {

TEST(IpHash, AClientMeetsTheSameEndpointFromAnyPort) {
  const SomeEndpoints endpoints(10, 1);
  Asking one("ip_hash", endpoints, {}, {}, 1);
  Asking other("ip_hash", endpoints, {}, {}, 2);
  for (uint16_t port = 1; port < 500; ++port) {
    const PeerAddress client = PeerAddress::ipv4(0x0a00'0001U * port, port);
    PeerAddress again = client;
    again.port = 9;
    ASSERT_EQ(one.pick(key_of(client)), other.pick(key_of(again)));
  }
}

// Neighbours in one network are as well mixed as random keys: 4 standard deviations.
TEST(IpHash, ANetworkIsSpreadByWeight) {
  const SomeEndpoints endpoints({1, 2, 3, 4, 0});
  Asking asking("ip_hash", endpoints);
  std::vector<uint32_t> counts(5, 0);
  for (uint32_t client = 0; client < 40'000; ++client) {
    ++counts.at(asking.pick(key_of(PeerAddress::ipv4(0x0a00'0000 + client, 1))));
  }
  for (uint32_t i = 0; i < 4; ++i) EXPECT_NEAR(counts[i], 4000.0 * (i + 1), 4 * 98);
  EXPECT_EQ(counts[4], 0U);
}

// The map is over weights: twice as much for everybody is the same map.
TEST(IpHash, OnlyProportionsOfWeightsCount) {
  const SomeEndpoints one({1, 2, 3});
  const SomeEndpoints other({5, 10, 15});
  const std::vector<uint64_t> keys = some_keys(5000);
  EXPECT_EQ(Asking("ip_hash", one).homes(keys), Asking("ip_hash", other).homes(keys));
}

// What the page says of it: another list is another map. (And why the others are there.)
TEST(IpHash, AnotherEndpointMovesManyMoreThanItTakes) {
  const SomeEndpoints ten(10, 1);
  const SomeEndpoints eleven(11, 1);
  const std::vector<uint64_t> keys = some_keys(10'000);
  const std::vector<uint32_t> before = Asking("ip_hash", ten).homes(keys);
  const std::vector<uint32_t> after = Asking("ip_hash", eleven).homes(keys);
  const Moves moved = moves(before, after, 10);
  EXPECT_NEAR(static_cast<double>(moved.to), 10'000 / 11.0, 4 * 29);
  EXPECT_GT(moved.needless, 2 * moved.to);
}

// Nearly everything is gone, so nearly every lookup in the map is refused. What is left is served by share all the
// same.
TEST(IpHash, AHundredthThatIsLeftIsStillSharedFairly) {
  const SomeEndpoints endpoints(1000, 1);
  std::vector<uint32_t> shares(1000, 0);
  for (uint32_t i = 0; i < 10; ++i) shares[i * 100] = i < 5 ? 100 : 50;
  Asking asking("ip_hash", endpoints, shares);
  const std::vector<uint64_t> keys = some_keys(30'000);
  const std::vector<uint32_t> counts = count_of_each(asking.homes(keys), 1000);
  for (uint32_t i = 0; i < 10; ++i) EXPECT_NEAR(counts[i * 100], i < 5 ? 4000 : 2000, 4 * 60) << i;
  // Each client always by the same one.
  EXPECT_EQ(asking.homes(keys), asking.homes(keys));
}

// A share that nobody's weight explains is honoured, too.
TEST(IpHash, SharesAboveTheWeight) {
  const SomeEndpoints endpoints({1, 0, 1});
  Asking asking("ip_hash", endpoints, {100, 100, 200});
  const std::vector<uint32_t> counts = count_of_each(asking.homes(some_keys(40'000)), 3);
  EXPECT_NEAR(counts[0], 10'000, 4 * 87);
  EXPECT_NEAR(counts[1], 10'000, 4 * 87);
  EXPECT_NEAR(counts[2], 20'000, 4 * 100);
}

}  // namespace
}  // namespace weir
