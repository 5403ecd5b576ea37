#include "net/proxy/l7_session.h"

#include <algorithm>

#include "net/io/socket.h"
#include "net/proxy/head_limits.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/peer_gone.h"
#include "net/proxy/proxy_protocol.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// A client that nobody has listened to for so long is watched for a reset.
constexpr Duration watch_after = std::chrono::milliseconds{250};

}  // namespace

L7Session::L7Session(HttpWorker& http, const ListenerSpec& listener, int client) noexcept
    : http_(http),
      listener_state_(*listener.state),
      listener_(listener.id),
      client_(*this, http.worker.relay()),
      timer_(on_timer),
      active_(http.worker.now()),
      lifetime_end_(listener.lifetime > Duration::zero() ? active_ + listener.lifetime : Instant::max()) {
  // Relaxed: a load figure.
  listener_state_.connections.fetch_add(1, std::memory_order_relaxed);
  listener_state_.counters(http_.worker.index()).connections_total.add();
  client_.open(client, false, listener.address.is_unix());
}

L7Session::~L7Session() {
  // Release, with the acquire of the control thread's sweep: our counting comes before the state's end.
  listener_state_.connections.fetch_sub(1, std::memory_order_release);
}

void L7Session::begin(const ListenerSpec& listener) {
  if (!listener.proxy_from.empty()) {
    find_peer();
    greeting_expected_ = listener.proxy_from.contains(peer_);
  }
  if (greeting_expected_) return arm(http_.worker.now() + listener.proxy_header_timeout);
  if (!take_seat(listener)) return;
  become(State::idle);
  arm(http_.worker.now() + listener.http->header_timeout);
}

// Whether its client may have one connection more; if not, it has been closed.
bool L7Session::take_seat(const ListenerSpec& spec) {
  if (spec.connections_per_client_max == 0) return true;
  find_peer();
  if (seat_.take(spec, peer_, http_.worker.index())) return true;
  close(CloseReason::client_full, true);
  return false;
}

void L7Session::become(State next) {
  const bool legal = [&] {
    switch (next) {
      case State::greeting: return false;
      case State::idle: return state_ == State::greeting || state_ == State::exchanging || state_ == State::skipping;
      case State::reading: return state_ == State::idle;
      case State::exchanging: return state_ == State::idle || state_ == State::reading;
      case State::skipping: return state_ == State::exchanging;
      case State::leaving: return state_ != State::leaving && state_ != State::joining;
      case State::joining: return state_ != State::joining;
    }
    return false;
  }();
  WEIR_ASSERT(legal, static_cast<int>(state_) * 10 + static_cast<int>(next));
  state_ = next;
}

const ListenerSpec* L7Session::listener() const noexcept {
  const ListenerSpec* spec = http_.worker.snapshot().find(listener_);
  return spec != nullptr && spec->http != nullptr ? spec : nullptr;
}

void L7Session::find_peer() {
  if (peer_.family != PeerAddress::Family::none) return;
  sockaddr_storage address{};
  if (peer_address(client_.fd(), address)) peer_ = PeerAddress::from(reinterpret_cast<const sockaddr*>(&address));
}

PeerAddress L7Session::connected_to() const {
  sockaddr_storage address{};
  socklen_t size = 0;
  if (!local_address(client_.fd(), address, size)) return {};
  return PeerAddress::from(reinterpret_cast<const sockaddr*>(&address));
}

// --- what the client sends ------------------------------------------------------------------------------------------

void L7Session::connection_received(Connection&) {
  active_ = http_.worker.now();
  switch (state_) {
    case State::greeting: return read_greeting();
    case State::idle:
    case State::reading: return read_requests();
    case State::exchanging:
      if (!body_.over()) exchange_->request_more();
      if (state_ == State::exchanging && client_.ended()) return client_ended();
      if (state_ == State::exchanging && client_.in().count() >= Connection::waiting_max) {
        // Nothing is received any more for now, so its death would go unnoticed.
        const Instant soon = http_.worker.now() + watch_after;
        if (due_ > soon) arm(soon);
      }
      return;
    case State::skipping: return skip_body();
    case State::leaving:
      if (client_.ended() && shut_) join(false);
      return;
    case State::joining: WEIR_ASSERT(false);
  }
}

