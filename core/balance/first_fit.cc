// first_fit: fills endpoints one after the other, in the order of the file. Who comes first takes everything up to its
// `connections_max`, and only what does not fit there goes to the next one: those at the end stay empty, and may be
// switched off. (The rule of that name for packing bins: Johnson, "Near-optimal bin packing algorithms", 1973.)
//
//     limit = connections_max x share / (weight x 100), rounded up      what an endpoint is filled to
//
// which is connections_max in full health, and less while it is ill or starts slowly. If all are filled, but somebody
// only to its limit, then who has most room below its connections_max has it. An endpoint without connections_max never
// is full, and nobody behind it gets anything unless it has failed.
//
// A pick looks at all that are full before it finds one that is not, so it costs more the more are in use. It can do no
// more than look: that connections_max is never exceeded is the Lease's affair.
#include <algorithm>

#include "core/balance/by_key.h"
#include "core/balance/scan.h"

namespace weir {
namespace {

class FirstFit final : public StatelessPicker {
 public:
  explicit FirstFit(const PickerMembers& members) : endpoint_count_(members.endpoints.size()) {
    for (const uint32_t index : members_with_share(members)) {
      members_.push_back({index, members.shares[index], members.endpoints[index].weight * share_of_one});
    }
  }

  uint32_t pick(PickerState& /*state*/, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    uint32_t roomiest = no_endpoint;
    uint32_t most_room = 0;
    for (const Member& member : members_) {
      if (!request.usable(member.index)) continue;
      const Candidate& candidate = request.candidates[member.index];
      const uint32_t connections = candidate.connections();
      if (candidate.connections_max == 0 || member.fits(connections, candidate.connections_max)) return member.index;
      // It was usable a moment ago; since then another worker may have filled it.
      const uint32_t room = candidate.connections_max - std::min(connections, candidate.connections_max);
      if (roomiest != no_endpoint && room <= most_room) continue;
      roomiest = member.index;
      most_room = room;
    }
    return roomiest;
  }

 private:
  struct Member {
    uint32_t index;
    uint32_t share;
    uint32_t full_share;  // of its weight in full health

    // connections < limit, without a division: for whole numbers, being below a number is being below it rounded up.
    // As a share is above 0, there is room for one at least.
    bool fits(uint64_t connections, uint64_t connections_max) const noexcept {
      return connections * full_share < connections_max * share;
    }
  };

  std::vector<Member> members_;
  size_t endpoint_count_;
};

}  // namespace

std::unique_ptr<const Picker> make_first_fit(const PickerMembers& members, const PickerOptions& /*options*/) {
  return std::make_unique<FirstFit>(members);
}

}  // namespace weir
