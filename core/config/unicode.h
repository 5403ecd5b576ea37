// Just enough Unicode to put a caret under the right character: decoding UTF-8, and how wide a terminal draws a code
// point. Pure functions. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace weir::config {

struct CodePoint {
  char32_t value = 0;
  size_t bytes = 0;
};

// The code point at `offset`, or none if the bytes there are not UTF-8 (RFC 3629: shortest form, no surrogates).
std::optional<CodePoint> decode_utf8(std::string_view text, size_t offset) noexcept;

// Code points that do not print: C0 and C1 controls and DEL. (Tab and line ends are among them.)
constexpr bool is_control(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

// Terminal cells: 0 for combining marks, 2 for East Asian wide characters and emoji, else 1.
int display_width(char32_t c) noexcept;

}  // namespace weir::config
