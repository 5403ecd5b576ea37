// ExchangeClient: the client's side of an exchange: where its request's body comes from and its answer goes. An HTTP/1
// session is one, with one exchange at a time; a mirror, which nobody waits for, is another.
//
// Touched by one worker's thread. None of these calls may destroy the exchange or its client; both are freed at the end
// of the turn.
#pragma once

#include <cstdint>

#include "core/model/address.h"
#include "core/model/counters.h"
#include "net/http/message.h"
#include "net/proxy/body.h"

namespace weir {

class Connection;

class ExchangeClient {
 public:
  // The request's head is not looked at any more: what follows it is the body.
  virtual void head_taken() = 0;

  // --- the request's body

  // Like BodySource::next(), for what of the body is there. After `end`, none is left.
  virtual BodySource::Step next_request_piece(BufferPiece& piece, http::Fields& trailers) = 0;
  // After `end`, when the trailers have been used.
  virtual void request_taken() = 0;
  // Why next_request_piece() said `refused`.
  virtual http::Refusal body_refusal() const = 0;
  virtual bool request_complete() const = 0;
  // Bytes of it that are still to come, if that is known, else 0; and so many of them went another way (a splice).
  virtual uint64_t request_left() const = 0;
  virtual void request_skipped(uint64_t bytes) = 0;

  // Nobody will want the rest of it: an answer of weir's own follows.
  virtual void request_given_up() = 0;

  // --- the answer

  // There is room for more of it; answer_room() of the exchange tells when there is again.
  virtual bool can_take() const = 0;
  // One with status 100 to 199, not 101.
  virtual void put_interim(const http::AnswerHead& head) = 0;
  // `head` says how long the body is (length, none), or that it goes on until answer_ended(). 101 and the answer to a
  // CONNECT have none. Unless it is `done`, nothing was put.
  enum class Put : uint8_t { done, no_buffers, too_large };
  virtual Put put_head(const http::AnswerHead& head) = 0;
  virtual void put_piece(BufferPiece piece) = 0;
  virtual bool put_end(const http::Fields* trailers) = 0;
  virtual void answer_skipped(uint64_t bytes) = 0;

  // The socket that was lent has failed.
  virtual void client_failed(int error) = 0;
  // The exchange is over: its answer is complete, or (`cut`) it cannot be, and the client must be able to see that.
  virtual void exchange_over(ExchangeEnd end, bool cut) = 0;

  // Where the client has connected to, as far as it is known.
  virtual PeerAddress connected_to() const = 0;
  // The socket, for bytes that take a shorter way (a splice, a tunnel); null if there is none.
  virtual Connection* lend() = 0;

 protected:
  ~ExchangeClient() = default;
};

}  // namespace weir