void L7Session::read_greeting() {
  Buffers& buffers = http_.worker.relay().buffers;
  BufferQueue& in = client_.in();
  ProxyParse parsed{};
  in.gather(buffers);
  if (!in.empty()) parsed = parse_proxy_header({in.front(buffers), in.front_size(buffers)});
  const bool nothing_follows = client_.ended() || in.count() > 1;
  if (parsed.status == ProxyParse::Status::need_more && !nothing_follows) return;
  if (parsed.status != ProxyParse::Status::done) {
    listener_state_.counters(http_.worker.index()).proxy_headers_bad.add();
    return close(CloseReason::proxy_header_bad);
  }
  if (!parsed.local) peer_ = parsed.source;
  in.consume(buffers, parsed.size);
  const ListenerSpec* spec = listener();
  if (spec == nullptr) return close(CloseReason::done);
  if (!take_seat(*spec)) return;
  become(State::idle);
  arm(http_.worker.now() + spec->http->header_timeout);
  read_requests();
}

// As many requests as are there, as long as their answers find room.
void L7Session::read_requests() {
  in_loop_ = true;
  // Whom this loop has answered has something to send: when it has left, the next ones are read (connection_sent).
  uint32_t begun = 0;
  while ((state_ == State::idle || state_ == State::reading) && begun++ < requests_at_once && !client_.in().empty() &&
         !client_.congested()) {
    const ListenerSpec* spec = listener();
    // A reload has removed the listener, or made something else of it.
    if (spec == nullptr) {
      leave(CloseReason::done);
      break;
    }
    if (!read_head(*spec)) break;
  }
  in_loop_ = false;
  if (state_ != State::idle && state_ != State::reading) return;
  // Nothing more will come, and what is there is no request.
  const bool more = client_.congested() || (state_ == State::idle && !client_.in().empty());
  if (client_.ended() && !more) return leave(CloseReason::done);
  client_.taken();
}

// Whether a request was begun.
bool L7Session::read_head(const ListenerSpec& spec) {
  BufferQueue& in = client_.in();
  Buffers& buffers = http_.worker.relay().buffers;
  in.gather(buffers);
  if (state_ == State::idle) head_begun_ = http_.worker.now();
  const std::string_view bytes{reinterpret_cast<const char*>(in.front(buffers)), in.front_size(buffers)};
  const http1::HeadLimits limits = head_limits_of(spec.http->limits);
  if (http1::may_be_complete(bytes, seen_, limits)) {
    const auto parsed = http1::parse_request(bytes, limits, http_.request);
    if (parsed.status == http1::HeadParse::Status::done) {
      begin_exchange(spec, parsed.size);
      return true;
    }
    if (parsed.status == http1::HeadParse::Status::refused) {
      refuse(spec, parsed.refusal, parsed.refusal > http::Refusal::version_unsupported);
      return true;
    }
  }
  seen_ = static_cast<uint32_t>(bytes.size());
  if (state_ == State::idle) {
    become(State::reading);
    arm(http_.worker.now() + spec.http->header_timeout);
  }
  return false;
}

Exchange* L7Session::make_exchange(const ListenerSpec& spec) {
  seen_ = 0;
  half_closed_ = false;
  half_close_passed_ = false;
  find_peer();
  listener_state_.counters(http_.worker.index()).requests.add();
  become(State::exchanging);
  due_ = Instant::max();
  exchange_ = http_.exchanges.create(http_, *this, spec);
  WEIR_ASSERT(exchange_ != nullptr);
  return exchange_;
}

