// The JSON Schema of weir.yaml (draft 2020-12), for editors: completion, hover texts, red lines. Made from describe.h.
// Pure function. Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir::config {

// Pretty-printed, ending in a newline.
std::string schema_json(std::span<const std::string_view> algorithms);

}  // namespace weir::config
