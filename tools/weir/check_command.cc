#include "tools/weir/check_command.h"

#include <iostream>
#include <memory>
#include <string>

#include "core/balance/pickers.h"
#include "core/config/parse.h"
#include "core/config/schema.h"

namespace weir {
namespace {

struct CheckOptions {
  std::string config_path;
  bool schema = false;
};

std::string counted(size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string summary_of(const config::Config& config) {
  size_t endpoints = 0;
  for (const config::UpstreamConfig& upstream : config.upstreams) endpoints += upstream.endpoints.size();
  return counted(config.listeners.size(), "listener") + ", " + counted(config.upstreams.size(), "upstream") + ", " +
         counted(endpoints, "endpoint");
}

ExitCode check(const CheckOptions& options) {
  if (options.schema) {
    std::cout << config::schema_json(picker_names());
    return ExitCode::ok;
  }
  if (options.config_path.empty()) {
    std::cerr << "weir check: which file? weir check -c FILE\n";
    return ExitCode::usage;
  }
  const config::ParseResult parsed =
      config::parse_file(options.config_path, config::process_environment(), picker_names());
  if (!parsed.ok()) {
    std::cerr << parsed.render();
    return ExitCode::bad_config;
  }
  std::cout << options.config_path << ": ok\n" << summary_of(*parsed.config) << "\n";
  return ExitCode::ok;
}

}  // namespace

void add_check_command(CLI::App& app, ExitCode& exit_code) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "Say whether a configuration is good, and start nothing");
  CLI::Option* file = command->add_option("-c,--config", options->config_path, "The configuration")->type_name("FILE");
  command->add_flag("--schema", options->schema, "Print the JSON Schema of weir.yaml, for editors")->excludes(file);
  command->footer(
      "Every mistake is reported, with its line and what would be right; then the exit\n"
      "code is 3.");
  command->callback([options, &exit_code] { exit_code = check(*options); });
}

}  // namespace weir
