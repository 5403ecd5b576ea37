// L7Session: what it writes to the client.
#include "net/http1/head_writer.h"
#include "net/proxy/count_status.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/l7_session.h"
#include "net/proxy/worker.h"

namespace weir {

void L7Session::connection_sent(Connection&) {
  active_ = http_.worker.now();
  if (exchange_ != nullptr) return exchange_->answer_room();
  if (state_ == State::leaving) return leave_further();
  const bool more = !client_.in().empty() || client_.ended();
  if ((state_ == State::idle || state_ == State::reading) && more) read_requests();
}

void L7Session::put_interim(const http::AnswerHead& head) {
  Buffers& buffers = http_.worker.relay().buffers;
  const BufferId id = buffers.take();
  if (id == no_buffer) return;  // an interim answer may be lost, it is only a hint
  http1::HeadWriter writer{{buffers.data(id), Buffers::size}};
  writer.status_line(head.status, head.reason);
  for (const http::Field& field : head.fields) {
    if (!field.hop && field.id != http::FieldId::content_length) writer.field(field.name, field.value);
  }
  writer.end_of_head();
  if (writer.overflowed()) return buffers.give_back(id);
  listener_state_.counters(http_.worker.index()).answers_1xx.add();
  if (head.status == 100) expects_continue_ = false;  // the body will come
  client_.out().push(buffers, id, writer.size());
  client_.flush_later();
}

void L7Session::request_given_up() {
  // So much will not be read for nothing.
  if (body_.left() > skip_bytes_max) keep_alive_ = false;
}

ExchangeClient::Put L7Session::put_head(const http::AnswerHead& head) {
  Buffers& buffers = http_.worker.relay().buffers;
  const BufferId id = buffers.take();
  if (id == no_buffer) return Put::no_buffers;
  const bool switching = head.status == 101;
  http::Framing framing = head.framing;
  if (framing == http::Framing::chunked || framing == http::Framing::until_close) {
    framing = old_client_ ? http::Framing::until_close : http::Framing::chunked;
  }
  if (head_only_) framing = http::Framing::none;
  if (framing == http::Framing::until_close) keep_alive_ = false;
  // The client has not been told to send its body, and might or might not do so now.
  if (expects_continue_ && !body_.over()) keep_alive_ = false;
  sink_.begin(framing);

  http1::HeadWriter writer{{buffers.data(id), Buffers::size}};
  writer.status_line(head.status, head.reason);
  for (const http::Field& field : head.fields) {
    if (field.id == http::FieldId::content_length) continue;
    if (!field.hop || (switching && field.id == http::FieldId::upgrade)) writer.field(field.name, field.value);
  }
  if (head.has_content_length && framing != http::Framing::chunked && framing != http::Framing::until_close &&
      head.status != 204 && !switching) {
    writer.field("Content-Length", head.content_length);
  }
  if (framing == http::Framing::chunked) writer.text("Transfer-Encoding: chunked\r\n");
  if (switching) {
    writer.text("Connection: upgrade\r\n");
  } else if (!keep_alive_) {
    writer.text("Connection: close\r\n");
  } else if (old_client_) {
    writer.text("Connection: keep-alive\r\n");
  }
  writer.end_of_head();
  if (writer.overflowed()) {
    buffers.give_back(id);
    return Put::too_large;
  }
  ListenerCounters& counters = listener_state_.counters(http_.worker.index());
  count_status(counters, head.status);
  counters.bytes_out.add(writer.size());
  client_.out().push(buffers, id, writer.size());
  client_.flush_later();
  if (due_ == Instant::max()) wait_for_client();
  return Put::done;
}

void L7Session::put_piece(BufferPiece piece) {
  Buffers& buffers = http_.worker.relay().buffers;
  sink_.frame(buffers, piece);
  listener_state_.counters(http_.worker.index()).bytes_out.add(piece.size);
  client_.out().push(buffers, piece);
  client_.flush_later();
}

bool L7Session::put_end(const http::Fields* trailers) {
  if (sink_.framing() != http::Framing::chunked) return true;
  BufferPiece piece;
  Buffers& buffers = http_.worker.relay().buffers;
  if (!sink_.end(buffers, piece, trailers)) return false;
  client_.out().push(buffers, piece);
  client_.flush_later();
  return true;
}

void L7Session::answer_skipped(uint64_t bytes) {
  active_ = http_.worker.now();
  listener_state_.counters(http_.worker.index()).bytes_out.add(bytes);
}

}  // namespace weir
