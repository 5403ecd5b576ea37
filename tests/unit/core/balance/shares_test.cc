#include "core/balance/shares.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr Instant now{1000s};

// An endpoint as a table of cases says it.
struct One {
  uint32_t weight = 1;
  Standing standing{};
  uint8_t tier = 0;
};

Shares shares_of(const std::vector<One>& all, const ShareRules& rules = {}, Instant at = now) {
  std::vector<Endpoint> endpoints(all.size());
  std::vector<Standing> standings;
  for (size_t i = 0; i < all.size(); ++i) {
    endpoints[i].configured_weight = all[i].weight;
    endpoints[i].tier = all[i].tier;
    standings.push_back(all[i].standing);
  }
  return share_out(endpoints, standings, rules, at);
}

uint32_t share_of(const One& one, const ShareRules& rules = {}, Instant at = now) {
  return shares_of({one}, rules, at).each.at(0);
}

One down(uint32_t weight = 1, uint8_t tier = 0) {
  return {.weight = weight, .standing = {.up = false}, .tier = tier};
}
One healthy(uint32_t weight = 1, uint8_t tier = 0) {
  return {.weight = weight, .tier = tier};
}

TEST(Shares, OfOneEndpoint) {
  struct Case {
    std::string what;
    One one;
    uint32_t share;
  };
  const std::vector<Case> cases{
      {"nothing is known", {.weight = 1}, 100},
      {"weight", {.weight = 7}, 700},
      {"the largest weight", {.weight = 65'535}, 6'553'500},
      {"no weight", {.weight = 0}, 0},
      {"no weight, but healthy", {.weight = 0, .standing = {.health = 1}}, 0},
      {"down", {.weight = 7, .standing = {.up = false}}, 0},
      {"no health", {.weight = 7, .standing = {.health = 0}}, 0},
      {"half its health", {.weight = 7, .standing = {.health = 0.5}}, 350},
      {"rounded", {.weight = 1, .standing = {.health = 0.337}}, 34},
      {"never less than a hundredth", {.weight = 1, .standing = {.health = 0.000'1}}, 1},
      {"its agent says half", {.weight = 4, .standing = {.capacity = 0.5}}, 200},
      {"its agent says nothing", {.weight = 4, .standing = {.capacity = 0}}, 0},
      {"its agent says twice", {.weight = 4, .standing = {.capacity = 2}}, 800},
      {"its agent says the sky", {.weight = 65'535, .standing = {.capacity = 1e30}}, 1'677'696'000},
      {"health and agent", {.weight = 4, .standing = {.health = 0.5, .capacity = 0.5}}, 100},
      {"drained", {.weight = 4, .standing = {.duty = Duty::drain}}, 0},
      {"in maintenance", {.weight = 4, .standing = {.duty = Duty::maint}}, 0},
      {"drained by its agent", {.weight = 4, .standing = {.agent_duty = Duty::drain}}, 0},
      {"ejected", {.weight = 7, .standing = {.ejected = true}}, 0},
      {"its breaker is open", {.weight = 7, .standing = {.broken = true}}, 0},
      {"ejected, and good for more than its weight", {.standing = {.ejected = true, .capacity = 2}}, 0},
      {"measured at half", {.weight = 7, .standing = {.measured = 0.5}}, 350},
      {"measured at next to nothing", {.weight = 1, .standing = {.measured = 1e-9}}, 1},
      {"measured, and what an operator said", {.weight = 8, .standing = {.health = 0.5, .measured = 0.5}}, 200},
      {"measured, and an agent", {.weight = 8, .standing = {.measured = 0.25, .capacity = 2}}, 400},
      {"measured does not raise nothing", {.weight = 8, .standing = {.health = 0, .measured = 1}}, 0},
      {"drained by one of two", {.weight = 4, .standing = {.duty = Duty::maint, .agent_duty = Duty::drain}}, 0},
  };
  for (const Case& each : cases) EXPECT_EQ(share_of(each.one), each.share) << each.what;
}

TEST(Shares, SlowStartRisesInAStraightLine) {
  const ShareRules rules{.slow_start = 100s, .slow_start_from = 20};
  const One newcomer{.weight = 10, .standing = {.since = now}};
  const std::vector<std::pair<Duration, uint32_t>> cases{{-5s, 200}, {0s, 200},    {1s, 208},         {50s, 600},
                                                         {99s, 992}, {100s, 1000}, {1'000'000s, 1000}};
  for (const auto& [age, share] : cases) {
    const Shares shares = shares_of({newcomer}, rules, now + age);
    EXPECT_EQ(shares.each.at(0), share) << age.count();
    EXPECT_EQ(shares.ramping, age < 100s) << age.count();
  }
}

TEST(Shares, SlowStartIsOfWhatIsMeasured) {
  const ShareRules rules{.slow_start = 100s, .slow_start_from = 20};
  const One newcomer{.weight = 10, .standing = {.measured = 0.5, .since = now}};
  EXPECT_EQ(share_of(newcomer, rules, now), 100U);
  EXPECT_EQ(share_of(newcomer, rules, now + 50s), 300U);
  EXPECT_EQ(share_of(newcomer, rules, now + 100s), 500U);
}

TEST(Shares, WhoTakesWork) {
  struct Row {
    const char* what;
    One one;
    bool takes;
  };
  const std::vector<Row> rows{
      {"nothing is known", {}, true},
      {"measured low", {.standing = {.measured = 0.01}}, true},
      {"down", {.standing = {.up = false}}, false},
      {"down, as its agent says", {.standing = {.agent_up = false}}, false},
      {"ejected", {.standing = {.ejected = true}}, false},
      {"its breaker is open", {.standing = {.broken = true}}, false},
      {"drained", {.standing = {.duty = Duty::drain}}, false},
      {"no weight", {.weight = 0}, false},
      {"no weight, as somebody said", {.weight = 5, .standing = {.weight = 0}}, false},
      {"a weight, as somebody said", {.weight = 0, .standing = {.weight = 5}}, true},
  };
  for (const Row& row : rows) {
    Endpoint endpoint;
    endpoint.configured_weight = row.one.weight;
    EXPECT_EQ(takes_work(endpoint, row.one.standing), row.takes) << row.what;
    EXPECT_EQ(share_of(row.one) > 0, row.takes) << row.what;
  }
}

TEST(Shares, SlowStartIsForNewcomersOnly) {
  const ShareRules rules{.slow_start = 100s};
  EXPECT_EQ(share_of({.weight = 10}, rules), 1000U);  // there since ever
  EXPECT_FALSE(shares_of({healthy()}, rules).ramping);
  EXPECT_EQ(share_of({.weight = 10, .standing = {.since = now}}), 1000U);  // no slow start
  EXPECT_EQ(share_of({.weight = 10, .standing = {.health = 0.5, .since = now}}, rules), 50U);
  EXPECT_EQ(share_of({.weight = 1, .standing = {.since = now}}, {.slow_start = 1s, .slow_start_from = 0}), 1U);
  // Who gets nothing does not rise.
  EXPECT_FALSE(shares_of({{.standing = {.up = false, .since = now}}}, rules).ramping);
}

TEST(Shares, Panic) {
  struct Case {
    std::string what;
    uint32_t threshold;
    std::vector<One> all;
    bool panic;
    std::vector<uint32_t> each;
  };
  const One half{.weight = 2, .standing = {.health = 0.5}};
  const One drained{.weight = 5, .standing = {.duty = Duty::drain, .up = false}};
  const One ejected{.weight = 1, .standing = {.ejected = true}};
  const One broken{.weight = 1, .standing = {.broken = true}};
  const One poor{.weight = 1, .standing = {.measured = 0.01}};
  const std::vector<Case> cases{
      {"never, unless asked for", 0, {down(), down()}, false, {0, 0}},
      {"enough are healthy", 50, {healthy(), down()}, false, {100, 0}},
      {"too few are", 51, {healthy(), down()}, true, {100, 100}},
      {"in weight", 50, {healthy(2), down(3)}, true, {200, 300}},
      {"in weight, enough", 50, {healthy(3), down(2)}, false, {300, 0}},
      {"of those on duty: one of one", 60, {healthy(2), drained}, false, {200, 0}},
      {"nobody is healthy, one is drained", 10, {down(), down(), drained}, true, {100, 100, 0}},
      {"nobody is on duty", 100, {drained}, false, {0}},
      {"nobody has a weight", 100, {down(0)}, false, {0}},
      {"nobody is there", 100, {}, false, {}},
      {"health is not believed either", 100, {half, down()}, true, {200, 100}},
      {"all are healthy, more or less", 100, {half, healthy()}, false, {100, 100}},
      {"who is ejected is not healthy", 51, {healthy(), ejected}, true, {100, 100}},
      {"nor is whose breaker is open", 51, {healthy(), broken}, true, {100, 100}},
      {"enough without them", 50, {healthy(2), ejected, broken}, false, {200, 0, 0}},
      {"a low score is not ill", 100, {poor, healthy()}, false, {1, 100}},
      {"a low score is not believed either", 100, {poor, down()}, true, {100, 100}},
      {"tiers do not matter", 50, {down(), healthy(1, 1)}, false, {0, 100}},
  };
  for (const Case& each : cases) {
    const Shares shares = shares_of(each.all, {.panic_threshold = each.threshold});
    EXPECT_EQ(shares.panic, each.panic) << each.what;
    EXPECT_EQ(shares.each, each.each) << each.what;
  }
}

TEST(Shares, InPanicNobodyStartsSlowly) {
  const ShareRules rules{.slow_start = 100s, .panic_threshold = 60};
  const Shares shares = shares_of({{.standing = {.since = now}}, down()}, rules);
  EXPECT_TRUE(shares.panic);
  EXPECT_FALSE(shares.ramping);
  EXPECT_EQ(shares.each, (std::vector<uint32_t>{100, 100}));
}

TEST(Shares, Tiers) {
  struct Case {
    std::string what;
    uint32_t threshold;
    std::vector<One> all;
    uint32_t in_use;
    std::vector<uint8_t> levels;
  };
  const One drained{.weight = 1, .standing = {.duty = Duty::drain}};
  const One ejected{.weight = 1, .standing = {.ejected = true}};
  const One broken{.weight = 1, .standing = {.broken = true}};
  const One poor{.weight = 1, .standing = {.measured = 0.01}};
  const std::vector<Case> cases{
      {"one tier", 0, {healthy(), down()}, 1, {0, 0}},
      {"all are well", 0, {healthy(), healthy(1, 1), healthy(1, 2)}, 1, {0, 1, 2}},
      {"one of two is left", 0, {healthy(), down(), healthy(1, 1)}, 1, {0, 0, 1}},
      {"none of two is left", 0, {down(), down(), healthy(1, 1), healthy(1, 2)}, 2, {0, 0, 0, 1}},
      {"drained is not left", 0, {drained, healthy(1, 1)}, 2, {0, 0}},
      {"nor is who has no weight", 0, {healthy(0), healthy(1, 1)}, 2, {0, 0}},
      {"ejected is not left", 0, {ejected, broken, healthy(1, 1)}, 2, {0, 0, 0}},
      {"a low score is left", 0, {poor, healthy(1, 1)}, 1, {0, 1}},
      {"the second tier is down, too", 0, {down(), down(1, 1), healthy(1, 2)}, 3, {0, 0, 0}},
      {"everything is down", 0, {down(), down(1, 1)}, 2, {0, 0}},
      {"the second being down does not matter to the first", 0, {healthy(), down(1, 1), healthy(1, 2)}, 1, {0, 1, 2}},
      {"half is enough", 50, {healthy(), down(), healthy(1, 1)}, 1, {0, 0, 1}},
      {"half is not enough", 51, {healthy(), down(), healthy(1, 1)}, 2, {0, 0, 0}},
      {"in weight", 51, {healthy(3), down(2), healthy(1, 1)}, 1, {0, 0, 1}},
      {"each tier by itself", 60, {healthy(), down(), healthy(1, 1), down(1, 1), healthy(1, 2)}, 3, {0, 0, 0, 0, 0}},
      {"a number that nobody has", 0, {healthy(1, 0), healthy(1, 2)}, 1, {0, 2}},
      {"a number that nobody has is passed over", 0, {down(1, 0), healthy(1, 2)}, 3, {0, 0}},
      {"the order of the file does not matter", 0, {healthy(1, 2), down(1, 1), healthy(1, 0)}, 1, {2, 1, 0}},
      {"the last tier there can be", 0, {down(), healthy(1, 255)}, 256, {0, 0}},
      {"nobody is there", 0, {}, 1, {}},
  };
  for (const Case& each : cases) {
    const Shares shares = shares_of(each.all, {.backup_threshold = each.threshold});
    EXPECT_EQ(shares.tiers_in_use, each.in_use) << each.what;
    EXPECT_EQ(shares.levels, each.levels) << each.what;
  }
}

// Backups have their shares all the time; the levels say when they are asked.
TEST(Shares, BackupsKeepTheirShares) {
  EXPECT_EQ(shares_of({healthy(), healthy(3, 1)}).each, (std::vector<uint32_t>{100, 300}));
}

// Believed healthy all of them, the first tier is enough.
TEST(Shares, PanicLeavesBackupsAlone) {
  const Shares shares = shares_of({down(), down(), healthy(1, 1)}, {.panic_threshold = 60});
  EXPECT_TRUE(shares.panic);
  EXPECT_EQ(shares.tiers_in_use, 1U);
  EXPECT_EQ(shares.levels, (std::vector<uint8_t>{0, 0, 1}));
}

TEST(SharesDeathTest, StandingsAreOfTheEndpoints) {
  const std::vector<Endpoint> endpoints(2);
  const std::vector<Standing> standings(1);
  EXPECT_DEATH(share_out(endpoints, standings, {}, now), "endpoints.size\\(\\) == standings.size\\(\\)");
}

}  // namespace
}  // namespace weir
