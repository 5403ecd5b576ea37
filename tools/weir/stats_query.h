// One question to a stats socket, and the whole answer. Blocking, for the command line only: a server that does not
// move for a while is given up.
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace weir {

// Why there is none, and what to do, for the operator.
struct NoAnswer {
  std::string sentence;
};

// `line` is one line of commands, without its end.
Result<std::string, NoAnswer> ask_stats_socket(const std::string& path, std::string_view line, Duration patience);

}  // namespace weir
