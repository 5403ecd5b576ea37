#include "control/steering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "core/balance/adaptive.h"
#include "tests/unit/control/steering_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// --- operators ------------------------------------------------------------------------------------------------------

TEST_F(SteeringTest, FindsEndpointsByTheNamesOfTheFile) {
  config::Config config = config_of(upstream_of(2));
  config.upstreams[0].endpoints[0].metadata = {{"v", "1"}};
  config.listeners.emplace_back();
  config.listeners[0].name = "local";
  const Folder folder;
  config.listeners[0].address = address_of("unix:" + (folder / "s"));
  config.listeners[0].upstream = "app";
  config.listeners[0].subset = {{"v", "1"}};
  publish(config);
  EXPECT_TRUE(steering->has_upstream("app"));
  EXPECT_FALSE(steering->has_upstream("ap"));
  EXPECT_FALSE(steering->has_upstream(""));
  ASSERT_NE(steering->find({"app", "b"}), nullptr);
  EXPECT_EQ(steering->find({"app", "b"})->name, "b");
  EXPECT_EQ(steering->find({"app", "a"}), &upstream(0).endpoints[0]) << "of the whole, not of its subset";
  EXPECT_EQ(steering->find({"app", "c"}), nullptr);
  EXPECT_EQ(steering->find({"api", "a"}), nullptr);
  config.listeners.clear();
  publish(config);
}

TEST_F(SteeringTest, AWeightIsPublishedAndStays) {
  publish(config_of(upstream_of(2)));
  steering->set_weight(endpoint("b"), 25);
  EXPECT_EQ(published_count, 1);
  EXPECT_EQ(generation(), 2U);
  EXPECT_EQ(share(0), 1000U);
  EXPECT_EQ(share(1), 2500U);
  EXPECT_THAT(log_lines(), ElementsAre("balance: weight set endpoint=b weight=25 was=10"));
  // The same once more changes nothing.
  steering->set_weight(endpoint("b"), 25);
  EXPECT_EQ(published_count, 1);
  EXPECT_EQ(generation(), 2U);

  // A reload keeps it, also one that changes the configured one.
  config::Config config = config_of(upstream_of(2));
  config.upstreams[0].endpoints[1].weight = 50;
  publish(config);
  EXPECT_EQ(share(1), 2500U);
  EXPECT_EQ(endpoint("b").configured_weight, 50U);
}

TEST_F(SteeringTest, TheConfiguredWeightFollowsTheConfigurationAgain) {
  publish(config_of(upstream_of(2)));
  steering->set_weight(endpoint("b"), 25);
  steering->set_weight(endpoint("b"), 10);
  EXPECT_EQ(standing("b").weight, std::nullopt);
  config::Config config = config_of(upstream_of(2));
  config.upstreams[0].endpoints[1].weight = 50;
  publish(config);
  EXPECT_EQ(share(1), 5000U);
}

TEST_F(SteeringTest, DutiesAreSternerAndSterner) {
  publish(config_of(upstream_of(2)));
  steering->set_duty(endpoint("a"), Duty::drain);
  EXPECT_EQ(share(0), 0U);
  EXPECT_TRUE(endpoint("a").takes_sessions);
  steering->set_duty(endpoint("a"), Duty::maint);
  EXPECT_EQ(share(0), 0U);
  EXPECT_FALSE(endpoint("a").takes_sessions);
  steering->set_duty(endpoint("a"), Duty::ready);
  EXPECT_EQ(share(0), 1000U);
  EXPECT_TRUE(endpoint("a").takes_sessions);
  EXPECT_EQ(published_count, 3);
  EXPECT_THAT(log_lines(),
              ElementsAre("balance: state set endpoint=a state=drain", "balance: state set endpoint=a state=maint",
                          "balance: state set endpoint=a state=ready"));
}

TEST_F(SteeringTest, HealthIsUpDownOrAScore) {
  publish(config_of(upstream_of(2)));
  steering->set_up(endpoint("a"), false);
  EXPECT_EQ(share(0), 0U);
  steering->set_up(endpoint("a"), true);
  EXPECT_EQ(share(0), 1000U);
  steering->set_health(endpoint("a"), 0.25);
  EXPECT_EQ(share(0), 250U);
  steering->set_health(endpoint("a"), 0);
  EXPECT_EQ(share(0), 0U);
  steering->set_up(endpoint("a"), true);
  EXPECT_EQ(share(0), 1000U) << "up is more than a score of 0";
  steering->set_health(endpoint("a"), 0.5);
  steering->set_up(endpoint("a"), true);
  EXPECT_EQ(share(0), 500U) << "and no more than any other";
  EXPECT_THAT(
      log_lines(),
      ElementsAre("balance: health set endpoint=a health=down", "balance: health set endpoint=a health=up",
                  "balance: health score set endpoint=a score=0.25", "balance: health score set endpoint=a score=0",
                  "balance: health set endpoint=a health=up", "balance: health score set endpoint=a score=0.5",
                  "balance: health set endpoint=a health=up"));
}

