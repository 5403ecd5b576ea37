// Every edge of the Gate's picture; resting; and threads that all want the same thing at once.
#include "core/model/gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using namespace std::chrono_literals;
using State = Gate::State;
using Pass = Gate::Pass;

const Instant now{1000s};

// Takes all the trials there are.
uint32_t trials_taken(Gate& gate, uint32_t at_most = 2000) {
  uint32_t taken = 0;
  while (taken < at_most && gate.enter(now, false) == Pass::trial) ++taken;
  return taken;
}

// How a Gate may stand at `now`.
enum class Start { fresh, failing, resting, rested, open, half_open, spent };
constexpr std::array all_starts{Start::fresh, Start::failing,   Start::resting, Start::rested,
                                Start::open,  Start::half_open, Start::spent};

void bring_to(Gate& gate, Start start) {
  switch (start) {
    case Start::fresh: return;
    case Start::failing: gate.failed(false, 0); return;
    case Start::resting: gate.unreachable(now - 100ms); return;
    case Start::rested: gate.unreachable(now - 10s); return;
    case Start::open: gate.open(); return;
    case Start::half_open: gate.half_open(2); return;
    case Start::spent:
      gate.half_open(2);
      gate.enter(now, false);
      gate.enter(now, false);
      return;
  }
}

struct Edge {
  const char* what;
  Start from;
  std::function<void(Gate&)> event;
  // Afterwards.
  State state;
  uint32_t in_row = 0;
  bool rests = false;
  uint32_t good = 0;
  uint32_t left = 0;  // trials
};

