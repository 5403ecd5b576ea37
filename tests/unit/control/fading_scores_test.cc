#include "control/fading_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "tests/unit/control/steering_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

class FadingScoresTest : public SteeringTest {
 protected:
  void SetUp() override {
    SteeringTest::SetUp();
    publish(config_of(upstream_of(2)));
  }
};

TEST_F(FadingScoresTest, GrowBackInAStraightLine) {
  watches->set_health(endpoint("a"), 0.5, seconds{10});
  EXPECT_EQ(share(0), 500U);
  for (const double passed : {0.2, 0.4, 0.6, 0.8}) {
    pass(seconds{2});
    EXPECT_NEAR(share(0), 500 + 500 * passed, 26) << passed;
  }
  log_lines();
  pass(seconds{3});
  EXPECT_EQ(standing("a").health, 1.0);
  EXPECT_EQ(share(0), 1000U);
  EXPECT_EQ(share(1), 1000U);
  EXPECT_THAT(log_lines(), ElementsAre("balance: a health score has faded endpoint=app/a"));
  EXPECT_EQ(wheel.size(), 0U);
}

TEST_F(FadingScoresTest, WithoutALengthTheyStay) {
  watches->set_health(endpoint("a"), 0.5, std::nullopt);
  pass(seconds{5});
  EXPECT_EQ(share(0), 500U);
}

TEST_F(FadingScoresTest, WhatIsSaidLastHolds) {
  watches->set_health(endpoint("a"), 0.5, seconds{2});
  watches->set_health(endpoint("a"), 0.25, std::nullopt);
  pass(seconds{5});
  EXPECT_EQ(share(0), 250U);
  watches->set_health(endpoint("a"), 0, seconds{2});
  EXPECT_EQ(share(0), 0U);
  pass(seconds{3});
  EXPECT_EQ(share(0), 1000U);
}

TEST_F(FadingScoresTest, GoWithTheirEndpointAndThroughReloads) {
  watches->set_health(endpoint("a"), 0.5, seconds{2});
  watches->set_health(endpoint("b"), 0.5, seconds{2});
  config::UpstreamConfig upstream = upstream_of(2);
  upstream.endpoints.erase(upstream.endpoints.begin());
  pass(seconds{1});
  publish(config_of(upstream));
  EXPECT_NEAR(share(0), 750, 30);
  pass(seconds{2});
  EXPECT_EQ(share(0), 1000U);
  EXPECT_EQ(wheel.size(), 0U);
}

TEST_F(FadingScoresTest, AreQuickWhereTheTimeIsShort) {
  watches->set_health(endpoint("a"), 0.5, milliseconds{1});
  pass(FadingScores::step_min + milliseconds{25});
  EXPECT_EQ(share(0), 1000U);
}

}  // namespace
}  // namespace weir
