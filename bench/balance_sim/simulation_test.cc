// The simulation against theory: where queueing theory has a formula, the simulated figures are near it, and where it
// has a law, they obey it. And the parts of which it is made.
#include "bench/balance_sim/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "bench/balance_sim/arrivals.h"
#include "bench/balance_sim/balancer.h"
#include "bench/balance_sim/chart.h"
#include "bench/balance_sim/origin.h"
#include "bench/balance_sim/promises.h"
#include "bench/balance_sim/report.h"
#include "bench/balance_sim/tournament.h"

namespace weir::balance_sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Contender contender_of(const char* algorithm) {
  return {.label = algorithm, .algorithm = algorithm, .options = {}, .connections_max = 0};
}

// Nothing is wrong; as many requests as that.
Scenario queues(uint32_t origins, uint32_t slots, double load, double requests) {
  Scenario scenario;
  scenario.name = "queues";
  scenario.origins = origins;
  scenario.slots = slots;
  scenario.load = load;
  scenario.measured = Duration{std::llround(requests / (load * scenario.capacity()) * 1e9)};
  return scenario;
}

// The mean time in a system of one queue and c servers with Poisson arrivals and exponential work (Erlang, 1917), in
// multiples of the work.
double erlang_sojourn(uint32_t servers, double load) {
  const double offered = servers * load;
  double blocked = 1;  // Erlang's B, by its recursion
  for (uint32_t i = 1; i <= servers; ++i) blocked = offered * blocked / (i + offered * blocked);
  const double waits = blocked / (1 - load * (1 - blocked));
  return 1 + waits / (servers * (1 - load));
}

struct QueueCase {
  uint32_t origins;
  uint32_t slots;
  double load;
};

class Theory : public testing::TestWithParam<QueueCase> {};

