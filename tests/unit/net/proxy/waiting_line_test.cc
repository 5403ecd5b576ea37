// Whose turn it is, who has to go, and that the counts are right after every step: by hand, beside a model that knows
// nothing of lists, and from two threads.
#include "net/proxy/waiting_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using namespace std::chrono_literals;
using Numbers = std::vector<int>;

const Instant now{1000s};

// What has happened to those who waited, in order.
struct Diary {
  Numbers tried;
  Numbers displaced;
};

class Somebody final : public Waiter {
 public:
  Somebody(Diary& diary, int number) : diary_(diary), number_(number) {}

  // What it does when its turn comes, and when it has to go.
  std::function<bool()> try_it = [] { return true; };
  std::function<void()> go = [] {};

 private:
  bool turn_came() override {
    EXPECT_FALSE(in_line());
    diary_.tried.push_back(number_);
    return try_it();
  }
  void displaced() override {
    EXPECT_FALSE(in_line());
    diary_.displaced.push_back(number_);
    go();
  }

  Diary& diary_;
  int number_;
};

class WaitingLineTest : public testing::Test {
 protected:
  ~WaitingLineTest() override {
    for (Somebody& each : people_) each.leave_line();
    EXPECT_EQ(waiting(), 0U);
  }

  // The n-th of them, from 0 on; the same at each call.
  Somebody& somebody(int number) {
    while (people_.size() <= static_cast<size_t>(number)) people_.emplace_back(diary, static_cast<int>(people_.size()));
    return people_[static_cast<size_t>(number)];
  }
  bool enter(int number, Priority priority, uint32_t size = 100) {
    clock_ += 1ms;
    const bool in = line.enter(somebody(number), {priority}, clock_, size);
    line.tell_displaced();
    return in;
  }
  // All who are in the line, in the order of their turns; they are gone then.
  Numbers everybody() {
    diary.tried.clear();
    line.try_all();
    EXPECT_TRUE(line.empty());
    return diary.tried;
  }
  uint32_t waiting() const { return state.waiting.load(std::memory_order_relaxed); }
  // When the first one of that worker came, in milliseconds.
  int64_t since(unsigned worker = 0) const {
    const int64_t at = state.at(worker).oldest_waiting.load(std::memory_order_relaxed);
    return at == 0 ? 0 : (at - now.time_since_epoch().count()) / 1'000'000;
  }
  UpstreamCounters& counters() { return state.at(0).counters; }

  Diary diary;
  UpstreamState state{2};

 private:
  std::deque<Somebody> people_;
  Instant clock_ = now;

 protected:
  WaitingLine line{state, 0};
  WaitingLine elsewhere{state, 1};
};

TEST_F(WaitingLineTest, NobodyIsThere) {
  EXPECT_TRUE(line.empty());
  EXPECT_EQ(line.count(), 0U);
  line.try_all();
  EXPECT_EQ(since(), 0);
  EXPECT_EQ(waiting(), 0U);
  somebody(0).leave_line();
  EXPECT_FALSE(somebody(0).in_line());
}

TEST_F(WaitingLineTest, ThePriorityDecidesThenWhoCameFirst) {
  const std::vector<std::pair<int, Priority>> arrivals{{0, 5}, {1, 5}, {2, 9}, {3, 0}, {4, 5}, {5, 9}, {6, 1}};
  for (const auto& [number, priority] : arrivals) {
    EXPECT_TRUE(enter(number, priority));
    EXPECT_TRUE(somebody(number).in_line());
  }
  EXPECT_EQ(line.count(), 7U);
  EXPECT_EQ(waiting(), 7U);
  EXPECT_EQ(counters().queued.read(), 7U);
  EXPECT_EQ(everybody(), (Numbers{2, 5, 0, 1, 4, 6, 3}));
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(since(), 0);
}

