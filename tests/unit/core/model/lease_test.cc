#include "core/model/lease.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace weir