TEST_F(SteeringTest, AScoreIsAsIfTheOriginHadSaidIt) {
  config::UpstreamConfig upstream = upstream_of(1);
  upstream.balance = "resource_aware";
  publish(config_of(std::move(upstream)));
  steering->set_score(endpoint("a"), 0.5);
  EXPECT_EQ(endpoint("a").state->reported.read(clock.time, seconds{10}), 0.5);
  EXPECT_EQ(endpoint("a").state->reported.read(clock.time + seconds{11}, seconds{10}), std::nullopt);
  EXPECT_EQ(published_count, 0) << "pickers read it by themselves";
}

// --- slow start -----------------------------------------------------------------------------------------------------

class SteeringSlowStart : public SteeringTest {
 protected:
  static constexpr Duration slow_start = milliseconds{400};

  void SetUp() override {
    SteeringTest::SetUp();
    config::UpstreamConfig upstream = upstream_of(2);
    upstream.slow_start = slow_start;
    publish(config_of(std::move(upstream)));
  }
};

TEST_F(SteeringSlowStart, WhoComesBackGrowsUntilItHasAll) {
  EXPECT_EQ(wheel.size(), 0U) << "nothing to wait for";
  steering->set_up(endpoint("a"), false);
  steering->set_up(endpoint("a"), true);
  EXPECT_EQ(share(0), 100U);
  EXPECT_EQ(wheel.size(), 1U);
  const int before = published_count;
  pass(slow_start / 2);
  EXPECT_GT(share(0), 450U);
  EXPECT_LT(share(0), 560U);
  EXPECT_GE(published_count, before + 5) << "in steps";
  pass(slow_start);
  EXPECT_EQ(share(0), 1000U);
  EXPECT_EQ(share(1), 1000U);
  EXPECT_EQ(wheel.size(), 0U) << "it is over, and nothing wakes the thread any more";
}

TEST_F(SteeringSlowStart, BeginsWhereWorkBeginsAgain) {
  struct Row {
    const char* what;
    std::function<void(Steering&, const Endpoint&)> goes;
    std::function<void(Steering&, const Endpoint&)> comes;
    bool slowly;
  };
  const std::vector<Row> table{
      {"down, up", [](auto& s, auto& e) { s.set_up(e, false); }, [](auto& s, auto& e) { s.set_up(e, true); }, true},
      {"drain, ready", [](auto& s, auto& e) { s.set_duty(e, Duty::drain); },
       [](auto& s, auto& e) { s.set_duty(e, Duty::ready); }, true},
      {"maint, ready", [](auto& s, auto& e) { s.set_duty(e, Duty::maint); },
       [](auto& s, auto& e) { s.set_duty(e, Duty::ready); }, true},
      {"weight 0, weight", [](auto& s, auto& e) { s.set_weight(e, 0); }, [](auto& s, auto& e) { s.set_weight(e, 10); },
       true},
      {"no health, health", [](auto& s, auto& e) { s.set_health(e, 0); }, [](auto& s, auto& e) { s.set_health(e, 1); },
       true},
      {"less health, health", [](auto& s, auto& e) { s.set_health(e, 0.1); },
       [](auto& s, auto& e) { s.set_health(e, 1); }, false},
      {"less weight, weight", [](auto& s, auto& e) { s.set_weight(e, 1); },
       [](auto& s, auto& e) { s.set_weight(e, 10); }, false},
      {"up, though it was", [](auto& s, auto& e) { s.set_up(e, true); }, [](auto& s, auto& e) { s.set_up(e, true); },
       false},
      {"drain, maint", [](auto& s, auto& e) { s.set_duty(e, Duty::drain); },
       [](auto& s, auto& e) {
         s.set_duty(e, Duty::maint);
         s.set_duty(e, Duty::ready);
       },
       true},
  };
  for (const Row& row : table) {
    row.goes(*steering, endpoint("a"));
    clock.time += seconds{10};
    const Instant before = standing("a").since;
    row.comes(*steering, endpoint("a"));
    EXPECT_EQ(standing("a").since, row.slowly ? clock.time : before) << row.what;
    EXPECT_EQ(share(0), row.slowly ? 100U : 1000U) << row.what;
    clock.time += seconds{10};
    steering->set_health(endpoint("b"), 1);  // nothing new, but a look at the time
    EXPECT_EQ(share(0), 1000U) << row.what;
  }
}

