// What agents say, and what becomes of it: over real sockets, in the time of a clock that the test moves.
#include "control/agent_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "tests/unit/control/steering_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AgentWatchTest : public SteeringTest {
 protected:
  static constexpr Duration interval = milliseconds{100};

  // Of `endpoints`, all at 127.0.0.1 and up; the agent that is played is that of the first.
  config::Config asking(size_t endpoints = 1, std::string send = "") {
    config::UpstreamConfig upstream = upstream_of(endpoints);
    upstream.agent = config::AgentConfig{
        .port = agent->address.port(), .send = std::move(send), .interval = interval, .timeout = milliseconds{50}};
    return config_of(std::move(upstream));
  }
  // The agent is asked, and says this.
  testing::AssertionResult says(const std::string& line) {
    if (!is_asked()) return testing::AssertionFailure() << "nobody asks";
    agent->say(line + "\n");
    const bool heard = turn_until([&] { return agent->left(); });
    agent->hang_up();
    if (!heard) return testing::AssertionFailure() << "nobody listens";
    turn_until([&] { return ring->in_flight() == 0; });
    return testing::AssertionSuccess();
  }
  bool is_asked() {
    for (int looks = 0; looks < 50; ++looks) {
      if (agent->called()) return true;
      pass_until(interval * 12 / 10, [&] { return ring->in_flight() > 0; });
      if (turn_until([&, turns = 0]() mutable { return agent->called() || ++turns > 20; }) && agent->caller.valid()) {
        return true;
      }
    }
    return false;
  }

  void SetUp() override {
    SteeringTest::SetUp();
    agent = std::make_unique<PlayedAgent>();
  }
  void TearDown() override {
    agent.reset();
    SteeringTest::TearDown();
  }

  std::unique_ptr<PlayedAgent> agent;
};

TEST_F(AgentWatchTest, WhatTheySayIsDone) {
  publish(asking());
  ASSERT_TRUE(says("50% maxconn:30"));
  EXPECT_EQ(share(0), 500U);
  EXPECT_EQ(endpoint("a").connections_max, 30U);
  EXPECT_EQ(published_count, 1);
  EXPECT_THAT(
      log_lines(),
      ElementsAre("agent: an agent changed what its endpoint gets endpoint=app/a state=ready up=true percent=50 "
                  "description=\"\""));
  // What is not said is as it was; what is said again is no news.
  ASSERT_TRUE(says("50%"));
  EXPECT_EQ(published_count, 1);
  EXPECT_THAT(log_lines(), IsEmpty());
  ASSERT_TRUE(says("drain # full of work"));
  EXPECT_EQ(share(0), 0U);
  EXPECT_TRUE(endpoint("a").takes_sessions);
  EXPECT_EQ(endpoint("a").connections_max, 30U);
  EXPECT_THAT(log_lines(), ElementsAre(HasSubstr("state=drain up=true percent=50 description=\"full of work\""),
                                       "balance: no endpoint of an upstream takes work upstream=app"));
  ASSERT_TRUE(says("ready down"));
  EXPECT_EQ(share(0), 0U);
  EXPECT_FALSE(endpoint("a").takes_sessions);
  ASSERT_TRUE(says("up 200% maxconn:0"));
  EXPECT_EQ(share(0), 2000U);
  EXPECT_EQ(endpoint("a").connections_max, 0U);
}

TEST_F(AgentWatchTest, AreToldWhatTheyWereConfiguredToHear) {
  publish(asking(1, "who are you"));
  ASSERT_TRUE(is_asked());
  ASSERT_TRUE(turn_until([&] { return becomes(agent->caller.get(), POLLIN, 0); }));
  EXPECT_EQ(receive_now(agent->caller), "who are you\n");
  agent->hang_up();
}

TEST_F(AgentWatchTest, OperatorsAndAgentsDoNotOverruleEachOther) {
  publish(asking());
  steering->set_duty(endpoint("a"), Duty::drain);
  ASSERT_TRUE(says("maint"));
  EXPECT_FALSE(endpoint("a").takes_sessions) << "the sterner counts";
  ASSERT_TRUE(says("ready"));
  EXPECT_TRUE(endpoint("a").takes_sessions);
  EXPECT_EQ(share(0), 0U) << "the operator's still holds";
  steering->set_duty(endpoint("a"), Duty::ready);
  EXPECT_EQ(share(0), 1000U);
}

