// maglev: looks the request's key up in a Maglev table (hashing/maglev.h). An endpoint is its name there, so that
// neither a reload, nor another order in the file, nor another weir gives a key to somebody else.
//
// An endpoint that may not be proposed does not pass its keys on to one heir, which they would double the load of: each
// key is hashed again and finds its own next endpoint, the same one each time.
#include "hashing/maglev.h"

#include "core/balance/by_key.h"
#include "core/balance/scan.h"
#include "hashing/hash64.h"

namespace weir {
namespace {

// Lookups per pick. Enough that of many endpoints with the most that may have been tried before, all are missed hardly
// ever.
constexpr uint32_t lookups_max = 16;

class Maglev final : public KeyPicker {
 public:
  Maglev(const PickerMembers& members, uint32_t table_size)
      : table_(by_name<hashing::MaglevEndpoint>(members), table_size), members_(members_with_share(members)) {}

  uint32_t pick(PickerState& /*state*/, const PickRequest& request) const noexcept override {
    WEIR_ASSERT(request.candidates.size() == table_.ids().size());
    uint32_t index = table_.lookup(request.key);
    if (index == hashing::MaglevTable::none) return no_endpoint;
    for (uint32_t lookup = 1; !request.usable(index); ++lookup) {
      const uint64_t rehashed = hashing::mix64(request.key, lookup);
      if (lookup == lookups_max) {
        return first_usable(request, members_, hashing::reduce(rehashed, static_cast<uint32_t>(members_.size())));
      }
      index = table_.lookup(rehashed);
    }
    return index;
  }

 private:
  hashing::MaglevTable table_;
  std::vector<uint32_t> members_;
};

}  // namespace

std::unique_ptr<const Picker> make_maglev(const PickerMembers& members, const PickerOptions& options) {
  return std::make_unique<Maglev>(members, options.maglev_table_size);
}

}  // namespace weir
