// Characters: which bytes may stand where in an HTTP message, as one table of bits.
//
// Constant data. Bytes of 0x80 and above (obs-text) are allowed in values only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::http {

enum CharacterClass : uint8_t {
  token_character = 1,  // RFC 9110 section 5.6.2
  value_character = 2,  // of a field value or a reason: HTAB, SP, visible, obs-text (RFC 9110 section 5.5)
  target_character =
      4,  // of a request target: visible ASCII without `#`; more than RFC 3986 allows, but clients send it
  reg_name_character =
      8,  // of a host name but for `%` (RFC 3986 section 3.2.2), and without the comma: hosts are no lists
  hex_character = 16,
};

inline constexpr std::array<uint8_t, 256> character_classes = [] {
  std::array<uint8_t, 256> classes{};
  const auto add = [&](std::string_view characters, CharacterClass added) {
    for (const char c : characters) classes[static_cast<uint8_t>(c)] |= added;
  };
  constexpr std::string_view letters_and_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  add(letters_and_digits, token_character);
  add("!#$%&'*+-.^_`|~", token_character);
  add(letters_and_digits, reg_name_character);
  add("-._~!$&'()*+;=", reg_name_character);
  add("0123456789abcdefABCDEF", hex_character);
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (byte == '\t' || (byte >= ' ' && byte != 0x7f)) classes[byte] |= value_character;
    if (byte > ' ' && byte < 0x7f && byte != '#') classes[byte] |= target_character;
  }
  return classes;
}();

constexpr bool is_in(char c, CharacterClass wanted) noexcept {
  return (character_classes[static_cast<uint8_t>(c)] & wanted) != 0;
}
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

// Not empty, and every character is of the class.
constexpr bool is_all(std::string_view text, CharacterClass wanted) noexcept {
  for (const char c : text) {
    if (!is_in(c, wanted)) return false;
  }
  return !text.empty();
}

constexpr std::string_view without_blanks_around(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the first element off a list with commas, without the blanks around it. Elements may be empty.
constexpr std::string_view take_element(std::string_view& list) noexcept {
  const size_t comma = list.find(',');
  const std::string_view element = without_blanks_around(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return element;
}

}  // namespace weir::http
