// The smallest file in which one key has a value: whatever else that key needs around it is filled in.
#pragma once

#include <string>

namespace weir::config::test {

// `path` as in the reference ("listeners[].routes[].match.path"), `value` as it is written behind the key.
std::string file_with(const std::string& path, const std::string& value);

}  // namespace weir::config::test
