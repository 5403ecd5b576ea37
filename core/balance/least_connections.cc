// least_connections: the endpoint that would carry the least per unit of weight once it had this connection, that is
// the least (connections + 1) / weight. Connections are those of all workers, held and being made.
//
// Up to `exact_max` endpoints all are compared. Beyond, that would cost more than it gains, and `sample_size` are drawn
// at random by weight and compared: the busiest of many is avoided nearly as well (Mitzenmacher, "The Power of Two
// Choices in Randomized Load Balancing", 2001; two are enough to be far from random, a few more to be close to exact).
#include "core/balance/pickers.h"
#include "core/balance/scan.h"
#include "core/balance/turns.h"
#include "core/base/random.h"

namespace weir {
namespace {

constexpr uint32_t exact_max = 64;
constexpr uint32_t sample_size = 8;

struct LeastConnectionsState final : PickerState {
  explicit LeastConnectionsState(uint64_t seed) noexcept : random(seed), cursor(static_cast<uint32_t>(random.next())) {}

  Random random;
  uint32_t cursor;  // where an exact comparison starts: after the endpoint picked last, so that equals take turns
};

// The best of those it has seen, the first of equals.
class Least {
 public:
  // True if this one is the best so far.
  bool offer(uint32_t index, const Endpoint& endpoint) noexcept {
    // Relaxed: a load figure, counted by Leases of all workers, that orders nothing.
    const uint64_t load = uint64_t{endpoint.state->connections.load(std::memory_order_relaxed)} + 1;
    // load / weight < load_ / weight_, without a division; both factors have 32 bits.
    if (index_ != no_endpoint && load * weight_ >= load_ * endpoint.weight) return false;
    index_ = index;
    load_ = load;
    weight_ = endpoint.weight;
    return true;
  }
  uint32_t index() const noexcept { return index_; }

 private:
  uint32_t index_ = no_endpoint;
  uint64_t load_ = 0;
  uint64_t weight_ = 0;
};

class LeastConnections final : public Picker {
 public:
  explicit LeastConnections(std::span<const Endpoint> endpoints) : endpoint_count_(endpoints.size()) {
    for (uint32_t i = 0; i < endpoints.size(); ++i) {
      if (endpoints[i].weight > 0) weighted_.push_back(i);
    }
    if (weighted_.size() > exact_max) turns_ = smooth_turns(endpoints);
  }

  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<LeastConnectionsState>(seed);
    if (const auto* before = dynamic_cast<const LeastConnectionsState*>(previous)) *state = *before;
    state->cursor = weighted_.empty() ? 0 : state->cursor % static_cast<uint32_t>(weighted_.size());
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.endpoints.size() == endpoint_count_);
    auto& memory = static_cast<LeastConnectionsState&>(state);
    return turns_.empty() ? least_of_all(memory.cursor, request) : least_of_sample(memory.random, request);
  }

 private:
  uint32_t least_of_all(uint32_t& cursor, const PickRequest& request) const noexcept {
    Least least;
    uint32_t after = cursor;
    uint32_t at = cursor;
    for (size_t i = 0; i < weighted_.size(); ++i) {
      const uint32_t index = weighted_[at];
      at = at + 1 == weighted_.size() ? 0 : at + 1;
      if (request.usable(index) && least.offer(index, request.endpoints[index])) after = at;
    }
    cursor = after;
    return least.index();
  }

  // Drawn by weight, because the comparison alone could not give a heavy endpoint among many light ones its share: it
  // would be in too few samples.
  uint32_t least_of_sample(Random& random, const PickRequest& request) const noexcept {
    Least least;
    for (uint32_t i = 0; i < sample_size; ++i) {
      const uint32_t index = turns_[random.below(turns_.size())];
      if (request.usable(index)) least.offer(index, request.endpoints[index]);
    }
    if (least.index() != no_endpoint) return least.index();
    return first_usable(request, weighted_[random.below(weighted_.size())]);
  }

  std::vector<uint32_t> weighted_;  // indexes of endpoints that have a weight
  std::vector<uint32_t> turns_;     // to draw from; empty if all are compared
  size_t endpoint_count_;
};

}  // namespace

std::unique_ptr<const Picker> make_least_connections(std::span<const Endpoint> endpoints,
                                                     const PickerOptions& /*options*/) {
  return std::make_unique<LeastConnections>(endpoints);
}

}  // namespace weir
