// ConnectionFacts: what the fields of a head say about where the message ends and what becomes of its connection.
//
// Gathered line by line, so that an offence is refused on the line that commits it. A value of one parse; internal to
// net/http1.
#pragma once

#include <cstdint>

#include "net/http/message.h"

namespace weir::http1 {

struct ConnectionFacts {
  // How many fields Connection may nominate. Nobody needs more than a few, and each is compared with all fields.
  static constexpr uint8_t nominations_max = 32;

  uint8_t minor_version = 1;
  bool has_length = false;
  uint64_t length = 0;  // below 2^63
  bool is_chunked = false;
  bool close = false;
  bool keep_alive = false;
  bool upgrade_named = false;  // in Connection
  bool has_upgrade = false;    // there is a field of that name, and it is not empty
  uint8_t nominations = 0;     // what else Connection names
  bool accepts_trailers = false;

  // Looks at one field, if it is one that matters here.
  http::Refusal note(const http::Field& field) noexcept;

  bool upgrade() const noexcept { return upgrade_named && has_upgrade; }
  // HTTP/1.1 goes on unless told otherwise, HTTP/1.0 the other way round (RFC 9112 section 9.3).
  bool goes_on() const noexcept { return !close && (keep_alive || minor_version == 1); }
};

// Marks the fields that Connection nominates as hop-by-hop. To be called when all fields are there.
void mark_nominated(http::Fields& fields) noexcept;

}  // namespace weir::http1