TEST_F(AgentWatchTest, TroubleIsSaidOnceAndChangesNothing) {
  publish(asking());
  ASSERT_TRUE(says("50%"));
  log_lines();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(is_asked());
    agent->hang_up();
    turn_until([&] { return ring->in_flight() == 0; });
  }
  EXPECT_EQ(share(0), 500U);
  EXPECT_EQ(published_count, 1);
  EXPECT_THAT(log_lines(), ElementsAre("agent: an agent does not answer; what it said last holds endpoint=app/a "
                                       "reason=\"closed before it had answered\""));
  // Another trouble is news.
  ASSERT_TRUE(is_asked());
  pass(milliseconds{60});
  turn_until([&] { return ring->in_flight() == 0; });
  EXPECT_THAT(log_lines(), ElementsAre(HasSubstr("reason=\"connected, but no answer in time\"")));
  agent->hang_up();
  ASSERT_TRUE(says("50%"));
  EXPECT_THAT(log_lines(), ElementsAre("agent: an agent answers again endpoint=app/a"));
}

TEST_F(AgentWatchTest, WordsThatMeanNothingAreForDebugging) {
  publish(asking());
  ASSERT_TRUE(says("hello 50% world"));
  EXPECT_EQ(share(0), 500U);
  EXPECT_THAT(log_lines(), ElementsAre("agent: an agent says what nobody understands endpoint=app/a words=\"hello "
                                       "world\"",
                                       HasSubstr("percent=50")));
}

TEST_F(AgentWatchTest, ThatNobodyAsksAnyMoreAreForgotten) {
  config::Config config = asking();
  publish(config);
  steering->set_weight(endpoint("a"), 20);
  ASSERT_TRUE(says("50% drain maxconn:7"));
  config.upstreams[0].agent.reset();
  publish(config);
  pass_refresh();
  EXPECT_EQ(share(0), 2000U) << "what the operator said stays";
  EXPECT_EQ(standing("a").agent_duty, Duty::ready);
  EXPECT_EQ(endpoint("a").connections_max, 0U);
  EXPECT_FALSE(pass_until(interval * 3, [&] { return agent->called(); }));
}

TEST_F(AgentWatchTest, ThatAreAskedInAnotherWayAreNot) {
  config::Config config = asking();
  publish(config);
  ASSERT_TRUE(says("50%"));
  config.upstreams[0].agent->interval = interval * 2;
  publish(config);
  EXPECT_EQ(share(0), 500U) << "until it says otherwise";
  ASSERT_TRUE(says("70%"));
  pass_refresh();
  EXPECT_EQ(share(0), 700U);
}

// Another first time for all of them with each reload would be a burst of silence.
TEST_F(AgentWatchTest, AReloadDoesNotInterruptThem) {
  const config::Config config = asking();
  publish(config);
  ASSERT_TRUE(says("50%"));
  ASSERT_TRUE(is_asked());
  publish(config);
  EXPECT_EQ(share(0), 500U);
  agent->say("70%\n");
  EXPECT_TRUE(turn_until([&] { return share(0) == 700; })) << "the question was forgotten";
  agent->hang_up();
}

TEST_F(AgentWatchTest, AnEndpointThatGoesInTheMiddleOfAQuestionGoes) {
  publish(asking(2));
  ASSERT_TRUE(is_asked());
  config::Config config = asking(2);
  config.upstreams[0].endpoints.erase(config.upstreams[0].endpoints.begin());
  publish(config);
  agent->say("10%\n");
  turn_until([&] { return agent->left(); });
  agent->hang_up();
  EXPECT_EQ(share(0), 1000U) << "it was not meant";
  EXPECT_EQ(steering->find({"app", "a"}), nullptr);
}

TEST_F(AgentWatchTest, WhoIsUpAgainAsItsAgentSaysStartsSlowly) {
  config::Config config = asking();
  config.upstreams[0].slow_start = seconds{100};
  publish(config);
  EXPECT_EQ(share(0), 1000U);
  ASSERT_TRUE(says("down"));
  ASSERT_TRUE(says("up"));
  EXPECT_GE(share(0), 100U);
  EXPECT_LT(share(0), 110U);
  ASSERT_TRUE(says("90%"));
  EXPECT_LT(share(0), 120U) << "it goes on, and does not begin anew";
}

TEST_F(AgentWatchTest, WhatTheyChangeIsTold) {
  publish(asking(2));
  ASSERT_TRUE(says("50%"));
  EXPECT_THAT(alerts_told(), IsEmpty()) << "a share is no state";
  ASSERT_TRUE(says("down # the disk is full"));
  EXPECT_THAT(alerts_told(), ElementsAre("endpoint_down app/a: its agent says so: the disk is full"));
  ASSERT_TRUE(says("up drain"));
  EXPECT_THAT(alerts_told(),
              ElementsAre("endpoint_up app/a: its agent says so", "endpoint_state app/a: drain, as its agent says"));
}

}  // namespace
}  // namespace weir
