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
  EXPECT_THAT(log_lines(), ElementsAre("balance: weight set endpoint=app/b weight=25 was=10"));
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
  EXPECT_THAT(log_lines(), ElementsAre("balance: state set endpoint=app/a state=drain",
                                       "balance: state set endpoint=app/a state=maint",
                                       "balance: state set endpoint=app/a state=ready"));
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
      ElementsAre("balance: health set endpoint=app/a health=down", "balance: health set endpoint=app/a health=up",
                  "balance: health score set endpoint=app/a score=0.25",
                  "balance: health score set endpoint=app/a score=0", "balance: health set endpoint=app/a health=up",
                  "balance: health score set endpoint=app/a score=0.5",
                  "balance: health set endpoint=app/a health=up"));
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
  EXPECT_THAT(log_lines(), ElementsAre("balance: health set endpoint=app/b health=down"));
  steering->set_up(endpoint("a"), true);
  steering->set_up(endpoint("b"), true);
  EXPECT_THAT(log_lines(), ElementsAre("balance: health set endpoint=app/a health=up",
                                       "balance: health set endpoint=app/b health=up",
                                       "balance: the panic is over; health counts again upstream=app"));
}

TEST_F(SteeringTest, SaysWhichTiersAreInUse) {
  config::UpstreamConfig upstream = upstream_of(2);
  upstream.endpoints[1].tier = 1;
  publish(config_of(std::move(upstream)));
  steering->set_duty(endpoint("a"), Duty::maint);
  EXPECT_THAT(log_lines(), ElementsAre("balance: state set endpoint=app/a state=maint",
                                       "balance: other tiers are in use upstream=app tiers=2"));
  steering->set_duty(endpoint("a"), Duty::ready);
  EXPECT_THAT(log_lines(), ElementsAre("balance: state set endpoint=app/a state=ready",
                                       "balance: other tiers are in use upstream=app tiers=1"));
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
