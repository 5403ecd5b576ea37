// Takes the framing off a request's body: counts a Content-Length down, or peels chunks (RFC 9112 section 7.1).
//
// A member of the HTTP conversation, one request at a time. It keeps no bytes: what it cannot take yet, the caller
// offers again with more behind it. Chunk extensions and trailers are taken and forgotten, each line within a bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::origin {

class RequestBody {
 public:
  void begin(bool chunked, std::uint64_t body_bytes) noexcept;

  struct Piece {
    std::size_t taken = 0;  // bytes of the input that are done with; 0: more is needed, or done() or bad()
    std::string_view data;  // the body's bytes among them
  };
  // One step at the front of `in`, with at most `data_bytes_max` (not 0) bytes of data.
  Piece take(std::string_view in, std::size_t data_bytes_max) noexcept;

  bool done() const noexcept { return state_ == State::done; }
  bool bad() const noexcept { return state_ == State::bad; }

 private:
  static constexpr std::size_t line_bytes_max = 4096;
  static constexpr std::size_t trailer_bytes_max = 16 * 1024;

  //  counted ------------------------------------------ all taken --> done
  //  chunk_size -> chunk_data -> chunk_end -> chunk_size ...           |
  //      `--- size 0 --> trailer -------------------- empty line ------'     any of them -> bad
  enum class State : std::uint8_t { counted, chunk_size, chunk_data, chunk_end, trailer, done, bad };

  Piece take_data(std::string_view in, std::size_t data_bytes_max) noexcept;
  Piece take_line(std::string_view in) noexcept;
  State after_size_line(std::string_view line) noexcept;
  State after_trailer_line(std::string_view line) noexcept;

  State state_ = State::done;
  std::uint64_t left_ = 0;  // data bytes to come, of the body or of this chunk
  std::size_t trailer_bytes_ = 0;
};

}  // namespace weir::origin
