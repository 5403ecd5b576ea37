#include "net/proxy/mirror.h"

#include <cstring>

#include "net/proxy/http_worker.h"
#include "net/proxy/worker.h"

namespace weir {

Mirror* Mirror::begin(HttpWorker& http, const ListenerSpec& listener, UpstreamId upstream, const Block& head,
                      http::Method method, http::Framing framing) {
  Mirror* mirror = http.mirrors.create(http);
  Exchange* exchange = mirror == nullptr ? nullptr : http.exchanges.create(http, *mirror, listener);
  if (exchange == nullptr) {
    http.worker.counters().mirrors_dropped.add();
    if (mirror != nullptr) http.mirrors.destroy(*mirror);
    return nullptr;
  }
  mirror->exchange_ = exchange;
  mirror->complete_ = framing == http::Framing::none;
  http.worker.counters().mirrored.add();
  exchange->begin_copy(upstream, {head.data(), head.size()}, method, framing);
  return mirror;
}

void Mirror::add(const BufferPiece& piece) {
  if (exchange_ == nullptr) return;
  Buffers& buffers = http_.worker.relay().buffers;
  const BufferId id = waiting_.count() < waiting_max ? buffers.take() : no_buffer;
  if (id == no_buffer) return give_up();
  std::memcpy(buffers.data(id), buffers.data(piece.id) + piece.offset, piece.size);
  waiting_.push(buffers, id, piece.size);
  exchange_->request_more();
}

void Mirror::end() {
  complete_ = true;
  if (exchange_ != nullptr) exchange_->request_more();
}

void Mirror::leave() {
  left_ = true;
  if (!complete_ && exchange_ != nullptr) return give_up();
  free_when_done();
}

void Mirror::give_up() {
  http_.worker.counters().mirrors_dropped.add();
  exchange_->abort(ExchangeEnd::client_left);
}

BodySource::Step Mirror::next_request_piece(BufferPiece& piece, http::Fields& trailers) {
  if (waiting_.empty()) {
    trailers.clear();
    return complete_ ? BodySource::Step::end : BodySource::Step::need_more;
  }
  piece = waiting_.pop_front(http_.worker.relay().buffers);
  return BodySource::Step::piece;
}

void Mirror::put_piece(BufferPiece piece) {
  http_.worker.relay().buffers.give_back(piece.id);
}

void Mirror::exchange_over(ExchangeEnd, bool) {
  waiting_.clear(http_.worker.relay().buffers);
  exchange_ = nullptr;
  free_when_done();
}

void Mirror::free_when_done() {
  if (exchange_ == nullptr && left_ && !node.linked()) http_.over(*this);
}

}  // namespace weir
