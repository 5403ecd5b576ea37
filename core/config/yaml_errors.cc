#include "core/config/yaml_errors.h"

#include <yaml-cpp/exceptions.h>

#include <array>

namespace weir::config {
namespace {

struct Row {
  std::string_view theirs;  // how yaml-cpp's message begins
  std::string_view message;
  std::string_view fix;
};

constexpr std::string_view indentation = "indent keys that belong together by the same number of spaces";

const std::array rows{
    Row{YAML::ErrorMsg::END_OF_MAP, "this does not go on with the mapping above", indentation},
    Row{YAML::ErrorMsg::END_OF_SEQ, "this does not go on with the list above",
        "begin each item with `- `, all indented by the same number of spaces"},
    Row{YAML::ErrorMsg::END_OF_MAP_FLOW, "the `{` before this is never closed", "close it with `}`"},
    Row{YAML::ErrorMsg::END_OF_SEQ_FLOW, "the `[` before this is never closed", "close it with `]`"},
    Row{YAML::ErrorMsg::FLOW_END, "this closing bracket has no opening one", "remove it, or quote the value"},
    Row{YAML::ErrorMsg::MAP_VALUE, "a `: ` stands where no key can be",
        "check the indentation and the line before; quote a value that holds `: `"},
    Row{YAML::ErrorMsg::MAP_KEY, "a key stands where none can be", indentation},
    Row{YAML::ErrorMsg::BLOCK_ENTRY, "a `- ` stands where no list item can be",
        "begin the list on a line of its own, below its key"},
    Row{YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab in the indentation", "indent with spaces"},
    Row{YAML::ErrorMsg::UNKNOWN_TOKEN, "a value cannot begin with this character", "quote the value"},
    Row{YAML::ErrorMsg::INVALID_ESCAPE, "an escape that YAML does not know", "write `\\\\` for a plain backslash"},
    Row{YAML::ErrorMsg::EOF_IN_SCALAR, "the file ends inside a quoted value", "close the quote"},
    Row{YAML::ErrorMsg::DOC_IN_SCALAR, "a document marker inside a quoted value", "close the quote before it"},
    Row{YAML::ErrorMsg::UNKNOWN_ANCHOR, "no anchor of this name stands above",
        "write `&name` at the value it should repeat"},
    Row{YAML::ErrorMsg::ALIAS_CONTENT, "an alias cannot have a value of its own", "write `*name` alone"},
};

// `address: [::1]:80` opens a list in YAML; it is the mistake people make with IPv6 addresses. Gives the address, or
// "".
std::string_view bare_ipv6(std::string_view line) {
  const size_t open = line.find('[');
  const size_t close = line.find("]:", open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  if (open > 0 && (line[open - 1] == '"' || line[open - 1] == '\'')) return {};
  const size_t end = line.find_first_not_of("0123456789", close + 2);
  const std::string_view address = line.substr(open, end - open);
  const bool plausible = address.find_first_not_of("[]0123456789abcdefABCDEF:.") == std::string_view::npos;
  return plausible ? address : std::string_view{};
}

bool is_indented_by_tab(std::string_view line) {
  return line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

}  // namespace

Mistake explain_yaml_error(std::string_view message, const SourceText& source, size_t offset) {
  const std::string_view line = source.line(source.line_of(offset));
  if (const std::string_view address = bare_ipv6(line); !address.empty()) {
    return {"YAML reads `[` as the beginning of a list", "quote the address: \"" + std::string{address} + "\""};
  }
  if (is_indented_by_tab(line)) return {"a tab in the indentation", "indent with spaces"};
  for (const Row& row : rows) {
    if (message.starts_with(row.theirs)) return {std::string{row.message}, std::string{row.fix}};
  }
  return {"this is not YAML: " + std::string{message}, ""};
}

}  // namespace weir::config
