#include "core/balance/pickers.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir {
namespace {

constexpr std::array names{
#define PICKER(name, hashes, sentence) std::string_view{#name},
#include "core/balance/pickers.def"
#undef PICKER
};

}  // namespace

std::span<const std::string_view> picker_names() noexcept {
  return names;
}

bool is_picker(std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view picker_sentence(std::string_view name) noexcept {
#define PICKER(algorithm, hashes, sentence) \
  if (name == #algorithm) return sentence;
#include "core/balance/pickers.def"
#undef PICKER
  return "";
}

bool picker_hashes(std::string_view name) noexcept {
#define PICKER(algorithm, hashes, sentence) \
  if (name == #algorithm) return hashes;
#include "core/balance/pickers.def"
#undef PICKER
  return false;
}

std::unique_ptr<const Picker> make_picker(std::string_view name, const PickerMembers& members,
                                          const PickerOptions& options) {
  std::unique_ptr<const Picker> picker;
#define PICKER(algorithm, hashes, sentence) \
  if (name == #algorithm) picker = make_##algorithm(members, options);
#include "core/balance/pickers.def"
#undef PICKER
  if (options.bounded_load > 0 && picker_hashes(name)) {
    return bound_load(std::move(picker), members, options.bounded_load);
  }
  return picker;
}

std::unique_ptr<const Picker> make_picker(std::string_view name, std::span<const Endpoint> endpoints,
                                          const Shares& shares, const PickerOptions& options) {
  if (!is_picker(name)) return nullptr;
  uint8_t last = 0;
  for (const uint8_t level : shares.levels) last = std::max(last, level);
  std::vector<std::unique_ptr<const Picker>> levels;
  for (unsigned level = 0; level <= last; ++level) {
    std::vector<uint32_t> of_this_level(endpoints.size(), 0);
    for (size_t i = 0; i < endpoints.size(); ++i) {
      if (shares.levels[i] == level) of_this_level[i] = shares.each[i];
    }
    levels.push_back(make_picker(name, {endpoints, of_this_level}, options));
  }
  return levels.size() == 1 ? std::move(levels.front()) : stack_levels(std::move(levels));
}

}  // namespace weir
