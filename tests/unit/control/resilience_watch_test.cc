// What live traffic says, and what becomes of it: the test counts as workers do, and moves the clock.
#include "control/resilience_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "control/watches.h"
#include "core/model/lease.h"
#include "tests/unit/control/steering_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ResilienceWatchTest : public SteeringTest {
 protected:
  EndpointState& state(const char* name) const { return *endpoint(name).state; }
  Gate& gate(const char* name) const { return state(name).gate; }
  // So many requests to it, and how they ended.
  void answers(const char* name, uint64_t good, uint64_t bad, Duration each = milliseconds{1}) {
    EndpointAtWorker& here = state(name).at(0);
    here.counters.successes.add(good);
    here.counters.failures.add(bad);
    for (uint64_t i = 0; i < good; ++i) here.latency.add(each, clock.time, seconds{10});
  }
  // What a request would do: true if it may go there.
  bool try_one(const char* name, bool well) {
    const Gate::Pass pass = gate(name).enter(clock.time, false);
    if (pass == Gate::Pass::refused) return false;
    const bool trial = pass == Gate::Pass::trial;
    if (well) gate(name).succeeded(trial);
    if (!well) gate(name).failed(trial, failures);
    return true;
  }

  static constexpr uint32_t failures = 3;
};

TEST_F(ResilienceWatchTest, WhereNothingIsWantedNothingTicks) {
  publish(config_of(upstream_of(2)));
  EXPECT_EQ(watches->resilience().find(upstream().id), nullptr);
  EXPECT_EQ(wheel.size(), 0U);
}

// --- breakers -------------------------------------------------------------------------------------------------------

class BreakersTest : public ResilienceWatchTest {
 protected:
  static constexpr Duration recovery = milliseconds{500};

  static config::Config breaking() {
    config::UpstreamConfig upstream = upstream_of(2);
    upstream.breaker = config::BreakerConfig{.failures = failures, .recovery = recovery, .trials = 2};
    return config_of(std::move(upstream));
  }
  void look() { pass(BreakerWatch::interval + 2 * step); }
  void trip(const char* name = "a") {
    for (uint32_t i = 0; i < failures; ++i) try_one(name, false);
  }
};

TEST_F(BreakersTest, OpenHalfOpenAndCloseInTheOrderOfTheLog) {
  publish(breaking());
  look();
  EXPECT_EQ(share(0), 1000U);
  trip();
  EXPECT_EQ(gate("a").state(), Gate::State::open) << "workers see to that themselves";
  look();
  EXPECT_TRUE(standing("a").broken);
  EXPECT_EQ(share(0), 0U);
  EXPECT_FALSE(try_one("a", true));
  pass(recovery);
  look();
  EXPECT_EQ(gate("a").state(), Gate::State::half_open);
  EXPECT_FALSE(standing("a").broken);
  EXPECT_EQ(share(0), 1000U) << "or nobody would try it";
  EXPECT_TRUE(try_one("a", false));
  look();
  EXPECT_EQ(share(0), 0U);
  pass(recovery);
  look();
  EXPECT_TRUE(try_one("a", true));
  EXPECT_TRUE(try_one("a", true));
  EXPECT_FALSE(try_one("a", true)) << "two trials, and no more";
  look();
  EXPECT_EQ(gate("a").state(), Gate::State::closed);
  EXPECT_TRUE(try_one("a", true));
  EXPECT_EQ(share(0), 1000U);

  std::vector<std::string> lines = log_lines();
  for (std::string& line : lines) line.resize(line.find(" reason="));
  EXPECT_THAT(
      lines,
      ElementsAre("health: circuit breaker opened endpoint=app/a", "health: circuit breaker half-open endpoint=app/a",
                  "health: circuit breaker opened endpoint=app/a", "health: circuit breaker half-open endpoint=app/a",
                  "health: circuit breaker closed endpoint=app/a"));
  EXPECT_THAT(alerts_told(), ElementsAre(StartsWith("breaker_opened app/a: "), StartsWith("breaker_half_opened app/a"),
                                         StartsWith("breaker_opened app/a: "), StartsWith("breaker_half_opened app/a"),
                                         StartsWith("breaker_closed app/a: ")));
}

