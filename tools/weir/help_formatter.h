// HelpFormatter: help texts that fit a terminal of 80 columns, whatever the options are called and described. Set once
// on the root command, before subcommands are added: they inherit it.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

namespace weir {

inline constexpr size_t help_columns = 80;

class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter();

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

// Breaks `text` at spaces so that no line, `indent` included, is wider than help_columns. Line ends in `text` stay. The
// first line has no indent: its beginning is already written. A word wider than a line is not broken.
std::string wrapped(std::string_view text, size_t indent);

}  // namespace weir
