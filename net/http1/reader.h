// Reader: where the parsing of a head stands, and why it stopped.
//
// The functions that read return false when they stop; outcome() then says whether more bytes could help. That the
// outcome does not depend on how the bytes were cut rests on two rules: bytes are judged from left to right, none twice
// in different ways, and what a limit cuts off is never looked at. A value of one call; internal to net/http1.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "net/http1/head_parser.h"

namespace weir::http1 {

class Reader {
 public:
  // Sees at most `bytes_max` bytes. If they are not enough, that is `too_large`.
  Reader(std::string_view bytes, uint32_t bytes_max, http::Refusal too_large) noexcept
      : at(bytes.data()),
        end(at + std::min<size_t>(bytes.size(), bytes_max)),
        begin_(at),
        at_end_(bytes.size() >= bytes_max ? too_large : http::Refusal::none) {}

  // The same, for a line that may have `bytes_max` bytes and is `too_long` with more.
  Reader for_line(uint32_t bytes_max, http::Refusal too_long) const noexcept {
    Reader line = *this;
    if (end - at > static_cast<ptrdiff_t>(bytes_max) && at[bytes_max] != '\r' && at[bytes_max] != '\n') {
      line.end = at + bytes_max;
      line.at_end_ = too_long;
    }
    return line;
  }

  uint32_t size_read() const noexcept { return static_cast<uint32_t>(at - begin_); }
  HeadParse outcome() const noexcept {
    const bool refused = refusal_ != http::Refusal::none;
    return {.status = refused ? HeadParse::Status::refused : HeadParse::Status::need_more, .refusal = refusal_};
  }
  HeadParse done() const noexcept { return {.status = HeadParse::Status::done, .size = size_read()}; }

  bool refuse(http::Refusal refusal) noexcept {
    refusal_ = refusal;
    return false;
  }
  bool out_of_bytes() noexcept { return refuse(at_end_); }

  // CRLF; anything that is no part of a line end is refused as `otherwise`.
  bool take_line_end(http::Refusal otherwise) noexcept {
    if (end - at >= 2 && at[0] == '\r' && at[1] == '\n') [[likely]] {
      at += 2;
      return true;
    }
    if (at == end) return out_of_bytes();
    if (*at == '\n') return refuse(http::Refusal::bare_lf);
    if (*at != '\r') return refuse(otherwise);
    return end - at == 1 ? out_of_bytes() : refuse(http::Refusal::bare_cr);
  }

  // Stops at a byte that should be another one: `line_ended` when the line ends here, or else `otherwise`.
  bool refuse_here(http::Refusal line_ended, http::Refusal otherwise) noexcept {
    return take_line_end(otherwise) && refuse(line_ended);
  }

  const char* at;
  const char* end;

 private:
  const char* begin_;
  http::Refusal at_end_;  // what running out of bytes means; `none`: that there are to be more
  http::Refusal refusal_ = http::Refusal::none;
};

}  // namespace weir::http1
