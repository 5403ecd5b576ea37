#include "core/base/clock.h"

#include <gtest/gtest.h>
#include <time.h>

namespace weir {
namespace {

Instant monotonic() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return Instant{std::chrono::seconds{ts.tv_sec} + std::chrono::nanoseconds{ts.tv_nsec}};
}

TEST(Clock, IsTheKernelsMonotonicOneToTheNanosecond) {
  const SystemClock clock;
  for (int round = 0; round < 1000; ++round) {
    const Instant before = monotonic();
    const Instant now = clock.now();
    const Instant after = monotonic();
    ASSERT_LE(before, now);
    ASSERT_LE(now, after);
  }
}

}  // namespace
}  // namespace weir
