// Reading the head of an HTTP/1 request, and how its body is framed. Pure functions over bytes that somebody else
// holds.
//
// Strict on purpose: whatever stands between a client and this origin should notice here what it passed on wrongly. So
// bare line feeds, folded lines, two framings of one body and a missing Host are all refused (RFC 9112
// sections 2.2, 5.2, 6.3, 3.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::origin {

inline constexpr std::size_t request_head_bytes_max = 32 * 1024;

struct RequestHead {
  std::string_view method;
  std::string_view target;
  std::string_view fields;  // all field lines with their CRLFs, as they came
  bool is_http10 = false;
  bool keep_alive = true;         // the client would send another request after this one
  bool chunked = false;           // the body is framed in chunks
  std::uint64_t body_bytes = 0;   // from Content-Length; 0 without one, and with chunked
  bool expects_continue = false;  // the client waits for 100 before it sends the body
};

// How many bytes the head at the front of `in` has, or npos while its end has not come. `searched` bytes were looked at
// before in vain.
std::size_t request_head_size(std::string_view in, std::size_t searched) noexcept;

// `bytes` is one whole head with the empty line that ends it. 0 if `head` was filled, else the status to refuse with.
int read_request_head(std::string_view bytes, RequestHead& head) noexcept;

// Whether a request may start with this byte: lets a client that speaks TLS here be refused at once.
bool may_start_request(char first) noexcept;

}  // namespace weir::origin
