// Active probes and what becomes of them: over real sockets and with real programs, in the time of a clock that the
// test moves.
#include "control/health_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "control/watches.h"
#include "tests/unit/control/steering_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HealthWatchTest : public SteeringTest {
 protected:
  static constexpr Duration interval = milliseconds{100};
  static constexpr Duration in_doubt = milliseconds{50};

  // The first of `endpoints` is where the test listens, as long as it does; with the others nobody does.
  config::Config probing(size_t endpoints = 1) {
    config::UpstreamConfig upstream = upstream_of(endpoints);
    upstream.endpoints[0].address = address_;
    upstream.health.emplace();
    upstream.health->interval = interval;
    upstream.health->interval_in_doubt = in_doubt;
    upstream.health->interval_proven = 10 * interval;
    upstream.health->timeout = milliseconds{50};
    return config_of(std::move(upstream));
  }
  void begin_listening() { origin_.emplace(address_.to_string()); }
  void end_listening() { origin_.reset(); }

  const Probed& probed(const char* name = "a") const {
    const Probed* found = watches->health().find(*endpoint(name).state);
    EXPECT_NE(found, nullptr) << name;
    return *found;
  }
  // So many rounds of it are over.
  testing::AssertionResult rounds(uint64_t more, const char* name = "a") {
    const uint64_t wanted = probed(name).rounds + more;
    for (int steps = 0; steps < 20'000 && probed(name).rounds < wanted; ++steps) {
      pass(step);
      turn_until([&] { return ring->in_flight() == 0; });
      if (origin_) {
        while (origin_->called()) origin_->hang_up();
      }
    }
    if (probed(name).rounds >= wanted) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "only " << probed(name).rounds << " rounds of " << wanted;
  }
  // Time passes, and rounds with it.
  void live(Duration time) {
    const Instant end = clock.time + time;
    while (clock.time < end) {
      pass(step);
      turn_until([&] { return ring->in_flight() == 0; });
      if (origin_) {
        while (origin_->called()) origin_->hang_up();
      }
    }
  }
  EndpointCounters& counters(const char* name = "a") { return endpoint(name).state->counters(0); }

  void SetUp() override {
    SteeringTest::SetUp();
    origin_.emplace();
    address_ = origin_->address;
  }
  void TearDown() override {
    origin_.reset();
    SteeringTest::TearDown();
  }

 private:
  std::optional<PlayedAgent> origin_;
  SocketAddress address_;
};

TEST_F(HealthWatchTest, AnEndpointIsUpUntilItIsJudged) {
  end_listening();
  publish(probing());
  EXPECT_EQ(share(0), 1000U);
  ASSERT_TRUE(rounds(2));
  EXPECT_EQ(share(0), 1000U) << "three failures in a row take it down, two do not";
  EXPECT_EQ(probed().judge.streak(), 2U);
  EXPECT_THAT(log_lines(), ElementsAre(StartsWith("health: a probe failed endpoint=app/a reason=\"no connection")));
  ASSERT_TRUE(rounds(1));
  EXPECT_EQ(share(0), 0U);
  EXPECT_FALSE(endpoint("a").takes_sessions);
  EXPECT_THAT(log_lines(), ElementsAre(::testing::AllOf(StartsWith("health: an endpoint is down endpoint=app/a"),
                                                        HasSubstr("ECONNREFUSED"), HasSubstr("probes=3")),
                                       "balance: no endpoint of an upstream takes work upstream=app"));
  const auto told = alerts_told();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_THAT(told[0], StartsWith("endpoint_down app/a: no connection"));
  EXPECT_EQ(probed().times_down, 1U);
  EXPECT_EQ(probed().rounds_failed, 3U);
  EXPECT_EQ(probed().failed_in_row(), 3U);
}

TEST_F(HealthWatchTest, ItComesUpAgainAndIsAwake) {
  end_listening();
  publish(probing());
  ASSERT_TRUE(rounds(3));
  Gate& gate = endpoint("a").state->gate;
  gate.unreachable(clock.time);
  ASSERT_TRUE(gate.rests(clock.time));
  log_lines();
  alerts_told();
  begin_listening();
  ASSERT_TRUE(rounds(1));
  EXPECT_EQ(share(0), 0U) << "one success is not enough";
  gate.unreachable(clock.time);
  ASSERT_TRUE(rounds(1));
  EXPECT_EQ(share(0), 1000U);
  EXPECT_FALSE(gate.rests(clock.time));
  EXPECT_THAT(log_lines(), ElementsAre(StartsWith("health: an endpoint is up again endpoint=app/a probes=2 down_s=0."),
                                       "balance: an endpoint of an upstream takes work again upstream=app"));
  EXPECT_THAT(alerts_told(), ElementsAre("endpoint_up app/a: 2 probes in a row went well", "upstream_up app"));
  EXPECT_GT(probed().down_time, Duration::zero());
  EXPECT_EQ(probed().failed_in_row(), 0U);
}

