#include "net/proxy/retry_budget.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RetryBudgetTest : public testing::Test {
 protected:
  static RetryPolicy policy(uint32_t percent, uint32_t per_second) {
    RetryPolicy policy;
    policy.budget_percent = percent;
    policy.budget_min = per_second;
    return policy;
  }
  void requests(const RetryPolicy& policy, int count) {
    for (int i = 0; i < count; ++i) budget_.request(policy);
  }
  // How many are to be had in one instant.
  int taken(const RetryPolicy& policy, unsigned workers = 1) {
    int count = 0;
    while (count < 100'000 && budget_.take(policy, now_, workers)) ++count;
    return count;
  }

  RetryBudget budget_;
  Instant now_{seconds{1000}};
};

TEST_F(RetryBudgetTest, AFifthOfTheRequests) {
  const RetryPolicy share = policy(20, 0);
  EXPECT_EQ(taken(share), 0);
  requests(share, 4);
  EXPECT_EQ(taken(share), 0) << "four fifths of one";
  requests(share, 1);
  EXPECT_EQ(taken(share), 1);
  requests(share, 100);
  EXPECT_NEAR(taken(share), 20, 1);
  EXPECT_EQ(taken(share), 0);
}

TEST_F(RetryBudgetTest, TheShareIsThePolicys) {
  for (const uint32_t percent : {0U, 1U, 50U, 100U}) {
    budget_ = {};
    requests(policy(percent, 0), 500);
    EXPECT_NEAR(taken(policy(percent, 0)), 5 * static_cast<int>(percent), 1) << percent;
  }
}

TEST_F(RetryBudgetTest, WhatIsSavedOfTheShareIsBounded) {
  const RetryPolicy share = policy(20, 0);
  requests(share, 1'000'000);
  EXPECT_NEAR(taken(share), 200, 1) << "of a thousand requests";
}

TEST_F(RetryBudgetTest, AMinimumPerSecondWithoutAnyRequest) {
  const RetryPolicy minimum = policy(0, 10);
  EXPECT_EQ(taken(minimum), 10) << "a second's worth from the start";
  for (int second = 0; second < 5; ++second) {
    int count = 0;
    for (int step = 0; step < 100; ++step) {
      now_ += milliseconds{10};
      count += taken(minimum);
    }
    EXPECT_NEAR(count, 10, 1);
  }
}

TEST_F(RetryBudgetTest, WhatIsSavedOfTheMinimumIsOneSecond) {
  const RetryPolicy minimum = policy(0, 10);
  taken(minimum);
  now_ += seconds{3600};
  EXPECT_EQ(taken(minimum), 10);
}

TEST_F(RetryBudgetTest, WorkersShareTheMinimum) {
  const RetryPolicy minimum = policy(0, 10);
  taken(minimum, 4);
  int count = 0;
  for (int step = 0; step < 400; ++step) {
    now_ += milliseconds{25};
    count += taken(minimum, 4);
  }
  EXPECT_NEAR(count, 25, 1) << "a quarter of ten, ten seconds long";
}

TEST_F(RetryBudgetTest, MoreWorkersThanTheMinimumStillGetOneNowAndThen) {
  const RetryPolicy minimum = policy(0, 2);
  EXPECT_EQ(taken(minimum, 64), 1);
  now_ += seconds{31};
  EXPECT_EQ(taken(minimum, 64), 0);
  now_ += seconds{2};
  EXPECT_EQ(taken(minimum, 64), 1) << "after 32 seconds";
}

TEST_F(RetryBudgetTest, TheMinimumIsUsedBeforeTheShare) {
  const RetryPolicy both = policy(20, 10);
  requests(both, 50);
  EXPECT_NEAR(taken(both), 20, 1);
  now_ += seconds{1};
  EXPECT_EQ(taken(both), 10);
}

TEST_F(RetryBudgetTest, AReloadToNothingTakesWhatWasSaved) {
  EXPECT_TRUE(budget_.take(policy(0, 10), now_, 1));
  EXPECT_EQ(taken(policy(0, 0)), 0);
  requests(policy(50, 0), 1000);
  budget_.request(policy(0, 0));
  EXPECT_EQ(taken(policy(0, 0)), 0);
}

}  // namespace
}  // namespace weir
