#include "tools/weir/ctl_command.h"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "control/stats_commands.h"
#include "tools/weir/stats_query.h"

namespace weir {
namespace {

constexpr const char* default_path = "/run/weir/stats.sock";
constexpr const char* path_variable = "WEIR_STATS";
constexpr Duration patience = std::chrono::seconds{5};

struct CtlOptions {
  std::string path = default_path;
  std::vector<std::string> words;
};

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line.append(line.empty() ? "" : " ").append(word);
  return line;
}

// An answer ends in an empty line, and so does each of several.
bool is_refusal(std::string_view answers) {
  for (;;) {
    if (answers.starts_with(stats_refusal)) return true;
    const size_t end = answers.find("\n\n");
    if (end == std::string_view::npos) return false;
    answers.remove_prefix(end + 2);
  }
}

ExitCode ctl(const CtlOptions& options) {
  const std::string line = joined(options.words);
  if (line.find('\n') != std::string::npos) {
    std::cerr << "weir ctl: one line at a time; several commands are separated by `;`\n";
    return ExitCode::usage;
  }
  const auto answer = ask_stats_socket(options.path, line, patience);
  if (!answer) {
    std::cerr << "weir ctl: " << answer.error().sentence << "\n";
    return ExitCode::unreachable;
  }
  const bool refused = is_refusal(*answer);
  std::string_view text = *answer;
  if (text.ends_with("\n\n")) text.remove_suffix(1);
  (refused ? std::cerr : std::cout) << text;
  return refused ? ExitCode::usage : ExitCode::ok;
}

}  // namespace

void add_ctl_command(CLI::App& app, ExitCode& exit_code) {
  const auto options = std::make_shared<CtlOptions>();
  CLI::App* command = app.add_subcommand("ctl", "Ask a running weir through its stats socket");
  command->add_option("--stats", options->path, "The stats socket")
      ->type_name("PATH")
      ->envname(path_variable)
      ->capture_default_str();
  command->add_option("COMMAND", options->words, "What to ask")->required()->type_name("");
  command->footer(R"(For example:
  weir ctl show info           the process: limits, connections, memory
  weir ctl show stat json      counters of listeners, upstreams, endpoints
  weir ctl help                everything that can be asked
  weir ctl 'show info; show stat'

Exit code 6: no answer within 5 s; 2: the command is not known there.)");
  command->callback([options, &exit_code] { exit_code = ctl(*options); });
}

}  // namespace weir
