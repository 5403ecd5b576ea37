// Levels: several pickers of the same endpoints, asked one after the other. The first are the endpoints in play, behind
// them the tiers that stand by: they are reached only by who has tried all that are in play, or found them full.
#include <utility>
#include <vector>

#include "core/balance/pickers.h"

namespace weir {
namespace {

struct LevelsState final : PickerState {
  std::vector<std::unique_ptr<PickerState>> levels;
};

class Levels final : public Picker {
 public:
  explicit Levels(std::vector<std::unique_ptr<const Picker>> levels) : levels_(std::move(levels)) {
    WEIR_ASSERT(!levels_.empty());
  }

  bool wants_key() const noexcept override { return levels_.front()->wants_key(); }
  bool wants_zone() const noexcept override { return levels_.front()->wants_zone(); }

  // Tiers come into play: a worker's memory of the first level is carried over also from a picker that had no other.
  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<LevelsState>();
    const auto* before = dynamic_cast<const LevelsState*>(previous);
    for (size_t i = 0; i < levels_.size(); ++i) {
      const PickerState* memory = i == 0 ? previous : nullptr;
      if (before != nullptr) memory = i < before->levels.size() ? before->levels[i].get() : nullptr;
      state->levels.push_back(levels_[i]->make_state(seed + i, memory));
    }
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    auto& memory = static_cast<LevelsState&>(state);
    for (size_t i = 0; i < levels_.size(); ++i) {
      const uint32_t index = levels_[i]->pick(*memory.levels[i], request);
      if (index != no_endpoint) return index;
    }
    return no_endpoint;
  }

 private:
  std::vector<std::unique_ptr<const Picker>> levels_;
};

}  // namespace

std::unique_ptr<const Picker> stack_levels(std::vector<std::unique_ptr<const Picker>> levels) {
  return std::make_unique<Levels>(std::move(levels));
}

}  // namespace weir
