// When a worker begins to turn work away, which, why, and when it ends to.
#include "net/proxy/shedder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace weir {
namespace {

using namespace std::chrono_literals;
using Signal = Shedder::Signal;
using Figures = Shedder::Figures;

const Instant now{1000s};

// A limit for each signal, and figures that are just below, at it, and at rest.
constexpr SheddingPolicy policy{.turn = 10ms, .buffers_percent = 80, .descriptors_percent = 90, .memory_bytes = 1000};
constexpr Figures calm{.buffers_percent = 10, .descriptors_percent = 10, .memory_bytes = 10};
constexpr Figures pressed{.buffers_percent = 80};

// So many turns that what was before is forgotten.
void turn_for_long(Shedder& shedder, Duration each) {
  for (int i = 0; i < 1000; ++i) shedder.turned(each);
}

// Looks every 10 ms, as a worker does that has something to do. Ends at `to`.
void look_until(Shedder& shedder, const SheddingPolicy& rules, const Figures& figures, Instant from, Instant to) {
  for (Instant at = from; at <= to; at += 10ms) shedder.look(rules, figures, at);
}

TEST(Shedder, TurnsNobodyAwayAtFirst) {
  Shedder shedder;
  EXPECT_EQ(shedder.below(), 0);
  EXPECT_FALSE(shedder.sheds(0));
  look_until(shedder, policy, calm, now, now + 10s);
  EXPECT_EQ(shedder.below(), 0);
}

TEST(Shedder, OnePriorityAtATimeUpAndDown) {
  Shedder shedder;
  shedder.look(policy, pressed, now);
  EXPECT_EQ(shedder.below(), 1) << "the first step comes at once";
  for (int step = 1; step <= 8; ++step) {
    look_until(shedder, policy, pressed, now + (step - 1) * 100ms + 10ms, now + step * 100ms - 1ns);
    EXPECT_EQ(shedder.below(), step);
    shedder.look(policy, pressed, now + step * 100ms);
    EXPECT_EQ(shedder.below(), step + 1);
  }
  look_until(shedder, policy, pressed, now + 810ms, now + 5s);
  EXPECT_EQ(shedder.below(), priority_max) << "the highest is never turned away";

  const Instant over = now + 5010ms;
  shedder.look(policy, calm, over);
  EXPECT_EQ(shedder.below(), 8);
  for (int step = 1; step <= 8; ++step) {
    look_until(shedder, policy, calm, over + (step - 1) * 100ms + 10ms, over + step * 100ms - 1ns);
    EXPECT_EQ(shedder.below(), 9 - step);
    shedder.look(policy, calm, over + step * 100ms);
    EXPECT_EQ(shedder.below(), 8 - step);
  }
  look_until(shedder, policy, calm, over + 810ms, over + 5s);
  EXPECT_EQ(shedder.below(), 0);
}

TEST(Shedder, NeverTwoStepsUpAtOnce) {
  Shedder shedder;
  shedder.look(policy, pressed, now);
  shedder.look(policy, pressed, now + 1h);
  EXPECT_EQ(shedder.below(), 2);
}

TEST(Shedder, TurningRoundWaitsForAStepToo) {
  Shedder shedder;
  shedder.look(policy, pressed, now);
  shedder.look(policy, pressed, now + 100ms);
  ASSERT_EQ(shedder.below(), 2);
  shedder.look(policy, calm, now + 199ms);
  EXPECT_EQ(shedder.below(), 2);
  shedder.look(policy, calm, now + 200ms);
  EXPECT_EQ(shedder.below(), 1);
  shedder.look(policy, pressed, now + 299ms);
  EXPECT_EQ(shedder.below(), 1);
  shedder.look(policy, pressed, now + 300ms);
  EXPECT_EQ(shedder.below(), 2);
}

TEST(Shedder, ShedsWhatIsBelow) {
  Shedder shedder;
  for (int step = 0; step <= 20; ++step) {
    for (Priority priority = 0; priority <= priority_max; ++priority) {
      EXPECT_EQ(shedder.sheds(priority), priority < shedder.below());
    }
    EXPECT_FALSE(shedder.sheds(priority_max));
    shedder.look(policy, pressed, now + step * 100ms);
  }
  EXPECT_TRUE(shedder.sheds(priority_max - 1));
}

struct Pressure {
  const char* what;
  Duration turn;
  Figures figures;
  bool presses;
  Signal blamed = Signal::turn;
};

TEST(Shedder, SaysWhatPresses) {
  const std::vector<Pressure> cases{
      {"nothing", 1ms, calm, false},
      {"all are just below", 9900us, {79, 89, 999}, false},
      {"turns", 11ms, calm, true, Signal::turn},
      {"buffers", 1ms, {80, 0, 0}, true, Signal::buffers},
      {"descriptors", 1ms, {0, 90, 0}, true, Signal::descriptors},
      {"memory", 1ms, {0, 0, 1000}, true, Signal::memory},
      {"all: the first is blamed", 11ms, {100, 100, 5000}, true, Signal::turn},
      {"all but turns", 1ms, {100, 100, 5000}, true, Signal::buffers},
      {"the last two", 1ms, {79, 100, 5000}, true, Signal::descriptors},
      {"much memory", 1ms, {0, 0, ~uint64_t{0}}, true, Signal::memory},
  };
  for (const Pressure& each : cases) {
    SCOPED_TRACE(each.what);
    Shedder shedder;
    turn_for_long(shedder, each.turn);
    shedder.look(policy, each.figures, now);
    EXPECT_EQ(shedder.below(), each.presses ? 1 : 0);
    if (each.presses) {
      EXPECT_EQ(shedder.blamed(), each.blamed);
    }
  }
}

TEST(Shedder, TheBlameFollowsThePressureAndStaysWithTheLast) {
  Shedder shedder;
  shedder.look(policy, {.memory_bytes = 1000}, now);
  EXPECT_EQ(shedder.blamed(), Signal::memory);
  shedder.look(policy, {.buffers_percent = 80, .memory_bytes = 1000}, now + 1ms);
  EXPECT_EQ(shedder.blamed(), Signal::buffers) << "also between two steps";
  shedder.look(policy, {.descriptors_percent = 90}, now + 2ms);
  EXPECT_EQ(shedder.blamed(), Signal::descriptors);
  look_until(shedder, policy, calm, now + 10ms, now + 1s);
  EXPECT_EQ(shedder.below(), 0);
  EXPECT_EQ(shedder.blamed(), Signal::descriptors);
}

// Each signal by itself: with it at its limit something is turned away, at nine tenths of it still, below that no more.
TEST(Shedder, ASignalPressesUntilItIsBelowNineTenths) {
  struct Row {
    const char* what;
    Figures at_limit;
    Figures below_limit;
    Figures nine_tenths;
    Figures less;
  };
  const std::vector<Row> rows{
      {"buffers", {80, 0, 0}, {79, 0, 0}, {72, 0, 0}, {71, 0, 0}},
      {"descriptors", {0, 90, 0}, {0, 89, 0}, {0, 81, 0}, {0, 80, 0}},
      {"memory", {0, 0, 1000}, {0, 0, 999}, {0, 0, 900}, {0, 0, 899}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Shedder shedder;
    shedder.look(policy, row.below_limit, now);
    EXPECT_EQ(shedder.below(), 0);
    shedder.look(policy, row.at_limit, now + 1s);
    EXPECT_EQ(shedder.below(), 1);
    shedder.look(policy, row.below_limit, now + 2s);
    EXPECT_EQ(shedder.below(), 2);
    shedder.look(policy, row.nine_tenths, now + 3s);
    EXPECT_EQ(shedder.below(), 3);
    shedder.look(policy, row.less, now + 4s);
    EXPECT_EQ(shedder.below(), 2);
    shedder.look(policy, row.below_limit, now + 5s);
    EXPECT_EQ(shedder.below(), 1) << "it has to come to its limit again";
  }
}

TEST(Shedder, AnotherSignalThatPressedDoesNotHelp) {
  Shedder shedder;
  shedder.look(policy, {.buffers_percent = 80}, now);
  shedder.look(policy, {.descriptors_percent = 89}, now + 1s);
  EXPECT_EQ(shedder.below(), 0);
}

// --- turns ----------------------------------------------------------------------------------------------------------

TEST(Shedder, SmoothsTurns) {
  Shedder shedder;
  EXPECT_EQ(shedder.turn(), 0ns);
  shedder.turned(16ms);
  EXPECT_EQ(shedder.turn(), 1ms) << "a sixteenth";
  turn_for_long(shedder, 5ms);
  EXPECT_NEAR(static_cast<double>(shedder.turn().count()), 5e6, 10);
}

TEST(Shedder, OneLongTurnIsNoPressure) {
  Shedder shedder;
  turn_for_long(shedder, 1ms);
  shedder.turned(100ms);
  shedder.look(policy, calm, now);
  EXPECT_EQ(shedder.below(), 0);
  for (int i = 0; i < 3; ++i) shedder.turned(100ms);
  shedder.look(policy, calm, now + 1s);
  EXPECT_EQ(shedder.below(), 1) << "but several are";
}

TEST(Shedder, TurnsPressUntilTheyAreBelowNineTenths) {
  Shedder shedder;
  turn_for_long(shedder, 11ms);
  shedder.look(policy, calm, now);
  EXPECT_EQ(shedder.below(), 1);
  turn_for_long(shedder, 9100us);
  shedder.look(policy, calm, now + 1s);
  EXPECT_EQ(shedder.below(), 2);
  turn_for_long(shedder, 8900us);
  shedder.look(policy, calm, now + 2s);
  EXPECT_EQ(shedder.below(), 1);
  turn_for_long(shedder, 9900us);
  shedder.look(policy, calm, now + 3s);
  EXPECT_EQ(shedder.below(), 0);
}

// --- reloads --------------------------------------------------------------------------------------------------------

TEST(Shedder, WithoutLimitsNothingPresses) {
  ASSERT_FALSE(SheddingPolicy{}.any());
  Shedder shedder;
  turn_for_long(shedder, 1h);
  shedder.look({}, {.buffers_percent = 100, .descriptors_percent = 100, .memory_bytes = ~uint64_t{0}}, now);
  EXPECT_EQ(shedder.below(), 0);
}

TEST(Shedder, EachLimitAloneIsAPolicy) {
  EXPECT_TRUE((SheddingPolicy{.turn = 1ns}.any()));
  EXPECT_TRUE((SheddingPolicy{.buffers_percent = 1}.any()));
  EXPECT_TRUE((SheddingPolicy{.descriptors_percent = 1}.any()));
  EXPECT_TRUE((SheddingPolicy{.memory_bytes = 1}.any()));
}

TEST(Shedder, GoesDownWhenItIsSwitchedOff) {
  Shedder shedder;
  look_until(shedder, policy, pressed, now, now + 2s);
  ASSERT_EQ(shedder.below(), priority_max);
  look_until(shedder, {}, pressed, now + 2s + 10ms, now + 2s + 510ms);
  EXPECT_EQ(shedder.below(), 3) << "at the same pace";
  look_until(shedder, {}, pressed, now + 2s + 520ms, now + 4s);
  EXPECT_EQ(shedder.below(), 0);
  // Switched on again it remembers nothing: nine tenths of the limit are no pressure.
  shedder.look(policy, {.buffers_percent = 75}, now + 5s);
  EXPECT_EQ(shedder.below(), 0);
}

TEST(Shedder, ALimitThatWasRaisedPressesNoMore) {
  Shedder shedder;
  shedder.look(policy, {.buffers_percent = 85}, now);
  ASSERT_EQ(shedder.below(), 1);
  SheddingPolicy raised = policy;
  raised.buffers_percent = 95;
  shedder.look(raised, {.buffers_percent = 85}, now + 100ms);
  EXPECT_EQ(shedder.below(), 0);
}

}  // namespace
}  // namespace weir
