// The kinds of what is matched and sent. Those of policies (retries, stickiness, logs) are in http_policy_kinds.cc.
#include "core/config/http_kinds.h"

#include <algorithm>
#include <array>

#include "core/config/characters.h"
#include "core/routing/router.h"

namespace weir::config {
namespace {

constexpr size_t token_bytes_max = 128;
constexpr size_t host_bytes_max = 253;  // RFC 1035, in text
constexpr size_t path_bytes_max = 4096;
constexpr size_t regex_bytes_max = 4096;
constexpr size_t body_bytes_max = size_t{8} * 1024;

constexpr std::string_view token_pattern = "[-A-Za-z0-9!#$%&'*+.^_`|~]{1,128}";
constexpr std::string_view host_pattern = "(\\*\\.)?[-A-Za-z0-9._]+|\\[[0-9A-Fa-f:.]+\\]";
constexpr std::string_view path_pattern = "/[!-\"$->@-~]*";  // visible, neither `?` nor `#`

constexpr std::array<std::string_view, 9> methods{"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                  "CONNECT", "OPTIONS", "TRACE", "PATCH"};

// Weir itself writes these: what a rule said would break the framing of the message, or be replaced (RFC 9110, 7.6.1).
struct Unruled {
  std::string_view name;
  std::string_view why;
};
constexpr std::array unruled{
    Unruled{"connection", "it speaks of one connection, and weir writes it"},
    Unruled{"content-length", "it says where a message ends, and weir writes it"},
    Unruled{"keep-alive", "it speaks of one connection, and weir writes it"},
    Unruled{"proxy-connection", "it speaks of one connection, and weir removes it"},
    Unruled{"te", "it speaks of one connection, and weir writes it"},
    Unruled{"trailer", "it says where a message ends, and weir passes it on"},
    Unruled{"transfer-encoding", "it says where a message ends, and weir writes it"},
    Unruled{"upgrade", "it speaks of one connection, and weir passes it on where that is safe"},
};

std::optional<Mistake> too_long(std::string_view what, size_t bytes, size_t bytes_max) {
  if (bytes <= bytes_max) return std::nullopt;
  return Mistake{std::string{what} + " is longer than " + std::to_string(bytes_max) + " bytes", "use a shorter one"};
}

std::optional<Mistake> why_not_ruled(std::string_view name, HeadOf head) {
  const std::string lower = lower_case(name);
  if (lower == "host") {
    if (head == HeadOf::answer) return Mistake{"an answer has no " + quoted(name), "remove it"};
    return Mistake{quoted(name) + " cannot be changed by a rule", "write `rewrite: {host: ...}`"};
  }
  for (const Unruled& each : unruled) {
    if (each.name == lower) {
      return Mistake{quoted(name) + " cannot be changed by a rule", std::string{each.why}};
    }
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<Mistake> why_not_hostname(std::string_view whole, std::string_view name) {
  for (size_t at = 0; at <= name.size();) {
    const size_t dot = std::min(name.find('.', at), name.size());
    if (dot == at) return Mistake{quoted(whole) + " has an empty part", "write one dot between two names"};
    at = dot + 1;
  }
  const auto odd = std::find_if_not(name.begin(), name.end(),
                                    [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
  if (odd == name.end()) return std::nullopt;
  if (static_cast<unsigned char>(*odd) >= 0x80) {
    return Mistake{quoted(whole) + " has letters beyond ASCII", "write it as clients send it: xn--..."};
  }
  if (*odd == '*') {
    return Mistake{quoted(whole) + " is no host", "a `*` stands only at the front: `*.example.com`"};
  }
  return Mistake{quoted(whole) + " is no host", "write `example.com` or `*.example.com`"};
}

// RE2 says "missing ): (a": the words, and what they are about.
std::string_view subject_of(std::string_view complaint) {
  const size_t colon = complaint.find(": ");
  return colon == std::string_view::npos ? std::string_view{} : complaint.substr(colon + 2);
}

}  // namespace

std::optional<Mistake> Token::read(std::string_view text, std::string& out) const {
  if (auto mistake = too_long(what, text.size(), token_bytes_max)) return mistake;
  if (!is_token(text)) {
    return Mistake{quoted(text) + " cannot be " + std::string{what}, "use letters, digits, `-` and `_`"};
  }
  out = text;
  return std::nullopt;
}

ValueType Token::type() const {
  return {std::string{what}, {}, std::string{token_pattern}, std::nullopt};
}

std::optional<Mistake> RuledHeader::read(std::string_view text, std::string& out) const {
  if (text.find(':') != std::string_view::npos) {
    return Mistake{quoted(text) + " is more than a name", "write the name alone"};
  }
  std::string name;
  auto mistake = Token{"the name of a header"}.read(text, name);
  if (!mistake) mistake = why_not_ruled(name, head);
  if (!mistake) out = std::move(name);
  return mistake;
}

ValueType RuledHeader::type() const {
  return {"name of a header", {}, std::string{token_pattern}, std::nullopt};
}

std::optional<Mistake> HeaderLine::read(std::string_view text, std::vector<HeaderLineConfig>& out) const {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return Mistake{quoted(text) + " has no value", "write `Name: value` in quotes"};
  }
  HeaderLineConfig line;
  if (auto mistake = RuledHeader{head}.read(text.substr(0, colon), line.name)) return mistake;
  for (const HeaderLineConfig& other : out) {
    if (once && lower_case(other.name) == lower_case(line.name)) {
      return Mistake{quoted(line.name) + " is set twice", "the second would replace the first; write one of them"};
    }
  }
  if (auto mistake = Template{TemplatePlace::header}.read(trimmed(text.substr(colon + 1)), line.value)) return mistake;
  out.push_back(std::move(line));
  return std::nullopt;
}

std::string HeaderLine::show(const std::vector<HeaderLineConfig>& value) const {
  std::string text;
  for (const HeaderLineConfig& line : value) {
    text += (text.empty() ? "" : ", ") + line.name + ": " + template_to_text(line.value);
  }
  return text;
}

ValueType HeaderLine::type() const {
  return {"`\"Name: value\"`; the value is a template", {}, "[^: ]+:.*", std::nullopt};
}

std::optional<Mistake> Template::read(std::string_view text, TemplateText& out) const {
  auto result = read_template(text, place);
  if (!result) return result.error();
  if (place != TemplatePlace::header && result->pieces.empty()) {
    return Mistake{"this template is empty",
                   place == TemplatePlace::host ? "write a host, or remove it" : "write where clients are sent"};
  }
  out = std::move(*result);
  return std::nullopt;
}

ValueType Template::type() const {
  ValueType type{"template", {}, "", std::nullopt};
  type.text = true;
  return type;
}

std::optional<Mistake> MethodName::read(std::string_view text, std::string& out) const {
  std::string upper{text};
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  // Methods are case-sensitive, and any token is one; but nobody means `get`.
  if (upper != text && std::find(methods.begin(), methods.end(), upper) != methods.end()) {
    return Mistake{quoted(text) + " is not the method " + upper, "write `" + upper + "`"};
  }
  return Token{"a method"}.read(text, out);
}

ValueType MethodName::type() const {
  return {"method, as `GET`", {}, std::string{token_pattern}, std::nullopt};
}

std::optional<Mistake> HostPattern::read(std::string_view text, std::string& out) const {
  if (auto mistake = too_long("this host", text.size(), host_bytes_max)) return mistake;
  if (text.empty()) return Mistake{"a host cannot be empty", "write one, or leave `hosts` out"};
  if (text == "*") return Mistake{"`*` is no host", "for any host leave `hosts` out; `*.example.com` is any below one"};
  if (text.find('/') != std::string_view::npos) {
    return Mistake{quoted(text) + " is no host", "write the host alone, without a scheme or a path"};
  }
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    const bool ipv6 = end != std::string_view::npos && text.find(':') < end && Cidr::parse(text.substr(1, end - 1));
    if (!ipv6) return Mistake{quoted(text) + " is no IPv6 address in brackets", "write \"[::1]\""};
    if (end + 1 != text.size()) {
      return Mistake{quoted(text) + " has more than a host", "a host is matched without its port; remove it"};
    }
    out = lower_case(text);
    return std::nullopt;
  }
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
    return Mistake{quoted(text) + " is no host", "an IPv6 address is written in brackets: \"[::1]\""};
  }
  if (colon != std::string_view::npos) {
    return Mistake{quoted(text) + " has a port", "a host is matched without its port; remove it"};
  }
  std::string_view name = text;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (auto mistake = why_not_hostname(text, name.starts_with("*.") ? name.substr(2) : name)) return mistake;
  out = lower_case(name);
  return std::nullopt;
}

ValueType HostPattern::type() const {
  return {"`example.com`, or `\"*.example.com\"` for all below it", {}, std::string{host_pattern}, std::nullopt};
}

std::optional<Mistake> PathText::read(std::string_view text, std::string& out) const {
  if (auto mistake = too_long("this path", text.size(), path_bytes_max)) return mistake;
  if (!text.starts_with('/')) {
    const bool is_url = text.find("://") != std::string_view::npos;
    return Mistake{quoted(text) + " is not a path",
                   is_url ? "write the path alone: hosts are matched by `hosts`" : "a path begins with `/`"};
  }
  if (const size_t at = text.find_first_of("?#"); at != std::string_view::npos) {
    return Mistake{quoted(text) + " is more than a path",
                   text[at] == '?' ? "parameters are matched by `query`" : "a `#` never reaches a server"};
  }
  if (!std::all_of(text.begin(), text.end(), is_visible_ascii)) {
    return Mistake{quoted(text) + " cannot be a path as it is sent", "write spaces and the like as %20"};
  }
  out = text;
  return std::nullopt;
}

ValueType PathText::type() const {
  return {"path, begins with `/`", {}, std::string{path_pattern}, std::nullopt};
}

std::optional<Mistake> Regex::read(std::string_view text, std::string& out) const {
  if (text.empty()) return Mistake{"an empty regular expression matches everything", "write one, or remove the key"};
  if (auto mistake = too_long("this regular expression", text.size(), regex_bytes_max)) return mistake;
  std::string pattern{text};
  const std::string complaint = routing::check_regex(pattern);
  if (!complaint.empty()) {
    const std::string_view subject = subject_of(complaint);
    const bool looks_around = subject.starts_with("(?") ||
                              (subject.size() == 2 && subject[0] == '\\' && subject[1] >= '1' && subject[1] <= '9');
    return Mistake{"this is no regular expression: " + complaint,
                   looks_around ? "the syntax is that of RE2: without lookahead, lookbehind and backreferences"
                                : "the syntax is that of RE2; in double quotes a `\\` is written twice",
                   std::string{subject}};
  }
  out = std::move(pattern);
  return std::nullopt;
}

ValueType Regex::type() const {
  ValueType type{"regular expression (RE2)", {}, "", std::nullopt};
  type.text = true;
  return type;
}

std::optional<Mistake> Text::read(std::string_view text, std::string& out) const {
  if (text.size() < bytes_min) return Mistake{std::string{what} + " cannot be empty", "write it, or remove the key"};
  if (auto mistake = too_long(what, text.size(), bytes_max)) return mistake;
  if (std::any_of(text.begin(), text.end(), is_control_byte)) {
    return Mistake{std::string{what} + " has a control character in it", "remove it"};
  }
  out = text;
  return std::nullopt;
}

ValueType Text::type() const {
  ValueType type{"text", {}, "", std::nullopt};
  type.text = true;
  return type;
}

std::optional<Mistake> Body::read(std::string_view text, std::string& out) const {
  if (auto mistake = too_long("this body", text.size(), body_bytes_max)) return mistake;
  out = text;
  return std::nullopt;
}

ValueType Body::type() const {
  ValueType type{"text, at most " + size_to_text(body_bytes_max), {}, "", std::nullopt};
  type.text = true;
  return type;
}

std::optional<Mistake> MediaType::read(std::string_view text, std::string& out) const {
  const std::string_view essence = trimmed(text.substr(0, text.find(';')));
  const size_t slash = std::min(essence.find('/'), essence.size());
  const bool is_one = slash < essence.size() && is_token(essence.substr(0, slash)) &&
                      is_token(essence.substr(slash + 1)) && text.size() <= token_bytes_max &&
                      std::all_of(text.begin(), text.end(), [](char c) { return is_visible_ascii(c) || c == ' '; });
  if (!is_one) return Mistake{quoted(text) + " is no media type", "write one like `application/json`"};
  out = text;
  return std::nullopt;
}

ValueType MediaType::type() const {
  return {"media type, as `application/json`", {}, "[^/ ]+/[^/]+", std::nullopt};
}

}  // namespace weir::config
