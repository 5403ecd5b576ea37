// weir: a load balancer. This file is its table of contents: one line per subcommand, one file per line.
#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include "tools/weir/check_command.h"
#include "tools/weir/ctl_command.h"
#include "tools/weir/exit_codes.h"
#include "tools/weir/help_formatter.h"
#include "tools/weir/origin_command.h"
#include "tools/weir/run_command.h"
#include "tools/weir/usage_errors.h"
#include "tools/weir/version_command.h"

namespace weir {
namespace {

std::string footer() {
  std::string text = "`weir COMMAND --help` says more about each.\n\nExit codes:\n";
  for (const ExitCodeMeaning& meaning : exit_code_meanings) {
    text.append("  ").append(std::to_string(static_cast<int>(meaning.code))).append("  ").append(meaning.sentence);
    if (&meaning != &exit_code_meanings.back()) text += "\n";
  }
  return text;
}

int main_of(int argc, const char* const* argv) {
  CLI::App app{"weir: a load balancer on io_uring", "weir"};
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Show this and exit");
  app.set_version_flag("-V,--version", version_line(), "Show the version and exit");
  app.require_subcommand(1);
  app.footer(footer);

  ExitCode exit_code = ExitCode::ok;
  add_run_command(app, exit_code);
  add_check_command(app, exit_code);
  add_ctl_command(app, exit_code);
  add_origin_command(app, exit_code);
  add_version_command(app, exit_code);
  for (CLI::App* command : app.get_subcommands(nullptr)) command->group("Commands");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked_for) {  // --help, --version
    return app.exit(asked_for);
  } catch (const CLI::ParseError& error) {
    std::cerr << explain_usage_error(app, error);
    return static_cast<int>(ExitCode::usage);
  } catch (const std::exception& error) {  // of a library, or out of memory
    std::cerr << "weir: " << error.what() << "\n";
    return static_cast<int>(ExitCode::failure);
  }
  return static_cast<int>(exit_code);
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  return weir::main_of(argc, argv);
}
