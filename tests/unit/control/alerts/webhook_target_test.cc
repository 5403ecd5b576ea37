#include "control/alerts/webhook_target.h"

#include <array>

#include "core/base/random.h"
#include "tests/unit/control/alerts/alerts_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Json = nlohmann::json;
using WebhookTargetTest = AlertsTest;

TEST_F(WebhookTargetTest, PostsJson) {
  start_server();
  alerts->follow({hook_rule()});
  const int64_t before = clock.unix_ms();
  raise();
  ASSERT_TRUE(until_sent(1));
  ASSERT_EQ(server->requests.size(), 1U);
  const auto& request = server->requests[0];
  EXPECT_THAT(request.head, StartsWith("POST /hook HTTP/1.1\r\nHost: " + server->webhook().authority + "\r\n"));
  EXPECT_THAT(request.head, HasSubstr("Content-Type: application/json\r\n"));
  const Json json = Json::parse(request.body);
  EXPECT_EQ(json.at("alert"), "endpoint_down");
  EXPECT_EQ(json.at("upstream"), "app");
  EXPECT_EQ(json.at("endpoint"), "10.0.0.1:80");
  EXPECT_EQ(json.at("rule"), "ops");
  EXPECT_EQ(json.at("host"), "lb1");
  EXPECT_EQ(json.at("number"), 1);
  // The time of raise() where there was none.
  AlertMessage message;
  message.alert.unix_ms = before;
  EXPECT_GE(json.at("time"), Json::parse(to_json(message)).at("time"));
  EXPECT_THAT(log_lines(), IsEmpty());
}

TEST_F(WebhookTargetTest, InOrderAndOneAtATime) {
  start_server();
  alerts->follow({hook_rule()});
  raise(100);
  ASSERT_TRUE(until_sent(100));
  std::vector<uint64_t> expected;
  for (uint64_t i = 1; i <= 100; ++i) expected.push_back(i);
  EXPECT_EQ(numbers(), expected);
  EXPECT_EQ(server->connections, 100U);
}

TEST_F(WebhookTargetTest, AReceiverThatIsAwayForAMoment) {
  start_server();
  server->go_down();
  config::AlertConfig config = hook_rule();
  config.retries = 1000;
  alerts->follow({config});
  raise(3);
  ASSERT_TRUE(turn_until([&] { return figures().retries >= 3; }));
  EXPECT_EQ(figures().queued, 3U);
  server->go_up();
  ASSERT_TRUE(turn_until([&] { return figures().sent == 3; }));
  EXPECT_THAT(numbers(), ElementsAre(1, 2, 3));
  EXPECT_EQ(figures().failed, 0U);
  EXPECT_THAT(log_lines(), IsEmpty());
}

TEST_F(WebhookTargetTest, AnswersThatAreFailures) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  for (const char* bad :
       {"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 Slowly\r\nContent-Length: 0\r\n\r\n"}) {
    start_server();
    server->answers = {bad, bad, fine};
    alerts->follow({hook_rule()});
    raise(2);
    ASSERT_TRUE(until_sent(2));
    EXPECT_THAT(numbers(), ElementsAre(1, 1, 1, 2)) << bad;
    EXPECT_EQ(figures().retries, 2U);
    alerts->follow({});
  }
}

