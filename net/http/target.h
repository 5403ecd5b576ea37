// What routing wants of a request's target before it looks anything up. Pure; no allocation. Any thread.
#pragma once

#include <span>
#include <string_view>

namespace weir::http {

// `host` with its ASCII letters in lower case, written to `out`; "" when `out` has no room for it, which is no host
// that a configuration could name (DNS ends at 253 characters).
std::string_view lower_host(std::string_view host, std::span<char> out) noexcept;

}  // namespace weir::http
