#include "net/proxy/l4_session.h"

#include <unistd.h>

#include <algorithm>

#include "core/balance/key.h"
#include "net/io/socket.h"
#include "net/proxy/peer_gone.h"
#include "net/proxy/proxy_protocol.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// How long a client that was given up may go on sending before it is closed nevertheless.
constexpr Duration linger_max = std::chrono::seconds{1};
// A source that nobody has listened to for so long is watched for a reset.
constexpr Duration watch_after = std::chrono::milliseconds{250};

}  // namespace

L4Session::L4Session(Worker& worker, const ListenerSpec& listener, int client) noexcept
    : FlowHost(worker.relay()),
      worker_(worker),
      listener_state_(*listener.state),
      upstream_(listener.upstream),
      client_(client),
      priority_(listener.priority),
      up_(*this),
      down_(*this),
      timer_(on_timer),
      idle_ms_max_(static_cast<uint32_t>(std::clamp<int64_t>(
          std::chrono::ceil<std::chrono::milliseconds>(listener.idle_timeout).count(), 0, UINT32_MAX))),
      active_(worker.now()),
      lifetime_end_(listener.lifetime > Duration::zero() ? worker.now() + listener.lifetime : Instant::max()) {
  // Relaxed: a load figure.
  listener_state_.connections.fetch_add(1, std::memory_order_relaxed);
  listener_state_.counters(worker_.index()).connections_total.add();
}

L4Session::~L4Session() {
  // Release, with the acquire of the control thread's sweep: our counting comes before the state's end.
  listener_state_.connections.fetch_sub(1, std::memory_order_release);
}

void L4Session::begin(const ListenerSpec& listener) {
  if (!listener.proxy_from.empty()) {
    if (!find_client()) return close(CloseReason::client_left_dialing);
    greeting_expected_ = listener.proxy_from.contains(peer_);
  }
  if (!greeting_expected_ && !come_in(listener)) return;
  // A client that connects has usually sent its first bytes by the time we get here.
  up_.open_source(client_, false, listener.address.is_unix());
  if (greeting_expected_) {
    worker_.wheel().arm(timer_, worker_.now() + listener.proxy_header_timeout);
  } else {
    become(State::dialing);
    dial();
  }
}

bool L4Session::come_in(const ListenerSpec& listener) {
  const bool asked_for = listener.filter != nullptr || !listener.rate_limits.empty() ||
                         listener.connections_per_client_max > 0 || worker_.snapshot().shedding.any();
  if (!asked_for) return true;
  find_client();
  auto refusal = refusal_of(listener, peer_, worker_);
  if (!refusal && !seat_.take(listener, peer_, worker_.index())) refusal = CloseReason::client_full;
  if (!refusal) return true;
  close(*refusal, true);
  return false;
}

void L4Session::become(State next) {
  const bool legal = [&] {
    switch (next) {
      case State::greeting: return false;
      case State::dialing: return state_ == State::greeting;
      case State::relaying: return state_ == State::dialing;
      case State::lingering: return state_ == State::dialing;
      case State::joining: return state_ != State::joining;
    }
    return false;
  }();
  WEIR_ASSERT(legal, static_cast<int>(state_) * 10 + static_cast<int>(next));
  state_ = next;
}

void L4Session::close(CloseReason reason, bool reset) {
  if (state_ == State::joining) return;
  // Who lingers was counted when it began to.
  if (state_ != State::lingering) worker_.counters().closed[static_cast<size_t>(reason)].add();
  join(reset);
}

// The client is to see a clean end, although it may be in the middle of sending.
void L4Session::give_up(CloseReason reason) {
  if (node.linked()) ListHead::unlink(node);
  leave_line();
  end_pending();
  if (reason == CloseReason::connect_failed) listener_state_.counters(worker_.index()).connect_failed.add();
  if (up_.source_ended()) return close(reason);
  worker_.counters().closed[static_cast<size_t>(reason)].add();
  become(State::lingering);
  shut_down_send(client_);
  up_.discard();
  worker_.wheel().arm(timer_, worker_.now() + linger_max);
}

void L4Session::join(bool reset) {
  become(State::joining);
  reset_ = reset;
  worker_.wheel().cancel(timer_);
  if (node.linked()) ListHead::unlink(node);
  leave_line();
  end_pending();
  up_.stop();
  down_.stop();
  if (connect_op_.in_flight()) worker_.ring().cancel(connect_op_);
  if (joined()) worker_.session_joined(*this);
}

