// What is true of every algorithm that goes by a key: what a change of shares moves, and what it leaves alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/core/balance/hashing_fixture.h"

namespace weir {
namespace {

constexpr size_t key_count = 40'000;
const std::vector<uint32_t> some_weights{1, 3, 2, 5, 1, 4, 2, 2, 6, 4};  // 30 in all

class EveryHashing : public testing::TestWithParam<std::string_view> {
 protected:
  EveryHashing() : endpoints_(some_weights), keys_(some_keys(key_count)), home_(with({}).homes(keys_)) {}

  // A picker for the endpoints with some other shares, in percent of the weight.
  Asking with(const std::vector<std::pair<uint32_t, uint32_t>>& percents) const {
    std::vector<uint32_t> shares(endpoints_.members().shares.begin(), endpoints_.members().shares.end());
    for (const auto& [index, percent] : percents) shares[index] = shares[index] * percent / 100;
    return {GetParam(), endpoints_, shares};
  }
  size_t keys_of(uint32_t index) const { return static_cast<size_t>(std::count(home_.begin(), home_.end(), index)); }
  // Keys that move although nothing of theirs has changed. A table of slots cannot help it; the others can.
  size_t needless_max() const { return GetParam() == "maglev" ? key_count / 50 : 0; }

  SomeEndpoints endpoints_;
  std::vector<uint64_t> keys_;
  std::vector<uint32_t> home_;
};

INSTANTIATE_TEST_SUITE_P(Pickers, EveryHashing, testing::ValuesIn(hashing_names()),
                         [](const auto& one) { return std::string{one.param}; });

TEST_P(EveryHashing, WantsTheKey) {
  EXPECT_TRUE(with({}).picker().wants_key());
  EXPECT_FALSE(with({}).picker().wants_zone());
}

TEST_P(EveryHashing, WorkersAgreeAndTheOrderOfEndpointsDoesNotMatter) {
  SomeEndpoints backward(std::vector<uint32_t>{});
  for (uint32_t i = endpoints_.size(); i-- > 0;) backward.add(endpoints_[i].name, some_weights[i]);
  Asking other(GetParam(), backward, {}, {}, 77);
  for (size_t i = 0; i < key_count; ++i) ASSERT_EQ(backward[other.pick(keys_[i])].name, endpoints_[home_[i]].name);
}

// The number of keys is a matter of chance; so is the length of arcs on a ring, with 80 to 480 points for each.
TEST_P(EveryHashing, SharesFollowWeights) {
  const double tolerance = GetParam() == "ring_hash" ? 0.25 : 0.1;
  for (uint32_t index = 0; index < endpoints_.size(); ++index) {
    const double fair = key_count * some_weights[index] / 30.0;
    EXPECT_NEAR(static_cast<double>(keys_of(index)), fair, tolerance * fair) << index;
  }
}

TEST_P(EveryHashing, AShareThatFallsToNothingMovesItsOwnKeysToAllOthers) {
  for (const uint32_t gone : {0U, 3U, 8U}) {
    const std::vector<uint32_t> now = with({{gone, 0}}).homes(keys_);
    const Moves moved = moves(home_, now, gone);
    EXPECT_EQ(moved.from, keys_of(gone));
    EXPECT_EQ(moved.to, 0U);
    EXPECT_LE(moved.needless, needless_max());
    for (uint32_t heir = 0; heir < endpoints_.size(); ++heir) {
      if (heir == gone) continue;
      const auto has = static_cast<double>(std::count(now.begin(), now.end(), heir));
      EXPECT_GT(has, static_cast<double>(keys_of(heir))) << gone << " leaves nothing to " << heir;
    }
  }
}

TEST_P(EveryHashing, AShareThatIsHalvedMovesAboutHalfOfItsKeysAndNoOther) {
  for (const uint32_t ill : {3U, 5U, 8U}) {
    const Moves moved = moves(home_, with({{ill, 50}}).homes(keys_), ill);
    const auto keys = static_cast<double>(keys_of(ill));
    EXPECT_NEAR(static_cast<double>(moved.from), keys / 2, keys * 0.12);
    EXPECT_EQ(moved.to, 0U);
    EXPECT_LE(moved.needless, needless_max());
  }
}

// Slow start: with each step some of its keys come back, and those that are back stay.
TEST_P(EveryHashing, AShareThatGrowsTakesItsKeysBackLittleByLittle) {
  const uint32_t rising = 8;
  std::vector<uint32_t> before = with({{rising, 0}}).homes(keys_);
  for (const uint32_t percent : {10U, 30U, 60U, 100U}) {
    const std::vector<uint32_t> now = with({{rising, percent}}).homes(keys_);
    const Moves moved = moves(before, now, rising);
    EXPECT_GT(moved.to, keys_of(rising) / 20);
    if (needless_max() == 0) {
      EXPECT_EQ(moved.from, 0U);
    }
    EXPECT_LE(moved.needless, needless_max());
    before = now;
  }
  EXPECT_EQ(before, home_);
}

// Several at once: who is at none of them stays.
TEST_P(EveryHashing, HalfOfTheEndpointsGone) {
  const std::vector<uint32_t> now = with({{0, 0}, {2, 0}, {4, 0}, {6, 0}, {8, 0}}).homes(keys_);
  size_t needless = 0;
  for (size_t i = 0; i < key_count; ++i) {
    ASSERT_EQ(now[i] % 2, 1U);
    if (home_[i] % 2 == 1 && now[i] != home_[i]) ++needless;
  }
  EXPECT_LE(needless, 8 * needless_max());
  // And what they had is spread by weight: 3, 5, 4, 2, 4 of 18.
  const double tolerance = GetParam() == "ring_hash" ? 0.25 : 0.1;
  for (const uint32_t index : {1U, 3U, 5U, 7U, 9U}) {
    const double fair = key_count * some_weights[index] / 18.0;
    EXPECT_NEAR(static_cast<double>(std::count(now.begin(), now.end(), index)), fair, tolerance * fair) << index;
  }
}

// Backups that come into play take from the others, and move nobody between these.
TEST_P(EveryHashing, BackupsTakeTheirPart) {
  const std::vector<uint32_t> before = with({{3, 0}, {8, 0}}).homes(keys_);
  size_t needless = 0;
  for (size_t i = 0; i < key_count; ++i) needless += before[i] != home_[i] && home_[i] != 3 && home_[i] != 8 ? 1 : 0;
  EXPECT_LE(needless, 2 * needless_max());
}

// An endpoint that may not be proposed moves its keys, each always to the same one, and nobody else's; exactly, with
// every algorithm.
TEST_P(EveryHashing, AnUnusableEndpointMovesItsOwnKeysOnly) {
  Asking asking = with({});
  for (const uint32_t tried : {0U, 8U}) {
    const std::vector<uint32_t> now = asking.homes(keys_, endpoints_.tried({tried}));
    const Moves moved = moves(home_, now, tried);
    EXPECT_EQ(moved.from, keys_of(tried));
    EXPECT_EQ(moved.to + moved.needless, 0U);
    EXPECT_EQ(asking.homes(keys_, endpoints_.tried({tried})), now);
    // It is the place they keep when the probes have found out, too.
    if (needless_max() == 0) {
      EXPECT_EQ(with({{tried, 0}}).homes(keys_), now);
    }
  }
}

TEST_P(EveryHashing, AFullEndpointMovesItsOwnKeysOnly) {
  Asking asking = with({});
  asking.candidates()[5].connections_max = 1;
  const Lease lease(endpoints_.state(5));
  EXPECT_EQ(asking.homes(keys_), asking.homes(keys_, endpoints_.tried({5})));
}

// Hundreds of endpoints, of which one is left: it is found, whatever the key.
TEST_P(EveryHashing, TheLastOneIsFound) {
  const SomeEndpoints many(600, 2);
  Asking asking(GetParam(), many);
  std::vector<Lease> leases;
  for (uint32_t i = 0; i < many.size(); ++i) {
    if (i == 321) continue;
    asking.candidates()[i].connections_max = 1;
    leases.emplace_back(*many[i].state);
  }
  for (const uint64_t key : some_keys(300)) ASSERT_EQ(asking.pick(key), 321U);
  asking.candidates()[321].connections_max = 1;
  leases.emplace_back(*many[321].state);
  for (const uint64_t key : some_keys(300)) ASSERT_EQ(asking.pick(key), no_endpoint);
}

}  // namespace
}  // namespace weir