TEST_F(SteeringSlowStart, ReadyButDownIsNotBack) {
  steering->set_up(endpoint("a"), false);
  steering->set_duty(endpoint("a"), Duty::maint);
  const Instant before = standing("a").since;
  clock.time += seconds{1};
  steering->set_duty(endpoint("a"), Duty::ready);
  EXPECT_EQ(standing("a").since, before);
  EXPECT_EQ(share(0), 0U);
  clock.time += seconds{1};
  steering->set_up(endpoint("a"), true);
  EXPECT_EQ(standing("a").since, clock.time);
  pass(slow_start + milliseconds{50});
  EXPECT_EQ(share(0), 1000U);
}

TEST_F(SteeringSlowStart, ANewcomerOfAReloadIsFollowed) {
  config::UpstreamConfig upstream = upstream_of(3);
  upstream.slow_start = slow_start;
  publish(config_of(std::move(upstream)));
  EXPECT_EQ(share(2), 100U);
  pass(slow_start + milliseconds{50});
  EXPECT_EQ(share(2), 1000U);
  EXPECT_EQ(wheel.size(), 0U);
}

// --- events ---------------------------------------------------------------------------------------------------------

TEST_F(SteeringTest, SaysWhenThereIsPanicAndWhenItIsOver) {
  config::UpstreamConfig upstream = upstream_of(2);
  upstream.panic_threshold = 60;
  publish(config_of(std::move(upstream)));
  steering->set_up(endpoint("a"), false);
  log_lines();
  steering->set_up(endpoint("b"), false);
  EXPECT_THAT(log_lines(), ElementsAre("balance: health set endpoint=b health=down"));
  steering->set_up(endpoint("a"), true);
  steering->set_up(endpoint("b"), true);
  EXPECT_THAT(log_lines(),
              ElementsAre("balance: health set endpoint=a health=up", "balance: health set endpoint=b health=up",
                          "balance: the panic is over; health counts again upstream=app"));
}

TEST_F(SteeringTest, SaysWhichTiersAreInUse) {
  config::UpstreamConfig upstream = upstream_of(2);
  upstream.endpoints[1].tier = 1;
  publish(config_of(std::move(upstream)));
  steering->set_duty(endpoint("a"), Duty::maint);
  EXPECT_THAT(log_lines(), ElementsAre("balance: state set endpoint=a state=maint",
                                       "balance: other tiers are in use upstream=app tiers=2"));
  steering->set_duty(endpoint("a"), Duty::ready);
  EXPECT_THAT(log_lines(), ElementsAre("balance: state set endpoint=a state=ready",
                                       "balance: other tiers are in use upstream=app tiers=1"));
}

// --- agents ---------------------------------------------------------------------------------------------------------

