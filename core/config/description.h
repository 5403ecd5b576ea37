// ConfigDescription: describe.h as data, for whoever writes about the configuration instead of reading one: the JSON
// Schema and the reference. A value. Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/kinds.h"

namespace weir::config {

struct FieldDescription {
  enum class Shape { value, values, section, list, pairs };

  std::string key;
  Shape shape = Shape::value;
  ValueType type;            // value, values
  std::string default_text;  // value: as the parser would read it; values: its items, ", " between; "": there is none
  std::string otherwise;     // what holds without the key, where default_text does not say it
  std::string sentence;
  std::string short_form;  // list: the key that a scalar item means
  bool required = false;
  std::vector<FieldDescription> fields;  // section, list
};

// The fields at the top of the file, in the order of describe.h.
std::vector<FieldDescription> describe_config(std::span<const std::string_view> algorithms);

}  // namespace weir::config
