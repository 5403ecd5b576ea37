#include "net/http/authority.h"

#include <algorithm>

#include "net/http/characters.h"

namespace weir::http {
namespace {

// A look at the characters, not at the groups: which address it is matters to nobody here.
bool is_ipv6(std::string_view text) noexcept {
  const auto fits = [](char c) { return is_in(c, hex_character) || c == ':' || c == '.'; };
  return text.size() <= 45 && std::all_of(text.begin(), text.end(), fits) &&
         std::count(text.begin(), text.end(), ':') >= 2;
}

bool is_reg_name(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_in(text[i], reg_name_character)) continue;
    if (text[i] != '%' || !is_all(text.substr(i + 1, 2), hex_character) || text.size() - i < 3) return false;
    i += 2;
  }
  return !text.empty();
}

// Empty is a port that was left out (RFC 3986 section 3.2.3). Zeros in front of one fool whoever compares texts, but
// five digits hold every port, so there is an end to them.
bool parse_port(std::string_view text, Authority& out) noexcept {
  uint32_t number = 0;
  if (text.size() > 5) return false;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    number = number * 10 + static_cast<uint32_t>(c - '0');
  }
  if (number > 65535) return false;
  out.has_port = !text.empty();
  out.port = static_cast<uint16_t>(number);
  return true;
}

}  // namespace

bool parse_authority(std::string_view text, Authority& out) noexcept {
  out = {};
  size_t host_size = 0;
  if (text.starts_with('[')) {
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || !is_ipv6(text.substr(1, bracket - 1))) return false;
    host_size = bracket + 1;
  } else {
    host_size = std::min(text.find(':'), text.size());
    if (!is_reg_name(text.substr(0, host_size))) return false;
  }
  out.host = text.substr(0, host_size);
  if (host_size == text.size()) return true;
  return text[host_size] == ':' && parse_port(text.substr(host_size + 1), out);
}

}  // namespace weir::http
