#include "tools/weir/help_formatter.h"

#include <algorithm>

namespace weir {
namespace {

// Where descriptions begin.
constexpr size_t description_column = 28;

// "  name          description", the description on lines of its own if the name is long.
std::string entry(const std::string& name, const std::string& description) {
  std::string line = "  " + name;
  if (description.empty()) return line + "\n";
  if (line.size() >= description_column) line += "\n" + std::string(description_column, ' ');
  const size_t line_start = line.rfind('\n') == std::string::npos ? 0 : line.rfind('\n') + 1;
  line.resize(line_start + description_column, ' ');
  return line + wrapped(description, description_column) + "\n";
}

}  // namespace

std::string wrapped(std::string_view text, size_t indent) {
  std::string out;
  size_t column = indent;
  const auto new_line = [&] {
    out += "\n" + std::string(indent, ' ');
    column = indent;
  };
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, end);
    if (!word.empty()) {
      if (column > indent && column + 1 + word.size() > help_columns) new_line();
      if (column > indent) {
        out += ' ';
        ++column;
      }
      out += word;
      column += word.size();
    }
    if (end < text.size() && text[end] == '\n') new_line();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

HelpFormatter::HelpFormatter() {
  column_width(description_column);
  label("OPTIONS", "OPTION...");
  label("SUBCOMMAND", "COMMAND");
}

// The parts each bring their own empty lines; one between two parts is enough, and none at the end.
std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
  for (size_t at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n", at)) text.erase(at, 1);
  text.resize(text.find_last_not_of('\n') + 1);
  return text + "\n";
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return "\n" + CLI::Formatter::make_usage(app, std::move(name));
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string description = make_option_desc(option);
  // The default and the variable belong to the description: the name stays short enough for its column.
  const std::string default_value = option->get_default_str();
  if (!default_value.empty()) description += " [" + default_value + "]";
  if (!option->get_envname().empty()) description += " (or " + option->get_envname() + ")";
  return entry(make_option_name(option, is_positional) + make_option_opts(option), description);
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return {};  // a flag
  std::string text;
  if (!option->get_type_name().empty()) text += " " + option->get_type_name();
  if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += " ...";
  return text;
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return entry(command->get_display_name(), command->get_description());
}

}  // namespace weir
