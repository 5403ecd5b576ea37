// The request line (RFC 9112 section 3): METHOD SP target SP version CRLF, and what the target means.
//
// Internal to net/http1.
#pragma once

#include "net/http1/reader.h"

namespace weir::http1 {

// Reads the line, and one empty line before it. Sets the method, the target and the version of `out`.
bool read_request_line(Reader& reader, uint32_t line_bytes_max, http::RequestHead& out) noexcept;

// Takes the target apart: form, path, query and, where it names one, the authority and host. False when it is malformed
// or not for this method.
bool interpret_target(http::RequestHead& out) noexcept;

// Does Host name the same as the target does? To be asked when there is a Host, `host` of which is a valid authority,
// and the target names an authority.
bool host_agrees(const http::RequestHead& head, std::string_view host) noexcept;

}  // namespace weir::http1
