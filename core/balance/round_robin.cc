// round_robin: walks the cycle of turns, one step per pick, whatever the number of endpoints.
//
// All workers walk the same cycle, each with its own cursor from its own random start: alone each is even, so their sum
// is, and they do not hit the same endpoint at the same moment.
#include <algorithm>

#include "core/balance/pickers.h"
#include "core/balance/scan.h"
#include "core/balance/turns.h"
#include "core/base/random.h"

namespace weir {
namespace {

// Turns of unusable endpoints that one pick passes over before it asks all endpoints instead. A cycle of a thousand
// turns may be one endpoint's but for a single turn.
constexpr uint32_t passed_max = 64;

struct RoundRobinState final : PickerState {
  explicit RoundRobinState(uint64_t seed) noexcept : random(seed) {}

  Random random;
  uint32_t cursor = 0;        // the next turn
  uint32_t retry_cursor = 0;  // of those who come back from an endpoint that failed
  uint32_t length = 0;        // of the cycle it belongs to
};

class RoundRobin final : public Picker {
 public:
  explicit RoundRobin(const PickerMembers& members)
      : turns_(smooth_turns(members.shares)),
        members_(members_with_share(members)),
        endpoint_count_(members.endpoints.size()) {}

  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<RoundRobinState>(seed);
    if (const auto* before = dynamic_cast<const RoundRobinState*>(previous)) *state = *before;
    // In a cycle of another length the place means nothing. Starting at random once more, rather than by a rule, means
    // that no rhythm of reloads and connections can favour anybody.
    if (state->length != turns_.size()) {
      state->length = static_cast<uint32_t>(turns_.size());
      state->cursor = turns_.empty() ? 0 : static_cast<uint32_t>(state->random.below(turns_.size()));
      state->retry_cursor = state->cursor;
    }
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    if (turns_.empty()) return no_endpoint;
    auto& memory = static_cast<RoundRobinState&>(state);
    // Second tries walk by themselves: if they used up turns, a dead endpoint would meet every connection first
    // wherever its neighbour stands in for it.
    uint32_t& cursor = request.tried.count() > 0 ? memory.retry_cursor : memory.cursor;
    WEIR_ASSERT(cursor < turns_.size(), cursor);
    const size_t steps = std::min<size_t>(turns_.size(), passed_max + 1);
    for (size_t step = 0; step < steps; ++step) {
      const uint32_t index = turns_[cursor];
      cursor = cursor + 1 == turns_.size() ? 0 : cursor + 1;
      if (request.usable(index)) return index;
    }
    return first_usable(request, members_, memory.random.below(members_.size()));
  }

 private:
  std::vector<uint32_t> turns_;
  std::vector<uint32_t> members_;
  size_t endpoint_count_;
};

}  // namespace

std::unique_ptr<const Picker> make_round_robin(const PickerMembers& members, const PickerOptions& /*options*/) {
  return std::make_unique<RoundRobin>(members);
}

}  // namespace weir