class SteeringAgents : public SteeringTest {
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

TEST_F(SteeringAgents, WhatTheySayIsDone) {
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
  EXPECT_THAT(log_lines(), ElementsAre(HasSubstr("state=drain up=true percent=50 description=\"full of work\"")));
  ASSERT_TRUE(says("ready down"));
  EXPECT_EQ(share(0), 0U);
  EXPECT_FALSE(endpoint("a").takes_sessions);
  ASSERT_TRUE(says("up 200% maxconn:0"));
  EXPECT_EQ(share(0), 2000U);
  EXPECT_EQ(endpoint("a").connections_max, 0U);
}

TEST_F(SteeringAgents, AreToldWhatTheyWereConfiguredToHear) {
  publish(asking(1, "who are you"));
  ASSERT_TRUE(is_asked());
  ASSERT_TRUE(turn_until([&] { return becomes(agent->caller.get(), POLLIN, 0); }));
  EXPECT_EQ(receive_now(agent->caller), "who are you\n");
  agent->hang_up();
}

TEST_F(SteeringAgents, OperatorsAndAgentsDoNotOverruleEachOther) {
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

TEST_F(SteeringAgents, TroubleIsSaidOnceAndChangesNothing) {
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

TEST_F(SteeringAgents, WordsThatMeanNothingAreForDebugging) {
  publish(asking());
  ASSERT_TRUE(says("hello 50% world"));
  EXPECT_EQ(share(0), 500U);
  EXPECT_THAT(log_lines(), ElementsAre("agent: an agent says what nobody understands endpoint=app/a words=\"hello "
                                       "world\"",
                                       HasSubstr("percent=50")));
}

TEST_F(SteeringAgents, ThatNobodyAsksAnyMoreAreForgotten) {
  config::Config config = asking();
  publish(config);
  steering->set_weight(endpoint("a"), 20);
  ASSERT_TRUE(says("50% drain maxconn:7"));
  config.upstreams[0].agent.reset();
  publish(config);
  EXPECT_EQ(share(0), 2000U) << "what the operator said stays";
  EXPECT_EQ(standing("a").agent_duty, Duty::ready);
  EXPECT_EQ(endpoint("a").connections_max, 0U);
  EXPECT_FALSE(pass_until(interval * 3, [&] { return agent->called(); }));
}

TEST_F(SteeringAgents, ThatAreAskedInAnotherWayAreNot) {
  config::Config config = asking();
  publish(config);
  ASSERT_TRUE(says("50%"));
  config.upstreams[0].agent->interval = interval * 2;
  publish(config);
  EXPECT_EQ(share(0), 500U) << "until it says otherwise";
  ASSERT_TRUE(says("70%"));
  EXPECT_EQ(share(0), 700U);
}

TEST_F(SteeringAgents, AReloadDoesNotDelayThem) {
  const config::Config config = asking();
  publish(config);
  ASSERT_TRUE(says("50%"));
  // Reloads come faster than the interval, and still it is asked.
  bool asked = false;
  for (int i = 0; i < 10 && !asked; ++i) {
    pass(interval / 4);
    publish(config);
    asked = turn_until([&, turns = 0]() mutable { return agent->called() || ++turns > 5; }) && agent->caller.valid();
  }
  EXPECT_TRUE(asked);
  EXPECT_EQ(share(0), 500U);
  agent->hang_up();
}

TEST_F(SteeringAgents, AnEndpointThatGoesInTheMiddleOfAQuestionGoes) {
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

TEST_F(SteeringAgents, WhoIsUpAgainAsItsAgentSaysStartsSlowly) {
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

// --- adaptive -------------------------------------------------------------------------------------------------------

class SteeringAdaptive : public SteeringTest {
 protected:
  static config::Config adapting() {
    config::UpstreamConfig upstream = upstream_of(2);
    upstream.balance = "adaptive";
    upstream.adaptive = {.window = milliseconds{100}, .windows = 2, .margin = 10, .requests = 50};
    return config_of(std::move(upstream));
  }
  // What workers would guess in a window: least_time twice as good as the others.
  void guess(uint32_t requests = 100) {
    ShadowScores& scores = upstream().state->shadows[0];
    for (size_t i = 0; i < shadow_count; ++i) {
      for (uint32_t n = 0; n < requests; ++n) {
        scores.predicted[i].add(adaptive_algorithms[i] == "least_time" ? 1'000'000 : 2'000'000);
      }
    }
  }
  void window() {
    guess();
    pass(milliseconds{100});
  }
};

TEST_F(SteeringAdaptive, FollowsTheEvidenceAndSaysWhy) {
  publish(adapting());
  const AdaptiveWatch* watch = steering->adaptive(upstream().id);
  ASSERT_NE(watch, nullptr);
  EXPECT_EQ(watch->name(), "app");
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "round_robin");
  window();
  EXPECT_EQ(published_count, 0);
  window();
  EXPECT_EQ(published_count, 1);
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "least_time");
  EXPECT_EQ(watch->judge().switches(), 1U);
  EXPECT_THAT(log_lines(), ElementsAre(HasSubstr("balance: adaptive balancing changes its algorithm upstream=app "
                                                 "from=round_robin to=least_time why=\"least_time: predicted p99")));
}

TEST_F(SteeringAdaptive, AReloadKeepsWhatWasLearned) {
  const config::Config config = adapting();
  publish(config);
  window();
  publish(config);
  window();
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "least_time") << "two windows in a row";
  publish(config);
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "least_time");
  // Other rules begin to count anew, from the algorithm that decides.
  config::Config other = config;
  other.upstreams[0].adaptive.windows = 3;
  publish(other);
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "least_time");
  EXPECT_EQ(steering->adaptive(upstream().id)->judge().switches(), 0U);
}

TEST_F(SteeringAdaptive, IsOverWithTheAlgorithm) {
  publish(adapting());
  const UpstreamId id = upstream().id;
  EXPECT_EQ(wheel.size(), 1U);
  publish(config_of(upstream_of(2)));
  EXPECT_EQ(steering->adaptive(id), nullptr);
  EXPECT_EQ(wheel.size(), 0U);
}

}  // namespace
}  // namespace weir
