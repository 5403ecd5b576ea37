#include "tools/weir/usage_errors.h"

#include <string_view>
#include <vector>

#include "core/config/suggest.h"

namespace weir {
namespace {

// The command that was being read: the root, or the subcommand that was named.
const CLI::App& innermost(const CLI::App& app) {
  const auto named = app.get_subcommands();
  return named.empty() ? app : innermost(*named.back());
}

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand : command.get_subcommands(nullptr)) names.push_back(subcommand->get_name());
  return names;
}

std::string unknown_word(const CLI::App& command, const std::string& said) {
  const bool is_option = said.starts_with("-") && said != "-";
  const std::string word = is_option ? said.substr(0, said.find('=')) : said;
  const std::vector<std::string> names = is_option ? option_names(command) : command_names(command);
  const std::vector<std::string_view> candidates{names.begin(), names.end()};
  if (!is_option && candidates.empty()) return "unexpected word `" + word + "`";
  std::string sentence = (is_option ? "unknown option `" : "unknown command `") + word + "`";
  if (is_option && !config::suggest(word, candidates)) return sentence;  // the list would be long
  return sentence + "; " + config::did_you_mean(word, candidates);
}

}  // namespace

std::string explain_usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = innermost(app);
  const std::string name = full_name(command);
  std::vector<std::string> unknown = app.remaining(true);
  std::string sentence;
  if (!unknown.empty()) {
    sentence = unknown_word(command, unknown.front());
  } else if (&command == &app && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const std::vector<std::string> names = command_names(app);
    const std::vector<std::string_view> candidates{names.begin(), names.end()};
    sentence = "say what to do; " + config::did_you_mean("", candidates);
  } else {
    sentence = error.what();
  }
  return name + ": " + sentence + "\n  more: " + name + " --help\n";
}

}  // namespace weir
