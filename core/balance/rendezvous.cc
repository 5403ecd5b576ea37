// rendezvous: every endpoint draws for the request's key, and the best draw among the usable ones has it
// (hashing/rendezvous.h). An endpoint is its name there. Who may not be proposed does not take part, so each of its
// keys goes to its own second best: nothing needs to be looked up again, and no last resort.
#include "hashing/rendezvous.h"

#include "core/balance/pickers.h"
#include "hashing/hash64.h"

namespace weir {
namespace {

hashing::Rendezvous draws_of(const PickerMembers& members) {
  std::vector<hashing::RendezvousEndpoint> named;
  named.reserve(members.endpoints.size());
  for (size_t i = 0; i < members.endpoints.size(); ++i) {
    named.push_back({hashing::hash64(members.endpoints[i].name), members.shares[i]});
  }
  return hashing::Rendezvous(named);
}

class Rendezvous final : public Picker {
 public:
  explicit Rendezvous(const PickerMembers& members)
      : draws_(draws_of(members)), endpoint_count_(members.endpoints.size()) {}

  bool wants_key() const noexcept override { return true; }

  // There is nothing to remember: the key decides.
  std::unique_ptr<PickerState> make_state(uint64_t /*seed*/, const PickerState* /*previous*/) const override {
    return std::make_unique<PickerState>();
  }

  uint32_t pick(PickerState& /*state*/, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == endpoint_count_);
    return draws_.lookup(request.key, [&](uint32_t index) { return request.usable(index); });
  }

 private:
  static_assert(hashing::Rendezvous::none == no_endpoint);

  hashing::Rendezvous draws_;
  size_t endpoint_count_;
};

}  // namespace

std::unique_ptr<const Picker> make_rendezvous(const PickerMembers& members, const PickerOptions& /*options*/) {
  return std::make_unique<Rendezvous>(members);
}

}  // namespace weir
