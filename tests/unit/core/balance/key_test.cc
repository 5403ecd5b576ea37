#include "core/balance/key.h"

#include <gtest/gtest.h>

#include <set>

namespace weir {
namespace {

PeerAddress peer(std::string_view text) {
  return SocketAddress::parse(text).value().peer();
}

TEST(Key, IsOfTheAddressWithoutThePort) {
  EXPECT_EQ(key_of(peer("10.0.0.1:1")), key_of(peer("10.0.0.1:65535")));
  EXPECT_EQ(key_of(peer("[2001:db8::1]:1")), key_of(peer("[2001:db8::1]:2")));
  EXPECT_NE(key_of(peer("10.0.0.1:1")), key_of(peer("10.0.0.2:1")));
  EXPECT_NE(key_of(peer("[2001:db8::1]:1")), key_of(peer("[2001:db8::2]:1")));
}

// A client that comes over a dual-stack socket is the same client.
TEST(Key, OfAMappedAddressIsThatOfTheIpv4One) {
  EXPECT_EQ(key_of(peer("10.0.0.1:1")), key_of(peer("[::ffff:10.0.0.1]:1")));
}

// Other weirs, of other versions and on other machines, must come to the same endpoint.
TEST(Key, IsTheSameEverywhereAndForever) {
  EXPECT_EQ(key_of(peer("10.0.0.1:80")), 3699326848255856376U);
  EXPECT_EQ(key_of(peer("[2001:db8::1]:80")), 2836299806520711584U);
  EXPECT_EQ(key_of(peer("unix:/x")), 15034821391391295848U);
}

TEST(Key, SpreadsNeighbours) {
  std::set<uint64_t> high_bytes;
  std::set<uint64_t> keys;
  for (uint32_t host = 0; host < 4096; ++host) {
    const uint64_t key = key_of(PeerAddress::ipv4(0x0a000000U + host, 1));
    keys.insert(key);
    high_bytes.insert(key >> 56);
  }
  EXPECT_EQ(keys.size(), 4096U);
  EXPECT_EQ(high_bytes.size(), 256U);
}

}  // namespace
}  // namespace weir
