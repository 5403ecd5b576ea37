// Just enough of JSON Schema (draft 2020-12) to ask whether a value fits a schema made by schema.h. A keyword it does
// not know is a failure, so that it cannot pass by not looking.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace weir::config::test {

// "" if `value` fits `schema`, else where and why not. `root` holds the $defs.
std::string why_not(const nlohmann::json& schema, const nlohmann::json& value, const nlohmann::json& root,
                    const std::string& where = "$");

// A YAML text (already known to be good YAML) as JSON: plain numbers and booleans become what they are to YAML,
// everything else plain becomes text.
nlohmann::json yaml_as_json(const std::string& text);

}  // namespace weir::config::test