TEST(Gate, EveryEdge) {
  const auto ask = [](Gate& gate) { gate.enter(now, false); };
  const auto ask_urgently = [](Gate& gate) { gate.enter(now, true); };
  const auto good = [](Gate& gate) { gate.succeeded(false); };
  const auto good_trial = [](Gate& gate) { gate.succeeded(true); };
  const auto bad = [](Gate& gate) { gate.failed(false, 0); };
  const auto bad_of_one = [](Gate& gate) { gate.failed(false, 1); };
  const auto bad_of_two = [](Gate& gate) { gate.failed(false, 2); };
  const auto bad_trial = [](Gate& gate) { gate.failed(true, 0); };
  const auto no_trial = [](Gate& gate) { gate.gave_up_trial(); };
  const auto silent = [](Gate& gate) { gate.unreachable(now); };
  const auto open = [](Gate& gate) { gate.open(); };
  const auto half_open = [](Gate& gate) { gate.half_open(5); };
  const auto close = [](Gate& gate) { gate.close(); };
  const auto wake = [](Gate& gate) { gate.wake(); };

  const std::vector<Edge> edges{
      {"nothing in the way: asked", Start::fresh, ask, State::closed},
      {"nothing in the way: asked urgently", Start::fresh, ask_urgently, State::closed},
      {"nothing in the way: good", Start::fresh, good, State::closed},
      {"nothing in the way: a trial of before was good", Start::fresh, good_trial, State::closed},
      {"nothing in the way: failures do not matter", Start::fresh, bad, State::closed, 1},
      {"nothing in the way: the one failure it takes", Start::fresh, bad_of_one, State::open, 1},
      {"nothing in the way: the first of two", Start::fresh, bad_of_two, State::closed, 1},
      {"nothing in the way: a trial of before failed", Start::fresh, bad_trial, State::closed, 1},
      {"nothing in the way: a trial of before is given up", Start::fresh, no_trial, State::closed},
      {"nothing in the way: unreachable", Start::fresh, silent, State::closed, 0, true},
      {"nothing in the way: open", Start::fresh, open, State::open},
      {"nothing in the way: half-open", Start::fresh, half_open, State::half_open, 0, false, 0, 5},
      {"nothing in the way: close", Start::fresh, close, State::closed},
      {"nothing in the way: wake", Start::fresh, wake, State::closed},

      {"failing: good", Start::failing, good, State::closed},
      {"failing: the second of two", Start::failing, bad_of_two, State::open, 2},
      {"failing: a limit that was lowered since", Start::failing, bad_of_one, State::open, 2},
      {"failing: opened by control", Start::failing, open, State::open, 1},
      {"failing: half-open begins anew", Start::failing, half_open, State::half_open, 0, false, 0, 5},
      {"failing: close begins anew", Start::failing, close, State::closed},
      {"failing: being woken is no success", Start::failing, wake, State::closed, 1},

      {"resting: asked", Start::resting, ask, State::closed, 0, true},
      {"resting: asked urgently", Start::resting, ask_urgently, State::closed, 0, true},
      {"resting: good", Start::resting, good, State::closed},
      {"resting: failed", Start::resting, bad, State::closed, 1, true},
      {"resting: failed once too often", Start::resting, bad_of_one, State::open, 1},
      {"resting: a trial of before is given up", Start::resting, no_trial, State::closed, 0, true},
      {"resting: unreachable", Start::resting, silent, State::closed, 0, true},
      {"resting: open", Start::resting, open, State::open},
      {"resting: half-open", Start::resting, half_open, State::half_open, 0, false, 0, 5},
      {"resting: close", Start::resting, close, State::closed},
      {"resting: wake", Start::resting, wake, State::closed},

      {"rested: the others wait for the one who asks", Start::rested, ask, State::closed, 0, true},
      {"rested: the same, urgently", Start::rested, ask_urgently, State::closed, 0, true},
      {"rested: good", Start::rested, good, State::closed},
      {"rested: unreachable again", Start::rested, silent, State::closed, 0, true},
      {"rested: failed once too often", Start::rested, bad_of_one, State::open, 1},
      {"rested: wake", Start::rested, wake, State::closed},

      {"open: asked", Start::open, ask, State::open},
      {"open: asked urgently", Start::open, ask_urgently, State::open},
      {"open: good", Start::open, good, State::open},
      {"open: a trial was good", Start::open, good_trial, State::open},
      {"open: failed", Start::open, bad_of_one, State::open, 1},
      {"open: another trial failed", Start::open, bad_trial, State::open, 1},
      {"open: a trial is given up", Start::open, no_trial, State::open},
      {"open: unreachable", Start::open, silent, State::open},
      {"open: open", Start::open, open, State::open},
      {"open: half-open", Start::open, half_open, State::half_open, 0, false, 0, 5},
      {"open: close", Start::open, close, State::closed},
      {"open: wake", Start::open, wake, State::open},

      {"half-open: asked", Start::half_open, ask, State::half_open, 0, false, 0, 1},
      {"half-open: asked urgently", Start::half_open, ask_urgently, State::half_open, 0, false, 0, 1},
      {"half-open: one of before was good", Start::half_open, good, State::half_open, 0, false, 0, 2},
      {"half-open: one of before failed", Start::half_open, bad_of_one, State::half_open, 1, false, 0, 2},
      {"half-open: unreachable, no trial", Start::half_open, silent, State::half_open, 0, false, 0, 2},
      {"half-open: open", Start::half_open, open, State::open},
      {"half-open: half-open", Start::half_open, half_open, State::half_open, 0, false, 0, 5},
      {"half-open: close", Start::half_open, close, State::closed},
      {"half-open: wake", Start::half_open, wake, State::half_open, 0, false, 0, 2},

      {"all trials out: asked", Start::spent, ask, State::half_open},
      {"all trials out: asked urgently", Start::spent, ask_urgently, State::half_open},
      {"all trials out: one was good", Start::spent, good_trial, State::half_open, 0, false, 1, 0},
      {"all trials out: one failed", Start::spent, bad_trial, State::open, 1},
      {"all trials out: one is given up", Start::spent, no_trial, State::half_open, 0, false, 0, 1},
      {"all trials out: one of before was good", Start::spent, good, State::half_open},
      {"all trials out: one of before failed", Start::spent, bad_of_one, State::half_open, 1},
      {"all trials out: half-open again", Start::spent, half_open, State::half_open, 0, false, 0, 5},
      {"all trials out: close", Start::spent, close, State::closed},
  };
  for (const Edge& edge : edges) {
    SCOPED_TRACE(edge.what);
    Gate gate;
    bring_to(gate, edge.from);
    edge.event(gate);
    EXPECT_EQ(gate.state(), edge.state);
    EXPECT_EQ(gate.failures_in_row(), edge.in_row);
    EXPECT_EQ(gate.rests(now), edge.rests);
    EXPECT_EQ(gate.trials_good(), edge.good);
    EXPECT_EQ(trials_taken(gate), edge.left);
  }
}

