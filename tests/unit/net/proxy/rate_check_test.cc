// Which key a client or a request has in each limit, what several limits together decide, and what is told of it. How
// a limit counts is asked in rate_limit_test.cc.
#include "net/proxy/rate_check.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/net/proxy/http_room.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

const Instant now{1000s};

// --- networks -------------------------------------------------------------------------------------------------------

TEST(NetworkOf, KeepsTheFirstBits) {
  struct Row {
    const char* client;
    unsigned prefix;
    unsigned prefix6;
    const char* network;
  };
  const std::vector<Row> rows{
      {"198.51.100.255", 32, 64, "198.51.100.255"},
      {"198.51.100.255", 31, 64, "198.51.100.254"},
      {"198.51.100.255", 25, 64, "198.51.100.128"},
      {"198.51.100.255", 24, 64, "198.51.100.0"},
      {"198.51.255.255", 20, 64, "198.51.240.0"},
      {"255.255.255.255", 1, 64, "128.0.0.0"},
      {"255.255.255.255", 0, 64, "0.0.0.0"},
      {"198.51.100.255", 33, 0, "198.51.100.255"},
      {"198.51.100.255", ~0U, 0, "198.51.100.255"},
      {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0, 128, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
      {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0, 127, "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe"},
      {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0, 65, "2001:db8:ffff:ffff:8000::"},
      {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0, 64, "2001:db8:ffff:ffff::"},
      {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0, 63, "2001:db8:ffff:fffe::"},
      {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0, 48, "2001:db8:ffff::"},
      {"2001:dbf:ffff:ffff:ffff:ffff:ffff:ffff", 0, 20, "2001::"},
      {"2fff:dbf:ffff:ffff:ffff:ffff:ffff:ffff", 0, 4, "2000::"},
      {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 32, 0, "::"},
      {"2001:db8::1", 32, 129, "2001:db8::1"},
      {"2001:db8::1", 32, ~0U, "2001:db8::1"},
  };
  for (const Row& row : rows) {
    PeerAddress client = peer(row.client);
    client.port = 4711;
    const PeerAddress network = network_of(client, row.prefix, row.prefix6);
    EXPECT_EQ(network, peer(row.network)) << network.host() << " is not " << row.network;
    EXPECT_EQ(network.port, 0);
  }
}

TEST(NetworkOf, AllOfIpv4IsNotAllOfIpv6) {
  EXPECT_NE(network_of(peer("192.0.2.1"), 0, 0), network_of(peer("2001:db8::1"), 0, 0));
}

TEST(NetworkOf, WhoHasNoAddressHasNoNetwork) {
  PeerAddress local;
  local.family = PeerAddress::Family::local;
  for (const PeerAddress& client : {PeerAddress{}, local}) EXPECT_EQ(network_of(client, 8, 8), client);
}

// --- limits ---------------------------------------------------------------------------------------------------------

// So many per hour, so that no test is slow enough to see one come back.
RateLimit limit_of(uint32_t requests, std::optional<KeySource> by = {}) {
  RateLimit limit;
  limit.name = "limit";
  limit.by = std::move(by);
  const RateRule rule{.requests = requests, .per = 1h, .burst = requests};
  limit.table = std::make_shared<RateTable>(rule, 1024, 42);
  return limit;
}
const KeySource by_client{KeySource::Kind::client_ip, ""};

// How many of 100 are let in.
int admitted(std::span<const RateLimit> limits, std::string_view client) {
  int count = 0;
  for (int i = 0; i < 100; ++i) count += check_rates(limits, peer(client), now).admitted ? 1 : 0;
  return count;
}

TEST(RateCheckOfConnections, WithoutLimits) {
  const RateCheck check = check_rates({}, peer("192.0.2.1"), now);
  EXPECT_TRUE(check.admitted);
  EXPECT_FALSE(check.over);
}

TEST(RateCheckOfConnections, EachClientForItself) {
  const std::vector<RateLimit> limits{limit_of(3, by_client)};
  EXPECT_EQ(admitted(limits, "192.0.2.1"), 3);
  EXPECT_EQ(admitted(limits, "192.0.2.1"), 0);
  EXPECT_EQ(admitted(limits, "192.0.2.2"), 3);
  EXPECT_EQ(admitted(limits, "2001:db8::1"), 3);
  EXPECT_EQ(admitted(limits, "2001:db8::2"), 0) << "the same /64";
  EXPECT_EQ(admitted(limits, "2001:db8:0:1::1"), 3);
}

TEST(RateCheckOfConnections, ThePortDoesNotMatter) {
  const std::vector<RateLimit> limits{limit_of(3, by_client)};
  int count = 0;
  for (uint16_t port = 1; port <= 100; ++port) {
    count += check_rates(limits, PeerAddress::ipv4(0xc0000201, port), now).admitted ? 1 : 0;
  }
  EXPECT_EQ(count, 3);
}

TEST(RateCheckOfConnections, ByNetworks) {
  std::vector<RateLimit> limits{limit_of(3, by_client)};
  limits[0].prefix = 24;
  limits[0].prefix6 = 48;
  EXPECT_EQ(admitted(limits, "192.0.2.1"), 3);
  EXPECT_EQ(admitted(limits, "192.0.2.254"), 0);
  EXPECT_EQ(admitted(limits, "192.0.3.1"), 3);
  EXPECT_EQ(admitted(limits, "2001:db8::1"), 3);
  EXPECT_EQ(admitted(limits, "2001:db8:0:1::1"), 0);
  EXPECT_EQ(admitted(limits, "2001:db8:1::1"), 3);
}

TEST(RateCheckOfConnections, AllTogether) {
  const std::vector<RateLimit> limits{limit_of(5)};
  EXPECT_EQ(admitted(limits, "192.0.2.1"), 5);
  EXPECT_EQ(admitted(limits, "2001:db8::1"), 0);
}

TEST(RateCheckOfConnections, AllLimitsHaveToAgree) {
  const std::vector<RateLimit> limits{limit_of(3, by_client), limit_of(5)};
  EXPECT_EQ(admitted(limits, "192.0.2.1"), 3);
  EXPECT_EQ(admitted(limits, "192.0.2.2"), 2) << "those whom the first has refused are not charged to the second";
  EXPECT_EQ(admitted(limits, "192.0.2.3"), 0);
}

TEST(RateCheckOfConnections, WhatOnlyCountsLetsIn) {
  std::vector<RateLimit> limits{limit_of(2, by_client), limit_of(4)};
  limits[0].enforced = false;
  std::vector<bool> over;
  std::vector<bool> let_in;
  for (int i = 0; i < 5; ++i) {
    const RateCheck check = check_rates(limits, peer("192.0.2.1"), now);
    over.push_back(check.over);
    let_in.push_back(check.admitted);
  }
  EXPECT_EQ(over, (std::vector<bool>{false, false, true, true, true}));
  EXPECT_EQ(let_in, (std::vector<bool>{true, true, true, true, false}));
}

TEST(RateCheckOfConnections, ComesBackWithTime) {
  const std::vector<RateLimit> limits{limit_of(60, by_client)};
  EXPECT_EQ(admitted(limits, "192.0.2.1"), 60);
  EXPECT_FALSE(check_rates(limits, peer("192.0.2.1"), now + 59s).admitted);
  EXPECT_TRUE(check_rates(limits, peer("192.0.2.1"), now + 61s).admitted);
  EXPECT_FALSE(check_rates(limits, peer("192.0.2.1"), now + 61s).admitted);
}

// --- requests -------------------------------------------------------------------------------------------------------

class RateCheckTest : public testing::Test {
 protected:
  // One request from there, with those header fields (each with its CRLF).
  RateCheck request(std::string_view from = "192.0.2.1", std::string_view fields = "", std::string_view target = "/") {
    const PeerAddress client = peer(from);
    room_.http.scratch.clear();
    room_.parse("GET " + std::string{target} + " HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n");
    const RequestContext context{room_.http, room_.listener, room_.http.request, client};
    told = {};
    return check_rates(limits, context, now, told);
  }
  int admitted(std::string_view from, std::string_view fields = "", std::string_view target = "/") {
    int count = 0;
    for (int i = 0; i < 20; ++i) count += request(from, fields, target).admitted ? 1 : 0;
    return count;
  }

  HttpRoom room_;
  std::vector<RateLimit> limits;
  RateTold told;
};

TEST_F(RateCheckTest, ByWhatTheRequestSays) {
  struct Row {
    const char* what;
    KeySource by;
    const char* one;
    const char* other;
    bool in_target;
  };
  const std::vector<Row> rows{
      {"header", {KeySource::Kind::header, "x-key"}, "X-Key: 1\r\n", "X-Key: 2\r\n", false},
      {"cookie", {KeySource::Kind::cookie, "sid"}, "Cookie: a=b; sid=1\r\n", "Cookie: sid=2\r\n", false},
      {"query", {KeySource::Kind::query, "key"}, "/?key=1", "/?key=2", true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    limits.clear();
    limits.push_back(limit_of(3, row.by));
    const auto let_in = [&](std::string_view from, std::string_view text) {
      return row.in_target ? admitted(from, "", text) : admitted(from, text);
    };
    EXPECT_EQ(let_in("192.0.2.1", row.one), 3);
    EXPECT_EQ(let_in("192.0.2.2", row.one), 0) << "whoever says it";
    EXPECT_EQ(let_in("192.0.2.1", row.other), 3);
    EXPECT_EQ(admitted("192.0.2.1"), 20) << "who says nothing is not limited";
  }
}

TEST_F(RateCheckTest, AllTogetherAndByClient) {
  limits.push_back(limit_of(3, by_client));
  limits.push_back(limit_of(4));
  EXPECT_EQ(admitted("192.0.2.1"), 3);
  EXPECT_EQ(admitted("192.0.2.2"), 1);
}

TEST_F(RateCheckTest, TheClientIsWhoATrustedProxyNames) {
  room_.trust({"10.0.0.0/8"});
  limits.push_back(limit_of(3, by_client));
  EXPECT_EQ(admitted("10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n"), 3);
  EXPECT_EQ(admitted("10.0.0.2", "X-Forwarded-For: 192.0.2.1\r\n"), 0);
  EXPECT_EQ(admitted("10.0.0.1", "X-Forwarded-For: 192.0.2.2\r\n"), 3);
  EXPECT_EQ(admitted("192.0.2.7", "X-Forwarded-For: 192.0.2.8\r\n"), 3);
  EXPECT_EQ(admitted("192.0.2.7", "X-Forwarded-For: 192.0.2.9\r\n"), 0) << "nobody believes that one";
}

// A proxy that listens in both families at once names IPv4 clients in that form. They are not all of one /64.
TEST_F(RateCheckTest, AMappedAddressIsOfIpv4) {
  room_.trust({"10.0.0.0/8"});
  limits.push_back(limit_of(3, by_client));
  EXPECT_EQ(admitted("10.0.0.1", "X-Forwarded-For: ::ffff:192.0.2.1\r\n"), 3);
  EXPECT_EQ(admitted("10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n"), 0) << "the same";
  EXPECT_EQ(admitted("10.0.0.1", "X-Forwarded-For: ::ffff:192.0.2.2\r\n"), 3) << "another one";
}

TEST_F(RateCheckTest, TellsWhoIsRefused) {
  limits.push_back(limit_of(2, by_client));
  EXPECT_TRUE(request().admitted);
  EXPECT_FALSE(told.told) << "only those, unless all are to be told";
  EXPECT_TRUE(request().admitted);
  const RateCheck check = request();
  EXPECT_FALSE(check.admitted);
  EXPECT_TRUE(check.over);
  EXPECT_TRUE(told.told);
  EXPECT_EQ(told.limit, 2U);
  EXPECT_EQ(told.remaining, 0U);
  EXPECT_EQ(told.reset_s, 3600U);
  EXPECT_EQ(told.retry_after_s, 1800U);
}

TEST_F(RateCheckTest, TellsAllIfItIsTo) {
  limits.push_back(limit_of(10, by_client));
  limits[0].tell = RateLimit::Tell::always;
  request();
  EXPECT_TRUE(told.told);
  EXPECT_EQ(told.limit, 10U);
  EXPECT_EQ(told.remaining, 9U);
  EXPECT_EQ(told.reset_s, 360U);
  EXPECT_EQ(told.retry_after_s, 0U) << "it was not refused";
  EXPECT_EQ(admitted("192.0.2.1"), 9);
  EXPECT_EQ(told.remaining, 0U);
  EXPECT_EQ(told.retry_after_s, 360U);
}

TEST_F(RateCheckTest, TheLimitOfASlidingWindowIsItsRequests) {
  limits.push_back(limit_of(7));
  const RateRule rule{.algorithm = RateAlgorithm::sliding_window, .requests = 7, .per = 60s};
  limits[0].table = std::make_shared<RateTable>(rule, 1024, 42);
  limits[0].tell = RateLimit::Tell::always;
  request();
  EXPECT_EQ(told.limit, 7U);
  EXPECT_EQ(told.remaining, 6U);
}

TEST_F(RateCheckTest, TheLimitOfABucketIsItsBurst) {
  limits.push_back(limit_of(1));
  limits[0].table = std::make_shared<RateTable>(RateRule{.requests = 100, .per = 1s, .burst = 4}, 1024, 42);
  limits[0].tell = RateLimit::Tell::always;
  request();
  EXPECT_EQ(told.limit, 4U);
  EXPECT_EQ(told.remaining, 3U);
  EXPECT_EQ(told.reset_s, 1U) << "a part of a second is told as a whole one";
  EXPECT_EQ(admitted("192.0.2.1"), 3);
  EXPECT_EQ(told.retry_after_s, 1U) << "at once would be too early";
}

TEST_F(RateCheckTest, TellsOfTheOneThatIsNearestToRefusing) {
  for (const uint32_t requests : {10U, 3U, 20U}) {
    limits.push_back(limit_of(requests));
    limits.back().tell = RateLimit::Tell::always;
  }
  request();
  EXPECT_EQ(told.limit, 3U);
  EXPECT_EQ(told.remaining, 2U);
  // One that refuses goes before one that has less left, and before one that would tell only then.
  limits[0] = limit_of(1);
  limits[0].enforced = false;
  request();
  request();
  EXPECT_EQ(told.limit, 3U) << "what is not enforced is nobody's business";
  const RateCheck check = request();
  EXPECT_FALSE(check.admitted);
  EXPECT_EQ(told.limit, 3U);
  EXPECT_GT(told.retry_after_s, 0U);
}

TEST_F(RateCheckTest, TheOneThatRefusesIsToldOfWhateverTheOthersHaveLeft) {
  limits.push_back(limit_of(5));
  limits[0].tell = RateLimit::Tell::always;
  limits.push_back(limit_of(4));
  EXPECT_EQ(admitted("192.0.2.1"), 4);
  EXPECT_EQ(told.limit, 5U) << "the first refuses by now";
  limits[0] = limit_of(100);
  limits[0].tell = RateLimit::Tell::always;
  EXPECT_FALSE(request().admitted);
  EXPECT_EQ(told.limit, 4U);
  EXPECT_GT(told.retry_after_s, 0U);
}

// The limits of the listener, and then those of the route, tell into the same.
TEST_F(RateCheckTest, AddsToWhatWasToldBefore) {
  limits.push_back(limit_of(10));
  limits[0].tell = RateLimit::Tell::always;
  request();
  const std::vector<RateLimit> more{limits[0]};
  RateTold both{.told = true, .limit = 99, .remaining = 1, .reset_s = 5};
  room_.parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const PeerAddress client = peer("192.0.2.1");
  const RequestContext context{room_.http, room_.listener, room_.http.request, client};
  check_rates(more, context, now, both);
  EXPECT_EQ(both.limit, 99U) << "that one is nearer to refusing";
  both.remaining = 50;
  check_rates(more, context, now, both);
  EXPECT_EQ(both.limit, 10U);
  EXPECT_EQ(both.remaining, 7U);
}

}  // namespace
}  // namespace weir