TEST_F(BreakersTest, ARateOfFailuresOpensThemToo) {
  config::Config config = breaking();
  config.upstreams[0].breaker->failures = 0;
  config.upstreams[0].breaker->error_rate = 40;
  publish(config);
  answers("a", 60, 30);
  answers("b", 60, 60);
  look();
  EXPECT_EQ(gate("a").state(), Gate::State::closed);
  EXPECT_EQ(gate("b").state(), Gate::State::open);
  EXPECT_EQ(share(1), 0U);
}

TEST_F(BreakersTest, AReloadKeepsThem) {
  const config::Config config = breaking();
  publish(config);
  trip();
  look();
  log_lines();
  publish(config);
  EXPECT_EQ(share(0), 0U);
  EXPECT_EQ(gate("a").state(), Gate::State::open);
  EXPECT_THAT(log_lines(), IsEmpty());
  pass(recovery);
  look();
  EXPECT_EQ(gate("a").state(), Gate::State::half_open) << "its time went on";
}

TEST_F(BreakersTest, ThatAreNotWantedAnyMoreAreClosed) {
  publish(breaking());
  trip();
  look();
  log_lines();
  publish(config_of(upstream_of(2)));
  pass_refresh();
  EXPECT_EQ(gate("a").state(), Gate::State::closed);
  EXPECT_EQ(share(0), 1000U);
  EXPECT_THAT(log_lines(), ElementsAre("health: circuit breaker closed endpoint=app/a reason=\"there is no breaker any "
                                       "more\""));
  EXPECT_EQ(wheel.size(), 0U);
}

// Its state is still there, because a connection is; and so is what a worker did to its gate.
TEST_F(BreakersTest, WhoGoesWithAnOpenOneAndComesBackWithoutIsNotForgotten) {
  publish(breaking());
  trip();
  look();
  const Lease connection{state("a")};
  config::UpstreamConfig without = upstream_of(2);
  without.endpoints.erase(without.endpoints.begin());
  publish(config_of(without));
  publisher.reclaim();
  publish(config_of(upstream_of(2)));
  pass_refresh();
  EXPECT_EQ(gate("a").state(), Gate::State::closed);
  EXPECT_EQ(share(0), 1000U);
}

TEST_F(BreakersTest, WhoComesBackWithOneIsTakenOverAsItIs) {
  publish(breaking());
  trip();
  look();
  const Lease connection{state("a")};
  config::Config without = breaking();
  without.upstreams[0].endpoints.erase(without.upstreams[0].endpoints.begin());
  publish(without);
  publisher.reclaim();
  publish(breaking());
  pass_refresh();
  EXPECT_EQ(share(0), 0U);
  pass(recovery);
  look();
  EXPECT_EQ(gate("a").state(), Gate::State::half_open);
}

// --- outliers -------------------------------------------------------------------------------------------------------

class OutliersWatchTest : public ResilienceWatchTest {
 protected:
  static config::Config ejecting() {
    config::UpstreamConfig upstream = upstream_of(3);
    upstream.outliers = config::OutliersConfig{.failures = 5,
                                               .error_rate = 25,
                                               .window = seconds{1},
                                               .requests = 20,
                                               .ejection = milliseconds{500},
                                               .ejection_max = seconds{10}};
    return config_of(std::move(upstream));
  }
  void look() { pass(OutlierWatch::interval + 2 * step); }
};

