// L7Session: one client connection that speaks HTTP/1, and the requests that come over it, one after the other.
//
//     greeting --PROXY header--> idle --first byte--> reading --head--> exchanging --answer complete--> idle ...
//                                 |                      |                 |   |
//                                 |                      |                 |   '--body left--> skipping --> idle
//                                 |                      v                 v
//                                 |                  leaving: the last answer goes out, then the end; what the client
//                                 |                      |    still sends is thrown away for a moment
//                                 '------> joining <-----'
//
// It reads heads, takes the framing off request bodies and puts it on answers; everything between is the business of
// the Exchange. Requests that the client sends ahead wait in the connection's buffers, so answers are in order. Between
// requests it costs this slot and nothing else. An immovable slot in the worker's slab; touched by that worker alone.
#pragma once

#include <cstdint>

#include "core/base/timer_wheel.h"
#include "core/model/listener.h"
#include "net/proxy/admission.h"
#include "net/proxy/body.h"
#include "net/proxy/connection.h"
#include "net/proxy/exchange_client.h"
#include "net/proxy/session.h"

namespace weir {

class Exchange;
class HttpWorker;

class L7Session final : public Session, public ConnectionHost, public ExchangeClient {
 public:
  // So many requests are begun in one go, however many lie there: an exchange is freed at the end of the turn, also one
  // that was over at once, so this bounds how many there are.
  static constexpr uint32_t requests_at_once = 16;

  L7Session(HttpWorker& http, const ListenerSpec& listener, int client) noexcept;
  ~L7Session();

  void begin(const ListenerSpec& listener);

  void close(CloseReason reason, bool reset = false) override;
  void drain() override;
  bool joining() const noexcept override { return state_ == State::joining; }
  Instant holding_buffers_since() const noexcept override;
  void finish() override;
  Kind kind() const noexcept override { return Kind::l7; }

 private:
  // How long a client that was told the end may go on sending before it is closed nevertheless.
  static constexpr Duration linger_max = std::chrono::seconds{1};
  // So much of a body that nobody wants is read, so that the connection can go on.
  static constexpr uint32_t skip_bytes_max = 64 * 1024;

  enum class State : uint8_t { greeting, idle, reading, exchanging, skipping, leaving, joining };

  // ConnectionHost
  void connection_received(Connection& connection) override;
  void connection_sent(Connection& connection) override;
  void connection_failed(Connection& connection, bool sending, int error) override;
  void connection_idle(Connection& connection) override;

  // ExchangeClient
  void head_taken() override;
  BodySource::Step next_request_piece(BufferPiece& piece, http::Fields& trailers) override;
  void request_taken() override;
  http::Refusal body_refusal() const override { return body_.refusal(); }
  bool request_complete() const override { return body_.over(); }
  uint64_t request_left() const override { return body_.left(); }
  void request_skipped(uint64_t bytes) override;
  bool can_take() const override { return !client_.congested(); }
  void put_interim(const http::AnswerHead& head) override;
  void request_given_up() override;
  Put put_head(const http::AnswerHead& head) override;
  void put_piece(BufferPiece piece) override;
  bool put_end(const http::Fields* trailers) override;
  void answer_skipped(uint64_t bytes) override;
  void client_failed(int error) override { connection_failed(client_, false, error); }
  void exchange_over(ExchangeEnd end, bool cut) override;
  PeerAddress connected_to() const override;
  Connection* lend() override { return &client_; }

  static void on_timer(Timer& timer);

  void become(State next);
  void arm(Instant due);
  void time_is_up();
  void wait_for_client();
  // For how long the client may send nothing, or take nothing.
  Duration patience() const noexcept;
  const ListenerSpec* listener() const noexcept;
  void read_greeting();
  void read_requests();
  bool read_head(const ListenerSpec& spec);
  void begin_exchange(const ListenerSpec& spec, uint32_t head_size);
  void refuse(const ListenerSpec& spec, http::Refusal refusal, bool head_known);
  Exchange* make_exchange(const ListenerSpec& spec);
  http::Refusal look_at_chunks(uint32_t head_size, const ListenerSpec& spec);
  void client_ended();
  void next_request();
  void skip_body();
  void leave(CloseReason reason);
  void leave_further();
  void join(bool reset);
  bool joined() const noexcept { return client_.idle() && exchange_ == nullptr; }
  void find_peer();
  bool take_seat(const ListenerSpec& spec);

  HttpWorker& http_;
  ListenerState& listener_state_;
  Exchange* exchange_ = nullptr;
  const ListenerId listener_;
  State state_ = State::greeting;
  bool greeting_expected_ : 1 = false;
  bool keep_alive_ : 1 = true;   // after the present request
  bool old_client_ : 1 = false;  // it speaks HTTP/1.0
  bool head_only_ : 1 = false;   // HEAD is being answered
  bool expects_continue_ : 1 = false;
  bool in_loop_ : 1 = false;  // read_requests() is on the stack
  bool shut_ : 1 = false;     // the end was sent
  bool reset_ : 1 = false;
  bool refused_ : 1 = false;            // what it sends cannot be understood
  bool worn_ : 1 = false;               // it has had as many requests as it may
  bool half_closed_ : 1 = false;        // it ended its side in the course of an exchange
  bool half_close_passed_ : 1 = false;  // and was given time enough to leave
  bool aborting_ : 1 = false;           // the exchange is ended by us, and the session after it
  ClientSeat seat_;
  Connection client_;
  BodySource body_;
  BodySink sink_;
  uint32_t seen_ = 0;       // bytes of an unfinished head that were looked at
  uint32_t head_size_ = 0;  // of a finished one that still lies in front of its body
  uint32_t requests_ = 0;
  uint32_t skip_left_ = 0;
  PeerAddress peer_;  // from the socket, or as the PROXY header says
  Timer timer_;
  Instant due_ = Instant::max();
  Instant active_;        // when bytes moved last
  Instant head_begun_{};  // when the first byte of the present head came
  Instant lifetime_end_;  // no new request after it; Instant::max() when there is none
};

// What an idle connection costs in user memory, apart from what the kernel keeps for its socket.
static_assert(sizeof(L7Session) <= 320);

}  // namespace weir
