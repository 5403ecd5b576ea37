#include "health/concurrency_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// An origin that works on `servers` requests at a time, each for `service` on average (exponentially distributed), and
// lets the others wait; before it somebody who lets in as many as the limit says, and refuses the rest. Requests come
// as they like (Poisson).
class World {
 public:
  World(const ConcurrencyLimit::Rules& rules, uint32_t its_servers, Duration its_service, uint64_t seed = 1)
      : servers(its_servers), service(its_service), limit(rules, {}, Instant{}), random_(seed) {}

  struct Stretch {
    uint64_t answered = 0;
    uint64_t refused = 0;
    double mean_ms = 0;
    double p99_ms = 0;
    double limit_mean = 0;
    uint32_t limit_min = UINT32_MAX;
    uint32_t limit_max = 0;
  };

  // For so long, at so many requests a second.
  Stretch run(Duration length, double per_second) {
    const Instant end = now_ + length;
    Stretch stretch;
    std::vector<double> took_ms;
    double limits = 0;
    uint64_t looks = 0;
    Instant arrival = now_ + exponential(1e9 / per_second);
    Instant look = now_ + milliseconds{50};
    while (true) {
      const Instant done = busy_.empty() ? Instant::max() : busy_.top().done;
      now_ = std::min({arrival, done, look, end});
      if (now_ == end) break;
      if (now_ == done) {
        const Instant asked = busy_.top().asked;
        busy_.pop();
        --in_flight_;
        const auto took = static_cast<uint64_t>((now_ - asked).count());
        ++so_far_.good;
        ++so_far_.answers;
        so_far_.answered_ns += took;
        took_ms.push_back(static_cast<double>(took) / 1e6);
        serve();
      } else if (now_ == arrival) {
        arrival = now_ + exponential(1e9 / per_second);
        if (in_flight_ >= limit.limit()) {
          ++stretch.refused;
          continue;
        }
        ++in_flight_;
        waiting_.push_back(now_);
        serve();
      } else {
        look = now_ + milliseconds{50};
        limit.look(so_far_, in_flight_, now_);
        if (limit.dips()) continue;
        limits += limit.limit();
        ++looks;
        stretch.limit_min = std::min(stretch.limit_min, limit.limit());
        stretch.limit_max = std::max(stretch.limit_max, limit.limit());
      }
    }
    stretch.answered = took_ms.size();
    for (const double each : took_ms) stretch.mean_ms += each / static_cast<double>(took_ms.size());
    std::sort(took_ms.begin(), took_ms.end());
    if (!took_ms.empty()) stretch.p99_ms = took_ms[took_ms.size() * 99 / 100];
    stretch.limit_mean = looks == 0 ? 0 : limits / static_cast<double>(looks);
    return stretch;
  }

  // May be changed at any time.
  uint32_t servers;
  Duration service;
  ConcurrencyLimit limit;

 private:
  struct Job {
    Instant done;
    Instant asked;
    bool operator>(const Job& other) const { return done > other.done; }
  };

  Duration exponential(double mean_ns) {
    return Duration{static_cast<Duration::rep>(-mean_ns * std::log(1 - random_.unit())) + 1};
  }
  void serve() {
    while (!waiting_.empty() && busy_.size() < servers) {
      busy_.push({now_ + exponential(static_cast<double>(service.count())), waiting_.front()});
      waiting_.pop_front();
    }
  }

  Random random_;
  Instant now_{};
  Traffic so_far_;
  uint32_t in_flight_ = 0;
  std::deque<Instant> waiting_;  // since when
  std::priority_queue<Job, std::vector<Job>, std::greater<>> busy_;
};

constexpr double tenfold = 10'000;  // of what 10 servers do at 10 ms each

TEST(ConcurrencyLimit, SettlesAboveCapacityAndKeepsTheOriginBusyAndQuick) {
  for (const uint32_t start : {4U, 20U, 200U, 1000U}) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE("start " + std::to_string(start) + ", seed " + std::to_string(seed));
      World world({.min = 4, .max = 1000, .start = start}, 10, milliseconds{10}, seed);
      world.run(seconds{40}, tenfold);
      const World::Stretch settled = world.run(seconds{30}, tenfold);
      EXPECT_GE(settled.limit_min, 8U);
      EXPECT_LE(settled.limit_max, 20U);
      EXPECT_GE(settled.answered, 27'000U);  // 90 % of 1000 a second
      EXPECT_GT(settled.refused, 200'000U);
      EXPECT_LT(settled.mean_ms, 20);
      EXPECT_LT(settled.p99_ms, 2 * 46.1);  // without a queue: 10 ms x ln 100
      EXPECT_NEAR(static_cast<double>(world.limit.baseline().count()) / 1e6, 10, 3.5);
    }
  }
}

