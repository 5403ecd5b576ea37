// ExchangeNotes: what an exchange remembers of its request for the time after its head is gone: for the access log, for
// answers of our own, and for templates in rules about the answer. And when what happened.
//
// The texts lie in a Block, and only as many of them as somebody will ask for. A member of its exchange.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/model/address.h"
#include "net/proxy/blocks.h"

namespace weir {

class ExchangeNotes {
 public:
  enum Text : uint8_t {
    request_id,
    method,
    authority,
    target,
    host,   // in lower case, without the port
    path,   // of the target
    query,  // of the target; see has_query
    route,
    upstream,
    endpoint,  // the last one asked
    user_agent,
    referer,
    text_count
  };

  // Cut to what is left of the largest block; "" when there is none.
  void note(Blocks& blocks, Text which, std::string_view text) noexcept;
  std::string_view text(Text which) const noexcept;
  void release(Blocks& blocks) noexcept { block_.release(blocks); }

  PeerAddress client;
  Instant begun{};
  Instant chosen{};        // the endpoint of the last try
  Instant connected{};     // to it, or taken from the pool
  Instant asked{};         // when it was the origin's turn
  Instant first_byte{};    // of the answer
  uint64_t inside_ns = 0;  // in weir's own hands, as far as it was measured
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint8_t tries = 0;
  uint8_t minor_version = 1;
  bool reused = false;
  bool has_query = false;
  bool secure = false;  // a trusted proxy says that the client speaks https
  bool logged = false;  // there is an access log that wants it

 private:
  Block block_;
  std::array<uint16_t, text_count> at_{};
  std::array<uint16_t, text_count> size_{};
};

}  // namespace weir
