// What a plug-in sees, what it remembers, and what it may not do to us.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/balance/plugin_trial.h"
#include "tests/plugins/witness.h"
#include "tests/unit/core/balance/plugin_fixture.h"

namespace weir {
namespace {

using testing::EndsWith;

// --- what it sees ---------------------------------------------------------------------------------------------------

TEST_F(PluginTest, SeesItsMembers) {
  const std::string path = install_module("witness");
  std::vector<Endpoint> endpoints(3);
  endpoints[0].name = "a";
  endpoints[0].zone = ZoneId{7};
  endpoints[0].metadata = {{"rack", "1"}, {"ssd", "yes"}};
  endpoints[1].name = "b";
  endpoints[2].name = "c";
  endpoints[2].zone = ZoneId{0};
  endpoints[2].metadata = {{"rack", "2"}};
  const std::vector<uint32_t> shares{100, 0, 250};
  const auto picker = make_plugin({endpoints, shares}, options_of(load(path), "some text: of any kind"));
  const witness_record& record = record_of(path);
  EXPECT_STREQ(record.options, "some text: of any kind");
  ASSERT_EQ(record.member_count, 3U);
  const char* const names[] = {"a", "b", "c"};
  const char* const labels[] = {"rack=1;ssd=yes;", "", "rack=2;"};
  const uint32_t zones[] = {7, WEIR_NO_ZONE, 0};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_STREQ(record.names[i], names[i]);
    EXPECT_STREQ(record.labels[i], labels[i]);
    EXPECT_EQ(record.shares[i], shares[i]);
    EXPECT_EQ(record.zones[i], zones[i]);
  }
  EXPECT_TRUE(picker->wants_key());
  EXPECT_TRUE(picker->wants_zone());
}

TEST_F(PluginTest, SeesWhatIsGoingOn) {
  const std::string path = install_module("witness");
  SomeEndpoints endpoints{1, 0, 1, 1, 1};
  endpoints.state(2).connections = 12;
  endpoints.candidates()[3].connections_max = 5;
  endpoints.state(3).connections = 5;
  const Instant now{std::chrono::seconds{100}};
  PickerOptions options = options_of(load(path));
  endpoints.state(4).at(0).latency.add(std::chrono::milliseconds{8}, now - options.latency_decay,
                                       options.latency_decay);
  const auto picker = make_plugin(endpoints.members(), options);
  const auto state = picker->make_state(1, nullptr);
  const TriedEndpoints tried = endpoints.tried({0});
  const uint32_t index = picker->pick(
      *state,
      {.candidates = endpoints.candidates(), .tried = tried, .key = 77, .zone = ZoneId{3}, .worker = 0, .now = now});
  EXPECT_EQ(index, 2U);

  const witness_record& record = record_of(path);
  EXPECT_EQ(record.pick.count, 5U);
  EXPECT_EQ(record.pick.key, 77U);
  EXPECT_EQ(record.pick.zone, 3U);
  EXPECT_EQ(record.pick.now_ns, 100'000'000'000U);
  EXPECT_EQ(record.pick.tried_count, 1U);
  EXPECT_TRUE(WEIR_HAS(&record.pick, weir_pick, latency_ns));
  // Tried, no share, fine, full, fine; and those that do not exist.
  EXPECT_THAT(record.usable, testing::ElementsAre(0, 0, 1, 0, 1, 0, 0, 0, 0));
  EXPECT_THAT(record.connections, testing::ElementsAre(0, 0, 12, 5, 0, 0, 0, 0, 0));
  EXPECT_EQ(record.latency_ns[0], 0U);
  EXPECT_NEAR(static_cast<double>(record.latency_ns[4]), 4e6, 1e5);  // half of it has faded
  EXPECT_EQ(record.latency_ns[5], 0U);

  const TriedEndpoints none;
  picker->pick(*state, {.candidates = endpoints.candidates(), .tried = none});
  EXPECT_EQ(record.pick.zone, WEIR_NO_ZONE);
}

TEST_F(PluginTest, IsToldOnlyWhatItWants) {
  const auto picker = make_plugin(SomeEndpoints{1, 1}.members(), options_of(load_module("plain")));
  EXPECT_FALSE(picker->wants_key());
  EXPECT_FALSE(picker->wants_zone());
}

TEST_F(PluginTest, IsNotAskedAboutNobody) {
  const std::string path = install_module("witness");
  const auto library = load(path);
  const witness_record& record = record_of(path);
  for (const std::vector<uint32_t>& weights : {std::vector<uint32_t>{}, std::vector<uint32_t>{0, 0}}) {
    const SomeEndpoints endpoints(weights);
    Picking picking("plugin", endpoints, 1, options_of(library));
    EXPECT_EQ(picking.pick(), no_endpoint);
  }
  EXPECT_EQ(record.creations, 0);
  EXPECT_EQ(record.picks, 0U);
  // Then somebody comes, and goes again.
  const SomeEndpoints some{1};
  const SomeEndpoints none{0};
  Picking empty("plugin", none, 1, options_of(library));
  Picking full("plugin", some, 1, options_of(library));
  full.take_over(empty);
  EXPECT_EQ(full.pick(), 0U);
  empty.take_over(full);
  EXPECT_EQ(empty.pick(), no_endpoint);
}

// --- its memory -----------------------------------------------------------------------------------------------------

TEST_F(PluginTest, CarriesItsStateOver) {
  const std::string path = install_module("witness");
  const auto library = load(path);
  const SomeEndpoints before{1, 1, 1};
  const SomeEndpoints after{1, 5};
  Picking old("plugin", before, 1, options_of(library));
  old.picks(42);
  Picking fresh("plugin", after, 2, options_of(library));
  const witness_record& record = record_of(path);
  EXPECT_EQ(record.had_previous, 0);
  EXPECT_EQ(record.seed, 2U);
  fresh.take_over(old, 3);
  EXPECT_EQ(record.had_previous, 1);
  EXPECT_EQ(record.seed, 3U);
  EXPECT_EQ(record.picks_before, 42U);
  EXPECT_EQ(record.was_zeroed, 1);
  EXPECT_EQ(record.was_aligned, 1);
}

TEST_F(PluginTest, TakesNoStateOfOthers) {
  const SomeEndpoints endpoints{1, 1, 1};
  Picking round_robin("round_robin", endpoints);
  round_robin.picks(5);
  const std::string path = install_module("witness");
  Picking old("plugin", endpoints, 1, options_of(load(path)));
  old.take_over(round_robin);
  EXPECT_EQ(record_of(path).had_previous, 0);
  old.picks(5);
  // The same code, but another file: nobody can know that it is the same.
  const std::string other = install_module("witness", "other.so");
  Picking fresh("plugin", endpoints, 1, options_of(load(other)));
  fresh.take_over(old);
  EXPECT_EQ(record_of(other).had_previous, 0);
}

TEST_F(PluginTest, DestroysWhatItCreated) {
  const std::string path = install_module("witness");
  const auto library = load(path);
  const witness_record& record = record_of(path);
  const SomeEndpoints endpoints{1, 1};
  {
    const auto one = make_plugin(endpoints.members(), options_of(library));
    const auto two = make_plugin(endpoints.members(), options_of(library));
    EXPECT_EQ(record.balancers, 2);
  }
  EXPECT_EQ(record.balancers, 0);
  EXPECT_EQ(record.creations, 2);
}

// --- what is loaded, but not taken ----------------------------------------------------------------------------------

TEST_F(PluginTest, RefusesWithTheReasonOfThePlugin) {
  const SomeEndpoints endpoints{1, 1};
  const std::string path = install_module("refuses");
  EXPECT_EQ(refusal_of(options_of(load(path), "by dice"), endpoints),
            "plug-in '" + path + "' (plain): 'by dice' is no way to balance 2 members");
  EXPECT_THAT(refusal_of(options_of(load_module("refuses_silently")), endpoints),
              EndsWith("(plain): create() refused its members, and gave no reason"));
  EXPECT_THAT(refusal_of(options_of(load_module("refuses_in_binary")), endpoints),
              EndsWith("(plain): !" + std::string(510, ' ')));
}

TEST_F(PluginTest, RefusesWhatFailsItsTrial) {
  const SomeEndpoints endpoints{1, 1, 1};
  EXPECT_THAT(refusal_of(options_of(load_module("out_of_range")), endpoints),
              EndsWith("pick() fails its trial: it proposed member 3, but there are 3; ask pick->usable()"));
  EXPECT_THAT(refusal_of(options_of(load_module("stubborn")), endpoints),
              EndsWith("pick() fails its trial: it proposed member 0 ('e0'), which is not usable; ask pick->usable()"));
  EXPECT_THAT(refusal_of(options_of(load_module("writes_too_far")), endpoints),
              EndsWith("it writes behind its state of 7 bytes: is `state_size` right?"));
}

TEST_F(PluginTest, IsTriedOncePerOptions) {
  const std::string path = install_module("witness");
  const auto library = load(path);
  const witness_record& record = record_of(path);
  const SomeEndpoints endpoints{1, 1};
  make_plugin(endpoints.members(), options_of(library, "a"));
  EXPECT_EQ(record.picks, trial_picks);
  make_plugin(endpoints.members(), options_of(library, "a"));
  EXPECT_EQ(record.picks, trial_picks);
  make_plugin(endpoints.members(), options_of(library, "b"));
  EXPECT_EQ(record.picks, 2 * trial_picks);
}

// --- what it does wrong ---------------------------------------------------------------------------------------------

TEST_F(PluginTest, FollowsNoProposalThatMayNotBePicked) {
  const auto library = load_module("witness");
  SomeEndpoints endpoints{1, 0, 1, 1};
  Picking picking("plugin", endpoints, 1, options_of(library));
  uint64_t expected = 0;
  // Does not exist (twice), has no share, was tried.
  for (const uint64_t proposal : {uint64_t{4}, uint64_t{0xfffffffe}, uint64_t{1}, uint64_t{3}}) {
    std::map<uint32_t, int> picks;
    for (int i = 0; i < 200; ++i) ++picks[picking.pick(endpoints.tried({3}), WITNESS_ORDER | proposal)];
    ASSERT_EQ(picks.size(), 2U) << proposal;
    EXPECT_GT(picks[0], 60) << proposal;
    EXPECT_GT(picks[2], 60) << proposal;
    expected += 200;
    EXPECT_EQ(library->misbehaved(), expected);
  }
  EXPECT_EQ(picking.pick(endpoints.tried({0, 2, 3}), WITNESS_ORDER | 0), no_endpoint);
  EXPECT_EQ(library->misbehaved(), ++expected);
  // What is right is followed, and so is that it shall be nobody.
  EXPECT_EQ(picking.pick(WITNESS_ORDER | 2), 2U);
  EXPECT_EQ(picking.pick(WITNESS_ORDER | WEIR_NO_ENDPOINT), no_endpoint);
  EXPECT_EQ(library->misbehaved(), expected);
}

TEST_F(PluginTest, WantsTheEndpointsItWasMadeFor) {
  const SomeEndpoints three{1, 1, 1};
  const SomeEndpoints two{1, 1};
  const auto picker = make_plugin(three.members(), options_of(load_module("plain")));
  const auto state = picker->make_state(1, nullptr);
  const TriedEndpoints tried;
  EXPECT_DEATH(picker->pick(*state, {.candidates = two.candidates(), .tried = tried}), "assertion failed");
}

// --- without a plug-in ----------------------------------------------------------------------------------------------

TEST(Plugin, IsRoundRobinWithoutALibrary) {
  const SomeEndpoints endpoints{5, 1, 0, 1};
  PickerOptions none;
  const auto plugin = make_plugin(endpoints.members(), none);
  const auto round_robin = make_picker("round_robin", endpoints.members(), none);
  const auto one = plugin->make_state(3, nullptr);
  const auto other = round_robin->make_state(3, nullptr);
  const TriedEndpoints tried;
  const PickRequest request{.candidates = endpoints.candidates(), .tried = tried};
  for (int i = 0; i < 50; ++i) EXPECT_EQ(plugin->pick(*one, request), round_robin->pick(*other, request));
}

}  // namespace
}  // namespace weir
