// What algorithms have in common that remember nothing, and those of them that go by a key.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/balance/pickers.h"
#include "hashing/hash64.h"

namespace weir {

// What is there at the moment of a pick decides, and nothing that was before it.
class StatelessPicker : public Picker {
 public:
  std::unique_ptr<PickerState> make_state(uint64_t /*seed*/, const PickerState* /*previous*/) const override {
    return std::make_unique<PickerState>();
  }
};

// The key decides.
class KeyPicker : public StatelessPicker {
 public:
  bool wants_key() const noexcept override { return true; }
};

// The members as a hash knows them: by name, so that neither a reload, nor another order in the file, nor another weir
// gives a key to somebody else. Named is {id, weight}.
template <class Named>
std::vector<Named> by_name(const PickerMembers& members) {
  std::vector<Named> named;
  named.reserve(members.endpoints.size());
  for (size_t i = 0; i < members.endpoints.size(); ++i) {
    named.push_back({hashing::hash64(members.endpoints[i].name), members.shares[i]});
  }
  return named;
}

}  // namespace weir
