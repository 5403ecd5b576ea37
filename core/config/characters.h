// Which bytes may stand where, for values that end up in HTTP: RFC 9110 section 5.6.2 and its neighbours. Pure
// functions of one byte, whatever the locale. Any thread.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace weir::config {

constexpr bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// What names of headers, methods and cookies are made of.
constexpr bool is_token_character(char c) noexcept {
  return is_alphanumeric(c) || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}
constexpr bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

constexpr bool is_visible_ascii(char c) noexcept {
  return c > 0x20 && c < 0x7f;
}

// Bytes above 0x7f are none: they are parts of letters.
constexpr bool is_control_byte(char c) noexcept {
  return (c >= 0 && c < 0x20) || c == 0x7f;
}

constexpr char lower_case(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
inline std::string lower_case(std::string_view text) {
  std::string result{text};
  for (char& c : result) c = lower_case(c);
  return result;
}

}  // namespace weir::config
