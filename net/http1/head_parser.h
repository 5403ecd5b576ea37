// The heads of HTTP/1.0 and HTTP/1.1 messages (RFC 9112), strictly: what two parsers could read differently is refused.
//
// A pure codec without state: bytes in, values out, no I/O, no allocation. Any thread. It looks at the bytes of a head
// from their beginning each time more have come; a caller that is fed in small pieces spares itself most of that by
// asking again only when a line feed has come in or a limit is near (see may_be_complete()). The outcome does not
// depend on how the bytes were cut: it is decided by the first offence, and only by bytes up to there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/http/message.h"

namespace weir::http1 {

// A head that has head_bytes_max bytes and no end yet is refused, so a buffer of that size never fills up for nothing.
struct HeadLimits {
  uint32_t line_bytes_max = 8192;   // the first line, without its CRLF
  uint32_t head_bytes_max = 15360;  // all of it, with the CRLF at the end, and with an empty line before it
  uint32_t fields_max = 128;        // at most http::Fields::parsed_max
};

struct HeadParse {
  enum class Status : uint8_t { need_more, refused, done };
  Status status = Status::need_more;
  http::Refusal refusal = http::Refusal::none;
  uint32_t size = 0;  // done: the bytes of the head; the body follows
};

// One empty line before the request line is skipped (RFC 9112 section 2.2). `out` means something only when done, but
// for the method and the target, which may be logged: they are there as far as they were read, and "" if they were not.
HeadParse parse_request(std::string_view bytes, const HeadLimits& limits, http::RequestHead& out) noexcept;

// `request` is the method that is being answered: it decides whether there is a body (RFC 9112 section 6.3).
HeadParse parse_answer(std::string_view bytes, const HeadLimits& limits, http::Method request,
                       http::AnswerHead& out) noexcept;

// The section behind the last chunk: field lines and an empty line. `size` counts that empty line. Fields that may not
// be trailers (framing, routing, authentication: RFC 9110 section 6.5.1) and hop-by-hop ones are left out of `out`.
HeadParse parse_trailers(std::string_view bytes, const HeadLimits& limits, http::Fields& out) noexcept;

// Could a parse say anything new, now that `bytes` begins with `seen` bytes that were looked at already? True when a
// line feed is among the new ones, or a limit was reached, or nothing had been seen yet.
bool may_be_complete(std::string_view bytes, size_t seen, const HeadLimits& limits) noexcept;

}  // namespace weir::http1