void L4Session::finish() {
  WEIR_ASSERT(joined());
  up_.release();
  down_.release();
  if (reset_) {
    reset_on_close(client_);
    if (origin_ >= 0) reset_on_close(origin_);
  }
  worker_.ring().close(client_);
  drop_origin();
  seat_.give_back(listener_state_, peer_);
}

void L4Session::drop_origin() {
  if (origin_ >= 0) worker_.ring().close(origin_);
  origin_ = -1;
  if (!lease_) return;
  lease_.end();
  worker_.place_free(upstream_);
}

// --- the client's own address ---------------------------------------------------------------------------------------

bool L4Session::find_client() {
  if (peer_.family != PeerAddress::Family::none) return true;
  sockaddr_storage address{};
  if (!peer_address(client_, address)) return false;
  peer_ = PeerAddress::from(reinterpret_cast<const sockaddr*>(&address));
  return true;
}

// What the picker wants to know of the client.
ChoiceFor L4Session::wish(const Upstream& upstream) {
  ChoiceFor wish{tried_};
  const bool key = upstream.picker->wants_key();
  const ZoneMap* zones = upstream.picker->wants_zone() ? worker_.snapshot().zones.get() : nullptr;
  if (!key && zones == nullptr) return wish;
  find_client();
  if (key) {
    wish.key = upstream.hash_by.kind == KeySource::Kind::client_address ? key_of_address(peer_) : key_of(peer_);
  }
  if (zones != nullptr) wish.zone = zones->zone_of(peer_);
  return wish;
}

void L4Session::read_greeting() {
  const std::byte* bytes = up_.waiting_bytes();
  ProxyParse parsed{};
  if (bytes != nullptr) parsed = parse_proxy_header({bytes, up_.waiting_size()});
  const bool nothing_follows = up_.source_ended() || up_.waiting_full();
  if (parsed.status == ProxyParse::Status::need_more && !nothing_follows) return;
  if (parsed.status != ProxyParse::Status::done) {
    listener_state_.counters(worker_.index()).proxy_headers_bad.add();
    return close(CloseReason::proxy_header_bad);
  }
  if (!parsed.local) {
    peer_ = parsed.source;
    destination_ = parsed.destination;
  }
  up_.consume_waiting(parsed.size);
  // A PROXY header is the word of who stands before us.
  if (up_.waiting_size() > 0) note_first_word(true);
  worker_.wheel().cancel(timer_);
  for (const ListenerSpec& listener : worker_.snapshot().listeners) {
    if (listener.state == &listener_state_ && !come_in(listener)) return;
  }
  become(State::dialing);
  dial();
}

// --- reaching an origin ---------------------------------------------------------------------------------------------

void L4Session::dial() {
  const Upstream* upstream = worker_.snapshot().find(upstream_);
  if (upstream == nullptr) return give_up(CloseReason::no_upstream);
  if (tried_.count() >= std::min(upstream->tries, tries_max)) return give_up(CloseReason::connect_failed);
  if (!begin_pending(*upstream)) return give_up(CloseReason::too_many_pending);
  // Who comes now must not take the place that somebody else waits for.
  if (worker_.somebody_waits(*upstream) && !timer_.armed()) return wait_in_line(*upstream);

  Choice choice = choose_endpoint(worker_, *upstream, wish(*upstream));
  if (choice.index == no_endpoint) return nobody(*upstream, choice);
  connect_to(*upstream, std::move(choice));
}

void L4Session::nobody(const Upstream& upstream, const Choice& choice) {
  if (choice.full && upstream.resilience.queue.size > 0) return wait_in_line(upstream);
  if (tried_.count() > 0) return give_up(CloseReason::connect_failed);
  if (choice.full) return give_up(CloseReason::endpoints_full);
  give_up(choice.shut ? CloseReason::breakers_open : CloseReason::no_endpoint);
}

void L4Session::connect_to(const Upstream& upstream, Choice choice) {
  const Endpoint& endpoint = upstream.endpoints[choice.index];
  if (!timer_.armed()) worker_.wheel().arm(timer_, worker_.now() + upstream.connect_timeout);
  const int fd = open_stream(endpoint.address.family());
  if (fd < 0) return worker_.wait_for_descriptor(*this);
  if (tried_.count() > 0) worker_.counters().connect_retries.add();
  endpoint.state->counters(worker_.index()).picked.add();
  if (!endpoint.address.is_unix() && worker_.first_word(upstream_).is_the_clients()) hold_back_acknowledge(fd);
  origin_ = fd;
  origin_is_local_ = endpoint.address.is_unix();
  endpoint_ = endpoint.id;
  lease_ = std::move(choice.lease);
  active_ = worker_.now();
  connect_timed_out_ = false;
  worker_.ring().connect(connect_op_, on_connected, fd, endpoint.address.data(), endpoint.address.size());
}

