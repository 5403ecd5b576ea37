// A configuration without a file: `weir run --listen A --to B,weight=2 ...`. The flags make the same Config that a file
// would, and go through the same rules.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"

namespace weir {

struct QuickOptions {
  std::vector<std::string> listen;
  std::vector<std::string> to;
  std::string mode;
  std::string balance;
  std::string stats;
  std::optional<uint32_t> workers;
  std::string cpus;

  // Was anything said that a file would say?
  bool given() const {
    return !listen.empty() || !to.empty() || !mode.empty() || !balance.empty() || !stats.empty() || workers ||
           !cpus.empty();
  }
};

void add_quick_options(CLI::App& command, QuickOptions& options);

// The Config, or everything that is wrong with the flags.
Result<config::Config, std::string> quick_config(const QuickOptions& options);

}  // namespace weir