TEST(Gate, WhoIsLetThrough) {
  struct Row {
    Start from;
    Pass usually;
    Pass urgently;
  };
  const std::vector<Row> rows{
      {Start::fresh, Pass::usual, Pass::usual},     {Start::failing, Pass::usual, Pass::usual},
      {Start::resting, Pass::refused, Pass::usual}, {Start::rested, Pass::usual, Pass::usual},
      {Start::open, Pass::refused, Pass::refused},  {Start::half_open, Pass::trial, Pass::trial},
      {Start::spent, Pass::refused, Pass::refused},
  };
  ASSERT_EQ(rows.size(), all_starts.size());
  for (const Row& row : rows) {
    for (const bool urgent : {false, true}) {
      Gate gate;
      bring_to(gate, row.from);
      const Pass expected = urgent ? row.urgently : row.usually;
      EXPECT_EQ(gate.admits(now, urgent), expected != Pass::refused) << static_cast<int>(row.from) << urgent;
      EXPECT_EQ(gate.enter(now, urgent), expected) << static_cast<int>(row.from) << urgent;
    }
  }
}

TEST(Gate, AskingWhetherItAdmitsTakesNothing) {
  Gate gate;
  gate.half_open(1);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(gate.admits(now, false));
  EXPECT_EQ(trials_taken(gate), 1U);
  EXPECT_FALSE(gate.admits(now, false));
}

TEST(Gate, OnlyFailuresWithoutASuccessBetweenAreInARow) {
  Gate gate;
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(gate.failed(false, 3), 1U);
    EXPECT_EQ(gate.failed(false, 3), 2U);
    gate.succeeded(false);
    EXPECT_EQ(gate.state(), State::closed);
  }
  for (uint32_t i = 1; i <= 3; ++i) EXPECT_EQ(gate.failed(false, 3), i);
  EXPECT_EQ(gate.state(), State::open);
  EXPECT_EQ(gate.failed(false, 3), 4U) << "those who were under way are counted on";
}

TEST(Gate, ARoundOfABreaker) {
  Gate gate;
  gate.failed(false, 1);
  ASSERT_EQ(gate.state(), State::open);
  gate.half_open(3);
  EXPECT_EQ(trials_taken(gate), 3U);
  gate.succeeded(true);
  gate.succeeded(true);
  EXPECT_EQ(gate.trials_good(), 2U);
  gate.failed(true, 100);
  EXPECT_EQ(gate.state(), State::open) << "one is enough, however many in a row it takes otherwise";
  EXPECT_EQ(gate.trials_good(), 0U);
  gate.half_open(3);
  EXPECT_EQ(trials_taken(gate), 3U) << "a new period, with as many";
  for (uint32_t i = 1; i <= 3; ++i) {
    gate.succeeded(true);
    EXPECT_EQ(gate.trials_good(), i);
    EXPECT_EQ(gate.state(), State::half_open) << "closing is for control";
  }
  gate.close();
  EXPECT_EQ(gate.enter(now, false), Pass::usual);
  EXPECT_EQ(gate.failed(false, 2), 1U) << "the row begins anew";
  EXPECT_EQ(gate.state(), State::closed);
}

TEST(Gate, ManyTrials) {
  for (const uint32_t trials : {0U, 1U, 7U, 512U, Gate::trials_max, Gate::trials_max + 1, ~0U}) {
    Gate gate;
    gate.half_open(trials);
    const uint32_t given = std::min(trials, Gate::trials_max);
    EXPECT_EQ(trials_taken(gate), given);
    for (uint32_t i = 0; i < given; ++i) gate.succeeded(true);
    EXPECT_EQ(gate.trials_good(), given);
    EXPECT_EQ(trials_taken(gate), 0U);
  }
}

TEST(Gate, TheLearnedLimitIsKeptWhateverHappens) {
  Gate gate;
  EXPECT_EQ(gate.limit(), 0U);
  gate.set_limit(17);
  gate.open();
  gate.half_open(1);
  gate.close();
  gate.unreachable(now);
  gate.wake();
  EXPECT_EQ(gate.limit(), 17U);
  gate.set_limit(0);
  EXPECT_EQ(gate.limit(), 0U);
}

// --- resting --------------------------------------------------------------------------------------------------------

TEST(GateRest, TheFirstIsHalfASecond) {
  Gate gate;
  gate.unreachable(now);
  EXPECT_TRUE(gate.rests(now));
  EXPECT_TRUE(gate.rests(now + 499ms));
  EXPECT_FALSE(gate.admits(now + 499ms, false));
  EXPECT_EQ(gate.enter(now + 499ms, false), Pass::refused);
  EXPECT_FALSE(gate.rests(now + 500ms));
  EXPECT_TRUE(gate.admits(now + 500ms, false));
  EXPECT_EQ(gate.enter(now + 500ms, false), Pass::usual);
}

