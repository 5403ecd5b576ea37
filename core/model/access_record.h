// AccessRecord: what the access log says of one finished request, and how it travels in a ByteRing from the worker that
// served it to the thread that writes it.
//
// A value: its texts look at bytes that somebody else owns (the exchange when it is pushed, the ring when it is read).
// push() belongs to the ring's producer, read() to its consumer; neither allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/byte_ring.h"
#include "core/model/address.h"

namespace weir {

// The part of fixed size.
struct AccessFigures {
  int64_t time_ms = 0;     // since 1970: when the request began
  uint64_t bytes_in = 0;   // of the request's body
  uint64_t bytes_out = 0;  // of the answer's body, as sent to the client
  // Microseconds. What did not happen took 0.
  uint64_t total_us = 0;       // from the first byte of the request to the last of the answer
  uint64_t queue_us = 0;       // waiting for a connection that may be used
  uint64_t connect_us = 0;     // until the origin's connection was there; 0 when it was reused
  uint64_t first_byte_us = 0;  // from the request sent to the first byte of the answer
  uint64_t body_us = 0;        // from there to the end of the answer
  uint64_t weir_us = 0;        // of all that, spent in weir itself
  PeerAddress client;          // as trusted proxies tell it
  uint16_t status = 0;         // 0: there was no answer
  uint16_t tries = 0;          // endpoints that were asked
  uint8_t minor_version = 1;   // of HTTP/1
  bool reused = false;         // the origin's connection had served a request before
};

struct AccessRecord : AccessFigures {
  std::string_view listener;
  std::string_view route;     // its name; "" when none took the request
  std::string_view upstream;  // "" when it went to none
  std::string_view endpoint;  // the last one asked
  std::string_view method;
  std::string_view target;  // path and query as the client sent them
  std::string_view host;
  std::string_view user_agent;
  std::string_view referer;
  std::string_view request_id;
  std::string_view ended;    // "done", or why it failed: "first_byte_timeout"
  std::string_view refusal;  // what was wrong with a malformed request; "" when nothing was
};

// Longer texts are cut to so many bytes, of which the last are the mark.
inline constexpr uint32_t access_text_bytes_max = 4096;
inline constexpr std::string_view access_cut_mark = "...";

// False when the ring has no room for it: the record is lost, and the worker counts that. (Also when it is larger than
// the ring takes, which all texts together of a request's head, limited to 15 KiB, are not.)
bool push(ByteRing& ring, const AccessRecord& record) noexcept;

// `bytes` is what push() wrote; the texts of the result look at them.
AccessRecord read_access_record(std::span<const std::byte> bytes) noexcept;

}  // namespace weir
