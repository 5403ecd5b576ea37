#include "core/zones/cidr_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace weir::zones {
namespace {

using Entry = CidrTable::Entry;
using Entries = std::vector<Entry>;

Cidr cidr(const std::string& text) {
  return Cidr::parse(text).value();
}

PeerAddress peer(const std::string& host) {
  const std::string bracketed = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return SocketAddress::parse(bracketed + ":80").value().peer();
}

CidrTable table(const std::vector<std::pair<std::string, uint32_t>>& rows) {
  Entries entries;
  for (const auto& [block, value] : rows) entries.push_back({cidr(block), value});
  return CidrTable(entries);
}

// What the table is compared with: all entries, one after the other.
uint32_t scan(const Entries& entries, const PeerAddress& address) {
  uint32_t value = CidrTable::none;
  int longest = -1;
  for (const Entry& entry : entries) {
    if (!entry.block.contains(address) || entry.block.bits < longest) continue;
    longest = entry.block.bits;
    value = entry.value;
  }
  return value;
}

TEST(CidrTable, IsEmpty) {
  EXPECT_EQ(CidrTable().find(peer("10.0.0.1")), CidrTable::none);
  EXPECT_EQ(CidrTable().find(peer("::1")), CidrTable::none);
  EXPECT_EQ(CidrTable().intervals(), 2U);
}

TEST(CidrTable, FindsTheLongest) {
  const CidrTable some = table({{"10.1.2.0/24", 3}, {"10.0.0.0/8", 1}, {"10.1.0.0/16", 2}, {"10.1.2.7", 4}});
  for (const auto& [host, value] : std::vector<std::pair<std::string, uint32_t>>{{"9.255.255.255", CidrTable::none},
                                                                                 {"10.0.0.0", 1},
                                                                                 {"10.0.255.255", 1},
                                                                                 {"10.1.0.0", 2},
                                                                                 {"10.1.1.255", 2},
                                                                                 {"10.1.2.0", 3},
                                                                                 {"10.1.2.6", 3},
                                                                                 {"10.1.2.7", 4},
                                                                                 {"10.1.2.8", 3},
                                                                                 {"10.1.3.0", 2},
                                                                                 {"10.1.255.255", 2},
                                                                                 {"10.2.0.0", 1},
                                                                                 {"10.255.255.255", 1},
                                                                                 {"11.0.0.0", CidrTable::none},
                                                                                 {"::10.1.2.3", CidrTable::none}}) {
    EXPECT_EQ(some.find(peer(host)), value) << host;
  }
}

TEST(CidrTable, ReachesBothEndsOfTheAddresses) {
  const CidrTable some = table({{"0.0.0.0/0", 1},
                                {"0.0.0.0/32", 2},
                                {"255.255.255.255/32", 3},
                                {"255.255.0.0/16", 4},
                                {"::/0", 5},
                                {"::/128", 6},
                                {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 7}});
  for (const auto& [host, value] :
       std::vector<std::pair<std::string, uint32_t>>{{"0.0.0.0", 2},
                                                     {"0.0.0.1", 1},
                                                     {"255.254.255.255", 1},
                                                     {"255.255.0.0", 4},
                                                     {"255.255.255.254", 4},
                                                     {"255.255.255.255", 3},
                                                     {"::", 6},
                                                     {"::1", 5},
                                                     {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 5},
                                                     {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 7}}) {
    EXPECT_EQ(some.find(peer(host)), value) << host;
  }
}

// A client is IPv4 however it came, and who says ::/0 has not said a word about IPv4; as with Cidr::contains().
TEST(CidrTable, KeepsFamiliesApart) {
  EXPECT_EQ(table({{"::ffff:10.0.0.0/104", 1}}).find(peer("10.1.2.3")), 1U);
  EXPECT_EQ(table({{"10.0.0.0/8", 1}}).find(peer("::ffff:10.1.2.3")), 1U);
  EXPECT_EQ(table({{"::ffff:0:0/96", 1}}).find(peer("10.1.2.3")), 1U);
  EXPECT_EQ(table({{"::/0", 1}}).find(peer("10.1.2.3")), CidrTable::none);
  EXPECT_EQ(table({{"::ffff:0:0/95", 1}}).find(peer("10.1.2.3")), CidrTable::none);
  EXPECT_EQ(table({{"0.0.0.0/0", 1}}).find(peer("::1")), CidrTable::none);
}

TEST(CidrTable, HasNothingForThoseWithoutAnAddress) {
  const CidrTable all = table({{"0.0.0.0/0", 1}, {"::/0", 2}});
  EXPECT_EQ(all.find(SocketAddress::parse("unix:/run/x.sock").value().peer()), CidrTable::none);
  EXPECT_EQ(all.find(PeerAddress{}), CidrTable::none);
}

TEST(CidrTable, TheLaterOfTwoEqualBlocksCounts) {
  const CidrTable some = table({{"10.0.0.0/8", 1}, {"10.1.0.0/16", 5}, {"10.0.0.0/8", 2}, {"10.1.0.0/16", 4}});
  EXPECT_EQ(some.find(peer("10.0.0.1")), 2U);
  EXPECT_EQ(some.find(peer("10.1.0.1")), 4U);
}

TEST(CidrTable, AHoleIsABlockWithoutAValue) {
  const CidrTable some = table({{"10.0.0.0/8", 1}, {"10.1.0.0/16", CidrTable::none}, {"10.1.1.0/24", 2}});
  EXPECT_EQ(some.find(peer("10.0.0.1")), 1U);
  EXPECT_EQ(some.find(peer("10.1.0.1")), CidrTable::none);
  EXPECT_EQ(some.find(peer("10.1.1.1")), 2U);
  EXPECT_EQ(some.find(peer("10.1.2.1")), CidrTable::none);
  EXPECT_EQ(some.find(peer("10.2.0.1")), 1U);
}

TEST(CidrTable, BitsBehindThePrefixDoNotCount) {
  const CidrTable some(Entries{{Cidr{peer("10.1.2.3").bytes, 104}, 1}, {Cidr{peer("2001:db8::7").bytes, 32}, 2}});
  EXPECT_EQ(some.find(peer("10.255.0.1")), 1U);
  EXPECT_EQ(some.find(peer("2001:db8:ffff::1")), 2U);
}

// Each block has a first and a last address; answers can only change there.
void expect_agreement(const Entries& entries, Random& random, const std::string& what) {
  const CidrTable some(entries);
  const auto check = [&](const PeerAddress& address) {
    ASSERT_EQ(some.find(address), scan(entries, address)) << what << ": " << address.host();
  };
  for (const Entry& entry : entries) {
    PeerAddress address;
    address.bytes = entry.block.bytes;
    for (const bool last : {false, true}) {
      for (unsigned bit = entry.block.bits; last && bit < 128; ++bit) {
        address.bytes[bit / 8] = static_cast<uint8_t>(address.bytes[bit / 8] | 0x80U >> bit % 8);
      }
      for (const int step : {-1, 0, 1}) {  // beside it, at it
        sockaddr_in6 near{};
        near.sin6_family = AF_INET6;
        std::copy(address.bytes.begin(), address.bytes.end(), near.sin6_addr.s6_addr);
        for (int i = 15; step != 0 && i >= 0; --i) {
          uint8_t& byte = near.sin6_addr.s6_addr[i];
          byte = static_cast<uint8_t>(byte + step);
          if (byte != (step < 0 ? 0xff : 0)) break;
        }
        check(PeerAddress::from(reinterpret_cast<sockaddr*>(&near)));
      }
    }
  }
  for (int i = 0; i < 200; ++i) {
    check(PeerAddress::ipv4(static_cast<uint32_t>(random.next()), 1));
  }
}

// Few different bytes make blocks that lie in each other and next to each other; all lengths, 0 and full ones too.
TEST(CidrTable, AgreesWithAScan) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    const uint64_t alphabet = seed % 3 == 0 ? 256 : seed % 3 == 1 ? 2 : 4;
    const size_t count = std::vector<size_t>{1, 2, 8, 9, 30, 100, 300}[seed % 7];
    Entries entries;
    while (entries.size() < count) {
      std::string host;
      const bool is_v4 = random.below(2) == 0;
      for (int i = 0; i < (is_v4 ? 4 : 8); ++i) {
        const uint64_t byte = random.below(alphabet) * (255 / (alphabet - 1));
        host += (i == 0 ? "" : is_v4 ? "." : ":") + (is_v4 ? std::to_string(byte) : byte == 0 ? "0" : "ffff");
      }
      const uint64_t bits = is_v4 ? random.below(33) : random.below(129);
      entries.push_back({cidr(host + "/" + std::to_string(bits)), static_cast<uint32_t>(random.below(5))});
      if (random.below(10) == 0) entries.back().value = CidrTable::none;
    }
    ASSERT_NO_FATAL_FAILURE(expect_agreement(entries, random, "seed " + std::to_string(seed)));
  }
}