TEST(GateRest, ThoseWhoWereUnderWayDoNotMakeItLonger) {
  Gate gate;
  for (int i = 0; i < 50; ++i) gate.unreachable(now + i * 9ms);
  EXPECT_FALSE(gate.rests(now + 500ms));
}

// One is let through at the end of each rest, and finds it still silent.
TEST(GateRest, IsDoubledUpToFourSeconds) {
  Gate gate;
  Instant at = now;
  gate.unreachable(at);
  at += 500ms;
  for (const Duration rest : std::vector<Duration>{1s, 2s, 4s, 4s, 4s}) {
    EXPECT_EQ(gate.enter(at - 1ms, false), Pass::refused);
    EXPECT_EQ(gate.enter(at, false), Pass::usual);
    EXPECT_EQ(gate.enter(at, false), Pass::refused) << "the others wait for what it finds";
    gate.failed(false, 0);
    gate.unreachable(at + 1ms);
    EXPECT_TRUE(gate.rests(at + rest - 1ms));
    EXPECT_FALSE(gate.rests(at + rest));
    at += rest;
  }
}

// A refused connect is over at once, a silent one when the rest that began with it is over as well.
TEST(GateRest, OfASilentOneBeginsWhenItIsGivenUp) {
  Gate gate;
  gate.unreachable(now);
  ASSERT_EQ(gate.enter(now + 500ms, false), Pass::usual);
  gate.unreachable(now + 5s);
  EXPECT_TRUE(gate.rests(now + 5s));
  EXPECT_TRUE(gate.rests(now + 6s));
  EXPECT_FALSE(gate.rests(now + 5s + 4s));
}

TEST(GateRest, ASuccessEndsIt) {
  Gate gate;
  Instant at = now;
  gate.unreachable(at);
  for (int i = 0; i < 3; ++i) {
    at += 10s;
    gate.enter(at, false);
  }
  ASSERT_TRUE(gate.rests(at));
  gate.succeeded(false);
  EXPECT_FALSE(gate.rests(at));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(gate.enter(at, false), Pass::usual) << "everybody, not one";
  gate.unreachable(at);
  EXPECT_TRUE(gate.rests(at + 499ms));
  EXPECT_FALSE(gate.rests(at + 500ms)) << "it begins with the shortest";
}

TEST(GateRest, TheUrgentIgnoreItAndLeaveItAsItIs) {
  Gate gate;
  gate.unreachable(now);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(gate.admits(now + i * 20ms, true));
    EXPECT_EQ(gate.enter(now + i * 20ms, true), Pass::usual);
    gate.unreachable(now + i * 20ms + 1ms);
  }
  EXPECT_FALSE(gate.admits(now + 499ms, false));
  EXPECT_TRUE(gate.admits(now + 500ms, false));
}

// Instants are nanoseconds since the machine was started: from its first one on, and after years.
TEST(GateRest, AtAnyTime) {
  for (const Instant at : {Instant{}, Instant{1ms}, Instant{24h * 365 * 100}}) {
    Gate gate;
    gate.unreachable(at);
    EXPECT_TRUE(gate.rests(at + 499ms));
    EXPECT_FALSE(gate.rests(at + 500ms));
    EXPECT_EQ(gate.state(), State::closed);
  }
}

// --- threads --------------------------------------------------------------------------------------------------------

constexpr int crowd = 4;

// Runs it on so many threads; each is told its number.
void on_threads(const std::function<void(int)>& work, int count = crowd) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

