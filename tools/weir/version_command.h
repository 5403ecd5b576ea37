// `weir version`: which weir this is, how it was built, and what io_uring can do on this machine.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "tools/weir/exit_codes.h"

namespace weir {

void add_version_command(CLI::App& app, ExitCode& exit_code);

// "weir 0.1.0", for --version.
std::string version_line();

}  // namespace weir
