// resource_aware: shares follow what the endpoints say of themselves. An origin reports a score from 0 (fit for nothing
// now) to 1 (for its whole weight), and what it is worth is share x score. A pick has three steps:
//
//     draw      endpoints by share, each accepted with a chance of its score, until two different ones are
//     compare   connections / (share x score) of the two; the first has it if they are equal
//     walk      if nobody was accepted: a choice by share x score among up to 64 endpoints in a row
//
// An accepted draw has exactly the distribution of share x score (rejection sampling; von Neumann, 1951), and that is
// who gets it while nothing is going on. When something is, the comparison makes connections equal per share x score,
// as two_choices does per share. The walk is for upstreams where nearly all scores are low: of up to 64 endpoints it is
// exact, and of more it goes on until it has seen one that is fit for something. So a score of 0 means nothing at all,
// as long as there is anybody else; if all say 0, their connections per share decide, because refusing everybody would
// help nobody.
//
// Who has said nothing, or nothing lately, is taken for as fit as the others that this worker has drawn lately: the
// mean of those that have spoken, with a memory of some 64 draws; 1 if there are none, or all are fit for nothing.
#include <algorithm>
#include <numeric>

#include "core/balance/least_of.h"
#include "core/balance/pickers.h"
#include "core/balance/scan.h"
#include "core/base/random.h"
#include "hashing/weighted_draw.h"

namespace weir {
namespace {

// Draws per pick. With a mean score of a tenth, one pick in thirty needs more and walks.
constexpr uint32_t draws_max = 32;
// Of them, accepted ones of the endpoint that was accepted before: who has most of the shares is then compared with
// nobody, which is by far rarer than its share is large.
constexpr uint32_t same_max = 4;
constexpr uint32_t walk_max = 64;

// The mean of the scores seen lately.
class UsualScore {
 public:
  // What to take the endpoint's score for, having seen what it says.
  double judge(std::optional<double> reported) noexcept {
    sum_ *= kept;
    count_ *= kept;
    if (!reported) return mean();
    sum_ += *reported;
    count_ += 1;
    return *reported;
  }

 private:
  static constexpr double kept = 1 - 1.0 / 64;
  // Below this, the last score was seen some 300 draws ago.
  static constexpr double count_min = 0.01;

  double mean() const noexcept { return count_ >= count_min && sum_ > 0 ? sum_ / count_ : 1; }

  double sum_ = 0;
  double count_ = 0;
};

struct ResourceAwareState final : PickerState {
  explicit ResourceAwareState(uint64_t seed) noexcept : random(seed) {}

  Random random;
  UsualScore usual;
};

class ResourceAware final : public Picker {
 public:
  ResourceAware(const PickerMembers& members, Duration score_expiry)
      : draw_(members.shares),
        members_(members_with_share(members)),
        endpoint_count_(members.endpoints.size()),
        score_expiry_(score_expiry) {}

  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<ResourceAwareState>(seed);
    if (const auto* before = dynamic_cast<const ResourceAwareState*>(previous)) *state = *before;
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    if (draw_.empty()) return no_endpoint;
    auto& memory = static_cast<ResourceAwareState&>(state);
    const uint32_t index = better_of_two(memory, request);
    return index != no_endpoint ? index : walk(memory, request);
  }

 private:
  double score_of(uint32_t index, ResourceAwareState& memory, const PickRequest& request) const noexcept {
    return memory.usual.judge(request.candidates[index].state->reported.read(request.now, score_expiry_));
  }

  uint32_t better_of_two(ResourceAwareState& memory, const PickRequest& request) const noexcept {
    LeastPerShare<double> least;
    uint32_t first = no_endpoint;
    uint32_t same = 0;
    for (uint32_t draws = 0; draws < draws_max && same < same_max; ++draws) {
      const uint32_t index = draw_.draw(memory.random.next());
      if (!request.usable(index)) continue;
      const double score = score_of(index, memory, request);
      if (memory.random.unit() >= score) continue;
      if (index == first) {
        ++same;
        continue;
      }
      const Candidate& candidate = request.candidates[index];
      least.offer(index, candidate.connections(), candidate.share * score);
      if (first != no_endpoint) break;
      first = index;
    }
    return least.index();
  }

  uint32_t walk(ResourceAwareState& memory, const PickRequest& request) const noexcept {
    uint32_t chosen = no_endpoint;
    double sum = 0;
    LeastPerShare<uint64_t> unfit;
    size_t place = memory.random.below(members_.size());
    for (size_t walked = 0; walked < members_.size() && (walked < walk_max || sum == 0); ++walked) {
      const uint32_t index = members_[place];
      place = place + 1 == members_.size() ? 0 : place + 1;
      if (!request.usable(index)) continue;
      const Candidate& candidate = request.candidates[index];
      const double worth = candidate.share * score_of(index, memory, request);
      if (worth == 0) {
        unfit.offer(index, candidate.connections(), candidate.share);
        continue;
      }
      // Each takes the place of whoever was chosen before with the chance that makes all of them fair in the end.
      sum += worth;
      if (memory.random.unit() * sum < worth) chosen = index;
    }
    return chosen != no_endpoint ? chosen : unfit.index();
  }

  hashing::WeightedDraw draw_;
  std::vector<uint32_t> members_;
  size_t endpoint_count_;
  Duration score_expiry_;
};

}  // namespace

std::unique_ptr<const Picker> make_resource_aware(const PickerMembers& members, const PickerOptions& options) {
  return std::make_unique<ResourceAware>(members, options.score_expiry);
}

}  // namespace weir