TEST_F(HealthWatchTest, WhoComesBackStartsSlowly) {
  config::Config config = probing();
  config.upstreams[0].slow_start = seconds{100};
  end_listening();
  publish(config);
  ASSERT_TRUE(rounds(3));
  begin_listening();
  ASSERT_TRUE(rounds(2));
  EXPECT_GE(share(0), 100U);
  EXPECT_LT(share(0), 110U);
}

TEST_F(HealthWatchTest, InDoubtItAsksSooner) {
  publish(probing());
  ASSERT_TRUE(rounds(3));
  Instant began = clock.time;
  ASSERT_TRUE(rounds(4));
  EXPECT_GE(clock.time - began, 4 * interval * 85 / 100);
  end_listening();
  ASSERT_TRUE(rounds(1));
  began = clock.time;
  ASSERT_TRUE(rounds(2));
  EXPECT_LE(clock.time - began, 2 * in_doubt * 120 / 100);
  EXPECT_EQ(share(0), 0U);
}

TEST_F(HealthWatchTest, AnEndpointOfSubsetsIsAskedOnce) {
  config::Config config = probing(2);
  config.upstreams[0].endpoints[0].metadata = {{"v", "1"}};
  config.listeners.emplace_back();
  config.listeners[0].name = "local";
  const Folder folder;
  config.listeners[0].address = address_of("unix:" + (folder / "s"));
  config.listeners[0].upstream = "app";
  config.listeners[0].subset = {{"v", "1"}};
  end_listening();
  publish(config);
  ASSERT_EQ(publisher.current().upstreams.size(), 2U);
  live(4 * interval);
  EXPECT_LE(probed().rounds, 9U);
  EXPECT_EQ(upstream(0).shares.each[0], 0U);
  EXPECT_EQ(upstream(1).shares.each[0], 0U) << "what is found holds in every part";
  config.listeners.clear();
  publish(config);
}

TEST_F(HealthWatchTest, AReloadLeavesTheDoubtAndTheQuestionAlone) {
  end_listening();
  const config::Config config = probing();
  publish(config);
  ASSERT_TRUE(rounds(2));
  publish(config);
  ASSERT_TRUE(rounds(1));
  EXPECT_EQ(share(0), 0U) << "the third in a row";
  publish(config);
  EXPECT_EQ(share(0), 0U);
  // So often that one that began anew each time would never be asked.
  begin_listening();
  const uint64_t before = probed().rounds;
  for (int i = 0; i < 40; ++i) {
    live(interval / 10);
    publish(config);
  }
  EXPECT_GE(probed().rounds, before + 3);
  EXPECT_EQ(share(0), 1000U);
}

TEST_F(HealthWatchTest, OtherSettingsAreFollowedAndWhatIsKnownStays) {
  end_listening();
  config::Config config = probing();
  publish(config);
  ASSERT_TRUE(rounds(3));
  config.upstreams[0].health->rise = 3;
  publish(config);
  EXPECT_EQ(share(0), 0U);
  begin_listening();
  ASSERT_TRUE(rounds(2));
  EXPECT_EQ(share(0), 0U);
  ASSERT_TRUE(rounds(1));
  EXPECT_EQ(share(0), 1000U);
}

TEST_F(HealthWatchTest, WithoutProbesNobodyIsDownBecauseOfThem) {
  end_listening();
  config::Config config = probing(2);
  publish(config);
  ASSERT_TRUE(rounds(3, "a"));
  live(2 * interval);
  EXPECT_EQ(share(0), 0U);
  EXPECT_EQ(share(1), 0U);
  watches->set_up(endpoint("b"), false);
  alerts_told();
  config.upstreams[0].health.reset();
  publish(config);
  pass_refresh();
  EXPECT_EQ(share(0), 1000U);
  EXPECT_EQ(share(1), 0U) << "but what an operator said holds";
  EXPECT_EQ(watches->health().find(*endpoint("a").state), nullptr);
  EXPECT_THAT(alerts_told(), ElementsAre("endpoint_up app/a: it is not probed any more", "upstream_up app"));
  EXPECT_EQ(wheel.size(), 0U);
}

