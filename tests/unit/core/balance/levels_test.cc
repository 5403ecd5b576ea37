#include <gtest/gtest.h>

#include <typeinfo>
#include <vector>

#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {
namespace {

using Indexes = std::vector<uint32_t>;

// Proposes one endpoint, but only twice: whose memory it was asked with shows in when it stops.
struct CountingState final : PickerState {
  uint32_t asked = 0;
};

class Counting final : public Picker {
 public:
  explicit Counting(uint32_t index, bool wants = false) : index_(index), wants_(wants) {}
  bool wants_key() const noexcept override { return wants_; }
  bool wants_zone() const noexcept override { return wants_; }
  std::unique_ptr<PickerState> make_state(uint64_t /*seed*/, const PickerState* previous) const override {
    auto state = std::make_unique<CountingState>();
    if (const auto* before = dynamic_cast<const CountingState*>(previous)) *state = *before;
    return state;
  }
  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    if (++static_cast<CountingState&>(state).asked > 2) return no_endpoint;
    return request.usable(index_) ? index_ : no_endpoint;
  }

 private:
  uint32_t index_;
  bool wants_;
};

std::unique_ptr<const Picker> levels_of(const Indexes& indexes, bool first_wants = false) {
  std::vector<std::unique_ptr<const Picker>> levels;
  for (size_t i = 0; i < indexes.size(); ++i) {
    levels.push_back(std::make_unique<Counting>(indexes[i], i == 0 && first_wants));
  }
  return stack_levels(std::move(levels));
}

uint32_t pick(const Picker& picker, PickerState& state, const SomeEndpoints& endpoints,
              const TriedEndpoints& tried = {}) {
  return picker.pick(state, {.candidates = endpoints.candidates(), .tried = tried});
}

TEST(Levels, AreAskedInOrder) {
  const SomeEndpoints endpoints(3, 1);
  const auto picker = levels_of({2, 0, 1});
  EXPECT_EQ(pick(*picker, *picker->make_state(1, nullptr), endpoints), 2U);
  EXPECT_EQ(pick(*picker, *picker->make_state(1, nullptr), endpoints, endpoints.tried({2})), 0U);
  EXPECT_EQ(pick(*picker, *picker->make_state(1, nullptr), endpoints, endpoints.tried({2, 0})), 1U);
  EXPECT_EQ(pick(*picker, *picker->make_state(1, nullptr), endpoints, endpoints.tried({2, 0, 1})), no_endpoint);
}

// A level that has not been reached has not been asked: each proposes twice.
TEST(Levels, HaveMemoriesOfTheirOwn) {
  const SomeEndpoints endpoints(3, 1);
  const auto picker = levels_of({2, 0, 1});
  const auto state = picker->make_state(1, nullptr);
  for (const uint32_t expected : {2U, 2U, 0U, 0U, 1U, 1U, no_endpoint}) {
    EXPECT_EQ(pick(*picker, *state, endpoints), expected);
  }
}

TEST(Levels, WantWhatTheFirstOneWants) {
  EXPECT_TRUE(levels_of({0, 1}, true)->wants_key());
  EXPECT_TRUE(levels_of({0, 1}, true)->wants_zone());
  EXPECT_FALSE(levels_of({0, 1})->wants_key());
  EXPECT_FALSE(levels_of({0, 1})->wants_zone());
}

// Each level goes on with the memory of the same level; what was no stack before has become the first level.
TEST(Levels, TakeOverLevelByLevel) {
  const SomeEndpoints endpoints(3, 1);
  const auto three = levels_of({0, 1, 2});
  const auto before = three->make_state(1, nullptr);
  for (int i = 0; i < 3; ++i) pick(*three, *before, endpoints);  // the first is used up, the second half
  const auto same = three->make_state(9, before.get());
  for (const uint32_t expected : {1U, 2U, 2U, no_endpoint}) EXPECT_EQ(pick(*three, *same, endpoints), expected);

  const auto fewer = levels_of({0, 1});
  const auto of_fewer = fewer->make_state(9, before.get());
  for (const uint32_t expected : {1U, no_endpoint}) EXPECT_EQ(pick(*fewer, *of_fewer, endpoints), expected);

  const auto more = levels_of({0, 1, 2, 0});
  const auto of_more = more->make_state(9, before.get());
  for (const uint32_t expected : {1U, 2U, 2U, 0U, 0U, no_endpoint})
    EXPECT_EQ(pick(*more, *of_more, endpoints), expected);

  const Counting alone(0);
  const auto of_one = alone.make_state(1, nullptr);
  pick(alone, *of_one, endpoints);
  const auto grown = three->make_state(9, of_one.get());
  for (const uint32_t expected : {0U, 1U, 1U}) EXPECT_EQ(pick(*three, *grown, endpoints), expected);
}

// Only as many levels as there are tiers behind those in play.
TEST(Levels, OneLevelNeedsNoStack) {
  const SomeEndpoints endpoints(3, 1);
  const std::vector<uint32_t> each(3, 100);
  const auto flat = make_picker("round_robin", endpoints.all(), Shares{.each = each, .levels = {0, 0, 0}}, {});
  const auto plain = make_picker("round_robin", endpoints.members(), {});
  const auto state = flat->make_state(1, plain->make_state(1, nullptr).get());
  const Picker& one = *flat;
  const Picker& other = *plain;
  EXPECT_EQ(typeid(one), typeid(other));
  EXPECT_LT(pick(*flat, *state, endpoints), 3U);
}

// A level in the middle that nobody is in (a tier number left out) is passed over.
TEST(Levels, AnEmptyOneIsPassedOver) {
  const SomeEndpoints endpoints(2, 1);
  const auto picker = make_picker("round_robin", endpoints.all(), Shares{.each = {100, 100}, .levels = {0, 2}}, {});
  const auto state = picker->make_state(1, nullptr);
  EXPECT_EQ(pick(*picker, *state, endpoints), 0U);
  EXPECT_EQ(pick(*picker, *state, endpoints, endpoints.tried({0})), 1U);
}

TEST(Levels, UnknownAlgorithm) {
  const SomeEndpoints endpoints(2, 1);
  EXPECT_EQ(make_picker("no_such", endpoints.all(), Shares{.each = {100, 100}, .levels = {0, 0}}, {}), nullptr);
}

TEST(LevelsDeathTest, ThereIsAtLeastOne) {
  EXPECT_DEATH(stack_levels({}), "!levels_.empty\\(\\)");
}

}  // namespace
}  // namespace weir