struct ChangeCase {
  const char* what;
  uint32_t servers;
  Duration service;
  double limit_least;
  double limit_most;
};

TEST(ConcurrencyLimit, FollowsAnOriginThatChanges) {
  const std::vector<ChangeCase> cases{
      {"twice the servers", 20, milliseconds{10}, 20, 32},
      {"ten times the servers", 100, milliseconds{10}, 100, 140},
      {"half the servers", 5, milliseconds{10}, 5, 11},
      {"a fifth of them", 2, milliseconds{10}, 2, 6},
      {"twice as quick", 10, milliseconds{5}, 10, 20},
      {"three times as slow, for good", 10, milliseconds{30}, 10, 20},
      {"a hundred times as slow, for good", 10, milliseconds{1000}, 8, 30},
  };
  for (const ChangeCase& each : cases) {
    SCOPED_TRACE(each.what);
    World world({.min = 1}, 10, milliseconds{10});
    world.run(seconds{20}, tenfold);
    world.servers = each.servers;
    world.service = each.service;
    // In units of how long one takes: all of them have the same number of answers to learn from.
    const Duration length = std::max<Duration>(seconds{20}, 100 * each.service);
    const double capacity = each.servers * 1e9 / static_cast<double>(each.service.count());
    world.run(length, 10 * capacity);
    const World::Stretch settled = world.run(length, 10 * capacity);
    EXPECT_GE(settled.limit_mean, each.limit_least);
    EXPECT_LE(settled.limit_mean, each.limit_most);
    EXPECT_GE(static_cast<double>(settled.answered), 0.9 * capacity * std::chrono::duration<double>(length).count());
    EXPECT_LT(settled.mean_ms, 3 * static_cast<double>(each.service.count()) / 1e6);
  }
}

