#include "control/adaptive_watches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "core/balance/adaptive.h"
#include "tests/unit/control/steering_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AdaptiveWatchesTest : public SteeringTest {
 protected:
  static config::Config adapting() {
    config::UpstreamConfig upstream = upstream_of(2);
    upstream.balance = "adaptive";
    upstream.adaptive = {.window = milliseconds{100}, .windows = 2, .margin = 10, .requests = 50};
    return config_of(std::move(upstream));
  }
  // What workers would guess in a window: least_time twice as good as the others.
  void guess(uint32_t requests = 100) {
    ShadowScores& scores = upstream().state->shadows[0];
    for (size_t i = 0; i < shadow_count; ++i) {
      for (uint32_t n = 0; n < requests; ++n) {
        scores.predicted[i].add(adaptive_algorithms[i] == "least_time" ? 1'000'000 : 2'000'000);
      }
    }
  }
  void window() {
    guess();
    pass(milliseconds{100});
  }
};

TEST_F(AdaptiveWatchesTest, FollowsTheEvidenceAndSaysWhy) {
  publish(adapting());
  const AdaptiveWatch* watch = watches->adaptive().find(upstream().id);
  ASSERT_NE(watch, nullptr);
  EXPECT_EQ(watch->name(), "app");
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "round_robin");
  window();
  EXPECT_EQ(published_count, 0);
  window();
  EXPECT_EQ(published_count, 1);
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "least_time");
  EXPECT_EQ(watch->judge().switches(), 1U);
  EXPECT_THAT(log_lines(), ElementsAre(HasSubstr("balance: adaptive balancing changes its algorithm upstream=app "
                                                 "from=round_robin to=least_time why=\"least_time: predicted p99")));
}

TEST_F(AdaptiveWatchesTest, AReloadKeepsWhatWasLearned) {
  const config::Config config = adapting();
  publish(config);
  window();
  publish(config);
  window();
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "least_time") << "two windows in a row";
  publish(config);
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "least_time");
  // Other rules begin to count anew, from the algorithm that decides.
  config::Config other = config;
  other.upstreams[0].adaptive.windows = 3;
  publish(other);
  EXPECT_EQ(upstream().picker_options.adaptive_choice, "least_time");
  EXPECT_EQ(watches->adaptive().find(upstream().id)->judge().switches(), 0U);
}

TEST_F(AdaptiveWatchesTest, IsOverWithTheAlgorithm) {
  publish(adapting());
  const UpstreamId id = upstream().id;
  EXPECT_EQ(wheel.size(), 1U);
  publish(config_of(upstream_of(2)));
  EXPECT_EQ(watches->adaptive().find(id), nullptr);
  EXPECT_EQ(wheel.size(), 0U);
}

}  // namespace
}  // namespace weir