TEST_F(WaitingLineTest, WhoFindsNothingKeepsItsPlaceAndIsTheLastToBeAsked) {
  for (int i = 0; i < 4; ++i) enter(i, 5);
  int places = 1;
  const auto take = [&] { return places-- > 0; };
  for (int i = 0; i < 4; ++i) somebody(i).try_it = take;
  line.try_all();
  EXPECT_EQ(diary.tried, (Numbers{0, 1})) << "nobody behind it is asked";
  EXPECT_FALSE(somebody(0).in_line());
  EXPECT_TRUE(somebody(1).in_line());
  EXPECT_EQ(line.count(), 3U);
  EXPECT_EQ(waiting(), 3U);
  EXPECT_EQ(since(), 2) << "it has been waiting since it came";
  places = 2;
  line.try_all();
  EXPECT_EQ(diary.tried, (Numbers{0, 1, 1, 2, 3}));
  EXPECT_EQ(counters().queued.read(), 4U) << "waiting on is not waiting anew";
  places = 1;
  EXPECT_EQ(everybody(), (Numbers{3}));
}

TEST_F(WaitingLineTest, ItsPlaceIsCountedWhileItTries) {
  enter(0, 5, 1);
  somebody(0).try_it = [&] {
    EXPECT_EQ(waiting(), 1U);
    EXPECT_FALSE(elsewhere.enter(somebody(1), {5}, now, 1)) << "it may come back to it";
    return false;
  };
  line.try_all();
  EXPECT_TRUE(somebody(0).in_line());
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(WaitingLineTest, WhoLeavesLeavesNoTrace) {
  for (int i = 0; i < 5; ++i) enter(i, i == 4 ? 9 : 5);
  somebody(1).leave_line();
  somebody(1).leave_line();
  EXPECT_FALSE(somebody(1).in_line());
  EXPECT_EQ(line.count(), 4U);
  EXPECT_EQ(waiting(), 4U);
  EXPECT_EQ(since(), 5);
  somebody(4).leave_line();
  EXPECT_EQ(since(), 1);
  somebody(0).leave_line();
  EXPECT_EQ(since(), 3);
  EXPECT_TRUE(enter(1, 5)) << "and may come again, as the last";
  EXPECT_EQ(everybody(), (Numbers{2, 3, 1}));
}

TEST_F(WaitingLineTest, TheLastOfTheLowestPriorityBelowMakesRoom) {
  struct Row {
    const char* what;
    std::vector<Priority> there;
    Priority priority;
    int displaced;  // -1: nobody, it is refused
  };
  const std::vector<Row> rows{
      {"nobody is below", {5, 5, 5}, 5, -1},
      {"all are above", {9, 6, 7}, 5, -1},
      {"the lowest there is", {0, 0, 0}, 0, -1},
      {"one is below", {5, 4, 9}, 5, 1},
      {"the last of several", {3, 3, 3}, 5, 2},
      {"of the lowest", {3, 1, 2}, 5, 1},
      {"the last of the lowest, not of all", {1, 1, 3}, 9, 1},
      {"not the first, though it has the lowest, too", {0, 0, 8}, 9, 1},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    diary = {};
    const auto size = static_cast<uint32_t>(row.there.size());
    for (uint32_t i = 0; i < size; ++i) ASSERT_TRUE(enter(static_cast<int>(i), row.there[i], size));
    const uint64_t displaced_before = counters().queue_displaced.read();
    const uint64_t queued_before = counters().queued.read();
    const bool fits = row.displaced >= 0;
    EXPECT_EQ(enter(7, row.priority, size), fits);
    EXPECT_EQ(somebody(7).in_line(), fits);
    EXPECT_EQ(diary.displaced, fits ? Numbers{row.displaced} : Numbers{});
    EXPECT_EQ(counters().queue_displaced.read() - displaced_before, fits ? 1U : 0U);
    EXPECT_EQ(counters().queued.read() - queued_before, fits ? 1U : 0U);
    EXPECT_EQ(line.count(), size);
    EXPECT_EQ(waiting(), size);
    everybody();
  }
}

TEST_F(WaitingLineTest, WhoDoesNotTakeAnyPlaceHoldsNobodyUp) {
  ASSERT_TRUE(line.enter(somebody(0), {.priority = 5, .takes_any = false}, Instant{1s}, 9));
  EXPECT_EQ(state.waiting_for_any.load(std::memory_order_relaxed), 0U);
  EXPECT_EQ(state.at(0).oldest_waiting.load(std::memory_order_relaxed), 0) << "it is nobody's turn";
  ASSERT_TRUE(line.enter(somebody(1), {5}, Instant{2s}, 9));
  ASSERT_TRUE(line.enter(somebody(2), {.priority = 5, .takes_any = false}, Instant{3s}, 9));
  ASSERT_TRUE(line.enter(somebody(3), {5}, Instant{4s}, 9));
  EXPECT_EQ(state.waiting_for_any.load(std::memory_order_relaxed), 2U);
  EXPECT_EQ(Instant{Duration{state.at(0).oldest_waiting.load(std::memory_order_relaxed)}}, Instant{2s});
  for (int i = 0; i < 4; ++i) somebody(i).try_it = [] { return false; };
  line.try_all();
  EXPECT_EQ(diary.tried, (Numbers{0, 1})) << "not behind the first who would take any";
  EXPECT_EQ(waiting(), 4U);
  EXPECT_EQ(state.waiting_for_any.load(std::memory_order_relaxed), 2U);
  for (int i = 0; i < 4; ++i) somebody(i).try_it = [] { return true; };
  EXPECT_EQ(everybody(), (Numbers{0, 1, 2, 3})) << "and all are where they were";
  EXPECT_EQ(state.waiting_for_any.load(std::memory_order_relaxed), 0U);
}

TEST_F(WaitingLineTest, WhoIsDisplacedIsToldAtTheNextLook) {
  ASSERT_TRUE(enter(0, 1, 2));
  ASSERT_TRUE(enter(1, 1, 2));
  ASSERT_TRUE(line.enter(somebody(2), {9}, Instant{1s}, 2));
  ASSERT_TRUE(line.enter(somebody(3), {9}, Instant{1s}, 2));
  EXPECT_EQ(diary.displaced, (Numbers{})) << "what they do then may displace others";
  EXPECT_TRUE(somebody(0).in_line() && somebody(1).in_line());
  EXPECT_EQ(waiting(), 2U) << "but they have no place any more";
  EXPECT_EQ(line.count(), 2U);
  somebody(1).leave_line();
  EXPECT_EQ(waiting(), 2U) << "so they give none back";
  line.tell_displaced();
  EXPECT_EQ(diary.displaced, (Numbers{0})) << "who has left meanwhile does not hear of it";
  EXPECT_FALSE(somebody(0).in_line());
  line.tell_displaced();
  EXPECT_EQ(diary.displaced, (Numbers{0}));
  EXPECT_EQ(everybody(), (Numbers{2, 3}));
}

TEST_F(WaitingLineTest, TheBoundIsOverAllWorkers) {
  EXPECT_TRUE(enter(0, 5, 2));
  EXPECT_TRUE(elsewhere.enter(somebody(1), {3}, now, 2));
  EXPECT_EQ(waiting(), 2U);
  EXPECT_EQ(line.count(), 1U);
  EXPECT_FALSE(enter(2, 5, 2)) << "nobody who waits here has less right to";
  EXPECT_EQ(waiting(), 2U);
  EXPECT_TRUE(somebody(1).in_line()) << "who waits elsewhere is another thread's";
  EXPECT_TRUE(enter(2, 6, 2));
  EXPECT_EQ(diary.displaced, (Numbers{0}));
  somebody(1).leave_line();
  EXPECT_TRUE(enter(0, 0, 2)) << "a place that somebody left elsewhere";
  EXPECT_EQ(waiting(), 2U);
}

TEST_F(WaitingLineTest, ASizeThatAReloadHasMadeSmaller) {
  for (int i = 0; i < 4; ++i) enter(i, static_cast<Priority>(i), 4);
  EXPECT_FALSE(enter(4, 0, 2));
  EXPECT_EQ(line.count(), 4U) << "who waits already may wait on";
  EXPECT_TRUE(enter(5, 9, 2));
  EXPECT_EQ(diary.displaced, (Numbers{0}));
  EXPECT_EQ(waiting(), 4U) << "and it grows no more";
  EXPECT_FALSE(enter(6, 0, 0));
  EXPECT_EQ(everybody(), (Numbers{5, 3, 2, 1}));
}

// --- what those who are called may do -------------------------------------------------------------------------------

TEST_F(WaitingLineTest, OthersMayLeaveWhileOneTries) {
  for (int i = 0; i < 4; ++i) enter(i, 5);
  somebody(0).try_it = [&] {
    somebody(1).leave_line();
    somebody(3).leave_line();
    somebody(0).leave_line();  // it is in no line
    return true;
  };
  EXPECT_EQ(everybody(), (Numbers{0, 2}));
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(WaitingLineTest, OthersMayComeWhileOneTries) {
  enter(0, 5);
  somebody(0).try_it = [&] {
    enter(1, 5);
    enter(2, 9);
    return false;
  };
  line.try_all();
  EXPECT_EQ(diary.tried, (Numbers{0}));
  EXPECT_EQ(line.count(), 3U);
  EXPECT_EQ(waiting(), 3U);
  EXPECT_EQ(since(), 3) << "the one with the higher priority is the first now";
  somebody(0).try_it = [] { return true; };
  EXPECT_EQ(everybody(), (Numbers{2, 0, 1})) << "it was there before the other";
}

TEST_F(WaitingLineTest, WhoIsDoneMayComeAgainAtOnce) {
  enter(0, 5);
  enter(1, 5);
  bool again = true;
  somebody(0).try_it = [&] { return !std::exchange(again, false) || enter(0, 5); };
  EXPECT_EQ(everybody(), (Numbers{0, 1, 0}));
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(WaitingLineTest, WhoIsDisplacedDoesNotGetItsPlaceBack) {
  enter(0, 1, 2);
  enter(1, 1, 2);
  bool found = true;
  somebody(1).go = [&] { found = line.enter(somebody(1), {1}, now, 2); };
  EXPECT_TRUE(enter(2, 5, 2));
  EXPECT_FALSE(found) << "the place is no longer its own, and not free either";
  EXPECT_EQ(waiting(), 2U);
  EXPECT_EQ(everybody(), (Numbers{2, 0}));
}

TEST(WaitingLineDeathTest, OutlivesThoseInIt) {
  const auto end_too_early = [] {
    Diary diary;
    UpstreamState state;
    Somebody somebody{diary, 0};
    WaitingLine line{state, 0};
    line.enter(somebody, {5}, now, 1);
  };
  EXPECT_DEATH(end_too_early(), "empty\\(\\)");
}

TEST(WaitingLineDeathTest, NobodyWaitsTwice) {
  Diary diary;
  UpstreamState state;
  Somebody somebody{diary, 0};
  WaitingLine line{state, 0};
  line.enter(somebody, {5}, now, 2);
  EXPECT_DEATH(line.enter(somebody, {5}, now, 2), "in_line");
  somebody.leave_line();
  EXPECT_DEATH(line.enter(somebody, {.priority = priority_max + 1}, now, 2), "priority");
}

// --- which worker's turn it is --------------------------------------------------------------------------------------

// --- beside a model -------------------------------------------------------------------------------------------------

// Lines as lists of who is in them, sorted anew at every look.
struct Model {
  struct Place {
    int number;
    Priority priority;
    int64_t since;
  };
  std::array<std::vector<Place>, 2> lines;

  std::vector<Place> in_order(size_t worker) const {
    std::vector<Place> all = lines[worker];
    std::stable_sort(all.begin(), all.end(), [](const Place& a, const Place& b) { return a.priority > b.priority; });
    return all;
  }
  void remove(int number) {
    for (auto& each : lines) std::erase_if(each, [&](const Place& place) { return place.number == number; });
  }
  uint32_t size() const { return static_cast<uint32_t>(lines[0].size() + lines[1].size()); }

  // Who has to go if somebody of that priority is to come in; -1: nobody.
  int loser(size_t worker, Priority priority) const {
    const std::vector<Place> all = in_order(worker);
    return all.empty() || all.back().priority >= priority ? -1 : all.back().number;
  }
};

TEST(WaitingLine, DoesWhatAModelDoes) {
  constexpr int people = 24;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Diary diary;
    Diary expected;
    UpstreamState state{2};
    std::array<WaitingLine, 2> lines{{{state, 0}, {state, 1}}};
    std::deque<Somebody> all;
    for (int i = 0; i < people; ++i) all.emplace_back(diary, i);
    int places = 0;
    for (Somebody& each : all) each.try_it = [&] { return places-- > 0; };
    Model model;
    std::array<uint64_t, 2> queued{};
    std::array<uint64_t, 2> displaced{};
    uint32_t size = 10;

    for (int64_t step = 1; step <= 4000; ++step) {
      const size_t worker = random.below(2);
      const int number = static_cast<int>(random.below(people));
      Somebody& one = all[static_cast<size_t>(number)];
      switch (random.below(8)) {
        case 0: size = static_cast<uint32_t>(random.below(14)); break;
        case 1: {
          one.leave_line();
          model.remove(number);
          break;
        }
        case 2: {
          const int free = static_cast<int>(random.below(4));
          places = free;
          lines[worker].try_all();
          const auto order = model.in_order(worker);
          for (size_t i = 0; i < order.size() && i <= static_cast<size_t>(free); ++i) {
            expected.tried.push_back(order[i].number);
            if (i < static_cast<size_t>(free)) model.remove(order[i].number);
          }
          break;
        }
        default: {
          if (one.in_line()) break;
          const auto priority = static_cast<Priority>(random.below(priority_max + 1));
          const int loser = model.loser(worker, priority);
          const bool fits = model.size() < size;
          ASSERT_EQ(lines[worker].enter(one, {priority}, Instant{step * 1ms}, size), fits || loser >= 0);
          lines[worker].tell_displaced();
          if (!fits && loser < 0) break;
          if (!fits) {
            expected.displaced.push_back(loser);
            model.remove(loser);
            ++displaced[worker];
          }
          model.lines[worker].push_back({number, priority, step * 1'000'000});
          ++queued[worker];
        }
      }

      ASSERT_EQ(diary.tried, expected.tried);
      ASSERT_EQ(diary.displaced, expected.displaced);
      ASSERT_EQ(state.waiting.load(std::memory_order_relaxed), model.size());
      for (unsigned i = 0; i < 2; ++i) {
        ASSERT_EQ(lines[i].count(), model.lines[i].size());
        ASSERT_EQ(lines[i].empty(), model.lines[i].empty());
        const auto order = model.in_order(i);
        ASSERT_EQ(state.at(i).oldest_waiting.load(std::memory_order_relaxed), order.empty() ? 0 : order.front().since);
        ASSERT_EQ(state.at(i).counters.queued.read(), queued[i]);
        ASSERT_EQ(state.at(i).counters.queue_displaced.read(), displaced[i]);
        for (const auto& place : order) ASSERT_TRUE(all[static_cast<size_t>(place.number)].in_line());
      }
      diary = {};
      expected = {};
    }
    for (Somebody& each : all) each.leave_line();
    ASSERT_EQ(state.waiting.load(std::memory_order_relaxed), 0U);
  }
}

TEST(WaitingLine, WorkersTogetherNeverExceedTheBound) {
  constexpr uint32_t size = 3;
  UpstreamState state{2};
  std::atomic<uint32_t> inside{0};
  std::atomic<uint32_t> beyond{0};
  std::array<uint64_t, 2> came{};
  std::vector<std::thread> workers;
  for (unsigned worker = 0; worker < 2; ++worker) {
    workers.emplace_back([&, worker] {
      Random random(worker);
      Diary diary;
      std::deque<Somebody> people;
      for (int i = 0; i < 4; ++i) people.emplace_back(diary, i);
      WaitingLine line{state, worker};
      for (int step = 0; step < 20'000; ++step) {
        Somebody& one = people[random.below(people.size())];
        if (one.in_line()) {
          inside.fetch_sub(1, std::memory_order_relaxed);
          one.leave_line();
        } else if (line.enter(one, {5}, now + step * 1us, size)) {
          ++came[worker];
          if (inside.fetch_add(1, std::memory_order_relaxed) >= size) beyond.fetch_add(1, std::memory_order_relaxed);
        }
        (void)state.waiting_longest(worker);
      }
      inside.fetch_sub(line.count(), std::memory_order_relaxed);
      for (Somebody& each : people) each.leave_line();
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(beyond.load(), 0U);
  EXPECT_EQ(inside.load(), 0U);
  EXPECT_EQ(state.waiting.load(), 0U);
  for (unsigned worker = 0; worker < 2; ++worker) {
    EXPECT_GT(came[worker], 0U);
    EXPECT_EQ(state.at(worker).counters.queued.read(), came[worker]);
    EXPECT_EQ(state.at(worker).oldest_waiting.load(), 0);
  }
}

}  // namespace
}  // namespace weir
