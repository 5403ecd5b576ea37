// Mirror: a copy of a request that goes to a second upstream, fire and forget: what is answered there is thrown away,
// and nobody waits for it.
//
// The exchange that it copies hands it its body piece by piece. A mirror that does not take them fast enough is given
// up: the first request is never delayed, and memory stays bounded. When the first exchange ends before its request was
// complete, so does the mirror; after that it goes on alone. In a slab of its worker; touched by that worker's thread.
#pragma once

#include <cstdint>

#include "core/base/list.h"
#include "core/model/listener.h"
#include "net/proxy/exchange_client.h"

namespace weir {

class Block;
class Exchange;
class HttpWorker;

class Mirror final : public ExchangeClient {
 public:
  // `head` is the request as it goes up. Null when there is no slot for it.
  static Mirror* begin(HttpWorker& http, const ListenerSpec& listener, UpstreamId upstream, const Block& head,
                       http::Method method, http::Framing framing);
  explicit Mirror(HttpWorker& http) noexcept : http_(http) {}
  ~Mirror() { WEIR_ASSERT(waiting_.empty() && exchange_ == nullptr); }

  // By the first exchange: a copy of more of the body; its end; its own end.
  void add(const BufferPiece& piece);
  void end();
  void leave();

  ListNode node;  // of those that are over

 private:
  // So many buffers may wait for the second upstream.
  static constexpr uint16_t waiting_max = 8;

  void head_taken() override {}
  BodySource::Step next_request_piece(BufferPiece& piece, http::Fields& trailers) override;
  void request_taken() override {}
  http::Refusal body_refusal() const override { return http::Refusal::none; }
  bool request_complete() const override { return complete_; }
  uint64_t request_left() const override { return 0; }
  void request_skipped(uint64_t) override {}
  bool can_take() const override { return true; }
  void put_interim(const http::AnswerHead&) override {}
  void request_given_up() override {}
  Put put_head(const http::AnswerHead&) override { return Put::done; }
  void put_piece(BufferPiece piece) override;
  bool put_end(const http::Fields*) override { return true; }
  void answer_skipped(uint64_t) override {}
  void client_failed(int) override {}
  void exchange_over(ExchangeEnd end, bool cut) override;
  PeerAddress connected_to() const override { return {}; }
  Connection* lend() override { return nullptr; }

  void give_up();
  void free_when_done();

  HttpWorker& http_;
  Exchange* exchange_ = nullptr;
  BufferQueue waiting_;
  bool complete_ = false;  // no more of the body will be added
  bool left_ = false;      // the first exchange is over
};

}  // namespace weir