TEST_F(HealthWatchTest, AnEndpointThatGoesInTheMiddleOfAProbeGoes) {
  publish(probing(2));
  for (int steps = 0; steps < 1000 && ring->in_flight() == 0; ++steps) pass(step);
  config::Config config = probing(2);
  config.upstreams[0].endpoints.erase(config.upstreams[0].endpoints.begin());
  publish(config);
  live(3 * interval);
  EXPECT_EQ(steering->find({"app", "a"}), nullptr);
  EXPECT_EQ(share(0), 0U) << "the other one, where nobody listens";
}

// --- operators ------------------------------------------------------------------------------------------------------

TEST_F(HealthWatchTest, ProbesGoOnFromWhatAnOperatorSaid) {
  publish(probing());
  ASSERT_TRUE(rounds(1));
  watches->set_up(endpoint("a"), false);
  EXPECT_EQ(share(0), 0U);
  EXPECT_FALSE(probed().judge.up());
  EXPECT_TRUE(probed().up_by_operator);
  ASSERT_TRUE(rounds(1));
  EXPECT_EQ(share(0), 0U);
  ASSERT_TRUE(rounds(1));
  EXPECT_EQ(share(0), 1000U) << "it takes as many as ever to bring it back";
  EXPECT_FALSE(probed().up_by_operator);
  end_listening();
  ASSERT_TRUE(rounds(3));
  EXPECT_EQ(share(0), 0U);
  watches->set_up(endpoint("a"), true);
  EXPECT_EQ(share(0), 1000U);
  ASSERT_TRUE(rounds(2));
  EXPECT_EQ(share(0), 1000U);
  ASSERT_TRUE(rounds(1));
  EXPECT_EQ(share(0), 0U) << "and to take it down";
}

TEST_F(HealthWatchTest, WhoWasDownBeforeThereWereProbesHasToBeFoundWell) {
  config::Config config = probing();
  const auto health = std::exchange(config.upstreams[0].health, std::nullopt);
  publish(config);
  watches->set_up(endpoint("a"), false);
  config.upstreams[0].health = health;
  publish(config);
  EXPECT_FALSE(probed().judge.up());
  ASSERT_TRUE(rounds(2));
  EXPECT_EQ(share(0), 1000U);
}

TEST_F(HealthWatchTest, PausedProbesSayNothingAndWhatTheySaidHolds) {
  end_listening();
  const config::Config config = probing(2);
  publish(config);
  ASSERT_TRUE(rounds(3));
  ASSERT_EQ(share(0), 0U);
  begin_listening();
  log_lines();
  EXPECT_TRUE(watches->pause_probes(endpoint("a"), true));
  EXPECT_TRUE(watches->pause_probes(endpoint("a"), true)) << "once more is no news";
  EXPECT_THAT(log_lines(), ElementsAre("health: probes are paused endpoint=app/a"));
  const uint64_t before = probed().rounds;
  live(3 * interval);
  publish(config);
  config::Config other = config;
  other.upstreams[0].health->fall = 4;
  publish(other);
  live(3 * interval);
  EXPECT_EQ(probed().rounds, before) << "through reloads";
  EXPECT_EQ(share(0), 0U);
  EXPECT_TRUE(watches->pause_probes(endpoint("a"), false));
  ASSERT_TRUE(rounds(2));
  EXPECT_EQ(share(0), 1000U);
  config::Config without = config;
  without.upstreams[0].health.reset();
  publish(without);
  EXPECT_FALSE(watches->pause_probes(endpoint("a"), false)) << "there are none";
}

// --- proven by traffic ----------------------------------------------------------------------------------------------

class HealthWatchProven : public HealthWatchTest {
 protected:
  // Time passes while a request goes well every 5 ms.
  void live_well(Duration time) {
    for (Duration passed{}; passed < time; passed += milliseconds{5}) {
      counters().successes.add();
      live(milliseconds{5});
    }
  }
};

TEST_F(HealthWatchProven, WhoseTrafficGoesWellIsAskedSeldom) {
  publish(probing());
  live_well(3 * interval);
  ASSERT_TRUE(probed().proven);
  const uint64_t before = probed().rounds;
  live_well(20 * interval);
  EXPECT_LE(probed().rounds, before + 3) << "every ten intervals";
  EXPECT_GE(probed().rounds, before + 1);
}

