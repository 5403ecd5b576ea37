#include "health/prober.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/health/probing.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What happened to the probes of a test, by their numbers.
struct Notes {
  std::vector<int> asked;
  std::vector<Instant> asked_at;
  std::vector<int> reported;
  std::vector<int> gone;
  std::function<void(int)> on_ask = [](int) {};
  std::function<void(int)> on_report = [](int) {};
};

// A probe without a network: its rounds are over when the test says so.
class PlayedProbe final : public Probe {
 public:
  PlayedProbe(int number, const Clock& clock, Notes& notes) : number_(number), clock_(clock), notes_(notes) {}
  ~PlayedProbe() override {
    EXPECT_FALSE(under_way_) << number_;
    notes_.gone.push_back(number_);
  }

  void end_round() {
    under_way_ = false;
    round_over();
  }

  bool lingers = false;  // when it is to give up
  bool gave_up = false;

 private:
  void ask() override {
    EXPECT_FALSE(under_way_) << number_;
    under_way_ = true;
    notes_.asked.push_back(number_);
    notes_.asked_at.push_back(clock_.now());
    notes_.on_ask(number_);
  }
  void give_up() override {
    EXPECT_TRUE(under_way_) << number_;
    gave_up = true;
    if (!lingers) end_round();
  }
  void report() override {
    notes_.reported.push_back(number_);
    notes_.on_report(number_);
  }

  const int number_;
  const Clock& clock_;
  Notes& notes_;
  bool under_way_ = false;
};

class ProberTest : public ProbingTest {
 protected:
  static constexpr Duration interval = milliseconds{100};

  void make(uint32_t asking_max = Prober::asking_max_default) {
    prober = std::make_unique<Prober>(context(), 11, asking_max);
  }
  void SetUp() override {
    ProbingTest::SetUp();
    make();
  }
  void TearDown() override {
    prober.reset();
    ProbingTest::TearDown();
  }

  PlayedProbe& add(int number, Duration every = interval) {
    auto probe = std::make_unique<PlayedProbe>(number, clock, notes);
    PlayedProbe& added = *probe;
    const ProbeId id = prober->add(std::move(probe), every);
    EXPECT_EQ(added.id(), id);
    ids[number] = id;
    probes[number] = &added;
    return added;
  }
  void remove(int number) { prober->remove(ids.at(number)); }
  bool asks(int number) { return std::count(notes.asked.begin(), notes.asked.end(), number) > 0; }
  bool pass_until_asked(int number) {
    return pass_until(interval + 2 * step, [&] { return asks(number); });
  }
  // Whoever asks is answered in the next step, until the time is over.
  void pass_answering(Duration time) {
    std::vector<int> open;
    notes.on_ask = [&](int number) { open.push_back(number); };
    for (const Instant end = clock.time + time; clock.time < end;) {
      pass(step);
      for (const int number : std::exchange(open, {})) probes.at(number)->end_round();
    }
    notes.on_ask = [](int) {};
    for (const int number : open) probes.at(number)->end_round();
  }

  Notes notes;
  std::map<int, ProbeId> ids;
  std::map<int, PlayedProbe*> probes;
  std::unique_ptr<Prober> prober;
};

