// The reason phrases of HTTP, RFC 9110 section 15 and the registry.
#pragma once

#include <string_view>

namespace weir::origin {

// "Unknown" for a status nobody has registered.
std::string_view status_text(int status) noexcept;

// 204 and 304 never have a body, RFC 9110 sections 15.3.5 and 15.4.5.
constexpr bool status_has_body(int status) noexcept {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace weir::origin
