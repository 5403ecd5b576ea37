// The plug-in to copy, tools/balancer_example: what its comments say of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "core/base/random.h"
#include "tests/unit/core/balance/plugin_fixture.h"

namespace weir {
namespace {

using testing::EndsWith;

class PluginExample : public PluginTest {
 protected:
  std::shared_ptr<const PluginLibrary> library_ = load(install(WEIR_BALANCER_EXAMPLE, "example.so"));
};

TEST_F(PluginExample, GivesEachKeyAHomeByShare) {
  const SomeEndpoints endpoints{1, 2, 0, 1};
  Picking picking("plugin", endpoints, 1, options_of(library_));
  Random keys(1);
  std::vector<uint32_t> counts(4, 0);
  const uint32_t picks = 40'000;
  for (uint32_t i = 0; i < picks; ++i) {
    const uint64_t key = keys.next();
    const uint32_t index = picking.pick(key);
    EXPECT_EQ(picking.pick(key), index);
    ++counts.at(index);
  }
  const double parts[] = {0.25, 0.5, 0, 0.25};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(counts[i], picks * parts[i], picks * 0.015);
  EXPECT_EQ(library_->misbehaved(), 0U);
}

TEST_F(PluginExample, LeavesAHomeThatIsBusyOrSlow) {
  const Instant now{std::chrono::seconds{100}};
  for (const bool slow : {false, true}) {
    SomeEndpoints endpoints{1, 1, 1, 1};
    Picking picking("plugin", endpoints, 1, options_of(library_, "loyalty=3"));
    const uint64_t key = 5;
    const uint32_t home = picking.pick(key);
    const auto picks_at_home = [&](uint32_t connections, int milliseconds) {
      for (uint32_t i = 0; i < 4; ++i) {
        endpoints.state(i).connections = i == home ? connections : 9;
        endpoints.state(i).at(0).latency.add(std::chrono::milliseconds{i == home ? milliseconds : 1}, now,
                                             std::chrono::seconds{10});
      }
      const auto state = picking.picker().make_state(1, nullptr);
      const TriedEndpoints none;
      int at_home = 0;
      for (int i = 0; i < 1'000; ++i) {
        at_home += picking.picker().pick(
                       *state, {.candidates = endpoints.candidates(), .tried = none, .key = key, .now = now}) == home;
      }
      return at_home;
    };
    EXPECT_EQ(picks_at_home(slow ? 9 : 20, slow ? 2 : 1), 1'000) << "twice as long is not worth it";
    // It is compared with itself in one draw of four.
    EXPECT_NEAR(picks_at_home(slow ? 9 : 99, slow ? 10 : 1), 250, 50);
  }
}

TEST_F(PluginExample, SpreadsWhatAnUnusableEndpointLeaves) {
  const SomeEndpoints endpoints{1, 1, 1, 1, 1};
  Picking picking("plugin", endpoints, 1, options_of(library_));
  Random keys(2);
  std::vector<uint32_t> counts(5, 0);
  const uint32_t picks = 20'000;
  for (uint32_t i = 0; i < picks; ++i) {
    const uint64_t key = keys.next();
    uint32_t index = picking.pick(key);
    if (index == 2) index = picking.pick(endpoints.tried({2}), key);
    ++counts.at(index);
  }
  EXPECT_EQ(counts[2], 0U);
  for (const uint32_t i : {0U, 1U, 3U, 4U}) EXPECT_NEAR(counts[i], picks / 4.0, picks * 0.015);
}

TEST_F(PluginExample, FindsTheLastOneThatIsLeft) {
  std::vector<uint32_t> weights(6, 1);
  weights[0] = 50'000;
  const SomeEndpoints endpoints(weights);
  Picking picking("plugin", endpoints, 1, options_of(library_));
  for (uint64_t key = 0; key < 200; ++key) {
    EXPECT_EQ(picking.pick(endpoints.tried({0, 1, 2, 4, 5}), key), 3U);
    EXPECT_EQ(picking.pick(endpoints.tried({0, 1, 2, 3, 4, 5}), key), no_endpoint);
  }
  EXPECT_EQ(library_->misbehaved(), 0U);
}

// One balancer, and a state for each worker.
TEST_F(PluginExample, WorkersPickAtTheSameTime) {
  const SomeEndpoints endpoints{1, 2, 1};
  const auto picker = make_plugin(endpoints.members(), options_of(library_));
  std::array<std::vector<uint32_t>, 3> counts;
  std::vector<std::thread> workers;
  for (size_t worker = 0; worker < counts.size(); ++worker) {
    workers.emplace_back([&, worker] {
      counts[worker].resize(3);
      const auto state = picker->make_state(worker, nullptr);
      const TriedEndpoints none;
      Random keys(worker);
      for (int i = 0; i < 10'000; ++i) {
        ++counts[worker].at(
            picker->pick(*state, {.candidates = endpoints.candidates(), .tried = none, .key = keys.next()}));
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (const auto& each : counts) EXPECT_NEAR(each[1], 5'000, 300);
  EXPECT_EQ(library_->misbehaved(), 0U);
}

TEST_F(PluginExample, RefusesOptionsThatItDoesNotKnow) {
  const SomeEndpoints endpoints{1, 1};
  for (const char* options : {"loyalty=0", "loyalty=1001", "loyalty=2x", "loyalty", "x"}) {
    EXPECT_THAT(refusal_of(options_of(library_, options), endpoints),
                EndsWith("(home_or_better): options are '" + std::string{options} +
                         "', but should be loyalty=N with N from 1 to 1000"));
  }
  EXPECT_NE(make_plugin(endpoints.members(), options_of(library_, "loyalty=1000")), nullptr);
}

}  // namespace
}  // namespace weir
