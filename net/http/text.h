// TextWriter, with which the helpers of this folder write, and what they do with ASCII letters.
//
// Pure: no I/O, no allocation, no locale. Any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "net/http/characters.h"

namespace weir::http {

constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr bool is_alphanumeric(char c) noexcept {
  return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

// Writes into memory that the caller has, and never beyond it: a piece that does not fit is left out whole, so is all
// that follows, and overflowed() says so.
class TextWriter {
 public:
  explicit TextWriter(std::span<char> room) noexcept : room_(room) {}

  void text(std::string_view bytes) noexcept {
    if (overflowed_ || bytes.size() > room_.size() - size_) {
      overflowed_ = true;
      return;
    }
    if (!bytes.empty()) std::memcpy(room_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void character(char c) noexcept { text({&c, 1}); }

  bool overflowed() const noexcept { return overflowed_; }
  uint32_t size() const noexcept { return static_cast<uint32_t>(size_); }

 private:
  std::span<char> room_;
  size_t size_ = 0;
  bool overflowed_ = false;
};

}  // namespace weir::http