// --- connecting -----------------------------------------------------------------------------------------------------

void L4Session::redial() {
  WEIR_ASSERT(state_ == State::dialing && !connect_op_.in_flight());
  dial();
}

void L4Session::on_connected(Op& op, const Completion& completion) {
  L4Session& session = owner_of(op, &L4Session::connect_op_);
  if (session.state_ == State::joining) {
    if (session.joined()) session.worker_.session_joined(session);
    return;
  }
  WEIR_ASSERT(session.state_ == State::dialing);
  if (completion.failed()) return session.connect_failed(session.connect_timed_out_);
  session.begin_relaying();
}

void L4Session::connect_failed(bool timed_out) {
  Lease failed = std::move(lease_);
  EndpointCounters& counters = failed.state().counters(worker_.index());
  (timed_out ? counters.connect_timeouts : counters.connect_errors).add();
  worker_.wheel().cancel(timer_);
  drop_origin();
  const Upstream* upstream = worker_.snapshot().find(upstream_);
  if (upstream == nullptr) return give_up(CloseReason::no_upstream);
  const Instant now = worker_.now();
  failed.state().at(worker_.index()).latency.failed(now - active_, now, upstream->picker_options.latency_decay);
  note_outcome(failed, *upstream, worker_.index(), now, Outcome::unreachable);
  failed.end();
  worker_.place_free(upstream_);
  // Before it is noted: of the last one possible there is nothing to remember, and no room for it.
  if (tried_.count() + 1 >= std::min(upstream->tries, tries_max)) return give_up(CloseReason::connect_failed);
  tried_.add(endpoint_);
  dial();
  if (state_ == State::dialing) counters.retries.add();
}

bool L4Session::prepend_greeting(ProxyHeader version) {
  find_client();
  if (!destination_.is_ip()) {
    sockaddr_storage address{};
    socklen_t size = 0;
    if (local_address(client_, address, size)) {
      destination_ = PeerAddress::from(reinterpret_cast<const sockaddr*>(&address));
    }
  }
  return up_.prepend([&](std::byte* out) {
    return write_proxy_header(version, peer_, destination_, {out, Buffers::size});
  });
}

// --- relaying -------------------------------------------------------------------------------------------------------

void L4Session::begin_relaying() {
  become(State::relaying);
  worker_.wheel().cancel(timer_);
  const Upstream* upstream = worker_.snapshot().find(upstream_);
  lease_.state().counters(worker_.index()).connections_total.add();
  if (upstream != nullptr) note_outcome(lease_, *upstream, worker_.index(), worker_.now(), Outcome::good);
  end_pending();
  // What was tried is needed no more; from now on that place is the time since the origin was asked.
  asked_ = active_;
  active_ = worker_.now();
  if (upstream != nullptr && upstream->send_proxy != ProxyHeader::off && !prepend_greeting(upstream->send_proxy)) {
    return close(CloseReason::no_buffers);
  }
  arm_timer();
  up_.open_sink(origin_);
  if (state_ != State::relaying) return;
  // The origin has just been reached; it may speak first, but not yet.
  down_.open_source(origin_, true, origin_is_local_);
  down_.open_sink(client_);
}

// While relaying: for whatever comes first. It is not moved with every byte; when it fires it looks how long ago the
// last one was.
void L4Session::arm_timer() {
  Instant deadline = lifetime_end_;
  if (idle_ms_max_ > 0) deadline = std::min(deadline, active_ + idle_max());
  if (up_.unwatched() || down_.unwatched()) deadline = std::min(deadline, worker_.now() + watch_after);
  if (deadline != Instant::max()) worker_.wheel().arm(timer_, deadline);
}

void L4Session::flow_unwatched(Flow&) {
  if (state_ != State::relaying) return;
  if (!timer_.armed() || timer_.deadline() > worker_.now() + watch_after) arm_timer();
}

void L4Session::on_timer(Timer& timer) {
  L4Session& session = owner_of(timer, &L4Session::timer_);
  switch (session.state_) {
    case State::greeting: return session.close(CloseReason::proxy_header_timeout);
    case State::dialing:
      if (session.in_line_) return session.waited_too_long();
      if (!session.connect_op_.in_flight()) return session.give_up(CloseReason::no_descriptors);
      session.connect_timed_out_ = true;
      session.worker_.ring().cancel(session.connect_op_);
      return;
    case State::relaying: return session.look_around();
    case State::lingering: return session.join(false);
    case State::joining: WEIR_ASSERT(false);
  }
}

