// Writes heads of HTTP/1 messages into memory that the caller has. Pure; no I/O, no allocation.
//
// A HeadWriter never writes beyond its room: what does not fit is left out whole, so is all that follows, overflowed()
// says so, and the caller decides what that means. It writes what it is given; that names and values are clean is the
// parsers' (and the configuration's) promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "net/http/message.h"

namespace weir::http1 {

class HeadWriter {
 public:
  explicit HeadWriter(std::span<std::byte> room) noexcept
      : begin_(reinterpret_cast<char*>(room.data())), at_(begin_), end_(begin_ + room.size()) {}

  // "GET /path HTTP/1.1\r\n"
  void request_line(std::string_view method, std::string_view target) noexcept;
  // "HTTP/1.1 200 OK\r\n"
  void status_line(uint16_t status, std::string_view reason) noexcept;
  void field(std::string_view name, std::string_view value) noexcept {
    text(name);
    text(": ");
    text(value);
    text("\r\n");
  }
  void field(std::string_view name, uint64_t number) noexcept;
  void end_of_head() noexcept { text("\r\n"); }

  void text(std::string_view bytes) noexcept {
    if (overflowed_ || bytes.size() > static_cast<size_t>(end_ - at_)) {
      overflowed_ = true;
      return;
    }
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());  // a null pointer is no source, even of nothing
    at_ += bytes.size();
  }

  bool overflowed() const noexcept { return overflowed_; }
  uint32_t size() const noexcept { return static_cast<uint32_t>(at_ - begin_); }

 private:
  char* const begin_;
  char* at_;
  char* const end_;
  bool overflowed_ = false;
};

}  // namespace weir::http1
