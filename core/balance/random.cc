// random: each pick is a draw by share that knows nothing of the ones before. Independent draws never fall into step
// with anything, neither with other workers or other weirs nor with a rhythm in what clients ask; the price is that
// they are uneven for a while: of n picks, an endpoint that should get m gets that within a few times sqrt(m).
//
// The draw is one look into an alias table (hashing/weighted_draw.h), whatever the number of endpoints.
#include "core/base/random.h"

#include "core/balance/pickers.h"
#include "core/balance/scan.h"
#include "hashing/weighted_draw.h"

namespace weir {
namespace {

// Draws of unusable endpoints before all are asked instead. While those that are left have a quarter of all shares,
// less than one pick in ninety comes to that.
constexpr uint32_t draws_max = 16;

struct RandomState final : PickerState {
  explicit RandomState(uint64_t seed) noexcept : random(seed) {}

  Random random;
};

class RandomPicker final : public Picker {
 public:
  explicit RandomPicker(const PickerMembers& members)
      : draw_(members.shares), members_(members_with_share(members)), endpoint_count_(members.endpoints.size()) {}

  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<RandomState>(seed);
    if (const auto* before = dynamic_cast<const RandomState*>(previous)) *state = *before;
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    if (draw_.empty()) return no_endpoint;
    Random& random = static_cast<RandomState&>(state).random;
    for (uint32_t draw = 0; draw < draws_max; ++draw) {
      const uint32_t index = draw_.draw(random.next());
      if (request.usable(index)) return index;
    }
    return first_usable(request, members_, random.below(members_.size()));
  }

 private:
  hashing::WeightedDraw draw_;
  std::vector<uint32_t> members_;
  size_t endpoint_count_;
};

}  // namespace

std::unique_ptr<const Picker> make_random(const PickerMembers& members, const PickerOptions& /*options*/) {
  return std::make_unique<RandomPicker>(members);
}

}  // namespace weir
