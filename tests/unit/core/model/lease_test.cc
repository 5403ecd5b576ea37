#include "core/model/lease.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace weir {
namespace {

uint32_t count_of(const EndpointState& state) {
  return state.connections.load(std::memory_order_relaxed);
}

TEST(Lease, CountsWhileItLives) {
  EndpointState state{1};
  {
    const Lease first{state};
    EXPECT_TRUE(static_cast<bool>(first));
    EXPECT_EQ(&first.state(), &state);
    const Lease second{state};
    EXPECT_EQ(count_of(state), 2U);
  }
  EXPECT_EQ(count_of(state), 0U);
}

TEST(Lease, OfNothingCountsNothing) {
  Lease lease;
  EXPECT_FALSE(static_cast<bool>(lease));
  lease.end();
}

TEST(Lease, EndsOnce) {
  EndpointState state{1};
  {
    Lease lease{state};
    lease.end();
    EXPECT_FALSE(static_cast<bool>(lease));
    EXPECT_EQ(count_of(state), 0U);
    lease.end();
  }
  EXPECT_EQ(count_of(state), 0U);
}

TEST(Lease, MovesWithoutChangingTheCount) {
  EndpointState state{1};
  Lease first{state};
  Lease second{std::move(first)};
  EXPECT_FALSE(static_cast<bool>(first));  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_TRUE(static_cast<bool>(second));
  EXPECT_EQ(count_of(state), 1U);
  first = std::move(second);
  EXPECT_EQ(count_of(state), 1U);
  Lease& same = first;
  first = std::move(same);
  EXPECT_TRUE(static_cast<bool>(first));
  EXPECT_EQ(count_of(state), 1U);
}

TEST(Lease, LetsGoOfWhatItHeldWhenAnotherMovesIn) {
  EndpointState refused{1};
  EndpointState next{1};
  Lease lease{refused};
  lease = Lease{next};
  EXPECT_EQ(count_of(refused), 0U);
  EXPECT_EQ(count_of(next), 1U);
  EXPECT_EQ(&lease.state(), &next);
}

TEST(Lease, KeepsTheCountTrueOverThreads) {
  EndpointState state{1};
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        Lease lease{state};
        Lease moved{std::move(lease)};
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(count_of(state), 0U);
}

TEST(Lease, WithinALimit) {
  EndpointState state{1};
  Lease first = Lease::within(state, 2);
  const Lease second = Lease::within(state, 2);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(Lease::within(state, 2));
  EXPECT_EQ(count_of(state), 2U);
  EXPECT_TRUE(Lease::within(state, 3));  // and ended at once
  first.end();
  EXPECT_TRUE(Lease::within(state, 2));
  // A limit that was lowered since.
  EXPECT_FALSE(Lease::within(state, 1));
  EXPECT_EQ(count_of(state), 1U);
}

TEST(Lease, WithoutALimit) {
  EndpointState state{1};
  std::vector<Lease> leases;
  for (int i = 0; i < 100; ++i) {
    leases.push_back(Lease::within(state, 0));
    ASSERT_TRUE(leases.back());
  }
  EXPECT_EQ(count_of(state), 100U);
}

// Workers do not wait for each other, and still nobody is one too many.
TEST(Lease, TheLimitHoldsOverThreads) {
  constexpr uint32_t limit = 3;
  EndpointState state{1};
  std::atomic<uint32_t> beyond{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        const Lease one = Lease::within(state, limit);
        const Lease other = Lease::within(state, limit);
        if (count_of(state) > limit) ++beyond;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(count_of(state), 0U);
  EXPECT_EQ(beyond.load(), 0U);
}

TEST(Lease, CountsInTheTotalOfAllEndpoints) {
  std::atomic<uint32_t> total{0};
  EndpointState one{1};
  EndpointState other{1};
  one.total = &total;
  other.total = &total;
  {
    Lease first{one};
    const Lease second = Lease::within(other, 1);
    EXPECT_FALSE(Lease::within(other, 1));
    EXPECT_EQ(total.load(), 2U);
    EXPECT_EQ(&first.state(), &one);
    EXPECT_EQ(&second.state(), &other);
    const Lease moved{std::move(first)};
    EXPECT_EQ(&moved.state(), &one);
    EXPECT_EQ(total.load(), 2U);
  }
  EXPECT_EQ(total.load(), 0U);
  EXPECT_EQ(count_of(one), 0U);
}

// `total` comes with a reload that asks for it. Those who were there before never counted in it.
TEST(Lease, OlderThanTheTotalLeavesItAlone) {
  std::atomic<uint32_t> total{0};
  EndpointState state{1};
  Lease before{state};
  state.total = &total;
  Lease after{state};
  EXPECT_EQ(total.load(), 1U);
  before.end();
  EXPECT_EQ(total.load(), 1U);
  after.end();
  EXPECT_EQ(total.load(), 0U);
  EXPECT_EQ(count_of(state), 0U);
}

// --- through the Gate -----------------------------------------------------------------------------------------------

const Instant now{std::chrono::seconds{1000}};

// Takes all the trials there are.
uint32_t trials_taken(EndpointState& state) {
  uint32_t taken = 0;
  while (state.gate.enter(now, false) == Gate::Pass::trial) ++taken;
  return taken;
}

// A Lease that is a trial of a breaker that is half open.
Lease trial_of(EndpointState& state) {
  Lease lease{state};
  EXPECT_TRUE(lease.pass_gate(now, false));
  return lease;
}

TEST(Lease, WithinWhatTheGateHasLearned) {
  struct Row {
    uint32_t configured;
    uint32_t learned;
    uint32_t granted;
  };
  for (const Row& row : std::vector<Row>{{5, 0, 5}, {5, 3, 3}, {5, 5, 5}, {5, 8, 5}, {0, 3, 3}, {0, 1, 1}}) {
    EndpointState state{1};
    state.gate.set_limit(row.learned);
    std::vector<Lease> leases;
    for (int i = 0; i < 10; ++i) {
      if (Lease lease = Lease::within(state, row.configured)) leases.push_back(std::move(lease));
    }
    EXPECT_EQ(leases.size(), row.granted) << row.configured << " " << row.learned;
    EXPECT_EQ(count_of(state), row.granted);
  }
}

TEST(Lease, ThatTheGateRefusesHasEnded) {
  std::atomic<uint32_t> total{0};
  EndpointState state{1};
  state.total = &total;
  state.gate.open();
  Lease lease{state};
  EXPECT_FALSE(lease.pass_gate(now, true));
  EXPECT_FALSE(lease);
  EXPECT_EQ(count_of(state), 0U);
  EXPECT_EQ(total.load(), 0U);
}

TEST(Lease, PassesARestIfItIsUrgent) {
  EndpointState state{1};
  state.gate.unreachable(now);
  Lease calm{state};
  EXPECT_FALSE(calm.pass_gate(now, false));
  Lease urgent{state};
  EXPECT_TRUE(urgent.pass_gate(now, true));
  EXPECT_EQ(count_of(state), 1U);
}

// In what ways a trial comes to its end, and whether it can be made again.
TEST(Lease, AnUnusedTrialIsGivenBackOnce) {
  struct Row {
    const char* what;
    std::function<void(Lease)> end;
    Gate::State state;
    uint32_t left;  // of two, of which one is taken
  };
  const std::vector<Row> rows{
      {"destroyed", [](Lease) {}, Gate::State::half_open, 2},
      {"ended", [](Lease lease) { lease.end(); }, Gate::State::half_open, 2},
      {"ended twice",
       [](Lease lease) {
         lease.end();
         lease.end();
       },
       Gate::State::half_open, 2},
      {"moved, and both destroyed", [](Lease lease) { const Lease moved{std::move(lease)}; }, Gate::State::half_open,
       2},
      {"another moved in its place",
       [](Lease lease) {
         lease = Lease{};
         EXPECT_FALSE(lease);
       },
       Gate::State::half_open, 2},
      {"moved to where another was",
       [](Lease lease) {
         EndpointState elsewhere{1};
         Lease other{elsewhere};
         other = std::move(lease);
         EXPECT_EQ(count_of(elsewhere), 0U);
       },
       Gate::State::half_open, 2},
      {"good", [](Lease lease) { lease.succeeded(); }, Gate::State::half_open, 1},
      {"good, after it was moved",
       [](Lease lease) {
         Lease moved{std::move(lease)};
         moved.succeeded();
       },
       Gate::State::half_open, 1},
      {"failed", [](Lease lease) { EXPECT_EQ(lease.failed(0), 1U); }, Gate::State::open, 0},
  };
  for (const bool counted : {false, true}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.what);
      std::atomic<uint32_t> total{0};
      EndpointState state{1};
      if (counted) state.total = &total;
      state.gate.half_open(2);
      Lease lease = trial_of(state);
      EXPECT_EQ(&lease.state(), &state) << "whatever else the lease remembers";
      EXPECT_EQ(total.load(), counted ? 1U : 0U);
      row.end(std::move(lease));
      EXPECT_EQ(state.gate.state(), row.state);
      EXPECT_EQ(trials_taken(state), row.left);
      EXPECT_EQ(count_of(state), 0U);
      EXPECT_EQ(total.load(), 0U);
    }
  }
}

