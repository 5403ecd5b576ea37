// OriginPool, as exchanges of a running worker use it.
#include "net/proxy/origin_pool.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/net/proxy/http_world.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view ask = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view answer = "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok";

class OriginPoolTest : public testing::Test {
 protected:
  // One request of `client`, answered over `origin`.
  void exchange(const Fd& client, const Fd& origin) {
    ASSERT_TRUE(send_now(client, ask));
    ASSERT_NE(receive_until(origin, "\r\n\r\n"), "") << "the request came another way";
    ASSERT_TRUE(send_now(origin, answer));
    ASSERT_TRUE(receive_until(client, "ok").ends_with("ok"));
  }
  // One request of `client` on a new connection to the origin, which is returned.
  Fd first_exchange(const Fd& client) {
    EXPECT_TRUE(send_now(client, ask));
    Fd origin = world_.accept();
    EXPECT_NE(receive_until(origin, "\r\n\r\n"), "");
    EXPECT_TRUE(send_now(origin, answer));
    EXPECT_TRUE(receive_until(client, "ok").ends_with("ok"));
    return origin;
  }
  testing::AssertionResult idle(uint32_t count) {
    return world_.eventually([&] { return world_.idle_to_origins() == count; });
  }
  testing::AssertionResult open(uint32_t count) {
    return world_.eventually([&] { return world_.open_to_origins() == count; });
  }

  HttpWorld world_;
};

TEST_F(OriginPoolTest, AConnectionServesOneRequestAfterTheOther) {
  world_.run();
  const Fd client = world_.client();
  const Fd origin = first_exchange(client);
  EXPECT_TRUE(idle(1));
  for (int i = 0; i < 5; ++i) exchange(client, origin);
  exchange(world_.client(), origin);  // of whatever client
  EXPECT_EQ(world_.reused(), 6U);
  EXPECT_TRUE(open(1));
}

TEST_F(OriginPoolTest, TheOneUsedLastGoesOutFirst) {
  world_.run();
  const Fd one = world_.client();
  const Fd two = world_.client();
  ASSERT_TRUE(send_now(one, ask));
  const Fd first = world_.accept();
  const Fd second = first_exchange(two);
  ASSERT_TRUE(send_now(first, answer));
  ASSERT_TRUE(receive_until(one, "ok").ends_with("ok"));
  EXPECT_TRUE(idle(2));
  receive_until(first, "\r\n\r\n");
  exchange(two, first);
  exchange(two, first);
  EXPECT_TRUE(idle(2)) << "the other one only ages";
}

TEST_F(OriginPoolTest, KeepsNoMoreIdleOnesThanThePolicySays) {
  world_.http.idle_max = 1;
  world_.run();
  const Fd one = world_.client();
  const Fd two = world_.client();
  ASSERT_TRUE(send_now(one, ask));
  const Fd first = world_.accept();
  const Fd second = first_exchange(two);
  receive_until(first, "\r\n\r\n");
  ASSERT_TRUE(send_now(first, answer));
  ASSERT_TRUE(receive_until(one, "ok").ends_with("ok"));
  EXPECT_TRUE(has_ended(first)) << "it came back last";
  EXPECT_TRUE(open(1));
  EXPECT_EQ(world_.idle_closed(), 1U);
  exchange(one, second);
}

TEST_F(OriginPoolTest, ClosesWhatHasHadItsRequests) {
  world_.http.requests_max = 2;
  world_.run();
  const Fd client = world_.client();
  const Fd origin = first_exchange(client);
  exchange(client, origin);
  EXPECT_TRUE(has_ended(origin));
  EXPECT_TRUE(open(0));
  first_exchange(client);
}

TEST_F(OriginPoolTest, ClosesWhatIsNotUsedForTooLong) {
  world_.http.idle_timeout = milliseconds{100};
  world_.run();
  const Fd client = world_.client();
  const Fd origin = first_exchange(client);
  const Instant begun = now_on_loopback();
  EXPECT_TRUE(has_ended(origin));
  EXPECT_GE(now_on_loopback() - begun, milliseconds{90});
  EXPECT_TRUE(open(0));
  EXPECT_EQ(world_.idle_closed(), 1U);
}

