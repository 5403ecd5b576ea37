#include "core/balance/pickers.h"

#include <algorithm>
#include <array>

namespace weir {
namespace {

constexpr std::array names{
#define PICKER(name, sentence) std::string_view{#name},
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
#define PICKER(algorithm, sentence) \
  if (name == #algorithm) return sentence;
#include "core/balance/pickers.def"
#undef PICKER
  return "";
}

std::unique_ptr<const Picker> make_picker(std::string_view name, std::span<const Endpoint> endpoints,
                                          const PickerOptions& options) {
#define PICKER(algorithm, sentence) \
  if (name == #algorithm) return make_##algorithm(endpoints, options);
#include "core/balance/pickers.def"
#undef PICKER
  return nullptr;
}

}  // namespace weir
