#include "core/base/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr uint32_t unlimited = 1'000'000;
constexpr Duration tick = milliseconds(8);
constexpr Instant start{seconds(1000)};

// A timer that does what the test says when it fires.
struct Alarm {
  explicit Alarm(std::function<void(Alarm&)> what = {}) : on_fire(std::move(what)) {}

  static void fire(Timer& timer) {
    Alarm& alarm = owner_of(timer, &Alarm::timer);
    ++alarm.fired;
    if (alarm.on_fire) alarm.on_fire(alarm);
  }

  Timer timer{&Alarm::fire};
  int fired = 0;
  std::function<void(Alarm&)> on_fire;
};

// The first tick not before the deadline; at the end of time, the last that can be told.
Instant rounded_up(Instant deadline) {
  if (deadline <= start) return start;
  deadline = std::min(deadline, Instant::max() - tick);
  return start + (deadline - start + tick - nanoseconds(1)) / tick * tick;
}

TEST(TimerWheel, FiresNeverEarlyAndLessThanATickLate) {
  for (const Duration after : {nanoseconds(1), nanoseconds(7'999'999), nanoseconds(8'000'000), nanoseconds(8'000'001),
                               nanoseconds(milliseconds(511)), nanoseconds(milliseconds(512)), nanoseconds(seconds(33)),
                               nanoseconds(hours(1)), nanoseconds(hours(24 * 365))}) {
    TimerWheel wheel(start);
    Alarm alarm;
    wheel.arm(alarm.timer, start + after);
    EXPECT_TRUE(alarm.timer.armed());
    EXPECT_EQ(alarm.timer.deadline(), start + after);
    wheel.advance(start + after - nanoseconds(1), unlimited);
    EXPECT_EQ(alarm.fired, 0) << after.count();
    wheel.advance(start + after + tick - nanoseconds(1), unlimited);
    EXPECT_EQ(alarm.fired, 1) << after.count();
    EXPECT_FALSE(alarm.timer.armed());
    EXPECT_EQ(wheel.next(), std::nullopt);
  }
}

TEST(TimerWheel, FiresPastDeadlinesInTheNextCallEvenIfTheClockStandsStill) {
  TimerWheel wheel(start);
  Alarm past;
  Alarm present;
  wheel.arm(past.timer, Instant{});
  wheel.arm(present.timer, start);
  EXPECT_EQ(wheel.next(), start);
  EXPECT_EQ(wheel.advance(start, unlimited), 2U);
  EXPECT_EQ(wheel.advance(start, unlimited), 0U);
  EXPECT_EQ(past.fired + present.fired, 2);
}

TEST(TimerWheel, ForgetsTheEarlierArming) {
  TimerWheel wheel(start);
  Alarm alarm;
  wheel.arm(alarm.timer, start + seconds(1));
  wheel.arm(alarm.timer, start + seconds(10));
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_EQ(wheel.advance(start + seconds(9), unlimited), 0U);
  wheel.arm(alarm.timer, start + milliseconds(9500));
  EXPECT_EQ(wheel.advance(start + milliseconds(9510), unlimited), 1U);
  EXPECT_EQ(wheel.advance(start + seconds(20), unlimited), 0U);
}

TEST(TimerWheel, CancelsAndForgivesCancellingTwice) {
  TimerWheel wheel(start);
  Alarm alarm;
  wheel.cancel(alarm.timer);
  wheel.arm(alarm.timer, start + seconds(1));
  wheel.cancel(alarm.timer);
  wheel.cancel(alarm.timer);
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_EQ(wheel.next(), std::nullopt);
  EXPECT_EQ(wheel.advance(start + seconds(2), unlimited), 0U);
}