TEST_F(WebhookTargetTest, AnyOfTheTwoHundredsAndAnyLengthIsSuccess) {
  start_server();
  server->answers = {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
                     "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + std::string(900'000, 'x')};
  alerts->follow({hook_rule()});
  raise(2);
  ASSERT_TRUE(until_sent(2));
  EXPECT_EQ(figures().retries, 0U);
}

TEST_F(WebhookTargetTest, IsGivenUpAndSaidOnce) {
  start_server();
  server->answers = {"HTTP/1.1 500 Oops\r\nContent-Length: 13\r\n\r\nno database\r\n"};
  config::AlertConfig config = hook_rule();
  config.retries = 2;
  alerts->follow({config});
  raise(3);
  ASSERT_TRUE(until_failed(3));
  EXPECT_EQ(server->requests.size(), 9U);
  EXPECT_THAT(log_lines(), ElementsAre("warn  alert: alerts do not arrive rule=ops target=webhook tries=3 reason=\"it "
                                       "answered 500: no database\""));
  server->answers = {"HTTP/1.1 204 No Content\r\n\r\n"};
  raise();
  ASSERT_TRUE(until_sent(1));
  EXPECT_EQ(Json::parse(server->requests.back().body).at("lost"), 3);
  EXPECT_THAT(log_lines().back(), HasSubstr("alerts arrive again rule=ops target=webhook lost=3"));
  raise();
  ASSERT_TRUE(until_sent(2));
  EXPECT_EQ(Json::parse(server->requests.back().body).at("lost"), 0);
  EXPECT_EQ(log_lines().size(), 2U);
}

// Each with what the log says of it.
TEST_F(WebhookTargetTest, WhatCanGoWrong) {
  const ThrowawayCertificate certificate;
  struct Case {
    const char* name;
    HookServer::Manner manner;
    bool tls;
    std::string host;
    const char* reason;
  };
  using Manner = HookServer::Manner;
  for (const Case& each : {
           Case{"hangs", Manner::stall, false, "127.0.0.1", "no answer after 50 ms"},
           Case{"resets", Manner::reset, false, "127.0.0.1", "reset"},
           Case{"breaks off", Manner::break_off, false, "127.0.0.1", ""},
           Case{"no such name", Manner::answer, false, "no-such-name.invalid", "resolve host"},
           Case{"certificate", Manner::answer, true, "127.0.0.1", "self-signed certificate"},
       }) {
    start_server(each.tls ? &certificate : nullptr);
    server->manner = each.manner;
    config::AlertConfig config = hook_rule(each.name);
    config.retries = 1;
    config.timeout = each.manner == Manner::stall ? Duration{milliseconds{50}} : Duration{seconds{5}};
    config.webhook.authority = each.host + ":" + std::to_string(server->port());
    alerts->follow({config});
    raise();
    ASSERT_TRUE(until_failed(1)) << each.name;
    EXPECT_EQ(figures().retries, 1U) << each.name;
    EXPECT_THAT(log_lines().back(), HasSubstr(each.reason)) << each.name;
    alerts->follow({});
  }
}

TEST_F(WebhookTargetTest, ASlowReceiverGetsAllInItsTime) {
  start_server();
  server->manner = HookServer::Manner::drip;
  server->answers = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
  alerts->follow({hook_rule()});
  raise(5);
  ASSERT_TRUE(until_sent(5));
  EXPECT_THAT(numbers(), ElementsAre(1, 2, 3, 4, 5));
}

// Whatever it does at random: what has arrived has arrived in order, and what is missing is counted.
TEST_F(WebhookTargetTest, NothingOutOfOrder) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    Random random{seed};
    start_server();
    config::AlertConfig config = hook_rule();
    config.retries = 2;
    config.backoff = milliseconds{1};
    alerts->follow({config});
    constexpr uint64_t count = 100;
    for (uint64_t raised = 0; figures().sent + figures().failed < count;) {
      if (raised < count && random.below(2) == 0) {
        raise();
        ++raised;
      }
      constexpr std::array manners{HookServer::Manner::answer, HookServer::Manner::answer, HookServer::Manner::drip,
                                   HookServer::Manner::reset, HookServer::Manner::break_off};
      server->manner = manners[random.below(manners.size())];
      turn();
    }
    const std::vector<uint64_t> arrived = numbers();
    EXPECT_TRUE(std::is_sorted(arrived.begin(), arrived.end())) << "seed " << seed;
    EXPECT_GT(figures().sent, count / 2) << "seed " << seed;
    EXPECT_EQ(arrived.back(), count);
    alerts->follow({});
  }
}

}  // namespace
}  // namespace weir