TEST_F(OutliersWatchTest, WhoFailsTooOftenIsOutForAWhile) {
  publish(ejecting());
  look();
  answers("a", 70, 30);
  answers("b", 99, 1);
  answers("c", 80, 20);
  look();
  EXPECT_TRUE(standing("a").ejected);
  EXPECT_EQ(share(0), 0U);
  EXPECT_EQ(share(1), 1000U);
  EXPECT_EQ(share(2), 1000U);
  EXPECT_THAT(log_lines(), ElementsAre(::testing::AllOf(StartsWith("health: an endpoint is ejected endpoint=app/a"),
                                                        HasSubstr("for_s=0.5"))));
  EXPECT_THAT(alerts_told(), ElementsAre(StartsWith("endpoint_ejected app/a: ")));
  EXPECT_EQ(watches->resilience().find(upstream().id)->outliers->outliers().ejections(endpoint("a").id), 1U);
  pass(milliseconds{500});
  EXPECT_FALSE(standing("a").ejected);
  EXPECT_EQ(share(0), 1000U);
  EXPECT_THAT(log_lines(), ElementsAre(StartsWith("health: an endpoint is back from its ejection endpoint=app/a")));
  EXPECT_THAT(alerts_told(), ElementsAre(StartsWith("endpoint_returned app/a")));
}

TEST_F(OutliersWatchTest, WhoIsOutAlreadyIsNotEjected) {
  publish(ejecting());
  look();
  steering->set_duty(endpoint("a"), Duty::maint);
  answers("a", 0, 100);
  look();
  EXPECT_FALSE(standing("a").ejected);
}

TEST_F(OutliersWatchTest, OneTooManyIsSparedAndThatIsSaid) {
  publish(ejecting());
  look();
  answers("a", 0, 100);
  answers("b", 0, 100);
  look();
  EXPECT_NE(standing("a").ejected, standing("b").ejected);
  log_lines();
  look();
  EXPECT_THAT(log_lines(), IsEmpty()) << "once";
}

TEST_F(OutliersWatchTest, NobodyStaysOutWhenItIsNotWantedAnyMore) {
  publish(ejecting());
  look();
  answers("a", 0, 100);
  look();
  ASSERT_TRUE(standing("a").ejected);
  publish(ejecting());
  EXPECT_TRUE(standing("a").ejected);
  publish(config_of(upstream_of(3)));
  pass_refresh();
  EXPECT_EQ(share(0), 1000U);
}

// --- limits ---------------------------------------------------------------------------------------------------------

TEST_F(ResilienceWatchTest, LimitsAreLearnedAndForgotten) {
  config::UpstreamConfig upstream = upstream_of(2);
  upstream.concurrency = config::ConcurrencyConfig{.min = 2, .max = 100, .start = 10};
  publish(config_of(upstream));
  EXPECT_EQ(gate("a").limit(), 10U);
  // In use, and as quick as ever: it grows.
  std::vector<Lease> leases;
  for (int i = 0; i < 10; ++i) leases.emplace_back(state("a"));
  for (int i = 0; i < 10; ++i) {
    answers("a", 100, 0);
    pass(LimitWatch::interval + 2 * step);
  }
  EXPECT_GT(gate("a").limit(), 10U);
  EXPECT_EQ(gate("b").limit(), 10U);
  const uint32_t learned = gate("a").limit();
  publish(config_of(upstream));
  EXPECT_EQ(gate("a").limit(), learned);
  publish(config_of(upstream_of(2)));
  EXPECT_EQ(gate("a").limit(), 0U);
}

// --- scores ---------------------------------------------------------------------------------------------------------

TEST_F(ResilienceWatchTest, ScoresScaleSharesAndComeBack) {
  config::UpstreamConfig upstream = upstream_of(2);
  upstream.health_score = config::HealthScoreConfig{.half_life = seconds{1}, .floor = 10};
  publish(config_of(upstream));
  answers("a", 80, 20);
  answers("b", 100, 0);
  pass(ScoreWatch::interval + 2 * step);
  EXPECT_DOUBLE_EQ(standing("a").measured, 0.6) << "1 - 2 x 20 %";
  EXPECT_EQ(share(0), 600U);
  EXPECT_EQ(share(1), 1000U);
  // What happened is forgotten, and then what came of it is.
  pass(ScoreWatch::window + seconds{10});
  EXPECT_EQ(share(0), 1000U);
  answers("a", 80, 20);
  pass(ScoreWatch::interval + 2 * step);
  EXPECT_EQ(share(0), 600U);
  publish(config_of(upstream_of(2)));
  pass_refresh();
  EXPECT_EQ(share(0), 1000U);
}

// --- degradation ----------------------------------------------------------------------------------------------------

