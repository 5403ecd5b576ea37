#include "health/peer_latency.h"

#include <gtest/gtest.h>

#include <chrono>

namespace weir {
namespace {

using std::chrono::milliseconds;

TEST(PeerLatency, IsTheMedianOfTheOthers) {
  const PeerLatency five{{milliseconds{90}, milliseconds{10}, milliseconds{30}, milliseconds{20}, milliseconds{40}}};
  EXPECT_EQ(five.median(), milliseconds{30});
  EXPECT_EQ(five.median_without(milliseconds{90}), milliseconds{25});
  EXPECT_EQ(five.median_without(milliseconds{10}), milliseconds{35});
  EXPECT_EQ(five.median_without(milliseconds{30}), milliseconds{30});
  const PeerLatency alike{{milliseconds{10}, milliseconds{10}, milliseconds{10}, milliseconds{50}}};
  EXPECT_EQ(alike.median_without(milliseconds{10}), milliseconds{10});
}

TEST(PeerLatency, NeedsThree) {
  const PeerLatency three{{milliseconds{10}, milliseconds{20}, milliseconds{30}}};
  EXPECT_EQ(three.median(), milliseconds{20});
  EXPECT_EQ(three.median_without(milliseconds{10}), std::nullopt);
  EXPECT_EQ(PeerLatency{{}}.median(), std::nullopt);
  const PeerLatency two{{milliseconds{10}, milliseconds{20}}};
  EXPECT_EQ(two.median(), std::nullopt);
}

}  // namespace
}  // namespace weir
