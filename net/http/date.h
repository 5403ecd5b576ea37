// The date as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, RFC 9110 section 5.6.7).
//
// Pure: no locale, no time zone, and none of the locks that gmtime(3) takes. Whoever writes many answers writes it once
// a second. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir::http {

inline constexpr uint32_t date_size = 29;

// Of a time in seconds since 1970. A clock that is set outside the years 1970 to 9999 gets the nearest date in them.
std::string_view write_date(int64_t seconds, std::span<char, date_size> out) noexcept;

}  // namespace weir::http
