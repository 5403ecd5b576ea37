// The chunked transfer coding (RFC 9112 section 7.1), taken off in place and put on in place.
//
// Pure: no I/O, no allocation. One ChunkedDecoder reads one body, in pieces of any size; it belongs to whoever reads
// that body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "net/http/message.h"

namespace weir::http1 {

class ChunkedDecoder {
 public:
  static constexpr uint32_t extension_bytes_max = 1024;  // of one chunk; they are dropped

  struct Step {
    enum class Status : uint8_t {
      need_more,  // all was read, the body goes on
      last,       // the last chunk's line was read; the trailer section follows (parse_trailers())
      refused,
    };
    Status status = Status::need_more;
    http::Refusal refusal = http::Refusal::none;
    uint32_t consumed = 0;  // bytes read: all of them with need_more; up to the offending one with refused
    uint32_t payload = 0;   // bytes of the body, which now lie at the beginning of the piece
  };

  // Reads a piece and moves what is body to its beginning. After `last` or `refused` it is not called again.
  Step decode(std::span<std::byte> piece) noexcept;

 private:
  // size -> (extension ->) size_lf -> data -> data_cr -> data_lf -> size
  enum class State : uint8_t { size_first, size, extension, size_lf, data, data_cr, data_lf };
  enum class Line : uint8_t { goes_on, last, refused };

  static constexpr uint8_t digits_max = 16;  // of a size; more of them can only be zeros in front

  Line read(char c, http::Refusal& refusal) noexcept;

  uint64_t left_ = 0;  // of the chunk (data), or its size as far as it was read
  uint16_t extension_bytes_ = 0;
  uint8_t digits_ = 0;
  State state_ = State::size_first;
};

// Room that one chunk's framing needs before and behind its data.
inline constexpr uint32_t chunk_prefix_max = 10;  // 8 hexadecimal digits, CRLF
inline constexpr uint32_t chunk_suffix = 2;       // CRLF

// Writes the size line so that it ends right before `data`; returns how many bytes it has. `size` is not 0.
uint32_t write_chunk_prefix(std::byte* data, uint32_t size) noexcept;
// Writes the CRLF right behind the data.
void write_chunk_suffix(std::byte* end) noexcept;

}  // namespace weir::http1
