// Accept (RFC 9110 section 12.5.1), as far as weir's own answers need it: they exist as a page for people and as JSON
// for programs. Pure; no allocation. Any thread.
#pragma once

#include <string_view>

namespace weir::http {

// Would the client that sent this value rather have text/html than application/json? The higher quality wins. Where
// they are equal, it is what the client has named more precisely, so that `*/*` (curl) and nothing at all mean JSON;
// and when it has named both as precisely, HTML. Elements that are malformed are passed over.
bool prefers_html(std::string_view accept) noexcept;

}  // namespace weir::http
