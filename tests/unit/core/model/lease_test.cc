#include "core/model/lease.h"

#include <gtest/gtest.h>

#include <atomic>
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

}  // namespace
}  // namespace weir
