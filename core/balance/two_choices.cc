// two_choices: draws a few different endpoints by share, and the least loaded of them has it. Two choices are enough
// that the fullest of many is hardly above the average, where one draw would leave it far above (Mitzenmacher, "The
// Power of Two Choices in Randomized Load Balancing", 2001); and unlike the one that is best of all, what they find
// differs from worker to worker, so that workers, or weirs, that look at the same moment do not all run to the same
// endpoint.
//
// Load is one of two measures:
//
//     connections   connections / share
//     latency       latency x (connections / share x average share + 1), latency as in least_time.cc
//
// The first drawn has it among equals. So while nothing is going on, shares are as exact as the draw; and as soon as
// something is, it is connections per share that are made equal. That is why the connection to come is not counted, as
// least_connections does: it weighs less at a heavy endpoint, and draws and comparison together would give that more
// than its share. For latencies there must be something to multiply with, and so it is one that weighs the same
// everywhere.
#include <algorithm>
#include <array>
#include <numeric>

#include "core/balance/choices.h"
#include "core/balance/first_answers.h"
#include "core/balance/least_of.h"
#include "core/balance/pickers.h"
#include "core/balance/scan.h"
#include "core/base/random.h"

namespace weir {
namespace {

// Draws for each choice. If somebody has most of the shares, it may be drawn all of these times, and is then compared
// with nobody; but that is by far rarer than its share is large.
constexpr uint32_t draws_per_choice = 4;

struct TwoChoicesState final : PickerState {
  TwoChoicesState(uint64_t seed, size_t measured) : random(seed), answers(measured) {}

  Random random;
  FirstAnswers answers;  // for nobody, if connections are compared
};

class TwoChoices final : public Picker {
 public:
  TwoChoices(const PickerMembers& members, const PickerOptions& options)
      : draw_(members.shares),
        members_(members_with_share(members)),
        endpoint_count_(members.endpoints.size()),
        choices_(options.choices),
        measure_(options.load),
        decay_(options.latency_decay) {
    WEIR_ASSERT(choices_ >= choices_min && choices_ <= choices_max, choices_);
    WEIR_ASSERT(decay_ > Duration::zero());
    const double sum = std::accumulate(members.shares.begin(), members.shares.end(), 0.0);
    if (!members_.empty()) average_share_ = sum / static_cast<double>(members_.size());
  }

  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<TwoChoicesState>(seed, measure_ == LoadMeasure::latency ? endpoint_count_ : 0);
    if (const auto* before = dynamic_cast<const TwoChoicesState*>(previous)) {
      state->random = before->random;
      // With another number of endpoints, who was asked when is forgotten: at worst each is asked once more.
      if (before->answers.size() == state->answers.size()) state->answers = before->answers;
    }
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    if (draw_.empty()) return no_endpoint;
    auto& memory = static_cast<TwoChoicesState&>(state);
    if (measure_ == LoadMeasure::connections) {
      return least_of_choices(memory.random, request,
                              [&](uint32_t index) { return uint64_t{request.candidates[index].connections()}; });
    }
    const uint32_t index = least_of_choices(memory.random, request, [&](uint32_t choice) {
      const Candidate& candidate = request.candidates[choice];
      // Times the share, because it is compared per share.
      return memory.answers.latency(request, choice, decay_) *
             (candidate.connections() * average_share_ + candidate.share);
    });
    if (index != no_endpoint) memory.answers.ask(request, index);
    return index;
  }

 private:
  template <class LoadOf>
  uint32_t least_of_choices(Random& random, const PickRequest& request, LoadOf&& load_of) const noexcept {
    using Load = decltype(load_of(uint32_t{}));
    LeastPerShare<Load> least;
    const auto offer = [&](uint32_t index) {
      least.offer(index, load_of(index), static_cast<Load>(request.candidates[index].share));
    };
    if (members_.size() <= choices_) {
      const uint32_t first = draw_.draw(random.next());
      if (request.usable(first)) offer(first);
      for (const uint32_t index : members_) {
        if (index != first && request.usable(index)) offer(index);
      }
      return least.index();
    }
    std::array<uint32_t, choices_max> chosen;
    uint32_t count = 0;
    for (uint32_t draws = choices_ * draws_per_choice; draws > 0 && count < choices_; --draws) {
      const uint32_t index = draw_.draw(random.next());
      if (std::find(chosen.begin(), chosen.begin() + count, index) != chosen.begin() + count) continue;
      if (!request.usable(index)) continue;
      chosen[count++] = index;
      offer(index);
    }
    return count > 0 ? least.index() : first_usable(request, members_, random.below(members_.size()));
  }

  hashing::WeightedDraw draw_;
  std::vector<uint32_t> members_;
  size_t endpoint_count_;
  uint32_t choices_;
  LoadMeasure measure_;
  Duration decay_;
  double average_share_ = 0;
};

}  // namespace

std::unique_ptr<const Picker> make_two_choices(const PickerMembers& members, const PickerOptions& options) {
  return std::make_unique<TwoChoices>(members, options);
}

}  // namespace weir
