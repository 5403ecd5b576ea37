// rendezvous: every endpoint draws for the request's key, and the best draw among the usable ones has it
// (hashing/rendezvous.h). An endpoint is its name there. Who may not be proposed does not take part, so each of its
// keys goes to its own second best: nothing needs to be looked up again, and no last resort.
#include "hashing/rendezvous.h"

#include "core/balance/by_key.h"

namespace weir {
namespace {

class Rendezvous final : public KeyPicker {
 public:
  explicit Rendezvous(const PickerMembers& members)
      : draws_(by_name<hashing::RendezvousEndpoint>(members)), endpoint_count_(members.endpoints.size()) {}

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
