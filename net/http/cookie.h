// Cookies as a proxy sees them (RFC 6265 sections 4.1 and 4.2): one is found in a Cookie field or taken out of it, and
// the one is read that a Set-Cookie field sets.
//
//     Cookie: a=1; sid="x y"; b=2             Set-Cookie: sid=38afes; Path=/; HttpOnly
//
// Pure: views into the bytes given, no allocation. Any thread. Names match byte by byte, with their case. Values stay
// as they were written: quotes are part of them, nothing is decoded. A semicolon ends a value in quotes too, as section
// 4.1.1 knows no semicolon in values. A request may have several Cookie fields (RFC 9113 section 8.2.3 splits them):
// the caller looks at each.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace weir::http {

struct CookiePair {
  std::string_view name;
  std::string_view value;
  bool operator==(const CookiePair&) const = default;
};

// The value of the first cookie of that name; it may be "". Nothing when there is none.
std::optional<std::string_view> find_cookie(std::string_view cookies, std::string_view name) noexcept;

// Writes `cookies` without every cookie of that name, and returns how many bytes that is: 0 means that nothing is left,
// so that the field goes. `out` is at least as long as `cookies`, and may be the same memory. The others keep their
// bytes, their order and the blanks between them.
uint32_t remove_cookie(std::string_view cookies, std::string_view name, std::span<char> out) noexcept;

// Name and value of what a Set-Cookie field sets; nothing when it has no `=`, or no name before it.
std::optional<CookiePair> read_set_cookie(std::string_view set_cookie) noexcept;

}  // namespace weir::http
