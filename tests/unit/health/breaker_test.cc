#include "health/breaker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = Gate::State;
using Kind = BreakerJudge::Action::Kind;

// A real Gate, and a judge who looks at it every 50 ms and whose word is done.
class Endpoint {
 public:
  explicit Endpoint(const BreakerJudge::Rules& rules) : judge(rules, {}, Instant{}) {}

  BreakerJudge::Step look() {
    BreakerJudge::Step step = judge.look({gate.state(), gate.trials_good(), so_far}, now);
    apply(step);
    if (step.event) log.push_back(step.event->why);
    EXPECT_EQ(gate.state(), judge.state());
    return step;
  }
  // Until so long later; true if something was said.
  bool wait(Duration length) {
    const size_t before = log.size();
    for (const Instant end = now + length; now < end;) {
      now += milliseconds{50};
      look();
    }
    return log.size() > before;
  }
  // One request. Returns how it was let through.
  Gate::Pass request(bool good) {
    const Gate::Pass pass = gate.enter(now, false);
    if (pass == Gate::Pass::refused) return pass;
    if (good) {
      gate.succeeded(pass == Gate::Pass::trial);
    } else {
      gate.failed(pass == Gate::Pass::trial, judge.rules().failures);
    }
    ++(good ? so_far.good : so_far.bad);
    return pass;
  }
  void apply(const BreakerJudge::Step& step) {
    switch (step.action.kind) {
      case Kind::none: break;
      case Kind::open: gate.open(); break;
      case Kind::half_open: gate.half_open(step.action.trials); break;
      case Kind::close: gate.close(); break;
    }
  }

  Gate gate;
  Traffic so_far;
  Instant now{seconds{1000}};
  BreakerJudge judge;
  std::vector<std::string> log;
};

TEST(BreakerJudge, OpensHalfOpensAndClosesInThatOrder) {
  Endpoint endpoint({.failures = 3, .recovery = seconds{10}, .trials = 2});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(endpoint.request(false), Gate::Pass::usual);
  EXPECT_EQ(endpoint.request(true), Gate::Pass::refused);  // at once, before anybody looks
  EXPECT_TRUE(endpoint.wait(milliseconds{50}));
  EXPECT_EQ(endpoint.judge.state(), State::open);
  EXPECT_FALSE(endpoint.wait(milliseconds{9950}));
  EXPECT_EQ(endpoint.request(true), Gate::Pass::refused);
  EXPECT_TRUE(endpoint.wait(milliseconds{50}));
  EXPECT_EQ(endpoint.judge.state(), State::half_open);
  EXPECT_EQ(endpoint.request(true), Gate::Pass::trial);
  EXPECT_FALSE(endpoint.wait(milliseconds{50}));
  EXPECT_EQ(endpoint.request(true), Gate::Pass::trial);
  EXPECT_EQ(endpoint.request(true), Gate::Pass::refused);  // two are two
  EXPECT_TRUE(endpoint.wait(milliseconds{50}));
  EXPECT_EQ(endpoint.judge.state(), State::closed);
  EXPECT_EQ(endpoint.request(true), Gate::Pass::usual);
  EXPECT_FALSE(endpoint.wait(seconds{60}));
  EXPECT_EQ(endpoint.log, (std::vector<std::string>{"3 failures in a row", "it has rested for 10 s; now 2 trials",
                                                    "all 2 trials were good"}));
}

TEST(BreakerJudge, AFailedTrialOpensItForAsLongAgain) {
  Endpoint endpoint({.failures = 1, .recovery = seconds{5}, .trials = 3});
  endpoint.request(false);
  for (int i = 0; i < 4; ++i) {
    endpoint.wait(milliseconds{50});
    ASSERT_EQ(endpoint.judge.state(), State::open);
    const Instant since = endpoint.judge.since();
    while (endpoint.judge.state() == State::open) endpoint.wait(milliseconds{50});
    EXPECT_EQ(endpoint.judge.since() - since, seconds{5});
    EXPECT_EQ(endpoint.request(true), Gate::Pass::trial);
    EXPECT_EQ(endpoint.request(false), Gate::Pass::trial);
  }
  endpoint.wait(milliseconds{50});
  EXPECT_EQ(endpoint.log,
            (std::vector<std::string>{"1 failure", "it has rested for 5.0 s; now 3 trials", "a trial failed",
                                      "it has rested for 5.0 s; now 3 trials", "a trial failed",
                                      "it has rested for 5.0 s; now 3 trials", "a trial failed",
                                      "it has rested for 5.0 s; now 3 trials", "a trial failed"}));
}

struct RateCase {
  const char* what;
  uint32_t error_rate;
  uint32_t slow_rate;
  Traffic came;
  std::string why;  // empty: it stays closed
};