TEST(Lease, TellsOfItsTrialOnce) {
  EndpointState state{1};
  state.gate.half_open(3);
  Lease lease = trial_of(state);
  lease.succeeded();
  lease.succeeded();
  EXPECT_EQ(state.gate.trials_good(), 1U);
  lease.failed(0);
  EXPECT_EQ(state.gate.state(), Gate::State::half_open) << "what follows is work as any other";
  EXPECT_EQ(trials_taken(state), 2U);
}

TEST(Lease, OfBeforeIsNoTrial) {
  EndpointState state{1};
  Lease before{state};
  EXPECT_TRUE(before.pass_gate(now, false));
  state.gate.open();
  state.gate.half_open(2);
  before.succeeded();
  EXPECT_EQ(state.gate.trials_good(), 0U);
  before.failed(1);
  EXPECT_EQ(state.gate.state(), Gate::State::half_open);
  before.end();
  EXPECT_EQ(trials_taken(state), 2U);
}

TEST(Lease, FailuresOfSeveralOpenTheGate) {
  EndpointState state{1};
  for (uint32_t i = 1; i <= 3; ++i) {
    Lease lease{state};
    ASSERT_TRUE(lease.pass_gate(now, false));
    EXPECT_EQ(lease.failed(3), i);
  }
  Lease late{state};
  EXPECT_FALSE(late.pass_gate(now, false));
}

TEST(Lease, TrialsHoldOverThreads) {
  constexpr uint32_t trials = 2;
  EndpointState state{1};
  state.gate.half_open(trials);
  std::atomic<uint32_t> beyond{0};
  std::atomic<uint32_t> inside{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        Lease lease{state};
        if (!lease.pass_gate(now, false)) continue;
        if (inside.fetch_add(1, std::memory_order_relaxed) >= trials) ++beyond;
        inside.fetch_sub(1, std::memory_order_relaxed);
        const Lease moved{std::move(lease)};
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(beyond.load(), 0U);
  EXPECT_EQ(count_of(state), 0U);
  EXPECT_EQ(trials_taken(state), trials);
}

}  // namespace
}  // namespace weir
