#include "tools/origin/answer_body.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/assert.h"
#include "tools/origin/pattern.h"

namespace weir::origin {

void AnswerBody::begin(std::uint64_t bytes, bool chunked) noexcept {
  bytes_ = bytes;
  offset_ = 0;
  chunked_ = chunked;
  owes_line_end_ = false;
}

void AnswerBody::write_pattern(std::uint64_t bytes_max, Output& out) {
  const std::string_view piece = pattern_at(offset_, std::min(left(), bytes_max));
  if (piece.empty()) return;
  open_chunk(piece.size(), out);
  out.lend(piece);
  offset_ += piece.size();
}

void AnswerBody::write_copy(std::string_view bytes, Output& out) {
  if (bytes.empty()) return;
  WEIR_ASSERT(bytes.size() <= left());
  open_chunk(bytes.size(), out);
  out.append(bytes);
  offset_ += bytes.size();
}

bool AnswerBody::write_end(Output& out) {
  if (!chunked_) return true;
  if (out.room() == 0) return false;
  if (owes_line_end_) out.append("\r\n");
  out.append("0\r\n\r\n");
  owes_line_end_ = false;
  return true;
}

void AnswerBody::open_chunk(std::uint64_t size, Output& out) {
  if (!chunked_) return;
  if (owes_line_end_) out.append("\r\n");
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  out.append({digits.data(), static_cast<std::size_t>(end - digits.data())});
  out.append("\r\n");
  owes_line_end_ = true;
}

}  // namespace weir::origin
