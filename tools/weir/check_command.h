// `weir check`: reads a configuration, says everything that is wrong with it, and starts nothing. Also prints the JSON
// Schema.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/weir/exit_codes.h"

namespace weir {

void add_check_command(CLI::App& app, ExitCode& exit_code);

}  // namespace weir
