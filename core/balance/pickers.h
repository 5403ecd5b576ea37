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

#include "core/model/endpoint.h"
#include "core/model/picker.h"

namespace weir {

struct PickerOptions {
  uint32_t maglev_table_size = 65'537;  // prime; a hundred slots per endpoint or more keep shares even
};

// In the order of pickers.def.
std::span<const std::string_view> picker_names() noexcept;
bool is_picker(std::string_view name) noexcept;

// What the algorithm does, in a sentence for help texts; "" if there is none of that name.
std::string_view picker_sentence(std::string_view name) noexcept;

// A picker for exactly these endpoints, in this order: they are what each PickRequest to it has to bring. Null if there
// is no algorithm of that name. Throws std::invalid_argument if the Maglev table size is not prime.
std::unique_ptr<const Picker> make_picker(std::string_view name, std::span<const Endpoint> endpoints,
                                          const PickerOptions& options);

// make_round_robin(endpoints, options) and so on, each defined in the file of its algorithm.
#define PICKER(name, sentence) \
  std::unique_ptr<const Picker> make_##name(std::span<const Endpoint> endpoints, const PickerOptions& options);
#include "core/balance/pickers.def"
#undef PICKER

}  // namespace weir