TEST(BreakerJudge, OpensForRates) {
  const std::vector<RateCase> cases{
      {"rates are off", 0, 0, {.bad = 1000, .slow = 1000}, ""},
      {"nothing happened", 1, 1, {}, ""},
      {"too few to prove anything", 50, 0, {.good = 0, .bad = 19}, ""},
      {"just enough", 50, 0, {.good = 10, .bad = 10}, "10 of 20 failed in the last 10 s (50 %)"},
      {"just below the rate", 50, 0, {.good = 101, .bad = 100}, ""},
      {"all", 100, 0, {.bad = 20}, "20 of 20 failed in the last 10 s (100 %)"},
      {"all but one", 100, 0, {.good = 1, .bad = 1000}, ""},
      {"slow ones",
       0,
       25,
       {.good = 40, .slow = 10, .answers = 40},
       "10 of 40 took longer than 1.0 s in the last 10 s (25 %)"},
      {"not slow enough", 0, 25, {.good = 40, .slow = 9, .answers = 40}, ""},
      {"too few slow ones", 0, 25, {.good = 19, .slow = 19, .answers = 19}, ""},
      {"turns on few connections of TCP",
       0,
       50,
       {.good = 2, .slow = 30, .answers = 60},
       "30 of 60 took longer than 1.0 s in the last 10 s (50 %)"},
      {"both: errors are said",
       50,
       50,
       {.bad = 20, .slow = 20, .answers = 20},
       "20 of 20 failed in the last 10 s (100 %)"},
  };
  for (const RateCase& each : cases) {
    SCOPED_TRACE(each.what);
    Endpoint endpoint({.failures = 0, .error_rate_percent = each.error_rate, .slow_rate_percent = each.slow_rate});
    endpoint.so_far = each.came;
    const BreakerJudge::Step step = endpoint.look();
    EXPECT_EQ(step.action.kind, each.why.empty() ? Kind::none : Kind::open);
    EXPECT_EQ(endpoint.gate.state(), each.why.empty() ? State::closed : State::open);
    EXPECT_EQ(step.event ? step.event->why : "", each.why);
  }
}

TEST(BreakerJudge, WhatIsOutOfTheWindowOpensNothing) {
  Endpoint endpoint({.failures = 0, .error_rate_percent = 50, .window = seconds{10}, .requests = 20});
  for (int i = 0; i < 30; ++i) {
    for (int j = 0; j < 19; ++j) endpoint.request(false);
    EXPECT_FALSE(endpoint.wait(seconds{11}));
  }
  for (int j = 0; j < 20; ++j) endpoint.request(false);
  EXPECT_TRUE(endpoint.wait(milliseconds{50}));
}

TEST(BreakerJudge, OldErrorsDoNotOpenItAgain) {
  Endpoint endpoint(
      {.failures = 0, .error_rate_percent = 50, .window = seconds{60}, .recovery = seconds{1}, .trials = 1});
  for (int i = 0; i < 1000; ++i) endpoint.request(false);
  endpoint.wait(seconds{2});
  ASSERT_EQ(endpoint.judge.state(), State::half_open);
  endpoint.request(true);
  endpoint.wait(milliseconds{50});
  ASSERT_EQ(endpoint.judge.state(), State::closed);
  for (int i = 0; i < 19; ++i) endpoint.request(false);
  EXPECT_FALSE(endpoint.wait(seconds{5}));
  EXPECT_EQ(endpoint.judge.state(), State::closed);
  endpoint.request(false);
  EXPECT_TRUE(endpoint.wait(milliseconds{50}));
  EXPECT_EQ(endpoint.judge.state(), State::open);
}

TEST(BreakerJudge, TrialsThatDoNotComeBackAreGivenAgain) {
  Endpoint endpoint({.failures = 1, .recovery = seconds{10}, .trials = 3});
  endpoint.request(false);
  while (endpoint.judge.state() != State::half_open) endpoint.wait(milliseconds{50});
  EXPECT_EQ(endpoint.request(true), Gate::Pass::trial);
  endpoint.wait(milliseconds{50});
  // Two are let through of whom nothing is heard any more.
  EXPECT_EQ(endpoint.gate.enter(endpoint.now, false), Gate::Pass::trial);
  EXPECT_EQ(endpoint.gate.enter(endpoint.now, false), Gate::Pass::trial);
  EXPECT_FALSE(endpoint.wait(milliseconds{9900}));
  EXPECT_EQ(endpoint.request(true), Gate::Pass::refused);
  endpoint.wait(milliseconds{100});
  // The one that was good is not asked for again.
  EXPECT_EQ(endpoint.request(true), Gate::Pass::trial);
  EXPECT_EQ(endpoint.gate.enter(endpoint.now, false), Gate::Pass::trial);
  EXPECT_EQ(endpoint.request(true), Gate::Pass::refused);
  // Nor the second one.
  endpoint.wait(seconds{11});
  EXPECT_EQ(endpoint.judge.state(), State::half_open);
  EXPECT_EQ(endpoint.request(true), Gate::Pass::trial);
  EXPECT_EQ(endpoint.request(true), Gate::Pass::refused);
  endpoint.wait(milliseconds{50});
  EXPECT_EQ(endpoint.judge.state(), State::closed);
  EXPECT_EQ(endpoint.log.size(), 3U);  // none of that was worth a line
}

