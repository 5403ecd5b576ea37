// What the YAML library says about a broken file, said again for the person who has to mend it. Pure functions. Any
// thread.
#pragma once

#include <string_view>

#include "core/config/diagnostic.h"
#include "core/config/source.h"

namespace weir::config {

// `message` is yaml-cpp's; `offset` is where it stopped reading.
Mistake explain_yaml_error(std::string_view message, const SourceText& source, size_t offset);

}  // namespace weir::config