TEST_F(HealthWatchProven, SilenceProvesNothing) {
  publish(probing());
  live_well(3 * interval);
  ASSERT_TRUE(probed().proven);
  const uint64_t before = probed().rounds;
  live(interval * 16 / 10);
  EXPECT_FALSE(probed().proven);
  live(interval);
  EXPECT_GE(probed().rounds, before + 1) << "an interval to be silent for, and then it is asked soon";
}

TEST_F(HealthWatchProven, AFailureProvesTheContrary) {
  publish(probing());
  live_well(3 * interval);
  ASSERT_TRUE(probed().proven);
  const uint64_t before = probed().rounds;
  counters().failures.add();
  live_well(interval / 2);
  EXPECT_FALSE(probed().proven);
  live_well(interval * 7 / 10);
  EXPECT_GE(probed().rounds, before + 1);
}

TEST_F(HealthWatchProven, AFrozenOriginIsOutInTimeThoughItWasProven) {
  config::Config config = probing();
  publish(config);
  live_well(3 * interval);
  ASSERT_TRUE(probed().proven);
  end_listening();
  const Instant frozen = clock.time;
  for (int i = 0; i < 1000 && share(0) > 0; ++i) live(step);
  EXPECT_EQ(share(0), 0U);
  EXPECT_LE(clock.time - frozen, config.upstreams[0].health->timeout + 3 * interval);
}

// --- kinds ----------------------------------------------------------------------------------------------------------

TEST_F(HealthWatchTest, ProgramsFindWhoTheyAreFor) {
  config::Config config = probing();
  const Folder folder;
  config.upstreams[0].health->probe = config::ProbeKind::exec;
  config.upstreams[0].health->timeout = seconds{60};
  config.upstreams[0].health->exec.command = {
      "/bin/sh", "-c", "printenv WEIR_UPSTREAM WEIR_ENDPOINT WEIR_ADDRESS WEIR_HOST WEIR_PORT > \"$0\"; exit 3",
      folder / "said"};
  publish(config);
  for (int steps = 0; steps < 200 && ring->in_flight() == 0; ++steps) pass(step);
  ASSERT_TRUE(turn_until([&] { return probed().rounds == 1; }));
  EXPECT_EQ(probed().last->reason, "exit status 3");
  const std::string port = std::to_string(endpoint("a").address.port());
  std::ifstream file{folder / "said"};
  const std::string said{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
  EXPECT_EQ(said, "app\na\n127.0.0.1:" + port + "\n127.0.0.1\n" + port + "\n");
}

TEST_F(HealthWatchTest, WhatProbesTrustIsReadBeforeAnythingIsPublished) {
  config::Config config = probing();
  config.upstreams[0].health->probe = config::ProbeKind::http;
  config.upstreams[0].health->http.tls = true;
  EXPECT_EQ(watches->prepare(config), "");
  config.upstreams[0].health->http.ca = "/nowhere/ca.pem";
  EXPECT_THAT(watches->prepare(config),
              ::testing::AllOf(StartsWith("upstream `app`, `health`: "), HasSubstr("/nowhere/ca.pem")));
  config.upstreams[0].health->http.tls = false;
  EXPECT_EQ(watches->prepare(config), "") << "nobody reads it then";
}

TEST_F(HealthWatchTest, HttpProbesReadAnswers) {
  config::Config config = probing();
  config.upstreams[0].health->probe = config::ProbeKind::http;
  config.upstreams[0].health->http.path = "/up?full";
  end_listening();
  PlayedAgent agent{config.upstreams[0].endpoints[0].address.to_string()};
  publish(config);
  for (int steps = 0; steps < 200 && ring->in_flight() == 0; ++steps) pass(step);
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  ASSERT_TRUE(turn_until([&] { return becomes(agent.caller.get(), POLLIN, 0); }));
  EXPECT_THAT(receive_now(agent.caller),
              ::testing::AllOf(StartsWith("HEAD /up?full HTTP/1.1\r\n"), HasSubstr("\r\nHost: 127.0.0.1:")));
  agent.say("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(turn_until([&] { return probed().rounds == 1; }));
  EXPECT_EQ(probed().last->reason, "status 503, expected 200-399");
}

}  // namespace
}  // namespace weir
