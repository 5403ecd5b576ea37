// That an upstream follows what is known of its endpoints. How shares are reckoned is asked in shares_test.cc.
#include "core/balance/reshare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace weir {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const Instant now{1000s};

// Endpoints of weight 1 without a limit, until a test says otherwise.
struct World {
  explicit World(size_t count) {
    upstream.algorithm = "round_robin";
    upstream.state = &state;
    for (size_t i = 0; i < count; ++i) {
      Endpoint endpoint;
      endpoint.id = EndpointId{static_cast<uint32_t>(i)};
      endpoint.name = "e" + std::to_string(i);
      endpoint.state = &states.emplace_back(1U);
      upstream.endpoints.push_back(std::move(endpoint));
    }
    reshare(upstream, now);
  }
  Standing& standing(size_t index) { return states[index].standing; }
  Endpoint& endpoint(size_t index) { return upstream.endpoints[index]; }

  std::deque<EndpointState> states;
  UpstreamState state;
  Upstream upstream;
};

TEST(Reshare, AWeightThatSomebodySaidCountsInPlaceOfTheConfiguredOne) {
  World world{2};
  world.endpoint(0).configured_weight = 3;
  reshare(world.upstream, now);
  EXPECT_EQ(world.endpoint(0).weight, 3U);
  world.standing(0).weight = 7;
  reshare(world.upstream, now);
  EXPECT_EQ(world.endpoint(0).weight, 7U);
  EXPECT_EQ(world.endpoint(0).configured_weight, 3U);
  EXPECT_THAT(world.upstream.shares.each, ElementsAre(700, 100));
  EXPECT_EQ(world.upstream.candidates[0].share, 700U);
  world.standing(0).weight = 0;
  reshare(world.upstream, now);
  EXPECT_EQ(world.endpoint(0).weight, 0U);
  EXPECT_THAT(world.upstream.shares.each, ElementsAre(0, 100));
  world.standing(0).weight.reset();
  reshare(world.upstream, now);
  EXPECT_EQ(world.endpoint(0).weight, 3U);
}

TEST(Reshare, TheStricterOfTwoLimitsHolds) {
  struct Row {
    uint32_t configured;
    std::optional<uint32_t> said;
    uint32_t limit;
  };
  for (const Row& row :
       std::vector<Row>{{0, {}, 0}, {0, 0, 0}, {0, 30, 30}, {20, {}, 20}, {20, 0, 20}, {20, 30, 20}, {20, 10, 10}}) {
    World world{1};
    world.endpoint(0).configured_connections_max = row.configured;
    world.standing(0).agent_connections_max = row.said;
    reshare(world.upstream, now);
    EXPECT_EQ(world.endpoint(0).connections_max, row.limit) << row.configured << " " << row.said.value_or(99);
    EXPECT_EQ(world.upstream.candidates[0].connections_max, row.limit);
  }
}

TEST(Reshare, SaysWhoTakesItsOwnSessionsBack) {
  struct Row {
    const char* what;
    Standing standing;
    bool takes_sessions;
    bool gets_new;
  };
  const std::vector<Row> table{
      {"nothing is known", {}, true, true},
      {"draining", {.duty = Duty::drain}, true, false},
      {"draining, as its agent says", {.agent_duty = Duty::drain}, true, false},
      {"maintenance", {.duty = Duty::maint}, false, false},
      {"maintenance, as its agent says", {.duty = Duty::drain, .agent_duty = Duty::maint}, false, false},
      {"down", {.up = false}, false, false},
      {"down, as its agent says", {.agent_up = false}, false, false},
      {"draining and down", {.duty = Duty::drain, .up = false}, false, false},
      {"ejected", {.ejected = true}, false, false},
      {"its breaker is open", {.broken = true}, false, false},
      {"draining, and its breaker is open", {.duty = Duty::drain, .broken = true}, false, false},
      {"measured low", {.measured = 0.01}, true, true},
      {"no health", {.health = 0}, true, false},
      {"no weight", {.weight = 0}, true, false},
      {"no capacity", {.capacity = 0}, true, false},
  };
  for (const Row& row : table) {
    World world{4};  // the others are well: no panic
    world.standing(0) = row.standing;
    reshare(world.upstream, now);
    EXPECT_EQ(world.endpoint(0).takes_sessions, row.takes_sessions) << row.what;
    EXPECT_EQ(world.upstream.shares.each[0] > 0, row.gets_new) << row.what;
    EXPECT_TRUE(world.endpoint(1).takes_sessions) << row.what;
  }
}