void L7Session::begin_exchange(const ListenerSpec& spec, uint32_t head_size) {
  const http::RequestHead& head = http_.request;
  if (head.framing == http::Framing::chunked) {
    const http::Refusal refusal = look_at_chunks(head_size, spec);
    if (refusal != http::Refusal::none) return refuse(spec, refusal, true);
  }
  ++requests_;
  const uint32_t requests_max = spec.http->requests_max;
  // What follows a CONNECT is meant for a tunnel: without one, it is not to be read as a request.
  worn_ = requests_max > 0 && requests_ >= requests_max;
  keep_alive_ = head.keep_alive && !worn_ && !http_.worker.draining() && head.method != http::Method::connect &&
                http_.worker.now() < lifetime_end_;
  old_client_ = head.minor_version == 0;
  head_only_ = head.method == http::Method::head;
  expects_continue_ = head.expects_continue;
  head_size_ = head_size;
  body_.begin(head.framing, head.content_length, spec.http->limits.trailer_bytes_max);
  listener_state_.counters(http_.worker.index()).bytes_in.add(head_size);
  Exchange* exchange = make_exchange(spec);
  if (!body_.over()) wait_for_client();
  exchange->begin(peer_, head_begun_);
  if (state_ == State::exchanging && client_.ended()) client_ended();
}

void L7Session::refuse(const ListenerSpec& spec, http::Refusal refusal, bool head_known) {
  listener_state_.counters(http_.worker.index()).requests_refused.add();
  keep_alive_ = false;
  old_client_ = false;
  head_only_ = false;
  expects_continue_ = false;
  body_.begin(http::Framing::none, 0, 0);
  refused_ = true;
  make_exchange(spec)->begin_refused(peer_, refusal, head_known);
}

// A chunked body whose beginning is at hand and malformed is refused before anything of its request goes up.
http::Refusal L7Session::look_at_chunks(uint32_t head_size, const ListenerSpec& spec) {
  BufferQueue& in = client_.in();
  Buffers& buffers = http_.worker.relay().buffers;
  const uint32_t size = in.front_size(buffers) - head_size;
  std::array<std::byte, Buffers::size> copy;
  std::copy_n(in.front(buffers) + head_size, size, copy.begin());
  http1::ChunkedDecoder decoder;
  const auto step = decoder.decode({copy.data(), size});
  using Status = http1::ChunkedDecoder::Step::Status;
  if (step.status == Status::refused) return step.refusal;
  if (step.status != Status::last) return http::Refusal::none;
  http1::HeadLimits limits;
  limits.head_bytes_max = spec.http->limits.trailer_bytes_max + 2;
  const std::string_view rest{reinterpret_cast<const char*>(copy.data()) + step.consumed, size - step.consumed};
  const auto parsed = http1::parse_trailers(rest, limits, http_.trailers);
  return parsed.status == http1::HeadParse::Status::refused ? parsed.refusal : http::Refusal::none;
}

// The client has ended its side in the course of an exchange. It may be waiting for the answer, or gone: that is the
// same to us, until something is sent to it. So it gets some time.
void L7Session::client_ended() {
  WEIR_ASSERT(exchange_ != nullptr);
  if (half_closed_) return;
  half_closed_ = true;
  client_.watch();
  if (exchange_->tunneling()) return;
  const ListenerSpec* spec = listener();
  Duration grace = linger_max;
  if (spec != nullptr && spec->http != nullptr) grace = spec->http->half_close_timeout;
  arm(http_.worker.now() + grace);
}

void L7Session::connection_failed(Connection&, bool, int error) {
  const bool gone = peer_is_gone(error);
  if (!gone) http_.worker.counters().unexpected_errors.add();
  if (state_ == State::leaving) return join(false);
  if (exchange_ != nullptr) {
    listener_state_.counters(http_.worker.index()).client_aborts.add();
    aborting_ = true;
    exchange_->abort(ExchangeEnd::client_reset);
  }
  close(gone ? CloseReason::client_reset : CloseReason::client_error, true);
}

void L7Session::connection_idle(Connection&) {
  if (state_ == State::joining) {
    if (joined()) http_.worker.session_joined(*this);
    return;
  }
  if (exchange_ != nullptr) exchange_->lent_socket_is_quiet();
}