// Poisson arrivals that are spread by chance are Poisson arrivals at each origin, so each is a queue of the formula.
TEST_P(Theory, MeanTimeInTheSystem) {
  const auto [origins, slots, load] = GetParam();
  const Scenario scenario = queues(origins, slots, load, 400'000);
  const Outcome outcome = simulate(scenario, contender_of("random"), 1);
  const double work = std::chrono::duration<double, std::milli>(scenario.work_mean).count();
  EXPECT_NEAR(outcome.requests, 400'000, 4'000);
  EXPECT_NEAR(outcome.mean / (work * erlang_sojourn(slots, load)), 1, 0.04);
}

TEST_P(Theory, LittlesLaw) {
  const auto [origins, slots, load] = GetParam();
  const Scenario scenario = queues(origins, slots, load, 200'000);
  const Outcome outcome = simulate(scenario, contender_of("least_connections"), 2);
  const double arrivals_per_ms =
      outcome.requests / std::chrono::duration<double, std::milli>(scenario.measured).count();
  EXPECT_NEAR(outcome.present / (arrivals_per_ms * outcome.mean), 1, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Queues, Theory,
                         testing::Values(QueueCase{1, 1, 0.3}, QueueCase{1, 1, 0.7}, QueueCase{1, 8, 0.7},
                                         QueueCase{4, 1, 0.7}, QueueCase{4, 8, 0.9}));

// In a queue with one server the time in the system is exponentially distributed: p99 is ln 100 means.
TEST(Simulation, QuantilesOfOneQueue) {
  const Outcome outcome = simulate(queues(1, 1, 0.5, 400'000), contender_of("round_robin"), 1);
  EXPECT_NEAR(outcome.p50 / (10 * std::log(2)), 1, 0.05);
  EXPECT_NEAR(outcome.p99 / (10 * std::log(100)), 1, 0.05);
}

TEST(Simulation, UtilisationIsTheLoad) {
  // All of a single origin's slots are one pool, whose mean number of requests at work is its load.
  const Scenario scenario = queues(1, 8, 0.3, 200'000);
  const Outcome outcome = simulate(scenario, contender_of("round_robin"), 1);
  EXPECT_NEAR(outcome.present, 8 * 0.3 * erlang_sojourn(8, 0.3), 0.05);
  EXPECT_DOUBLE_EQ(outcome.imbalance, 1);
}

TEST(Simulation, WhatCannotBeServedIsSeen) {
  EXPECT_FALSE(simulate(queues(2, 2, 1.2, 20'000), contender_of("least_connections"), 1).kept_up());
  EXPECT_TRUE(simulate(queues(2, 2, 0.8, 20'000), contender_of("least_connections"), 1).kept_up());
}

TEST(Simulation, WhoIsRefusedWaitsForever) {
  Contender full = contender_of("first_fit");
  full.connections_max = 1;
  // One slot, one connection: Erlang's loss, load / (1 + load).
  const Outcome outcome = simulate(queues(1, 1, 0.5, 100'000), full, 1);
  EXPECT_NEAR(outcome.refused, 1.0 / 3, 0.01);
  EXPECT_TRUE(std::isinf(outcome.p99));
  EXPECT_NEAR(outcome.mean, 5, 0.1);
}

TEST(Simulation, TheSameSeedTheSameReport) {
  std::vector<Scenario> played = scenarios();
  for (Scenario& scenario : played) scenario.warm_up = scenario.measured = seconds{1};
  const Tournament first = play(played, contenders(), 1);
  const Tournament second = play(played, contenders(), 1);
  EXPECT_EQ(report(first), report(second));
  EXPECT_EQ(chart(first), chart(second));
  const Contender some = contender_of("random");
  EXPECT_NE(simulate(played[0], some, 1).mean, simulate(played[0], some, 2).mean);
}

TEST(Contenders, AreAllRowsButPlugins) {
  std::map<std::string, int> rows;
  for (const Contender& contender : contenders()) ++rows[std::string{contender.algorithm}];
  for (const std::string_view name : picker_names()) {
    EXPECT_EQ(rows.count(std::string{name}), name == "plugin" ? 0U : 1U) << name;
  }
  EXPECT_EQ(rows["two_choices"], 2);
  EXPECT_EQ(rows["maglev"], 2);
}

TEST(Arrivals, AreTheSameForEverybodyAndAsManyAsAsked) {
  for (const Scenario& scenario : scenarios()) {
    Arrivals arrivals(scenario, 3);
    Arrivals again(scenario, 3);
    double count = 0;
    Duration last{};
    for (Arrival arrival = arrivals.next(); arrival.at < seconds{100}; arrival = arrivals.next()) {
      const Arrival same = again.next();
      ASSERT_EQ(arrival.at, same.at);
      ASSERT_EQ(arrival.key, same.key);
      ASSERT_LE(last, arrival.at);
      last = arrival.at;
      ++count;
    }
    const double load = scenario.burst_load > 0 ? (scenario.load + scenario.burst_load) / 2 : scenario.load;
    EXPECT_NEAR(count / (100 * load * scenario.capacity()), 1, 0.05) << scenario.name;
  }
}

TEST(Arrivals, WorkHasItsMeanInBothShapes) {
  for (const WorkShape shape : {WorkShape::exponential, WorkShape::lognormal}) {
    Scenario scenario;
    scenario.work = shape;
    Arrivals arrivals(scenario, 1);
    double sum = 0;
    for (int i = 0; i < 400'000; ++i) sum += static_cast<double>(arrivals.next().work.count());
    EXPECT_NEAR(sum / 400'000 / 5e6, 1, 0.03);
  }
}

TEST(Arrivals, ZipfsFirstClientAsksTwiceAsOftenAsTheSecond) {
  Scenario scenario;
  scenario.zipf = 1;
  Arrivals arrivals(scenario, 1);
  std::map<uint64_t, double> by_key;
  for (int i = 0; i < 200'000; ++i) ++by_key[arrivals.next().key];
  std::vector<double> counts;
  counts.reserve(by_key.size());
  for (const auto& [key, count] : by_key) counts.push_back(count);
  std::sort(counts.rbegin(), counts.rend());
  // The sum of 1 / r up to 10,000 is 9.79.
  EXPECT_NEAR(counts[0] / 200'000, 1 / 9.79, 0.003);
  EXPECT_NEAR(counts[0] / counts[1], 2, 0.1);
  EXPECT_NEAR(counts[0] / counts[9], 10, 1);
}

TEST(Scenarios, TroubledOriginsAreOppositeAndOthersWithEachSeed) {
  Scenario scenario;
  scenario.trouble = Trouble::slow;
  scenario.troubled = 2;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    for (uint32_t origin = 0; origin < 4; ++origin) {
      EXPECT_EQ(scenario.is_troubled(origin, seed), (origin + seed) % 2 == 0);
    }
  }
  scenario.troubled = 1;
  for (uint32_t origin = 0; origin < 4; ++origin) {
    for (uint64_t seed = 0; seed < 4; ++seed) EXPECT_EQ(scenario.is_troubled(origin, seed), origin == seed);
  }
}

TEST(Scenarios, Slowness) {
  Scenario scenario;
  scenario.troubled = 1;
  scenario.trouble = Trouble::flapping;
  EXPECT_EQ(scenario.slowness(1, 1, seconds{4}), 1);
  EXPECT_EQ(scenario.slowness(1, 1, seconds{6}), 10);
  EXPECT_EQ(scenario.slowness(0, 1, seconds{6}), 1);
  scenario.trouble = Trouble::cold;
  EXPECT_EQ(scenario.slowness(1, 1, scenario.warm_up), 10);
  EXPECT_DOUBLE_EQ(scenario.slowness(1, 1, scenario.warm_up + milliseconds{2'500}), 5.5);
  EXPECT_EQ(scenario.slowness(1, 1, scenario.warm_up + seconds{6}), 1);
}

TEST(Origin, ServesInOrderAndKeepsItsBooks) {
  Origin origin(2, seconds{1}, seconds{4});
  EXPECT_TRUE(origin.arrive(7, seconds{0}));
  EXPECT_TRUE(origin.arrive(8, seconds{0}));
  EXPECT_FALSE(origin.arrive(9, seconds{2}));
  EXPECT_FALSE(origin.arrive(10, seconds{2}));
  EXPECT_EQ(origin.finish(seconds{3}), 9U);
  EXPECT_EQ(origin.finish(seconds{3}), 10U);
  EXPECT_EQ(origin.finish(seconds{3}), std::nullopt);
  EXPECT_EQ(origin.present(), 1U);
  origin.settle(seconds{9});
  // Two at work from second 1 to 3, one until 4. Present: two, then four, then one.
  EXPECT_DOUBLE_EQ(origin.busy_time(), 5e9);
  EXPECT_DOUBLE_EQ(origin.present_time(), 7e9);
  EXPECT_NEAR(origin.score(), 0.5, 0.01);
}

// The share of the picks that the endpoint gets which joins when the warm-up is over.
double share_of_joiner(Balancer& balancer, Duration now, uint32_t joiner) {
  double count = 0;
  for (unsigned i = 0; i < 4'000; ++i) {
    Arrival arrival;
    arrival.at = now;
    arrival.worker = i % workers;
    if (balancer.pick(arrival) == joiner) ++count;
  }
  return count / 4'000;
}

TEST(Balancer, SlowStartRaisesTheShareOfWhoJoins) {
  Scenario scenario;
  scenario.trouble = Trouble::cold;
  scenario.troubled = 1;
  scenario.warm_up = seconds{5};
  scenario.slow_start = seconds{10};
  Balancer balancer(scenario, contender_of("round_robin"), 2);
  balancer.tick(seconds{1});
  EXPECT_EQ(share_of_joiner(balancer, seconds{1}, 2), 0);
  balancer.tick(seconds{5});
  EXPECT_NEAR(share_of_joiner(balancer, seconds{5}, 2), 0.1 / 3.1, 0.005);
  balancer.tick(seconds{10});
  EXPECT_NEAR(share_of_joiner(balancer, seconds{10}, 2), 0.55 / 3.55, 0.005);
  balancer.tick(seconds{15});
  EXPECT_NEAR(share_of_joiner(balancer, seconds{15}, 2), 0.25, 0.005);
}

TEST(Promises, WhatIsNotThereIsNotKept) {
  const std::vector<Promise> promises = judge(Tournament{});
  ASSERT_FALSE(promises.empty());
  for (const Promise& promise : promises) EXPECT_FALSE(promise.kept) << promise.sentence;
}

TEST(Promises, NobodyPassesWhoIsAllAlike) {
  // If all contenders had done the same, nothing would have been learned.
  Tournament tournament{.scenarios = scenarios(), .contenders = contenders(), .seeds = 1, .outcomes = {}};
  Outcome same;
  same.p99 = 20;
  same.growth = 0.5;
  tournament.outcomes.assign(tournament.scenarios.size(), std::vector<Outcome>(tournament.contenders.size(), same));
  size_t kept = 0;
  for (const Promise& promise : judge(tournament)) kept += promise.kept ? 1 : 0;
  EXPECT_LE(kept, 4U);  // imbalances of 1
}

TEST(Report, Milliseconds) {
  EXPECT_EQ(balance_sim::milliseconds(5.239), "5.24");
  EXPECT_EQ(balance_sim::milliseconds(9.996), "10.0");
  EXPECT_EQ(balance_sim::milliseconds(99.96), "100");
  EXPECT_EQ(balance_sim::milliseconds(123'802.3), "123,802");
  EXPECT_EQ(balance_sim::milliseconds(INFINITY), "never");
}

}  // namespace
}  // namespace weir::balance_sim
