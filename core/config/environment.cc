#include "core/config/environment.h"

#include <cstdlib>

namespace weir::config {
namespace {

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

// Reads one line of a .env file. `at` walks over it and is where the caret goes when something is wrong.
class DotenvLine {
 public:
  explicit DotenvLine(std::string_view line) : line_(line) {}

  size_t at() const noexcept { return at_; }

  bool is_empty() {
    skip_blanks();
    return done() || line_[at_] == '#';
  }

  std::optional<Mistake> read(std::string& name, std::string& value) {
    if (line_.substr(at_).starts_with("export ") || line_.substr(at_).starts_with("export\t")) {
      at_ += 7;
      skip_blanks();
    }
    const size_t equals = line_.find('=', at_);
    if (equals == std::string_view::npos) return Mistake{"this line sets nothing", "write NAME=value"};
    name = line_.substr(at_, equals - at_);
    if (!is_variable_name(name)) {
      return Mistake{quoted(name) + " is not a name of a variable",
                     "names are letters, digits and `_`, with no space before the `=`"};
    }
    at_ = equals + 1;
    skip_blanks();
    if (!done() && (line_[at_] == '"' || line_[at_] == '\'')) return read_quoted(value);
    value = line_.substr(at_, plain_end() - at_);
    while (!value.empty() && is_blank(value.back())) value.pop_back();
    return std::nullopt;
  }

 private:
  bool done() const noexcept { return at_ >= line_.size(); }
  void skip_blanks() {
    while (!done() && is_blank(line_[at_])) ++at_;
  }

  // A plain value ends at the end of the line or at a comment.
  size_t plain_end() const noexcept {
    for (size_t i = at_; i < line_.size(); ++i) {
      if (line_[i] == '#' && is_blank(line_[i - 1])) return i;  // i > 0: a name and `=` stand before
    }
    return line_.size();
  }

  std::optional<Mistake> read_quoted(std::string& value) {
    const size_t opening = at_;
    const char quote = line_[at_++];
    while (!done() && line_[at_] != quote) {
      if (quote == '"' && line_[at_] == '\\' && at_ + 1 < line_.size()) {
        const char escaped = line_[++at_];
        switch (escaped) {
          case 'n': value += '\n'; break;
          case 't': value += '\t'; break;
          case 'r': value += '\r'; break;
          case '"':
          case '\\':
          case '$': value += escaped; break;
          default: (value += '\\') += escaped;
        }
      } else {
        value += line_[at_];
      }
      ++at_;
    }
    if (done()) {
      at_ = opening;
      return Mistake{"the quote is never closed", std::string{"end the value with "} + quote + " on the same line"};
    }
    ++at_;
    skip_blanks();
    if (!done() && line_[at_] != '#') return Mistake{"text after the closing quote", "put all of the value in quotes"};
    return std::nullopt;
  }

  std::string_view line_;
  size_t at_ = 0;
};

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string{name}.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Environment environment_of(std::map<std::string, std::string, std::less<>> variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

Environment layered(Environment first, Environment second) {
  return [first = std::move(first), second = std::move(second)](std::string_view name) {
    std::optional<std::string> value = first(name);
    return value ? value : second(name);
  };
}

bool is_variable_name(std::string_view name) noexcept {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

std::map<std::string, std::string, std::less<>> parse_dotenv(const SourceText& source,
                                                             std::vector<Diagnostic>& diagnostics) {
  std::map<std::string, std::string, std::less<>> variables;
  std::vector<Diagnostic> no_text = source.check_is_text();
  if (!no_text.empty()) {
    diagnostics.insert(diagnostics.end(), no_text.begin(), no_text.end());
    return variables;
  }
  const uint32_t lines = source.line_of(source.text().size());
  for (uint32_t number = 1; number <= lines; ++number) {
    DotenvLine line{source.line(number)};
    if (line.is_empty()) continue;
    std::string name;
    std::string value;
    if (auto mistake = line.read(name, value)) {
      diagnostics.push_back(source.diagnostic(source.line_start(number) + line.at(), std::move(mistake->message),
                                              std::move(mistake->fix)));
      continue;
    }
    variables.insert_or_assign(std::move(name), std::move(value));  // as in a shell, the last one counts
  }
  return variables;
}

}  // namespace weir::config