TEST_F(ResilienceWatchTest, DegradationIsToldAndRecoveryToo) {
  config::UpstreamConfig upstream = upstream_of(4);
  upstream.degraded = config::DegradedConfig{.error_rate = 10, .p99 = milliseconds{100}, .window = seconds{5}};
  publish(config_of(upstream));
  answers("a", 80, 20);
  this->upstream().state->at(0).latency.add(1'000'000);
  pass(DegradationWatch::interval + 2 * step);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].kind, AlertKind::degraded);
  EXPECT_EQ(alerts[0].upstream, "app");
  EXPECT_EQ(alerts[0].healthy, 4U);
  EXPECT_EQ(alerts[0].total, 4U);
  ASSERT_TRUE(alerts[0].error_rate);
  EXPECT_NEAR(*alerts[0].error_rate, 20, 0.1);
  EXPECT_TRUE(alerts[0].p99);
  EXPECT_THAT(log_lines(), ElementsAre(StartsWith("health: an upstream is degraded upstream=app reason=")));
  for (int i = 0; i < 15; ++i) {
    answers("a", 100, 0);
    pass(seconds{1});
  }
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[1].kind, AlertKind::recovered);
  EXPECT_THAT(log_lines(), ElementsAre(StartsWith("health: an upstream has recovered upstream=app")));
}

TEST_F(ResilienceWatchTest, SlowAnswersOfSubsetsAreTheUpstreamsToo) {
  config::Config config = config_of(upstream_of(2));
  config.upstreams[0].endpoints[0].metadata = {{"v", "1"}};
  config.upstreams[0].degraded = config::DegradedConfig{.p99 = milliseconds{100}, .window = seconds{5}};
  config.listeners.emplace_back();
  config.listeners[0].name = "local";
  const Folder folder;
  config.listeners[0].address = address_of("unix:" + (folder / "s"));
  config.listeners[0].upstream = "app";
  config.listeners[0].subset = {{"v", "1"}};
  publish(config);
  ASSERT_TRUE(upstream(1).is_subset);
  answers("a", 100, 0);
  for (int i = 0; i < 100; ++i) upstream(1).state->at(0).latency.add(500'000'000);
  pass(DegradationWatch::interval + 2 * step);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_GT(alerts[0].p99, milliseconds{400});
  config.listeners.clear();
  publish(config);
}

// --- together -------------------------------------------------------------------------------------------------------

TEST_F(ResilienceWatchTest, WhatChangesInOneTickIsOneSnapshot) {
  config::UpstreamConfig upstream = upstream_of(20);
  upstream.breaker = config::BreakerConfig{.failures = failures};
  publish(config_of(upstream));
  for (const Endpoint& endpoint : this->upstream().endpoints) {
    for (uint32_t i = 0; i < failures; ++i) endpoint.state->gate.failed(false, failures);
  }
  pass(BreakerWatch::interval + 2 * step);
  EXPECT_EQ(published_count, 1);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(share(i), 0U);
}

TEST_F(ResilienceWatchTest, EverythingAtOnceSurvivesReloadsOfEverySort) {
  const auto all = [](size_t endpoints) {
    config::UpstreamConfig upstream = upstream_of(endpoints);
    upstream.breaker.emplace();
    upstream.outliers.emplace();
    upstream.concurrency.emplace();
    upstream.health_score.emplace();
    upstream.degraded = config::DegradedConfig{.error_rate = 5};
    return upstream;
  };
  for (const size_t endpoints : {3U, 5U, 1U, 0U, 4U, 4U, 2U}) {
    config::Config config;
    if (endpoints > 0) config.upstreams.push_back(all(endpoints));
    publish(config);
    for (int i = 0; i < 5; ++i) {
      if (endpoints > 0) answers("a", 10, 10);
      pass(milliseconds{300});
    }
  }
  publish(config_of(upstream_of(2)));
  pass_refresh();
  EXPECT_EQ(share(0), 1000U);
  EXPECT_EQ(share(1), 1000U);
  EXPECT_EQ(wheel.size(), 0U);
}

}  // namespace
}  // namespace weir