// The most that lie within any window of that length.
size_t most_within(const std::vector<Instant>& sorted, Duration window) {
  size_t most = 0;
  for (size_t first = 0, last = 0; last < sorted.size(); ++last) {
    while (sorted[last] - sorted[first] >= window) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

TEST_F(ProberTest, SpreadsAThousandProbes) {
  constexpr int count = 1'000;
  for (int number = 0; number < count; ++number) add(number, seconds{1});
  const Instant begin = clock.time;
  pass_answering(seconds{1} + 2 * step);
  std::set<int> seen;
  std::vector<Instant> first;
  for (size_t i = 0; i < notes.asked.size(); ++i) {
    if (seen.insert(notes.asked[i]).second) first.push_back(notes.asked_at[i]);
  }
  ASSERT_EQ(first.size(), size_t{count}) << "each has its turn in the first interval";
  EXPECT_LE(most_within(first, milliseconds{20}), size_t{count} * 25 / 1'000);

  pass_answering(seconds{9});
  EXPECT_LE(most_within(notes.asked_at, milliseconds{20}), size_t{count} * 50 / 1'000);
  EXPECT_EQ(notes.reported.size(), notes.asked.size());
  EXPECT_NEAR(static_cast<double>(notes.asked.size()), 10.0 * count, 0.02 * count * 10);

  // Each keeps its own interval.
  std::map<int, Instant> last;
  for (size_t i = 0; i < notes.asked.size(); ++i) {
    const auto [before, fresh] = last.try_emplace(notes.asked[i], notes.asked_at[i]);
    if (fresh) {
      EXPECT_LT(notes.asked_at[i] - begin, seconds{1} + 2 * step);
      continue;
    }
    EXPECT_GE(notes.asked_at[i] - before->second, milliseconds{899});
    EXPECT_LE(notes.asked_at[i] - before->second, milliseconds{1'102});
    before->second = notes.asked_at[i];
  }
}

TEST_F(ProberTest, SpreadsAnewWhatWasHeldUp) {
  constexpr int count = 1'000;
  for (int number = 0; number < count; ++number) add(number, seconds{1});
  pass_answering(seconds{2});
  for (const Duration pause : {Duration{seconds{30}}, Duration{seconds{1}}, Duration{milliseconds{200}}}) {
    notes.asked.clear();
    notes.asked_at.clear();
    clock.time += pause;
    pass_answering(milliseconds{1'102});
    EXPECT_EQ(std::set<int>(notes.asked.begin(), notes.asked.end()).size(), size_t{count});
    // The missed ones beside the usual ones, and those that were only just due at first.
    EXPECT_LE(most_within(notes.asked_at, milliseconds{20}), size_t{count} * 70 / 1'000) << pause.count();
  }
}

TEST_F(ProberTest, AsksEvenIfTheThreadIsAlwaysLate) {
  add(1, seconds{1});
  for (int lateness = 0; lateness < 20; ++lateness) {
    clock.time += seconds{2};
    turn(Duration::zero());
    if (asks(1)) return probes[1]->end_round();
  }
  ADD_FAILURE() << "put off for ever";
}

TEST_F(ProberTest, AsksNobodyTwiceWhileTheFirstRoundLasts) {
  PlayedProbe& probe = add(1);
  ASSERT_TRUE(pass_until_asked(1));
  pass(10 * interval);
  EXPECT_EQ(notes.asked.size(), 1U);
  EXPECT_TRUE(notes.reported.empty());
  probe.end_round();
  EXPECT_EQ(notes.reported.size(), 1U);
  EXPECT_TRUE(pass_until(2 * step, [&] { return notes.asked.size() == 2; })) << "its next round was long due";
  probe.end_round();
}

TEST_F(ProberTest, GivesSeatsInTurn) {
  make(2);
  for (const int number : {1, 2, 3, 4, 5}) add(number);
  pass(interval + 2 * step);
  ASSERT_EQ(notes.asked.size(), 2U);
  EXPECT_EQ(prober->asking(), 2U);
  std::vector<int> order = notes.asked;
  while (notes.asked.size() < 5) {
    const size_t before = notes.asked.size();
    probes[order.front()]->end_round();
    order.erase(order.begin());
    ASSERT_EQ(notes.asked.size(), before + 1) << "who waited longest has the seat at once";
    EXPECT_EQ(prober->asking(), 2U);
    order.push_back(notes.asked.back());
  }
  EXPECT_EQ(std::set<int>(notes.asked.begin(), notes.asked.end()).size(), 5U);
  for (const int number : order) probes[number]->end_round();
  EXPECT_EQ(prober->asking(), 0U);
}

TEST_F(ProberTest, RemovesOneThatWaits) {
  add(1);
  remove(1);
  EXPECT_EQ(notes.gone, std::vector{1});
  EXPECT_EQ(wheel.size(), 0U);
  remove(1);  // nothing happens
  pass(2 * interval);
  EXPECT_TRUE(notes.asked.empty());
}

TEST_F(ProberTest, RemovesOneInLine) {
  make(1);
  add(1);
  add(2);
  pass(interval + 2 * step);
  ASSERT_EQ(notes.asked.size(), 1U);
  const int first = notes.asked[0];
  remove(3 - first);
  EXPECT_EQ(notes.gone, std::vector{3 - first});
  probes[first]->end_round();
  EXPECT_EQ(notes.asked.size(), 1U);
}

TEST_F(ProberTest, RemovesOneThatAsksWhenItsRoundIsOver) {
  PlayedProbe& at_once = add(1);
  ASSERT_TRUE(pass_until_asked(1));
  at_once.lingers = false;
  remove(1);
  EXPECT_EQ(notes.gone, std::vector{1});

  PlayedProbe& later = add(2);
  ASSERT_TRUE(pass_until_asked(2));
  later.lingers = true;
  remove(2);
  remove(2);  // nothing happens
  EXPECT_TRUE(later.gave_up);
  EXPECT_EQ(prober->size(), 1U);
  pass(3 * interval);
  EXPECT_EQ(notes.gone, std::vector{1}) << "something of it is in flight";
  later.end_round();
  EXPECT_EQ(notes.gone, (std::vector{1, 2}));
  EXPECT_TRUE(notes.reported.empty()) << "nobody wants to know any more";
}

TEST_F(ProberTest, GivesTheSeatOfARemovedOneAway) {
  make(1);
  add(1);
  add(2);
  pass(interval + 2 * step);
  const int first = notes.asked.at(0);
  remove(first);
  ASSERT_EQ(notes.asked.size(), 2U);
  EXPECT_EQ(notes.asked[1], 3 - first);
  remove(3 - first);
}

TEST_F(ProberTest, LetsAReportRemoveItsOwnProbe) {
  PlayedProbe& probe = add(1);
  ASSERT_TRUE(pass_until_asked(1));
  notes.on_report = [&](int) {
    remove(1);
    EXPECT_TRUE(notes.gone.empty()) << "not while it reports";
    remove(1);
  };
  probe.end_round();
  EXPECT_EQ(notes.gone, std::vector{1});
  EXPECT_EQ(prober->size(), 0U);
}

TEST_F(ProberTest, LetsAReportReplaceProbes) {
  add(1);
  add(2);
  ASSERT_TRUE(pass_until_asked(1));
  notes.on_report = [&](int number) {
    remove(number);
    if (number == 1) remove(2);
    // Enough of them that the table grows under our feet.
    for (int fresh = 100; fresh < 300; ++fresh) add(fresh);
  };
  probes[1]->end_round();
  std::sort(notes.gone.begin(), notes.gone.end());
  EXPECT_EQ(notes.gone, (std::vector{1, 2}));
  EXPECT_EQ(prober->size(), 200U);
  ASSERT_TRUE(pass_until_asked(299));
}

TEST_F(ProberTest, LetsAReportStopIt) {
  make(1);
  for (const int number : {1, 2, 3, 4}) add(number);
  pass(interval + 2 * step);
  const int first = notes.asked.at(0);
  notes.on_report = [&](int) {
    // The seat was given away before the report.
    probes[notes.asked.at(1)]->lingers = true;
    prober->stop();
    EXPECT_FALSE(prober->stopped());
  };
  probes[first]->end_round();
  EXPECT_EQ(notes.gone.size(), 3U);
  EXPECT_FALSE(prober->stopped()) << "one is still asking";
  probes[notes.asked.at(1)]->end_round();
  EXPECT_TRUE(prober->stopped());
  EXPECT_EQ(notes.reported, std::vector{first});
  EXPECT_EQ(notes.asked.size(), 2U) << "nobody is asked any more";
}

TEST_F(ProberTest, StopsWhateverItsProbesDo) {
  make(3);
  for (int number = 0; number < 10; ++number) add(number).lingers = number % 2 == 0;
  pass(interval / 2);
  const std::vector<int> asked = notes.asked;
  ASSERT_EQ(asked.size(), 3U);
  prober->stop();
  prober->stop();
  for (const int number : asked) {
    if (number % 2 == 0) probes[number]->end_round();
  }
  EXPECT_TRUE(prober->stopped());
  EXPECT_EQ(notes.gone.size(), 10U);
  EXPECT_EQ(notes.asked, asked);
  EXPECT_TRUE(notes.reported.empty());
}

TEST_F(ProberTest, HurriesAfterTheReportThatRaisedDoubts) {
  constexpr Duration in_doubt = interval / 5;
  PlayedProbe& probe = add(1);
  ASSERT_TRUE(pass_until_asked(1));
  notes.on_report = [&](int) { prober->set_interval(ids[1], notes.reported.size() == 1 ? in_doubt : 4 * interval); };
  probe.end_round();
  ASSERT_TRUE(pass_until(in_doubt * 11 / 10 + 2 * step, [&] { return notes.asked.size() == 2; }));
  EXPECT_GE(notes.asked_at[1] - notes.asked_at[0], in_doubt * 9 / 10 - step);
  probe.end_round();
  EXPECT_FALSE(pass_until(interval * 35 / 10, [&] { return notes.asked.size() == 3; })) << "and has time when proven";
  EXPECT_TRUE(pass_until(interval, [&] { return notes.asked.size() == 3; }));
  probe.end_round();
}

TEST_F(ProberTest, CountsANewIntervalFromTheRoundThatReports) {
  PlayedProbe& probe = add(1);
  ASSERT_TRUE(pass_until_asked(1));
  // The round took longer than the interval in doubt: there is nothing to wait for.
  pass(interval / 2);
  notes.on_report = [&](int) { prober->set_interval(ids[1], interval / 5); };
  probe.end_round();
  EXPECT_TRUE(pass_until(2 * step, [&] { return notes.asked.size() == 2; }));
  probe.end_round();
}

TEST_F(ProberTest, KeepsTheTimeOfAWaitingOneUnlessThatIsTooFarAway) {
  add(1, seconds{100});
  pass(step);
  prober->set_interval(ids[1], seconds{200});
  EXPECT_EQ(wheel.size(), 1U);
  prober->set_interval(ids[1], interval);
  ASSERT_TRUE(pass_until(interval + 2 * step, [&] { return asks(1); }));
  prober->set_interval(ids[1], seconds{100});  // in the middle of a round
  probes[1]->end_round();
  EXPECT_FALSE(pass_until(10 * interval, [&] { return notes.asked.size() == 2; }));
  prober->set_interval(ids[1], interval);
  ASSERT_TRUE(pass_until(interval + 2 * step, [&] { return notes.asked.size() == 2; }));
  prober->set_interval(ids[1], seconds{100});
  probes[1]->end_round();

  // Sooner than the new interval already: nothing changes.
  PlayedProbe& soon = add(2);
  prober->set_interval(ids[2], seconds{100});
  ASSERT_TRUE(pass_until_asked(2));
  soon.end_round();
}

TEST_F(ProberTest, HurriesAThousandWithoutABurst) {
  constexpr int count = 1'000;
  for (int number = 0; number < count; ++number) add(number, seconds{20});
  pass_answering(seconds{1});
  notes.asked.clear();
  notes.asked_at.clear();
  for (const auto& [number, id] : ids) prober->set_interval(id, seconds{1});
  pass_answering(seconds{1} + 2 * step);
  EXPECT_EQ(std::set<int>(notes.asked.begin(), notes.asked.end()).size(), size_t{count});
  // The mean is 20; the first ones come a second time before the last ones have come.
  EXPECT_LE(most_within(notes.asked_at, milliseconds{20}), size_t{count} * 40 / 1'000);
}

TEST_F(ProberTest, SetsNoIntervalOfWhoWasRemoved) {
  PlayedProbe& probe = add(1);
  ASSERT_TRUE(pass_until_asked(1));
  probe.lingers = true;
  remove(1);
  prober->set_interval(ids[1], interval);
  probe.end_round();
  prober->set_interval(ids[1], interval);
  EXPECT_EQ(wheel.size(), 0U);
}

TEST_F(ProberTest, NeverGivesAnIdTwice) {
  std::set<ProbeId> seen;
  for (int number = 0; number < 100; ++number) {
    add(number);
    EXPECT_TRUE(seen.insert(ids[number]).second);
    remove(number);
  }
}

}  // namespace
}  // namespace weir
