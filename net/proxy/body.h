// Bodies of HTTP/1 messages on their way through buffers: a BodySource takes the framing off what a connection has
// received, a BodySink puts the framing of the other side on.
//
//     in() --BodySource--> pieces of payload, and trailers --BodySink--> out()
//
// A piece is a whole buffer wherever possible, and its framing is taken off and put on in place, so a body is not
// copied on its way; only where a buffer also holds what follows the body is the smaller part moved. Both are values in
// an exchange or a session; touched by one worker's thread.
#pragma once

#include <cstdint>

#include "net/http/message.h"
#include "net/http1/chunked.h"
#include "net/http1/head_parser.h"
#include "net/io/buffers.h"

namespace weir {

class BodySource {
 public:
  enum class Step : uint8_t {
    need_more,   // nothing more can be taken from what is there
    piece,       // one was taken
    end,         // the body is over; trailers(), if there were any, are in the Fields handed in
    refused,     // it is malformed: refusal()
    cut,         // the peer has ended before the body did
    no_buffers,  // no buffer was free to part the body from what follows it; it cannot be gone on with
  };

  void begin(http::Framing framing, uint64_t length, uint32_t trailer_bytes_max) noexcept;

  // The next step of the body that `in` begins with. `ended`: nothing will be added to `in`. `trailers` are views into
  // `in`, good until trailers_taken().
  Step next(Buffers& buffers, BufferQueue& in, bool ended, BufferPiece& piece, http::Fields& trailers) noexcept;
  // After `end`: takes the trailer section off `in`.
  void trailers_taken(Buffers& buffers, BufferQueue& in) noexcept;

  bool over() const noexcept { return phase_ == Phase::over; }
  http::Refusal refusal() const noexcept { return refusal_; }
  uint64_t payload() const noexcept { return payload_; }
  // Bytes that are still to come, if that is known; 0 if not.
  uint64_t left() const noexcept { return framing_ == http::Framing::length ? left_ : 0; }
  // They went another way (see BodySplice).
  void skip(uint64_t bytes) noexcept;

 private:
  enum class Phase : uint8_t { data, trailers, over, broken };

  Step take(Buffers& buffers, BufferQueue& in, uint32_t size, BufferPiece& piece) noexcept;
  Step next_chunked(Buffers& buffers, BufferQueue& in, bool ended, BufferPiece& piece, http::Fields& trailers) noexcept;
  Step read_trailers(Buffers& buffers, BufferQueue& in, bool ended, http::Fields& trailers) noexcept;
  Step refuse(http::Refusal refusal) noexcept;

  uint64_t left_ = 0;
  uint64_t payload_ = 0;
  http1::ChunkedDecoder decoder_;
  uint32_t trailer_bytes_max_ = 0;
  uint32_t trailers_seen_ = 0;  // bytes of an unfinished trailer section that were looked at
  uint32_t trailers_size_ = 0;  // of the finished one
  http::Framing framing_ = http::Framing::none;
  Phase phase_ = Phase::over;
  http::Refusal refusal_ = http::Refusal::none;
};

class BodySink {
 public:
  void begin(http::Framing framing) noexcept { framing_ = framing; }
  http::Framing framing() const noexcept { return framing_; }

  // Puts the framing around the piece, where it lies.
  void frame(Buffers& buffers, BufferPiece& piece) const noexcept;
  // Chunked alone: makes a piece of what ends a body. False if no buffer was free.
  bool end(Buffers& buffers, BufferPiece& piece, const http::Fields* trailers) const noexcept;

 private:
  http::Framing framing_ = http::Framing::none;
};

}  // namespace weir