void L4Session::look_around() {
  const Instant now = worker_.now();
  if (now >= lifetime_end_) return close(CloseReason::lifetime);
  if (idle_ms_max_ > 0 && now - active_ >= idle_max()) return close(CloseReason::idle_timeout);
  up_.watch_source();
  down_.watch_source();
  arm_timer();
}

Instant L4Session::holding_buffers_since() const noexcept {
  const bool holding = state_ == State::relaying && (up_.holds_buffers() || down_.holds_buffers());
  return holding ? active_ : Instant::max();
}

void L4Session::note_first_word(bool client) {
  somebody_spoke_ = true;
  // An upstream that a reload has removed has no memory any more.
  if (worker_.snapshot().find(upstream_) == nullptr) return;
  FirstWord& first_word = worker_.first_word(upstream_);
  client ? first_word.client_spoke() : first_word.origin_spoke();
}

void L4Session::flow_received(Flow& flow, uint64_t bytes) {
  active_ = worker_.now();
  if (!somebody_spoke_ && state_ != State::greeting) note_first_word(&flow == &up_);
  if (&flow == &up_) {
    listener_state_.counters(worker_.index()).bytes_in.add(bytes);
    if (state_ == State::relaying) asked_ = active_;
  } else {
    lease_.state().counters(worker_.index()).bytes_down.add(bytes);
    note_answer();
  }
}

// The first bytes since the client's last: how long they took is what can be known of an origin whose protocol is not.
void L4Session::note_answer() {
  if (asked_ == Instant::max()) return;
  if (const Upstream* upstream = worker_.snapshot().find(upstream_)) {
    const Duration decay = upstream->picker_options.latency_decay;
    const Duration took = active_ - asked_;
    lease_.state().at(worker_.index()).latency.add(took, active_, decay);
    upstream->state->at(worker_.index()).latency.add(static_cast<uint64_t>(std::max<int64_t>(took.count(), 0)));
    const Duration slow = upstream->resilience.breaker.slow;
    if (slow > Duration::zero() && took > slow) lease_.state().counters(worker_.index()).answers_slow.add();
  }
  asked_ = Instant::max();
}

// The origin has left while it was its turn, and the client has not: it owed an answer. (Where the client ends first,
// the protocol may know none.)
void L4Session::note_silence() {
  const Upstream* upstream = worker_.snapshot().find(upstream_);
  if (asked_ == Instant::max() || upstream == nullptr) return;
  const Instant now = worker_.now();
  lease_.state().at(worker_.index()).latency.failed(now - asked_, now, upstream->picker_options.latency_decay);
  note_outcome(lease_, *upstream, worker_.index(), now, Outcome::spoiled);
  asked_ = Instant::max();
}

// A peer that takes bytes is a sign of life, too.
void L4Session::flow_sent(Flow& flow, uint64_t bytes) {
  active_ = worker_.now();
  if (&flow == &up_) {
    lease_.state().counters(worker_.index()).bytes_up.add(bytes);
  } else {
    listener_state_.counters(worker_.index()).bytes_out.add(bytes);
  }
}

void L4Session::flow_waiting(Flow&) {
  // While dialing the bytes just wait; so does the client's end, which the origin is to see too.
  if (state_ == State::greeting) return read_greeting();
  if (state_ == State::lingering && up_.source_ended()) join(false);
}

void L4Session::flow_ended(Flow& flow) {
  if (&flow == &down_ && !up_.source_ended()) note_silence();
  // Both ended: closing tells both sides. One: its sink alone, and the other way goes on.
  if (up_.ended() && down_.ended()) return close(CloseReason::done);
  shut_down_send(&flow == &up_ ? origin_ : client_);
}

void L4Session::flow_failed(Flow& flow, bool at_source, int error) {
  const bool at_client = (&flow == &up_) == at_source;
  // These all mean that the peer, or the way to it, is gone; anything else nobody has planned for.
  const bool gone = peer_is_gone(error);
  if (!gone) worker_.counters().unexpected_errors.add();
  if (state_ == State::lingering) return join(false);
  if (state_ != State::relaying) return close(CloseReason::client_left_dialing);
  if (!at_client) {
    lease_.state().counters(worker_.index()).resets.add();
    note_silence();
  }
  if (at_client) return close(gone ? CloseReason::client_reset : CloseReason::client_error, true);
  close(gone ? CloseReason::origin_reset : CloseReason::origin_error, true);
}

void L4Session::flow_stopped(Flow&) {
  if (joined()) worker_.session_joined(*this);
}

}  // namespace weir