// --- the request's body, for the exchange ---------------------------------------------------------------------------

void L7Session::head_taken() {
  if (head_size_ > 0) client_.in().consume(http_.worker.relay().buffers, head_size_);
  head_size_ = 0;
}

BodySource::Step L7Session::next_request_piece(BufferPiece& piece, http::Fields& trailers) {
  const auto step = body_.next(http_.worker.relay().buffers, client_.in(), client_.ended(), piece, trailers);
  if (step == BodySource::Step::piece) listener_state_.counters(http_.worker.index()).bytes_in.add(piece.size);
  if (step == BodySource::Step::piece || step == BodySource::Step::need_more) client_.taken();
  // There is no telling where the next request would begin.
  if (step == BodySource::Step::refused || step == BodySource::Step::cut) keep_alive_ = false;
  return step;
}

void L7Session::request_taken() {
  body_.trailers_taken(http_.worker.relay().buffers, client_.in());
  if (!half_closed_) due_ = Instant::max();
  client_.taken();
}

void L7Session::request_skipped(uint64_t bytes) {
  active_ = http_.worker.now();
  listener_state_.counters(http_.worker.index()).bytes_in.add(bytes);
  if (!body_.over()) body_.skip(bytes);
}

// --- the end of an exchange -----------------------------------------------------------------------------------------

void L7Session::exchange_over(ExchangeEnd end, bool cut) {
  exchange_ = nullptr;
  head_taken();
  if (state_ == State::joining) {
    if (joined()) http_.worker.session_joined(*this);
    return;
  }
  if (aborting_) return;
  if (end == ExchangeEnd::tunneled) return close(CloseReason::done, cut);
  if (end == ExchangeEnd::tunnel_idle) return close(CloseReason::idle_timeout);
  if (cut) {
    // Where only the end of the connection says that the body is over, an end would be a lie.
    if (sink_.framing() == http::Framing::until_close) return close(CloseReason::answer_cut, true);
    return leave(CloseReason::answer_cut);
  }
  if (end == ExchangeEnd::refused || end == ExchangeEnd::body_malformed) return leave(CloseReason::request_refused);
  if (end == ExchangeEnd::header_timeout) return leave(CloseReason::header_timeout);
  if (end == ExchangeEnd::body_timeout) return leave(CloseReason::body_timeout);
  if (http_.worker.now() >= lifetime_end_) return leave(CloseReason::lifetime);
  if (!keep_alive_) return leave(worn_ ? CloseReason::requests_max : CloseReason::done);
  if (!body_.over()) {
    become(State::skipping);
    skip_left_ = skip_bytes_max;
    return skip_body();
  }
  next_request();
}

void L7Session::next_request() {
  const ListenerSpec* spec = listener();
  if (spec == nullptr || http_.worker.draining()) return leave(CloseReason::draining);
  become(State::idle);
  arm(std::min(http_.worker.now() + spec->http->keep_alive_timeout, lifetime_end_));
  if (in_loop_) return;
  if (!client_.in().empty() || client_.ended()) return read_requests();
  client_.taken();
}

// Reads what is left of a body that nobody wants, if that is not too much, so that the next request can be read.
void L7Session::skip_body() {
  Buffers& buffers = http_.worker.relay().buffers;
  for (;;) {
    BufferPiece piece;
    const auto step = body_.next(buffers, client_.in(), client_.ended(), piece, http_.trailers);
    if (step == BodySource::Step::piece) {
      buffers.give_back(piece.id);
      if (piece.size > skip_left_) return leave(CloseReason::done);
      skip_left_ -= piece.size;
      continue;
    }
    if (step == BodySource::Step::need_more) {
      const ListenerSpec* spec = listener();
      if (spec == nullptr || body_.left() > skip_left_) return leave(CloseReason::done);
      client_.taken();
      return arm(http_.worker.now() + linger_max);
    }
    if (step != BodySource::Step::end) return leave(CloseReason::done);
    body_.trailers_taken(buffers, client_.in());
    return next_request();
  }
}

}  // namespace weir
