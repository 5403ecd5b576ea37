// Parsing: a weir.yaml becomes a Config, or a list of everything that is wrong with it.
//
//     file -> text -> YAML tree -> fields (reader.h, by describe.h) -> presets (preset.h)
//          -> rules between fields (validate.h) -> Config
//
// Each step goes as far as it can, so that one run reports every mistake it can see. No exception leaves these
// functions. Called by the control thread and by the command line, never by workers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/config/diagnostic.h"
#include "core/config/environment.h"

namespace weir::config {

struct ParseResult {
  std::optional<Config> config;         // set exactly when there are no diagnostics
  std::vector<Diagnostic> diagnostics;  // by place

  bool ok() const noexcept { return config.has_value(); }
  std::string render() const { return config::render(diagnostics); }
};

// `algorithms` are the words that `balance` may be, as picker_names() of core/balance/pickers.h lists them.
ParseResult parse_text(std::string_view text, std::string_view file_name, const Environment& environment,
                       std::span<const std::string_view> algorithms);

// As parse_text, with the `.env` file in the folder of `path` (if there is one) below `environment`.
ParseResult parse_file(const std::string& path, const Environment& environment,
                       std::span<const std::string_view> algorithms);

// For a Config that was made by hand: the rules that parse_text applies, as diagnostics without a line, about `origin`
// ("command line"). Names the unnamed; knows nothing of presets, since everything may have been written.
ParseResult check_config(Config config, std::string_view origin);

}  // namespace weir::config
