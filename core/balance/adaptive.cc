// adaptive: picks as options.adaptive_choice does, and lets the other algorithms guess how they would have done. Where
// nobody keeps the guesses (no options.state, or none of its shadows), it is the chosen algorithm and nothing else.
//
// It never changes its mind by itself: the control thread compares the guesses of all workers, and publishes another
// Snapshot with another choice. So all workers switch together, and a pick is as cheap as it can be.
#include "core/balance/adaptive.h"

#include <utility>

#include "core/balance/pickers.h"
#include "core/balance/shadows.h"

namespace weir {
namespace {

struct AdaptiveState final : PickerState {
  std::unique_ptr<PickerState> live;  // of the algorithm that decides
  // Null if nobody keeps the guesses. Shared with the state before this one, which nobody picks with any more: worlds
  // are large, and Snapshots come often while shares ramp up.
  std::shared_ptr<Shadows> shadows;
};

class Adaptive final : public Picker {
 public:
  Adaptive(const PickerMembers& members, const PickerOptions& options)
      : latency_decay_(options.latency_decay),
        choice_(adaptive_index(options.adaptive_choice)),
        scores_(options.state != nullptr ? options.state->shadows.get() : nullptr) {
    WEIR_ASSERT(choice_ < shadow_count, choice_);
    for (const Endpoint& endpoint : members.endpoints) members_.ids.push_back(endpoint.id);
    members_.shares.assign(members.shares.begin(), members.shares.end());
    PickerOptions by_latency = options;
    by_latency.load = LoadMeasure::latency;
    for (size_t i = 0; i < shadow_count; ++i) {
      if (scores_ != nullptr || i == choice_) pickers_[i] = make_picker(adaptive_algorithms[i], members, by_latency);
    }
  }

  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<AdaptiveState>();
    const auto* before = dynamic_cast<const AdaptiveState*>(previous);
    // The memory of another algorithm means nothing to this one: it begins anew.
    state->live = pickers_[choice_]->make_state(seed, before != nullptr ? before->live.get() : nullptr);
    if (scores_ == nullptr) return state;
    Shadows* shadows = before != nullptr ? before->shadows.get() : nullptr;
    if (shadows != nullptr && shadows->fits(members_)) {
      shadows->go_on(members_, pickers_, latency_decay_, seed);
      state->shadows = before->shadows;
    } else {
      state->shadows = std::make_shared<Shadows>(members_, pickers_, latency_decay_, seed, shadows);
    }
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    auto& memory = static_cast<AdaptiveState&>(state);
    const uint32_t picked = pickers_[choice_]->pick(*memory.live, request);
    if (memory.shadows != nullptr) memory.shadows->arrive(request, picked, pickers_, scores_[request.worker]);
    return picked;
  }

 private:
  ShadowMembers members_;
  Duration latency_decay_;
  size_t choice_;
  ShadowScores* scores_;   // by worker; null if nobody keeps the guesses
  ShadowPickers pickers_;  // those that are needed: all, or the choice alone
};

}  // namespace

std::unique_ptr<const Picker> make_adaptive(const PickerMembers& members, const PickerOptions& options) {
  return std::make_unique<Adaptive>(members, options);
}

}  // namespace weir