TEST(Reshare, SaysWhoseIdleConnectionsAreWorthKeeping) {
  struct Row {
    const char* what;
    Standing standing;
    bool idle_wanted;
  };
  const std::vector<Row> table{
      {"nothing is known", {}, true},
      {"measured low", {.measured = 0.01}, true},
      {"no health", {.health = 0}, true},
      {"no capacity", {.capacity = 0}, true},
      {"draining", {.duty = Duty::drain}, false},
      {"draining, as its agent says", {.agent_duty = Duty::drain}, false},
      {"maintenance", {.duty = Duty::maint}, false},
      {"maintenance, as its agent says", {.agent_duty = Duty::maint}, false},
      {"down", {.up = false}, false},
      {"down, as its agent says", {.agent_up = false}, false},
      {"ejected", {.ejected = true}, false},
      {"its breaker is open", {.broken = true}, false},
  };
  for (const Row& row : table) {
    World world{4};  // the others are well: no panic
    world.standing(0) = row.standing;
    reshare(world.upstream, now);
    EXPECT_EQ(world.endpoint(0).idle_wanted, row.idle_wanted) << row.what;
    EXPECT_TRUE(world.endpoint(1).idle_wanted) << row.what;
    world.standing(0) = {};
    reshare(world.upstream, now);
    EXPECT_TRUE(world.endpoint(0).idle_wanted) << "again, after: " << row.what;
  }
}

TEST(Reshare, InPanicIdleConnectionsToAllOnDutyAreKept) {
  World world{4};
  world.upstream.share_rules.panic_threshold = 50;
  world.standing(0).ejected = true;
  world.standing(1).broken = true;
  world.standing(2).up = false;
  reshare(world.upstream, now);
  ASSERT_TRUE(world.upstream.shares.panic);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(world.endpoint(i).idle_wanted) << i;
    EXPECT_TRUE(world.endpoint(i).takes_sessions) << i;
  }
  world.standing(0).duty = Duty::drain;
  reshare(world.upstream, now);
  ASSERT_TRUE(world.upstream.shares.panic);
  EXPECT_FALSE(world.endpoint(0).idle_wanted) << "draining is no matter of health";
  EXPECT_TRUE(world.endpoint(0).takes_sessions);
}

TEST(Reshare, InPanicWhoIsDownTakesSessionsBackToo) {
  World world{3};
  world.upstream.share_rules.panic_threshold = 50;
  world.standing(0).up = false;
  world.standing(1).agent_up = false;
  reshare(world.upstream, now);
  ASSERT_TRUE(world.upstream.shares.panic);
  EXPECT_TRUE(world.endpoint(0).takes_sessions);
  EXPECT_TRUE(world.endpoint(1).takes_sessions);
  world.standing(1).duty = Duty::maint;
  world.standing(2).up = false;
  reshare(world.upstream, now);
  ASSERT_TRUE(world.upstream.shares.panic);
  EXPECT_FALSE(world.endpoint(1).takes_sessions) << "maintenance is no matter of health";
}

