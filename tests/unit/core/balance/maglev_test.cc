#include "hashing/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "core/balance/key.h"
#include "core/base/random.h"
#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

constexpr uint32_t clients = 50'000;

uint64_t client_key(uint32_t client) {
  return key_of(PeerAddress::ipv4(0x0a00'0000 + client, 1));
}

// Which endpoint, by name, each client meets.
std::vector<std::string> homes(Picking& picking, const SomeEndpoints& endpoints) {
  std::vector<std::string> result;
  for (uint32_t client = 0; client < clients; ++client) {
    result.push_back(endpoints[picking.pick(client_key(client))].name);
  }
  return result;
}

size_t differences(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  size_t count = 0;
  for (size_t i = 0; i < one.size(); ++i) count += one[i] != other[i] ? 1 : 0;
  return count;
}

TEST(MaglevPicker, WantsTheKey) {
  const SomeEndpoints endpoints(3, 1);
  EXPECT_TRUE(Picking("maglev", endpoints).picker().wants_key());
  EXPECT_FALSE(Picking("round_robin", endpoints).picker().wants_key());
  EXPECT_FALSE(Picking("least_connections", endpoints).picker().wants_key());
}

TEST(MaglevPicker, AClientMeetsTheSameEndpointOnEveryWorkerFromAnyPort) {
  const SomeEndpoints endpoints(10, 1);
  Picking one("maglev", endpoints, 1);
  Picking other("maglev", endpoints, 2);
  for (uint16_t port = 1; port < 500; ++port) {
    const PeerAddress client = PeerAddress::ipv4(0x0a00'0001U * port, port);
    PeerAddress again = client;
    again.port = 9;
    ASSERT_EQ(one.pick(key_of(client)), other.pick(key_of(again)));
  }
}

TEST(MaglevPicker, SharesFollowWeights) {
  const SomeEndpoints endpoints({1, 2, 3, 4, 0});
  Picking picking("maglev", endpoints);
  std::vector<uint32_t> counts(5, 0);
  for (uint32_t client = 0; client < clients; ++client) ++counts.at(picking.pick(client_key(client)));
  // Slots are exact; that clients fall on them at random makes the difference: 3 standard deviations.
  for (uint32_t i = 0; i < 4; ++i) EXPECT_NEAR(counts[i], clients * (i + 1) / 10.0, 3 * 110);
  EXPECT_EQ(counts[4], 0U);
}

TEST(MaglevPicker, TheOrderOfEndpointsDoesNotMatter) {
  SomeEndpoints forward(std::vector<uint32_t>{});
  SomeEndpoints backward(std::vector<uint32_t>{});
  for (uint32_t i = 0; i < 20; ++i) forward.add("10.0.0." + std::to_string(i) + ":80", 1 + i % 3);
  for (uint32_t i = 20; i-- > 0;) backward.add("10.0.0." + std::to_string(i) + ":80", 1 + i % 3);
  Picking one("maglev", forward);
  Picking other("maglev", backward);
  EXPECT_EQ(homes(one, forward), homes(other, backward));
}

// A reload that removes one of 20: its clients move, and few others.
TEST(MaglevPicker, RemovingAnEndpointMovesItsClientsAndFewOthers) {
  SomeEndpoints all(std::vector<uint32_t>{});
  SomeEndpoints rest(std::vector<uint32_t>{});
  for (uint32_t i = 0; i < 20; ++i) all.add("10.0.0." + std::to_string(i) + ":80", 1);
  for (uint32_t i = 0; i < 20; ++i) {
    if (i != 7) rest.add("10.0.0." + std::to_string(i) + ":80", 1);
  }
  Picking before("maglev", all);
  Picking after("maglev", rest);
  const auto old_homes = homes(before, all);
  const auto new_homes = homes(after, rest);
  const auto orphans = static_cast<size_t>(std::count(old_homes.begin(), old_homes.end(), "10.0.0.7:80"));
  const size_t moved = differences(old_homes, new_homes);
  EXPECT_GE(moved, orphans);
  EXPECT_LE(moved, orphans + clients / 50);
}

// The same while it is only unusable: not one client of another endpoint moves, and the orphans are spread.
TEST(MaglevPicker, AnUnusableEndpointMovesOnlyItsOwnClients) {
  const SomeEndpoints endpoints(20, 1);
  Picking picking("maglev", endpoints);
  const TriedEndpoints tried = endpoints.tried({7});
  std::map<uint32_t, uint32_t> heirs;
  uint32_t orphans = 0;
  for (uint32_t client = 0; client < clients; ++client) {
    const uint64_t key = client_key(client);
    const uint32_t home = picking.pick(key);
    const uint32_t now = picking.pick(tried, key);
    ASSERT_EQ(picking.pick(tried, key), now);  // It is the same one each time.
    if (home != 7) {
      ASSERT_EQ(now, home);
      continue;
    }
    ++heirs[now];
    ++orphans;
  }
  EXPECT_EQ(heirs.size(), 19U);
  for (const auto& [index, count] : heirs) EXPECT_NEAR(count, orphans / 19.0, 50) << index;
}

TEST(MaglevPicker, TableSize) {
  const SomeEndpoints endpoints(3, 1);
  Picking small("maglev", endpoints, 1, {.maglev_table_size = 7});
  for (uint32_t client = 0; client < 100; ++client) EXPECT_LT(small.pick(client_key(client)), 3U);
  EXPECT_THROW(make_picker("maglev", endpoints.members(), {.maglev_table_size = 65'536}), std::invalid_argument);
}

// Two slots, four endpoints: those without a slot are for whoever has tried the others.
TEST(MaglevPicker, EndpointsWithoutASlotAreTheLastToBeAsked) {
  const SomeEndpoints endpoints(4, 1);
  Picking picking("maglev", endpoints, 1, {.maglev_table_size = 2});
  TriedEndpoints tried;
  for (int i = 0; i < 4; ++i) tried.add(endpoints[picking.pick(tried, 12345)].id);
  EXPECT_EQ(picking.pick(tried, 12345), no_endpoint);
}

}  // namespace
}  // namespace weir
