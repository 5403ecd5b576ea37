// The bytes of an answer's body that are made while they are sent: the pattern, as a whole, without end, or byte by
// byte.
//
// A member of the HTTP conversation, one answer at a time. It writes what fits and remembers where it is, so a body of
// any size costs no memory. Chunks, when wanted, are made around each piece.
#pragma once

#include <cstdint>
#include <string_view>

#include "tools/origin/output.h"

namespace weir::origin {

class AnswerBody {
 public:
  // No body is written before begin().
  void begin(std::uint64_t bytes, bool chunked) noexcept;

  // How much of the body still has to be written; the end mark of a chunked one is not counted.
  std::uint64_t left() const noexcept { return bytes_ - offset_; }

  // Writes one piece of at most `bytes_max`. The Output must have room.
  void write_pattern(std::uint64_t bytes_max, Output& out);
  // Writes a piece of somebody else's bytes, which is copied.
  void write_copy(std::string_view bytes, Output& out);
  // The mark that the body is complete, where chunks need one. False if it has to wait until `out` is empty.
  bool write_end(Output& out);

  // What write_copy() may add around its bytes: a chunk's size, and the line ends.
  static constexpr std::size_t chunk_overhead_bytes_max = 32;

 private:
  void open_chunk(std::uint64_t size, Output& out);

  std::uint64_t bytes_ = 0;
  std::uint64_t offset_ = 0;
  bool chunked_ = false;
  // The chunk before has been sent without its line end: a lent piece must be the last of an Output.
  bool owes_line_end_ = false;
};

}  // namespace weir::origin