TEST(Reshare, MakesAPickerThatFollows) {
  World world{2};
  const auto picks = [&](uint32_t index) {
    const auto memory = world.upstream.picker->make_state(1, nullptr);
    TriedEndpoints nobody;
    int count = 0;
    for (int i = 0; i < 100; ++i) {
      const PickRequest request{.candidates = world.upstream.candidates, .tried = nobody, .now = now};
      count += world.upstream.picker->pick(*memory, request) == index ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(picks(0), 50);
  world.standing(0).health = 0.25;
  const auto before = world.upstream.picker;
  reshare(world.upstream, now);
  EXPECT_NE(world.upstream.picker, before);
  EXPECT_EQ(picks(0), 20);
  world.standing(0).duty = Duty::drain;
  reshare(world.upstream, now);
  EXPECT_EQ(picks(0), 0);
}

TEST(Reshare, FollowsTheChoiceOfAdaptiveBalancing) {
  World world{2};
  world.state.adaptive_choice = "least_time";
  EXPECT_TRUE(wants_reshare(world.upstream, now));
  reshare(world.upstream, now);
  EXPECT_EQ(world.upstream.picker_options.adaptive_choice, "least_time");
  EXPECT_FALSE(wants_reshare(world.upstream, now));
}

TEST(WantsReshare, OnlyIfSomethingWouldChange) {
  struct Row {
    const char* what;
    std::function<void(World&)> change;
    bool wants;
  };
  const std::vector<Row> table{
      {"nothing", [](World&) {}, false},
      {"weight", [](World& w) { w.standing(0).weight = 2; }, true},
      {"the weight that it has", [](World& w) { w.standing(0).weight = 1; }, false},
      {"drain", [](World& w) { w.standing(0).duty = Duty::drain; }, true},
      {"maintenance", [](World& w) { w.standing(0).duty = Duty::maint; }, true},
      {"down", [](World& w) { w.standing(0).up = false; }, true},
      {"health", [](World& w) { w.standing(0).health = 0.5; }, true},
      {"ejected", [](World& w) { w.standing(0).ejected = true; }, true},
      {"its breaker has opened", [](World& w) { w.standing(0).broken = true; }, true},
      {"measured", [](World& w) { w.standing(0).measured = 0.5; }, true},
      {"measured, as nobody could tell", [](World& w) { w.standing(0).measured = 0.999'9; }, false},
      {"health that nobody could tell", [](World& w) { w.standing(0).health = 0.999'9; }, false},
      {"an agent's limit", [](World& w) { w.standing(0).agent_connections_max = 9; }, true},
      {"no limit, says the agent", [](World& w) { w.standing(0).agent_connections_max = 0; }, false},
      {"capacity", [](World& w) { w.standing(0).capacity = 2; }, true},
      {"when it came, without a slow start", [](World& w) { w.standing(0).since = now; }, false},
  };
  for (const Row& row : table) {
    World world{2};
    row.change(world);
    EXPECT_EQ(wants_reshare(world.upstream, now), row.wants) << row.what;
    reshare(world.upstream, now);
    EXPECT_FALSE(wants_reshare(world.upstream, now)) << row.what;
  }
}

// Neither gets anything new, but sessions come back to the one and not to the other.
TEST(WantsReshare, AlsoIfOnlySessionsAreMoved) {
  World world{2};
  world.standing(0).duty = Duty::drain;
  reshare(world.upstream, now);
  world.standing(0).duty = Duty::maint;
  EXPECT_TRUE(wants_reshare(world.upstream, now));
  reshare(world.upstream, now);
  EXPECT_FALSE(world.endpoint(0).takes_sessions);
}

// It gets nothing in either case, and no session comes back to it in either case: the reasons change, and nothing else.
TEST(WantsReshare, NotIfOneReasonTakesThePlaceOfAnother) {
  World world{3};
  world.standing(0).broken = true;
  reshare(world.upstream, now);
  world.standing(0).ejected = true;
  EXPECT_FALSE(wants_reshare(world.upstream, now));
  world.standing(0).broken = false;
  world.standing(0).up = false;
  EXPECT_FALSE(wants_reshare(world.upstream, now));
}

// Of one that has no weight only its sessions and its idle connections are to be decided.
TEST(WantsReshare, AlsoIfOnlyIdleConnectionsAreWantedNoLonger) {
  World world{2};
  world.standing(0).weight = 0;
  reshare(world.upstream, now);
  ASSERT_TRUE(world.endpoint(0).idle_wanted);
  world.standing(0).duty = Duty::drain;
  EXPECT_TRUE(wants_reshare(world.upstream, now));
  reshare(world.upstream, now);
  EXPECT_FALSE(world.endpoint(0).idle_wanted);
  EXPECT_TRUE(world.endpoint(0).takes_sessions);
}

TEST(WantsReshare, AsTimePassesForWhoStartsSlowly) {
  World world{2};
  world.upstream.share_rules = {.slow_start = 100s, .slow_start_from = 10};
  world.standing(0).since = now;
  reshare(world.upstream, now);
  EXPECT_TRUE(world.upstream.shares.ramping);
  EXPECT_FALSE(wants_reshare(world.upstream, now + 100ms)) << "not a hundredth more";
  EXPECT_TRUE(wants_reshare(world.upstream, now + 2s));
  reshare(world.upstream, now + 50s);
  EXPECT_THAT(world.upstream.shares.each, ElementsAre(55, 100));
  EXPECT_TRUE(wants_reshare(world.upstream, now + 100s));
  reshare(world.upstream, now + 100s);
  EXPECT_FALSE(world.upstream.shares.ramping);
  EXPECT_FALSE(wants_reshare(world.upstream, now + 1000s));
}

}  // namespace
}  // namespace weir