TEST(GateThreads, NeverMoreThanSoManyTrialsInAPeriod) {
  constexpr uint32_t trials = 3;
  for (int round = 0; round < 5; ++round) {
    Gate gate;
    gate.half_open(trials);
    std::atomic<uint32_t> out{0};  // taken, and not given up
    std::atomic<uint32_t> too_many{0};
    std::atomic<uint32_t> good{0};
    on_threads([&](int thread) {
      Random random(static_cast<uint64_t>(round * crowd + thread));
      for (int i = 0; i < 50'000; ++i) {
        if (gate.enter(now, i % 2 == 0) != Pass::trial) continue;
        if (out.fetch_add(1, std::memory_order_relaxed) >= trials) too_many.fetch_add(1, std::memory_order_relaxed);
        if (random.below(20'000) == 0) {
          gate.succeeded(true);
          good.fetch_add(1, std::memory_order_relaxed);
        } else {
          out.fetch_sub(1, std::memory_order_relaxed);
          gate.gave_up_trial();
        }
      }
    });
    EXPECT_EQ(too_many.load(), 0U);
    EXPECT_EQ(gate.trials_good(), good.load());
    EXPECT_EQ(trials_taken(gate), trials - good.load()) << "every one that was given up has come back";
  }
}

TEST(GateThreads, OneFailedTrialOpensItWhateverTheOthersFind) {
  for (int round = 0; round < 300; ++round) {
    Gate gate;
    gate.half_open(crowd);
    on_threads([&](int thread) {
      if (gate.enter(now, false) != Pass::trial) return;
      if (thread == round % crowd) {
        gate.failed(true, 5);
      } else if (thread % 2 == 0) {
        gate.succeeded(true);
      } else {
        gate.gave_up_trial();
      }
    });
    EXPECT_EQ(gate.state(), State::open);
    EXPECT_FALSE(gate.admits(now, true));
  }
}

TEST(GateThreads, FailuresInARowAreCountedOverAllOfThem) {
  constexpr uint32_t each = 500;
  Gate gate;
  std::array<std::vector<uint32_t>, crowd> told;
  on_threads([&](int thread) {
    for (uint32_t i = 0; i < each; ++i)
      told[static_cast<size_t>(thread)].push_back(gate.failed(false, crowd * each + 1));
  });
  std::set<uint32_t> all;
  for (const auto& some : told) all.insert(some.begin(), some.end());
  EXPECT_EQ(all.size(), crowd * each) << "nobody is told what another one is";
  EXPECT_EQ(*all.rbegin(), crowd * each);
  EXPECT_EQ(gate.state(), State::closed) << "one is missing";
  EXPECT_EQ(gate.failed(false, crowd * each + 1), crowd * each + 1);
  EXPECT_EQ(gate.state(), State::open);
}

// Workers read the same clock. They wait for each other busily, so that they come at the same moment.
TEST(GateThreads, OneIsLetThroughWhenARestIsOver) {
  constexpr int rounds = 10'000;
  constexpr int racing = 2;
  Gate gate;
  gate.unreachable(now);
  std::atomic<int> arrived{0};
  std::vector<std::atomic<int>> through(rounds);
  on_threads(
      [&](int) {
        for (int round = 0; round < rounds; ++round) {
          arrived.fetch_add(1, std::memory_order_relaxed);
          for (int looks = 1; arrived.load(std::memory_order_relaxed) < racing * (round + 1); ++looks) {
            if (looks % 100 == 0) std::this_thread::yield();
          }
          const Instant at = now + 5s * (round + 1);
          if (gate.enter(at, false) != Pass::refused) through[static_cast<size_t>(round)].fetch_add(1);
        }
      },
      racing);
  EXPECT_EQ(std::count_if(through.begin(), through.end(), [](const auto& each) { return each.load() == 1; }), rounds);
}

// Control changes what it likes while workers go in and out: nothing is left in the word that does not belong there.
TEST(GateThreads, ControlAndWorkersAtOnce) {
  Gate gate;
  std::atomic<int> working{crowd};
  std::thread control{[&] {
    for (uint32_t i = 0; working.load(std::memory_order_relaxed) > 0; ++i) {
      switch (i % 4) {
        case 0: gate.open(); break;
        case 1: gate.half_open(3); break;
        case 2: gate.close(); break;
        default: gate.wake(); break;
      }
    }
  }};
  on_threads([&](int thread) {
    Random random(static_cast<uint64_t>(thread));
    for (int i = 0; i < 20'000; ++i) {
      const Pass pass = gate.enter(now + i * 1ms, random.below(2) == 0);
      if (pass == Pass::refused) continue;
      const bool trial = pass == Pass::trial;
      switch (random.below(3)) {
        case 0: gate.succeeded(trial); break;
        case 1:
          gate.failed(trial, 5);
          gate.unreachable(now + i * 1ms);
          break;
        default:
          if (trial) gate.gave_up_trial();
      }
    }
    working.fetch_sub(1, std::memory_order_relaxed);
  });
  control.join();
  gate.half_open(3);
  EXPECT_EQ(trials_taken(gate), 3U);
  gate.close();
  EXPECT_EQ(gate.failures_in_row(), 0U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(gate.enter(now, false), Pass::usual);
}

}  // namespace
}  // namespace weir
