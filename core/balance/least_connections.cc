// least_connections: the endpoint that would carry the least per unit of share once it had this connection, that is the
// least (connections + 1) / share. Connections are those of all workers, held and being made. Of more than 64 endpoints
// it compares a sample (core/balance/least_of.h).
#include "core/balance/least_of.h"
#include "core/balance/pickers.h"
#include "core/balance/scan.h"
#include "core/base/random.h"

namespace weir {
namespace {

struct LeastConnectionsState final : PickerState {
  explicit LeastConnectionsState(uint64_t seed) noexcept : random(seed), cursor(static_cast<uint32_t>(random.next())) {}

  Random random;
  uint32_t cursor;  // where an exact comparison starts
};

class LeastConnections final : public Picker {
 public:
  explicit LeastConnections(const PickerMembers& members)
      : members_(members_with_share(members)),
        draw_(members_.size() > compared_max ? members.shares : std::span<const uint32_t>{}),
        endpoint_count_(members.endpoints.size()) {}

  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    auto state = std::make_unique<LeastConnectionsState>(seed);
    if (const auto* before = dynamic_cast<const LeastConnectionsState*>(previous)) *state = *before;
    state->cursor = members_.empty() ? 0 : state->cursor % static_cast<uint32_t>(members_.size());
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    auto& memory = static_cast<LeastConnectionsState&>(state);
    // 33 bits; a share has at most 31 (core/balance/shares.cc).
    const auto load_of = [&](uint32_t index) { return uint64_t{request.candidates[index].connections()} + 1; };
    return draw_.empty() ? least_of_all(members_, memory.cursor, request, load_of)
                         : least_of_sample(draw_, members_, memory.random, request, load_of);
  }

 private:
  std::vector<uint32_t> members_;
  hashing::WeightedDraw draw_;  // empty if all are compared
  size_t endpoint_count_;
};

}  // namespace

std::unique_ptr<const Picker> make_least_connections(const PickerMembers& members, const PickerOptions& /*options*/) {
  return std::make_unique<LeastConnections>(members);
}

}  // namespace weir
