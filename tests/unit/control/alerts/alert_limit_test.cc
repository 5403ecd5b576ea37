#include "control/alerts/alert_limit.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

int taken(AlertLimit& limit, Instant now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limit.take(now) ? 1 : 0;
  return count;
}

TEST(AlertLimit, SoManyAtOnceThenEvenly) {
  AlertLimit limit{30, seconds{60}};
  const Instant start{seconds{1000}};
  EXPECT_EQ(taken(limit, start, 100), 30);
  EXPECT_EQ(taken(limit, start + milliseconds{1999}, 10), 0);
  EXPECT_EQ(taken(limit, start + seconds{2}, 10), 1);
  EXPECT_EQ(taken(limit, start + seconds{12}, 10), 5);
  // However long it was quiet.
  EXPECT_EQ(taken(limit, start + seconds{100'000}, 100), 30);
}

TEST(AlertLimit, OneEachTime) {
  AlertLimit limit{1, seconds{1}};
  const Instant start{seconds{1}};
  EXPECT_EQ(taken(limit, start, 3), 1);
  EXPECT_EQ(taken(limit, start + milliseconds{999}, 3), 0);
  EXPECT_EQ(taken(limit, start + milliseconds{1000}, 3), 1);
}

// What is asked for in vain costs nothing.
TEST(AlertLimit, HoldsOverTime) {
  AlertLimit limit{10, seconds{1}};
  const Instant start{seconds{1}};
  int count = 0;
  for (int ms = 0; ms < 100'000; ++ms) count += limit.take(start + milliseconds{ms}) ? 1 : 0;
  EXPECT_GE(count, 10 + 999);
  EXPECT_LE(count, 10 + 1000);
}

}  // namespace
}  // namespace weir