TEST_F(OriginPoolTest, WhoseTimeComesWhileItIsUsedIsNotClosed) {
  world_.http.idle_timeout = milliseconds{50};
  world_.run();
  const Fd client = world_.client();
  const Fd origin = first_exchange(client);
  ASSERT_TRUE(send_now(client, ask));
  ASSERT_NE(receive_until(origin, "\r\n\r\n"), "");
  EXPECT_FALSE(becomes(origin.get(), POLLIN, 200)) << "it was ended in the middle of a request";
  ASSERT_TRUE(send_now(origin, answer));
  ASSERT_TRUE(receive_until(client, "ok").ends_with("ok"));
  EXPECT_TRUE(has_ended(origin)) << "but then it is";
}

TEST_F(OriginPoolTest, WhatTheOriginHasEndedIsNotUsedAgain) {
  world_.run();
  const Fd client = world_.client();
  Fd origin = first_exchange(client);
  EXPECT_TRUE(idle(1));
  origin.reset();
  EXPECT_TRUE(open(0));
  first_exchange(client);
  EXPECT_EQ(world_.reused(), 0U);
}

TEST_F(OriginPoolTest, WhatTheOriginHasResetIsNotUsedAgain) {
  world_.run();
  const Fd client = world_.client();
  Fd origin = first_exchange(client);
  EXPECT_TRUE(idle(1));
  reset_on_close(origin.get());
  origin.reset();
  EXPECT_TRUE(open(0));
  first_exchange(client);
}

// Bytes that nobody asked for would be taken for the answer to the next request.
TEST_F(OriginPoolTest, AnOriginThatSpeaksUnaskedIsClosed) {
  world_.run();
  const Fd client = world_.client();
  const Fd origin = first_exchange(client);
  EXPECT_TRUE(idle(1));
  ASSERT_TRUE(send_now(origin, "HTTP/1.1 200 Poison\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(open(0));
  first_exchange(client);
}

TEST_F(OriginPoolTest, BytesBehindAnAnswerEndTheConnection) {
  world_.run();
  const Fd client = world_.client();
  ASSERT_TRUE(send_now(client, ask));
  const Fd origin = world_.accept();
  ASSERT_TRUE(send_now(origin, std::string{answer} + "HTTP/1.1 200 Poison\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(receive_until(client, "ok").ends_with("ok"));
  EXPECT_TRUE(open(0));
  first_exchange(client);
}

TEST_F(OriginPoolTest, AnOriginThatWantsToCloseIsClosed) {
  world_.run();
  const Fd client = world_.client();
  ASSERT_TRUE(send_now(client, ask));
  const Fd origin = world_.accept();
  ASSERT_TRUE(send_now(origin, "HTTP/1.1 200 Fine\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_TRUE(receive_until(client, "ok").ends_with("ok"));
  EXPECT_TRUE(open(0));
  EXPECT_EQ(world_.idle_closed(), 0U) << "it never lay in the pool";
}

TEST_F(OriginPoolTest, IdleOnesGoWithTheirEndpoint) {
  world_.run();
  const Fd client = world_.client();
  const Fd origin = first_exchange(client);
  EXPECT_TRUE(idle(1));
  world_.publish();
  exchange(client, origin);  // a Snapshot that still names it changes nothing
  world_.names_origins = false;
  world_.publish();
  EXPECT_TRUE(has_ended(origin));
  EXPECT_TRUE(open(0));
}

TEST_F(OriginPoolTest, BusyOnesGoWithTheirEndpointWhenTheyAreDone) {
  world_.run();
  const Fd client = world_.client();
  ASSERT_TRUE(send_now(client, ask));
  const Fd origin = world_.accept();
  ASSERT_NE(receive_until(origin, "\r\n\r\n"), "");
  world_.names_origins = false;
  world_.publish();
  EXPECT_TRUE(world_.eventually([&] { return world_.figures().counters.snapshots_applied.read() == 2; }));
  ASSERT_TRUE(send_now(origin, answer));
  EXPECT_TRUE(receive_until(client, "ok").ends_with("ok")) << "the answer is still passed on";
  EXPECT_TRUE(has_ended(origin));
}

TEST_F(OriginPoolTest, AWorkerThatLeavesClosesIdleOnes) {
  world_.run();
  Fd client = world_.client();
  const Fd origin = first_exchange(client);
  EXPECT_TRUE(idle(1));
  world_.drain();
  EXPECT_TRUE(has_ended(client));
  client.reset();
  EXPECT_TRUE(has_ended(origin));
  world_.join();
  EXPECT_EQ(world_.figures().buffers_in_use.load(), 0U);
}

}  // namespace
}  // namespace weir