TEST(TimerWheel, IgnoresAClockThatGoesBack) {
  TimerWheel wheel(start);
  Alarm alarm;
  wheel.advance(start + seconds(10), unlimited);
  // In the lowest level as seen from second 10, in a higher one as seen from second 5.
  wheel.arm(alarm.timer, start + milliseconds(10'100));
  for (const Instant before : {start + seconds(5), start, Instant{}}) {
    EXPECT_EQ(wheel.advance(before, unlimited), 0U);
    wheel.validate();
    EXPECT_EQ(wheel.next(), rounded_up(alarm.timer.deadline()));
  }
  EXPECT_EQ(wheel.advance(start + milliseconds(10'108), unlimited), 1U);
}

TEST(TimerWheel, ReachesTheEndOfTime) {
  TimerWheel wheel(Instant{}, TimerWheel::min_tick);
  Alarm never;
  Alarm late;
  wheel.arm(never.timer, Instant::max());
  wheel.arm(late.timer, Instant::max() - hours(24 * 365));
  wheel.validate();
  EXPECT_EQ(wheel.advance(Instant{hours(24 * 365 * 200)}, unlimited), 0U);
  wheel.validate();
  EXPECT_EQ(wheel.advance(Instant::max() - hours(1), unlimited), 1U);
  EXPECT_EQ(late.fired, 1);
  ASSERT_TRUE(wheel.next().has_value());
  EXPECT_EQ(wheel.advance(Instant::max(), unlimited), 1U);
}

TEST(TimerWheel, PutsOffWhatIsBeyondTheBudget) {
  TimerWheel wheel(start);
  std::vector<Alarm> alarms(1000);
  for (Alarm& alarm : alarms) wheel.arm(alarm.timer, start + seconds(1));
  const Instant now = start + seconds(2);
  for (int call = 0; call < 10; ++call) {
    EXPECT_LE(wheel.next().value_or(Instant::max()), now);
    EXPECT_EQ(wheel.advance(now, 100), 100U);
    wheel.validate();
  }
  EXPECT_EQ(wheel.next(), std::nullopt);
  EXPECT_EQ(wheel.advance(now, 100), 0U);
}

TEST(TimerWheel, BoundsTheTimersThatComeDownPerCall) {
  // All in one slot of level 2, spread over ticks that mostly lie behind the instant it is reached.
  constexpr uint32_t count = 10'000;
  TimerWheel wheel(start);
  std::vector<Alarm> alarms(count);
  const Duration slot = tick * 64 * 64;
  for (uint32_t i = 0; i < count; ++i) wheel.arm(alarms[i].timer, start + slot + tick * (i % 4096));
  const Instant reached = start + slot;
  uint32_t calls = 0;
  while (wheel.next() <= reached) {
    EXPECT_LE(wheel.advance(reached, 10), 10U);
    wheel.validate();
    ASSERT_LT(++calls, count);
  }
  EXPECT_GE(calls, count / (10 * TimerWheel::moves_per_fire));
  for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(alarms[i].fired, i % 4096 == 0 ? 1 : 0) << i;
  EXPECT_EQ(wheel.advance(reached + slot, unlimited), count - 3);
}

TEST(TimerWheel, MakesWhatAHandlerArmsWaitForTheNextCall) {
  TimerWheel wheel(start);
  Alarm endless([&](Alarm& self) { wheel.arm(self.timer, start); });
  wheel.arm(endless.timer, start);
  for (int call = 1; call <= 5; ++call) {
    EXPECT_EQ(wheel.advance(start, unlimited), 1U);
    EXPECT_EQ(endless.fired, call);
  }
  wheel.cancel(endless.timer);
}

TEST(TimerWheel, LetsAHandlerCancelAndDestroyOthersThatAreDue) {
  TimerWheel wheel(start);
  auto victim = std::make_unique<Alarm>();
  Alarm postponed;
  Alarm killer([&](Alarm&) {
    wheel.cancel(victim->timer);
    victim.reset();
    wheel.arm(postponed.timer, start + seconds(5));
  });
  wheel.arm(killer.timer, start + milliseconds(100));
  wheel.arm(victim->timer, start + milliseconds(100));
  wheel.arm(postponed.timer, start + milliseconds(100));
  EXPECT_EQ(wheel.advance(start + seconds(1), unlimited), 1U);
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_EQ(wheel.advance(start + seconds(6), unlimited), 1U);
}

TEST(TimerWheel, LetsAHandlerDestroyItsOwnTimer) {
  TimerWheel wheel(start);
  std::unique_ptr<Alarm> alarm;
  alarm = std::make_unique<Alarm>([&](Alarm&) { alarm.reset(); });
  wheel.arm(alarm->timer, start);
  EXPECT_EQ(wheel.advance(start, unlimited), 1U);
  EXPECT_EQ(alarm, nullptr);
}

// A distance on any scale from nothing to centuries, so that all levels are used alike.
Duration any_distance(Random& random) {
  const uint64_t bits = random.below(62);
  return Duration(static_cast<Duration::rep>(random.below(uint64_t{1} << bits)));
}

// Whoever sleeps exactly until next() sees each timer fire exactly at its tick.
TEST(TimerWheel, NextLeadsASleeperToEveryTick) {
  Random random(21);
  for (int round = 0; round < 50; ++round) {
    TimerWheel wheel(start);
    Instant now = start;
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (int i = 0; i < 200; ++i) {
      alarms.push_back(
          std::make_unique<Alarm>([&](Alarm& self) { EXPECT_EQ(now, rounded_up(self.timer.deadline())); }));
      wheel.arm(alarms.back()->timer, start + any_distance(random));
    }
    uint32_t wakes = 0;
    while (const auto next = wheel.next()) {
      ASSERT_GE(*next, now);
      now = *next;
      wheel.advance(now, unlimited);
      ++wakes;
    }
    // One wake per tick, and one per level that a timer comes down.
    EXPECT_LE(wakes, alarms.size() * 8);
    for (const auto& alarm : alarms) EXPECT_EQ(alarm->fired, 1);
  }
}

// The wheel beside a sorted map that knows the same timers. Handlers, too, arm and cancel at random.
class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed), alarms_(count) {
    for (Alarm& alarm : alarms_) alarm.on_fire = [this](Alarm& self) { fired(self); };
  }
  ~Model() {
    for (Alarm& alarm : alarms_) wheel_.cancel(alarm.timer);
  }

  void step() {
    switch (random_.below(8)) {
      case 0:
      case 1:
      case 2:
      case 3: arm(any_alarm(), any_deadline()); break;
      case 4: cancel(any_alarm()); break;
      case 5: advance(Duration{0}, unlimited); break;
      case 6: advance(any_distance(random_) % (tick * 10'000), random_.below(2) == 0 ? 3 : unlimited); break;
      case 7: advance(jump(), unlimited); break;
    }
    wheel_.validate();
    check();
  }

 private:
  static constexpr std::size_t count = 200;

  Alarm& any_alarm() { return alarms_[random_.below(count)]; }

  Instant any_deadline() {
    switch (random_.below(16)) {
      case 0: return Instant::max();
      case 1: return now_ - std::min(any_distance(random_), now_.time_since_epoch());
      default: return now_ + std::min(any_distance(random_), Instant::max() - now_);
    }
  }

  // Mostly modest, now and then centuries, until the end of time comes near.
  Duration jump() {
    const Duration distance = any_distance(random_) % hours(24);
    return random_.below(100) == 0 ? std::min<Duration>(any_distance(random_), (Instant::max() - now_) / 4) : distance;
  }

  void arm(Alarm& alarm, Instant deadline) {
    forget(alarm);
    armed_.emplace(deadline, &alarm);
    wheel_.arm(alarm.timer, deadline);
  }

  void cancel(Alarm& alarm) {
    forget(alarm);
    wheel_.cancel(alarm.timer);
  }

  void forget(Alarm& alarm) {
    due_.erase(&alarm);
    const auto [begin, end] = armed_.equal_range(alarm.timer.deadline());
    const auto at = std::find_if(begin, end, [&](const auto& entry) { return entry.second == &alarm; });
    ASSERT_EQ(at != end, alarm.timer.armed());
    if (at != end) armed_.erase(at);
  }

  void advance(Duration by, uint32_t budget) {
    now_ += by;
    due_.clear();
    for (const auto& [deadline, alarm] : armed_) {
      if (rounded_up(deadline) <= now_) due_.insert(alarm);
    }
    const std::size_t due_count = due_.size();
    fired_in_call_ = 0;
    last_fired_ = Instant{};
    const uint32_t fired = wheel_.advance(now_, budget);
    ASSERT_EQ(fired, fired_in_call_);
    ASSERT_LE(fired, budget);
    if (budget == unlimited) {
      ASSERT_TRUE(due_.empty()) << due_.size() << " of " << due_count << " did not fire";
    } else if (!due_.empty()) {
      ASSERT_LE(wheel_.next(), now_);
    }
    advanced_to_ = now_;
  }

  void fired(Alarm& alarm) {
    ++fired_in_call_;
    ASSERT_TRUE(due_.contains(&alarm)) << "fired early, after cancel, or armed in this very call";
    ASSERT_LE(alarm.timer.deadline(), now_);
    ASSERT_FALSE(alarm.timer.armed());
    // In order of ticks; what was late when armed, or left over from an earlier call, comes first in any order.
    const Instant at = rounded_up(alarm.timer.deadline());
    if (at > advanced_to_) {
      ASSERT_GE(at, last_fired_);
      last_fired_ = at;
    } else {
      ASSERT_EQ(last_fired_, Instant{});
    }
    due_.erase(&alarm);
    const auto [begin, end] = armed_.equal_range(alarm.timer.deadline());
    armed_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == &alarm; }));
    switch (random_.below(6)) {
      case 0: arm(alarm, any_deadline()); break;
      case 1: arm(any_alarm(), any_deadline()); break;
      case 2: cancel(any_alarm()); break;
      default: break;
    }
  }

  void check() {
    ASSERT_EQ(wheel_.size(), armed_.size());
    const auto next = wheel_.next();
    ASSERT_EQ(next.has_value(), !armed_.empty());
    if (next) {
      ASSERT_LE(*next, std::max(now_, rounded_up(armed_.begin()->first)));
    }
  }

  Random random_;
  Instant now_ = start;
  Instant advanced_to_ = start;
  TimerWheel wheel_{start};
  std::vector<Alarm> alarms_;
  std::multimap<Instant, Alarm*> armed_;
  std::set<Alarm*> due_;
  uint32_t fired_in_call_ = 0;
  Instant last_fired_{};
};

TEST(TimerWheel, AgreesWithASortedMapOverRandomOperations) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(seed);
    for (int step = 0; step < 2'000; ++step) {
      model.step();
      if (HasFatalFailure()) return;
    }
  }
}

TEST(TimerWheelDeathTest, RefusesToLoseATimer) {
  EXPECT_DEATH(
      {
        TimerWheel wheel(start);
        Alarm alarm;
        wheel.arm(alarm.timer, start + seconds(1));
      },
      "linked");
  EXPECT_DEATH(
      {
        Alarm alarm;
        TimerWheel wheel(start);
        wheel.arm(alarm.timer, start + seconds(1));
      },
      "empty");
}

TEST(TimerWheelDeathTest, RefusesToAdvanceInsideAHandler) {
  TimerWheel wheel(start);
  Alarm alarm([&](Alarm&) { wheel.advance(start, 1); });
  wheel.arm(alarm.timer, start);
  EXPECT_DEATH(wheel.advance(start, 1), "advancing");
  wheel.cancel(alarm.timer);
}

}  // namespace
}  // namespace weir
