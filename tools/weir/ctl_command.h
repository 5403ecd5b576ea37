// `weir ctl`: asks a running weir through its stats socket.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/weir/exit_codes.h"

namespace weir {

void add_ctl_command(CLI::App& app, ExitCode& exit_code);

}  // namespace weir