// Trees of every shape: a level more begins at 17, 257 and 4097 intervals of IPv4, and at 9, 65, 513 and 4097 of IPv6.
TEST(CidrTable, HasAsManyIntervalsAsItNeeds) {
  for (const size_t count : {7U, 8U, 9U, 15U, 16U, 17U, 63U, 64U, 65U, 255U, 256U, 257U, 511U, 513U, 4095U, 4097U}) {
    for (const bool is_v4 : {true, false}) {
      Entries entries;
      for (uint32_t i = 0; i < count; ++i) {
        Cidr block;
        if (is_v4) block.bytes = PeerAddress::ipv4(i, 0).bytes;
        if (!is_v4) block.bytes[14] = static_cast<uint8_t>(i >> 8), block.bytes[15] = static_cast<uint8_t>(i);
        entries.push_back({block, i});
      }
      const CidrTable some(entries);
      EXPECT_EQ(some.intervals(), count + 2);  // what is behind the last one, and the other family
      for (uint32_t i = 0; i <= count; ++i) {
        PeerAddress address;
        address.family = is_v4 ? PeerAddress::Family::ipv4 : PeerAddress::Family::ipv6;
        if (is_v4) address.bytes = PeerAddress::ipv4(i, 0).bytes;
        if (!is_v4) address.bytes[14] = static_cast<uint8_t>(i >> 8), address.bytes[15] = static_cast<uint8_t>(i);
        ASSERT_EQ(some.find(address), i < count ? i : CidrTable::none) << count << " blocks, address " << i;
      }
    }
  }
}

TEST(CidrTable, NeighboursWithTheSameValueAreOne) {
  EXPECT_EQ(table({{"10.0.0.0/9", 1}, {"10.128.0.0/9", 1}, {"10.1.0.0/16", 1}}).intervals(), 3U + 1U);
}

// What the docs say of memory: at most 2N+1 intervals, of 4 bytes for a value and 4 or 16 for an address each, and the
// levels above them.
TEST(CidrTable, TakesLittleMemory) {
  Random random(9);
  Entries entries;
  for (int i = 0; i < 20'000; ++i) {
    Cidr block;
    for (uint8_t& byte : block.bytes) byte = static_cast<uint8_t>(random.below(256));
    block.bits = static_cast<uint8_t>(random.below(129));
    entries.push_back({block, static_cast<uint32_t>(i)});
  }
  const CidrTable some(entries);
  EXPECT_LE(some.intervals(), 2 * entries.size() + 2);
  EXPECT_LE(some.bytes(), (2 * entries.size() + 2) * (4 + 16 * 8 / 7) + 1024);
}

}  // namespace
}  // namespace weir::zones