TEST(BreakerJudge, ClosesWhereRequestsAreRarerThanItsRecovery) {
  Endpoint endpoint({.failures = 1, .recovery = seconds{1}, .trials = 3});
  endpoint.request(false);
  endpoint.wait(seconds{2});
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(endpoint.judge.state(), State::half_open);
    EXPECT_EQ(endpoint.request(true), Gate::Pass::trial);
    endpoint.wait(seconds{30});
  }
  EXPECT_EQ(endpoint.judge.state(), State::closed);
}

TEST(BreakerJudge, TakesOverAGateThatIsNotClosed) {
  const BreakerJudge::Rules rules{.recovery = seconds{10}, .trials = 2};
  BreakerJudge open{rules, {.state = State::open}, Instant{}};
  EXPECT_EQ(open.look({.state = State::open}, Instant{seconds{9}}).action.kind, Kind::none);
  EXPECT_EQ(open.look({.state = State::open}, Instant{seconds{10}}).action.kind, Kind::half_open);
  BreakerJudge half_open{rules, {.state = State::half_open}, Instant{}};
  EXPECT_EQ(half_open.look({.state = State::half_open, .trials_good = 2}, Instant{seconds{1}}).action.kind,
            Kind::close);
}

TEST(BreakerJudge, IsSetBySomebodyElse) {
  Endpoint endpoint({.failures = 1});
  endpoint.request(false);
  endpoint.wait(milliseconds{50});
  ASSERT_EQ(endpoint.judge.state(), State::open);
  endpoint.gate.close();
  EXPECT_TRUE(endpoint.wait(milliseconds{50}));
  EXPECT_EQ(endpoint.judge.state(), State::closed);
  EXPECT_EQ(endpoint.log.back(), "somebody else has set it so");
  EXPECT_FALSE(endpoint.wait(seconds{20}));
}

TEST(BreakerJudge, OtherRules) {
  Endpoint endpoint({.failures = 0, .error_rate_percent = 50, .window = seconds{10}, .requests = 20});
  for (int i = 0; i < 15; ++i) endpoint.request(false);
  endpoint.wait(milliseconds{50});
  // The same window: what is in it counts.
  endpoint.judge.follow({.failures = 0, .error_rate_percent = 50, .window = seconds{10}, .requests = 16},
                        endpoint.so_far, endpoint.now);
  endpoint.request(false);
  EXPECT_TRUE(endpoint.wait(milliseconds{50}));
  EXPECT_EQ(endpoint.judge.state(), State::open);
  // It stays open, for as long as the new rules say.
  endpoint.judge.follow({.failures = 0, .recovery = seconds{2}, .trials = 1}, endpoint.so_far, endpoint.now);
  EXPECT_FALSE(endpoint.wait(milliseconds{1900}));
  EXPECT_TRUE(endpoint.wait(milliseconds{100}));
  endpoint.request(true);
  endpoint.wait(milliseconds{50});
  ASSERT_EQ(endpoint.judge.state(), State::closed);
  // Another window begins anew.
  for (int i = 0; i < 15; ++i) endpoint.request(false);
  endpoint.wait(milliseconds{50});
  endpoint.judge.follow({.failures = 0, .error_rate_percent = 50, .window = seconds{20}, .requests = 16},
                        endpoint.so_far, endpoint.now);
  for (int i = 0; i < 15; ++i) endpoint.request(false);
  EXPECT_FALSE(endpoint.wait(seconds{1}));
  endpoint.request(false);
  EXPECT_TRUE(endpoint.wait(seconds{1}));
}

TEST(BreakerJudge, IsReleased) {
  Endpoint endpoint({.failures = 1});
  endpoint.request(false);
  // Tripped since the last look, which nobody was told of.
  BreakerJudge::Step step = endpoint.judge.release();
  EXPECT_EQ(step.action.kind, Kind::close);
  EXPECT_FALSE(step.event);
  endpoint.apply(step);
  endpoint.request(false);
  endpoint.wait(milliseconds{50});
  ASSERT_EQ(endpoint.judge.state(), State::open);
  step = endpoint.judge.release();
  EXPECT_EQ(step.action.kind, Kind::close);
  ASSERT_TRUE(step.event);
  EXPECT_EQ(step.event->state, State::closed);
  EXPECT_EQ(step.event->why, "there is no breaker any more");
}

}  // namespace
}  // namespace weir
