// least_time: the endpoint where one more request would be answered soonest, for its share: the least
//
//     latency x (connections + 1) / share
//
// Latency is what this worker has measured: the worst lately, fading with time (core/model/latency.h). Connections are
// those of all workers. So work goes to who is quick, until enough of it is there that somebody else is the quicker
// one. An endpoint that was slow fades back into the comparison: after as many `latency_decay` as it was twice as slow
// as the others. Who has not been measured is asked once and then waits for its first answer
// (core/balance/first_answers.h); while nobody has been, this is least_connections.
//
// The measure is Finagle's "peak EWMA" (Twitter, 2013), with all endpoints compared instead of two. Of more than 64 it
// compares a sample (core/balance/least_of.h).
#include "core/balance/first_answers.h"
#include "core/balance/least_of.h"
#include "core/balance/pickers.h"
#include "core/balance/scan.h"
#include "core/base/random.h"

namespace weir {
namespace {

struct LeastTimeState final : PickerState {
  LeastTimeState(uint64_t seed, size_t endpoints)
      : random(seed), cursor(static_cast<uint32_t>(random.next())), answers(endpoints) {}

  Random random;
  uint32_t cursor;  // where an exact comparison starts
  FirstAnswers answers;
};

class LeastTime final : public Picker {
 public:
  LeastTime(const PickerMembers& members, Duration decay)
      : members_(members_with_share(members)),
        draw_(members_.size() > compared_max ? members.shares : std::span<const uint32_t>{}),
        endpoint_count_(members.endpoints.size()),
        decay_(decay) {
    WEIR_ASSERT(decay > Duration::zero());
  }

  // With another number of endpoints, who was asked when is forgotten: at worst each is asked once more.
  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<LeastTimeState>(seed, endpoint_count_);
    if (const auto* before = dynamic_cast<const LeastTimeState*>(previous)) {
      state->random = before->random;
      state->cursor = before->cursor;
      if (before->answers.size() == endpoint_count_) state->answers = before->answers;
    }
    state->cursor = members_.empty() ? 0 : state->cursor % static_cast<uint32_t>(members_.size());
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    auto& memory = static_cast<LeastTimeState&>(state);
    const auto load_of = [&](uint32_t index) {
      const double requests = static_cast<double>(request.candidates[index].connections()) + 1;
      return memory.answers.latency(request, index, decay_) * requests;
    };
    const uint32_t index = draw_.empty() ? least_of_all(members_, memory.cursor, request, load_of)
                                         : least_of_sample(draw_, members_, memory.random, request, load_of);
    if (index != no_endpoint) memory.answers.ask(request, index);
    return index;
  }

 private:
  std::vector<uint32_t> members_;
  hashing::WeightedDraw draw_;  // empty if all are compared
  size_t endpoint_count_;
  Duration decay_;
};

}  // namespace

std::unique_ptr<const Picker> make_least_time(const PickerMembers& members, const PickerOptions& options) {
  return std::make_unique<LeastTime>(members, options.latency_decay);
}

}  // namespace weir
