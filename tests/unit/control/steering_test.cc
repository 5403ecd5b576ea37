#include "control/steering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/unit/control/steering_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
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

TEST_F(SteeringTest, SaysWhenNobodyTakesWork) {
  publish(config_of(upstream_of(2)));
  steering->set_duty(endpoint("a"), Duty::maint);
  log_lines();
  alerts_told();
  steering->set_up(endpoint("b"), false);
  EXPECT_THAT(log_lines(), ElementsAre("balance: health set endpoint=app/b health=down",
                                       "balance: no endpoint of an upstream takes work upstream=app"));
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[1].healthy, 0U);
  EXPECT_EQ(alerts[1].total, 2U);
  EXPECT_THAT(alerts_told(), ElementsAre("endpoint_down app/b: by an operator", "upstream_down app"));
  // It is said once, however often it is published.
  steering->set_weight(endpoint("b"), 5);
  EXPECT_THAT(alerts_told(), IsEmpty());
  steering->set_duty(endpoint("a"), Duty::ready);
  EXPECT_THAT(alerts_told(), ElementsAre("endpoint_state app/a: ready, by an operator", "upstream_up app"));
}

TEST_F(SteeringTest, TellsOfWhatOperatorsChangeAndNotOfWhatTheyRepeat) {
  publish(config_of(upstream_of(3)));
  steering->set_duty(endpoint("a"), Duty::drain);
  steering->set_duty(endpoint("a"), Duty::drain);
  steering->set_up(endpoint("a"), true);
  steering->set_up(endpoint("a"), false);
  steering->set_up(endpoint("a"), true);
  EXPECT_THAT(alerts_told(), ElementsAre("endpoint_state app/a: drain, by an operator",
                                         "endpoint_down app/a: by an operator", "endpoint_up app/a: by an operator"));
}

// --- coalescing -----------------------------------------------------------------------------------------------------

class SteeringCoalesces : public SteeringTest {
 protected:
  static constexpr size_t endpoints = 1000;

  void SetUp() override {
    SteeringTest::SetUp();
    config::UpstreamConfig upstream = upstream_of(0);
    for (size_t i = 0; i < endpoints; ++i) {
      config::EndpointConfig endpoint;
      endpoint.name = "e" + std::to_string(i);
      endpoint.address = address_of("127.0.0.1:" + std::to_string(1000 + i));
      upstream.endpoints.push_back(std::move(endpoint));
    }
    publish(config_of(std::move(upstream)));
  }
  // As a watch does it.
  void change(size_t index) {
    steering->change(upstream().endpoints[index], [](Standing& standing) { standing.up = false; });
    steering->refresh_soon();
  }
  size_t with_work() const {
    const auto& shares = upstream().shares.each;
    return static_cast<size_t>(std::count_if(shares.begin(), shares.end(), [](uint32_t share) { return share > 0; }));
  }
};

TEST_F(SteeringCoalesces, TheFirstChangeDoesNotWait) {
  change(0);
  EXPECT_EQ(published_count, 1);
  EXPECT_EQ(with_work(), endpoints - 1);
  EXPECT_EQ(wheel.size(), 0U) << "and nothing is left to be done";
}

TEST_F(SteeringCoalesces, AThousandChangesAtATimeAreTwoSnapshots) {
  for (size_t i = 0; i < endpoints; ++i) change(i);
  EXPECT_EQ(published_count, 1);
  pass_refresh();
  EXPECT_EQ(published_count, 2);
  EXPECT_EQ(with_work(), 0U);
  pass_refresh();
  EXPECT_EQ(published_count, 2);
  EXPECT_EQ(wheel.size(), 0U);
}

TEST_F(SteeringCoalesces, AThousandChangesInATenthOfASecondAreAFew) {
  for (size_t i = 0; i < endpoints; ++i) {
    change(i);
    if (i % 10 == 9) pass(milliseconds{1});
  }
  pass_refresh();
  EXPECT_EQ(with_work(), 0U);
  EXPECT_GE(published_count, 4) << "nobody waits for the end of it";
  EXPECT_LE(published_count, 7);
}

TEST_F(SteeringCoalesces, OperatorsDoNotWaitAndTakeTheOthersWithThem) {
  change(0);
  change(1);
  EXPECT_EQ(with_work(), endpoints - 1);
  steering->set_duty(upstream().endpoints[2], Duty::maint);
  EXPECT_EQ(published_count, 2);
  EXPECT_EQ(with_work(), endpoints - 3);
  pass_refresh();
  EXPECT_EQ(published_count, 2) << "nothing was left";
}

TEST_F(SteeringCoalesces, AReloadInBetweenLosesNothing) {
  change(0);
  change(1);
  config::UpstreamConfig upstream = upstream_of(3);
  publish(config_of(upstream));
  pass_refresh();
  EXPECT_EQ(with_work(), 3U);
}

}  // namespace
}  // namespace weir
