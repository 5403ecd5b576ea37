#include "core/base/assert.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Assert, LooksOnceAndGoesOn) {
  int looks = 0;
  WEIR_ASSERT(++looks == 1);
  WEIR_ASSERT(++looks == 2, looks);
  EXPECT_EQ(looks, 2);
}

TEST(AssertDeathTest, SaysWhatWhereAndTheValue) {
  const int left = -3;
  EXPECT_DEATH(WEIR_ASSERT(left >= 0), "weir: assertion failed: left >= 0 at .*assert_test.cc:[0-9]+");
  EXPECT_DEATH(WEIR_ASSERT(left >= 0, left), "weir: assertion failed: left >= 0 \\(value -3\\) at .*assert_test.cc");
}

}  // namespace
}  // namespace weir
