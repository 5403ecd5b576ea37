// Text that came from outside, or goes there, as reports show it: between backticks, on one line, in printable ASCII
// (the rest as \r, \n, \t or \xHH), and not too much of it. A pure function.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

// Of a longer text the beginning, followed by an ellipsis. "`+PONG\r\n`".
inline constexpr size_t quoted_bytes_max = 64;
std::string in_quotes(std::string_view text);

}  // namespace weir
