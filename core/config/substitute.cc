#include "core/config/substitute.h"

namespace weir::config {
namespace {

constexpr std::string_view default_sign = ":-";
constexpr size_t text_bytes_max = size_t{64} * 1024;  // so that a short file cannot ask for gigabytes

// Whether a `$` is not just a `$`, as at the end of a regular expression. In front of a name or a bracket, it is a
// variable or a command in the manner of a shell, and it is better to say that weir has none than to take it literally.
bool begins_something(std::string_view text) {
  const char next = text.size() > 1 ? text[1] : ' ';
  return next == '{' || next == '(' || next == '_' || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
}

// The inside of one `${...}`.
void substitute_one(std::string_view inside, std::string_view whole, const Environment& environment,
                    Substitution& result) {
  const auto wrong = [&](std::string message, std::string fix) {
    result.problems.push_back({std::string{whole}, {std::move(message), std::move(fix)}});
  };
  const size_t sign = inside.find(default_sign);
  const std::string_view name = inside.substr(0, sign);
  const bool has_default = sign != std::string_view::npos;
  if (!is_variable_name(name)) {
    return wrong(quoted(name) + " is not a name of a variable", "write ${NAME} or ${NAME:-default}; a plain $ is $$");
  }
  if (inside.find("${") != std::string_view::npos) {
    return wrong("a default cannot hold another ${...}", "give the default as plain text");
  }
  std::optional<std::string> value = environment(name);
  // As in a shell, `:-` also replaces a variable that is set but empty.
  if (has_default && (!value || value->empty())) value = inside.substr(sign + default_sign.size());
  if (!value) {
    return wrong(
        "the environment variable " + quoted(name) + " is not set",
        "set it, in the environment or in .env beside this file, or write ${" + std::string{name} + ":-default}");
  }
  result.text += *value;
  result.variables.emplace_back(name);
}

}  // namespace

Substitution substitute(std::string_view scalar, const Environment& environment) {
  Substitution result;
  for (size_t at = 0; at < scalar.size();) {
    const size_t dollar = scalar.find('$', at);
    result.text += scalar.substr(at, dollar - at);
    if (dollar == std::string_view::npos) break;
    const std::string_view rest = scalar.substr(dollar);
    if (rest.starts_with("$$")) {
      result.text += '$';
      at = dollar + 2;
      continue;
    }
    if (!begins_something(rest)) {
      result.text += '$';
      at = dollar + 1;
      continue;
    }
    if (!rest.starts_with("${")) {
      result.problems.push_back(
          {std::string{rest}, {"a `$` alone means nothing here", "write ${NAME}, or $$ for a plain $"}});
      break;
    }
    const size_t end = rest.find('}');
    if (end == std::string_view::npos) {
      result.problems.push_back({std::string{rest}, {"this ${ has no }", "write ${NAME} or ${NAME:-default}"}});
      break;
    }
    substitute_one(rest.substr(2, end - 2), rest.substr(0, end + 1), environment, result);
    at = dollar + end + 1;
    if (result.text.size() > text_bytes_max) {
      result.problems.push_back({std::string{rest}, {"with its variables this value is longer than 64 KiB", ""}});
      break;
    }
  }
  return result;
}

}  // namespace weir::config
