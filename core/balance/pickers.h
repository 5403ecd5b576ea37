// All balancing algorithms by name: what exists, what it is called, and how to make one for the endpoints of an
// upstream.
//
// The control thread makes Pickers, as parts of a Snapshot; workers only call them (core/model/picker.h says how). To
// add an algorithm: one file that defines its make_<name>(), and one row in pickers.def.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/balance/shares.h"
#include "core/model/endpoint.h"
#include "core/model/picker.h"
#include "core/model/picker_options.h"

namespace weir {

// Who takes part, and what each is worth: `shares` by the same index, 0 for who does not take part.
struct PickerMembers {
  std::span<const Endpoint> endpoints;
  std::span<const uint32_t> shares;
};

// In the order of pickers.def.
std::span<const std::string_view> picker_names() noexcept;
bool is_picker(std::string_view name) noexcept;

// What the algorithm does, in a sentence for help texts; "" if there is none of that name.
std::string_view picker_sentence(std::string_view name) noexcept;
// Does the key alone decide? These are the algorithms that `hash_by` and bounded load go with.
bool picker_hashes(std::string_view name) noexcept;

// A picker for exactly these members, in this order: they are what each PickRequest to it has to bring. Null if there
// is no algorithm of that name. Throws std::invalid_argument if the Maglev table size is not prime, and
// std::runtime_error with the reason if a plug-in refuses its members.
std::unique_ptr<const Picker> make_picker(std::string_view name, const PickerMembers& members,
                                          const PickerOptions& options);

// The same for an upstream with tiers: who is in play is asked first, and who is not only after them.
std::unique_ptr<const Picker> make_picker(std::string_view name, std::span<const Endpoint> endpoints,
                                          const Shares& shares, const PickerOptions& options);

// make_round_robin(members, options) and so on, each defined in the file of its algorithm.
#define PICKER(name, hashes, sentence) \
  std::unique_ptr<const Picker> make_##name(const PickerMembers& members, const PickerOptions& options);
#include "core/balance/pickers.def"
#undef PICKER

// Keeps `hashing`, which is for the same members, from giving anybody more than `factor` times its fair part.
std::unique_ptr<const Picker> bound_load(std::unique_ptr<const Picker> hashing, const PickerMembers& members,
                                         double factor);

// Asks the levels in order, each only if those before have nobody to propose. There is at least one.
std::unique_ptr<const Picker> stack_levels(std::vector<std::unique_ptr<const Picker>> levels);

}  // namespace weir
