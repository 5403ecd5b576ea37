#include "net/http/forwarded.h"

#include <algorithm>
#include <array>

#include "net/http/characters.h"
#include "net/http/text.h"

namespace weir::http {
namespace {

// In lower case, as dashes have it.
constexpr std::array<std::string_view, 9> forwarding_names{
    "forwarded",          "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto",
    "x-forwarded-server", "x-forwarded-ssl", "x-real-ip",        "x-request-id"};

// A name as CGI sees it, one character of it.
constexpr char folded(char c) noexcept {
  return is_alphanumeric(c) ? ascii_lower(c) : '-';
}

bool is_control(char c) noexcept {
  return (c >= '\0' && c < ' ' && c != '\t') || c == '\x7f';
}

// As a token where it is one, else as a quoted string (RFC 9110 section 5.6.4).
void write_value(TextWriter& out, std::string_view value) noexcept {
  if (is_all(value, token_character)) return out.text(value);
  out.character('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') out.character('\\');
    out.character(c);
  }
  out.character('"');
}

bool is_ipv4(std::string_view text) noexcept {
  int parts = 0;
  while (parts < 4) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    // No leading zeros: some read them as octal.
    if (digits == 0 || digits > 3 || (digits > 1 && text[0] == '0')) return false;
    unsigned value = 0;
    for (const char c : text.substr(0, digits)) value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 255) return false;
    text.remove_prefix(digits);
    if (++parts == 4) return text.empty();
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return false;
}

// Groups of 16 bits between single colons, an IPv4 address for the last two; -1 when it is something else.
int count_groups(std::string_view text, bool is_end) noexcept {
  if (text.empty()) return 0;
  int groups = 0;
  for (;;) {
    const size_t digits = std::min(text.find_first_not_of("0123456789abcdefABCDEF"), text.size());
    const bool is_last = text.find(':') == std::string_view::npos;
    if (is_last && is_end && text.find('.') != std::string_view::npos) return is_ipv4(text) ? groups + 2 : -1;
    if (digits == 0 || digits > 4) return -1;
    ++groups;
    text.remove_prefix(digits);
    if (text.empty()) return groups;
    if (text[0] != ':') return -1;
    text.remove_prefix(1);
  }
}

bool is_ipv6(std::string_view text) noexcept {
  const size_t gap = text.find("::");
  if (gap == std::string_view::npos) return count_groups(text, true) == 8;
  const int before = count_groups(text.substr(0, gap), false);
  const int behind = count_groups(text.substr(gap + 2), true);
  return before >= 0 && behind >= 0 && before + behind <= 7;
}

bool is_port(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

// "10.0.0.1", "10.0.0.1:80", "::1", "[::1]", "[::1]:80", any of them in quotes: the address, or "" if it is none.
std::string_view address_in(std::string_view hop) noexcept {
  if (hop.size() >= 2 && hop.front() == '"' && hop.back() == '"') hop = hop.substr(1, hop.size() - 2);
  if (hop.starts_with('[')) {
    const size_t bracket = hop.find(']');
    if (bracket == std::string_view::npos) return {};
    const std::string_view address = hop.substr(1, bracket - 1);
    const std::string_view behind = hop.substr(bracket + 1);
    const bool ends_well = behind.empty() || (behind[0] == ':' && is_port(behind.substr(1)));
    return ends_well && is_ipv6(address) ? address : std::string_view{};
  }
  if (is_ipv6(hop)) return hop;
  const size_t colon = hop.find(':');
  if (colon != std::string_view::npos && !is_port(hop.substr(colon + 1))) return {};
  const std::string_view address = hop.substr(0, colon);
  return is_ipv4(address) ? address : std::string_view{};
}

}  // namespace

bool is_ip_address(std::string_view text) noexcept {
  return is_ipv4(text) || is_ipv6(text);
}

uint32_t write_forwarded(const ForwardedElement& element, std::span<char> out) noexcept {
  TextWriter writer{out};
  writer.text("for=");
  if (is_ipv4(element.client)) {
    writer.text(element.client);
  } else if (is_ipv6(element.client)) {
    // Brackets and colons are no token (section 6), so it has quotes too.
    writer.text("\"[");
    writer.text(element.client);
    writer.text("]\"");
  } else {
    writer.text("unknown");
  }
  if (!element.proto.empty()) {
    writer.text(";proto=");
    write_value(writer, element.proto);
  }
  if (!element.host.empty() && std::none_of(element.host.begin(), element.host.end(), is_control)) {
    writer.text(";host=");
    write_value(writer, element.host);
  }
  return writer.overflowed() ? 0 : writer.size();
}

bool is_forwarding_name(std::string_view name) noexcept {
  return std::any_of(forwarding_names.begin(), forwarding_names.end(), [&](std::string_view known) {
    return std::equal(name.begin(), name.end(), known.begin(), known.end(),
                      [](char c, char expected) { return folded(c) == expected; });
  });
}

std::string_view HopsFromRight::next() noexcept {
  while (!rest_.empty() && !malformed_) {
    const size_t comma = rest_.rfind(',');
    const bool is_last = comma == std::string_view::npos;
    const std::string_view hop = without_blanks_around(is_last ? rest_ : rest_.substr(comma + 1));
    rest_ = is_last ? std::string_view{} : rest_.substr(0, comma);
    if (hop.empty()) continue;  // a list may have empty elements (RFC 9110 section 5.6.1)
    const std::string_view address = address_in(hop);
    malformed_ = address.empty();
    return address;
  }
  return {};
}

}  // namespace weir::http
