#include "net/http1/chunked.h"

#include <algorithm>
#include <cstring>

#include "net/http/characters.h"

namespace weir::http1 {
namespace {

using http::Refusal;

int hex_digit(char c) noexcept {
  if (http::is_digit(c)) return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

}  // namespace

// One byte of a size line or of the CRLF behind the data. `last` when it was the last byte of the last chunk's line.
ChunkedDecoder::Line ChunkedDecoder::read(char c, Refusal& refusal) noexcept {
  const auto refuse = [&](Refusal reason) {
    refusal = reason;
    return Line::refused;
  };
  switch (state_) {
    case State::size_first:
      left_ = 0;
      digits_ = 0;
      extension_bytes_ = 0;
      state_ = State::size;
      [[fallthrough]];
    case State::size:
      if (const int digit = hex_digit(c); digit >= 0) {
        if (left_ >> 59 != 0) return refuse(Refusal::chunk_size_too_large);
        if (++digits_ > digits_max) return refuse(Refusal::chunk_size_malformed);
        left_ = left_ << 4 | static_cast<uint64_t>(digit);
        return Line::goes_on;
      }
      if (c == '\n') return refuse(Refusal::bare_lf);
      if (digits_ == 0 || (c != '\r' && c != ';')) return refuse(Refusal::chunk_size_malformed);
      state_ = c == ';' ? State::extension : State::size_lf;
      return Line::goes_on;
    case State::extension:
      if (c == '\r') {
        state_ = State::size_lf;
        return Line::goes_on;
      }
      if (c == '\n') return refuse(Refusal::bare_lf);
      if (!http::is_in(c, http::value_character)) return refuse(Refusal::chunk_size_malformed);
      if (++extension_bytes_ > extension_bytes_max) return refuse(Refusal::chunk_extension_too_long);
      return Line::goes_on;
    case State::size_lf:
      if (c != '\n') return refuse(Refusal::bare_cr);
      state_ = State::data;
      return left_ == 0 ? Line::last : Line::goes_on;
    case State::data_cr:
      if (c != '\r') return refuse(Refusal::chunk_end_malformed);
      state_ = State::data_lf;
      return Line::goes_on;
    case State::data_lf:
      if (c != '\n') return refuse(Refusal::chunk_end_malformed);
      state_ = State::size_first;
      return Line::goes_on;
    case State::data: break;
  }
  WEIR_ASSERT(state_ != State::data);
  return Line::goes_on;
}

ChunkedDecoder::Step ChunkedDecoder::decode(std::span<std::byte> piece) noexcept {
  Step step;
  const auto size = static_cast<uint32_t>(piece.size());
  while (step.consumed < size) {
    if (state_ == State::data) {
      const auto count = static_cast<uint32_t>(std::min<uint64_t>(left_, size - step.consumed));
      if (step.payload != step.consumed) {
        std::memmove(piece.data() + step.payload, piece.data() + step.consumed, count);
      }
      step.consumed += count;
      step.payload += count;
      left_ -= count;
      if (left_ == 0) state_ = State::data_cr;
      continue;
    }
    switch (read(static_cast<char>(piece[step.consumed]), step.refusal)) {
      case Line::goes_on: ++step.consumed; break;
      case Line::last:
        ++step.consumed;
        step.status = Step::Status::last;
        return step;
      case Line::refused: step.status = Step::Status::refused; return step;
    }
  }
  return step;
}

uint32_t write_chunk_prefix(std::byte* data, uint32_t size) noexcept {
  WEIR_ASSERT(size != 0);
  std::byte* at = data;
  *--at = std::byte{'\n'};
  *--at = std::byte{'\r'};
  for (; size != 0; size >>= 4) *--at = static_cast<std::byte>("0123456789abcdef"[size & 15]);
  return static_cast<uint32_t>(data - at);
}

void write_chunk_suffix(std::byte* end) noexcept {
  end[0] = std::byte{'\r'};
  end[1] = std::byte{'\n'};
}

}  // namespace weir::http1