TEST(ConcurrencyLimit, DoesNotGrowWhereItIsNotInUse) {
  World world({.min = 4, .max = 1000, .start = 20}, 1000, milliseconds{10});
  const World::Stretch idle = world.run(seconds{30}, 300);  // 3 at a time
  EXPECT_EQ(idle.limit_min, 20U);
  EXPECT_EQ(idle.limit_max, 20U);
  EXPECT_EQ(idle.refused, 0U);
  const World::Stretch busy = world.run(seconds{30}, 10'000);  // 100 at a time
  EXPECT_GT(busy.limit_max, 90U);
}

TEST(ConcurrencyLimit, LearnsAFasterAndASlowerBaselineWithoutBeingInUse) {
  World world({.start = 100}, 1000, milliseconds{10});
  world.run(seconds{10}, 1000);
  EXPECT_NEAR(static_cast<double>(world.limit.baseline().count()) / 1e6, 10, 2);
  world.service = milliseconds{20};
  world.run(seconds{5}, 1000);
  EXPECT_LT(world.limit.baseline(), milliseconds{17});  // slowly
  world.run(seconds{60}, 1000);
  EXPECT_NEAR(static_cast<double>(world.limit.baseline().count()) / 1e6, 20, 5);
  world.service = milliseconds{5};
  world.run(seconds{10}, 1000);
  EXPECT_NEAR(static_cast<double>(world.limit.baseline().count()) / 1e6, 5, 1.5);
}

TEST(ConcurrencyLimit, StaysWithinItsBounds) {
  World narrow({.min = 3, .max = 6, .start = 5}, 10, milliseconds{10});
  const World::Stretch stretch = narrow.run(seconds{20}, tenfold);
  EXPECT_GE(stretch.limit_min, 3U);
  EXPECT_EQ(stretch.limit_max, 6U);
  World wide({.min = 30, .max = 60, .start = 60}, 10, milliseconds{10});
  const World::Stretch above = wide.run(seconds{60}, tenfold);
  EXPECT_GE(above.limit_min, 30U);
  EXPECT_LT(above.limit_mean, 45);
}

// --- by hand --------------------------------------------------------------------------------------------------------

// Windows that are all alike: of so many answers, so long each, with so many in flight.
class ByHand {
 public:
  explicit ByHand(const ConcurrencyLimit::Rules& rules = {}) : limit(rules, {}, Instant{}) {}

  bool window(uint64_t answers, Duration each, uint32_t in_flight, uint64_t bad = 0,
              Duration length = milliseconds{100}) {
    so_far_ +=
        {.good = answers, .bad = bad, .answers = answers, .answered_ns = answers * static_cast<uint64_t>(each.count())};
    now_ += length;
    return limit.look(so_far_, in_flight, now_);
  }

  ConcurrencyLimit limit;

 private:
  Traffic so_far_;
  Instant now_{};
};

TEST(ConcurrencyLimit, DipsToHalfAndBelievesWhatItSees) {
  ByHand hand;
  EXPECT_EQ(hand.limit.limit(), 20U);
  EXPECT_EQ(hand.limit.baseline(), Duration{});
  EXPECT_TRUE(hand.window(100, milliseconds{20}, 20));  // the first window in use: it dips at once
  EXPECT_TRUE(hand.limit.dips());
  EXPECT_EQ(hand.limit.limit(), 10U);
  EXPECT_EQ(hand.limit.baseline(), milliseconds{20});
  hand.window(100, milliseconds{20}, 20);  // who is in flight still is in the queue
  hand.window(50, milliseconds{20}, 10);   // none is now; what was answered lately had been
  EXPECT_TRUE(hand.limit.dips());
  EXPECT_TRUE(
      hand.window(50, milliseconds{10}, 10));  // this is the latency without a queue: far from what was believed
  EXPECT_FALSE(hand.limit.dips());
  EXPECT_EQ(hand.limit.baseline(), milliseconds{10});
  EXPECT_GE(hand.limit.limit(), 20U);
  for (int i = 0; i < 9; ++i) hand.window(100, milliseconds{20}, 20);
  EXPECT_FALSE(hand.limit.dips());
  EXPECT_LT(hand.limit.limit(), 20U);
  hand.window(100, milliseconds{20}, 20);  // the next one comes soon
  EXPECT_TRUE(hand.limit.dips());
  hand.window(50, milliseconds{12}, 4);
  hand.window(50, milliseconds{12}, 4);
  EXPECT_EQ(hand.limit.baseline(), milliseconds{11});  // not far from it: half the way
  int windows = 0;
  while (!hand.limit.dips()) {
    hand.window(100, milliseconds{12}, hand.limit.limit());
    ASSERT_LT(++windows, 100);
  }
  EXPECT_GE(windows, 49);  // all is as it was: five seconds
}

TEST(ConcurrencyLimit, FewAnswersMakeNoWindow) {
  ByHand hand;
  hand.window(19, milliseconds{20}, 20);
  EXPECT_EQ(hand.limit.baseline(), Duration{});
  EXPECT_EQ(hand.limit.limit(), 20U);
  hand.window(1, milliseconds{20}, 20, 0, milliseconds{0});
  EXPECT_EQ(hand.limit.baseline(), milliseconds{20});
  // Nor do many in no time.
  ByHand quick;
  quick.window(1000, milliseconds{20}, 20, 0, milliseconds{99});
  EXPECT_EQ(quick.limit.baseline(), Duration{});
  // But after ten seconds few are all there are.
  ByHand slow;
  slow.window(1, milliseconds{5000}, 20, 0, seconds{10});
  EXPECT_EQ(slow.limit.baseline(), seconds{5});
}

TEST(ConcurrencyLimit, ShrinksWhileAllFail) {
  ByHand hand;
  hand.window(0, {}, 20, 19);
  EXPECT_EQ(hand.limit.limit(), 20U);
  hand.window(0, {}, 20, 1);
  EXPECT_EQ(hand.limit.limit(), 18U);
  for (int i = 0; i < 50; ++i) hand.window(0, {}, 20, 20);
  EXPECT_EQ(hand.limit.limit(), 4U);
}

TEST(ConcurrencyLimit, GivesUpADipThatLongRequestsDoNotLetHappen) {
  ByHand hand;
  hand.window(100, milliseconds{20}, 20);
  ASSERT_TRUE(hand.limit.dips());
  int windows = 0;
  while (hand.limit.dips()) {
    hand.window(100, milliseconds{30}, 20);
    ASSERT_LT(++windows, 20);
  }
  EXPECT_EQ(windows, 6);
  EXPECT_EQ(hand.limit.baseline(), milliseconds{20});  // what came in the dip was not looked at
  // No dip ever shows anything; still, what is so for good is accepted in the end.
  for (int i = 0; i < 600; ++i) hand.window(100, milliseconds{30}, 20);
  EXPECT_LT(hand.limit.baseline(), milliseconds{27});
  for (int i = 0; i < 3000; ++i) hand.window(100, milliseconds{30}, 20);
  EXPECT_GT(hand.limit.baseline(), milliseconds{27});
}

TEST(ConcurrencyLimit, TakesOtherRules) {
  ByHand hand({.min = 4, .max = 100, .start = 50});
  hand.limit.follow({.min = 4, .max = 30, .start = 20});
  EXPECT_EQ(hand.limit.limit(), 30U);
  hand.limit.follow({.min = 40, .max = 60, .start = 40});
  EXPECT_EQ(hand.limit.limit(), 40U);
  hand.window(100, milliseconds{20}, 40);
  ASSERT_TRUE(hand.limit.dips());
  EXPECT_EQ(hand.limit.limit(), 40U);  // the least, in a dip too
}

}  // namespace
}  // namespace weir
