// `weir origin`: the command line of the built-in origin (tools/origin/origin.h).
#pragma once

#include <CLI/CLI.hpp>

#include "tools/weir/exit_codes.h"

namespace weir {

// Adds the subcommand. If it is the one that was asked for, parsing runs the origin and sets `exit_code`.
void add_origin_command(CLI::App& app, ExitCode& exit_code);

}  // namespace weir
