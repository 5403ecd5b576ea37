// `weir run`: balance, in the foreground, until told to stop. The composition root: the one place that knows both
// planes.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/weir/exit_codes.h"

namespace weir {

void add_run_command(CLI::App& app, ExitCode& exit_code);

}  // namespace weir
