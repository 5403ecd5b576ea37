// Exchange: reaching an origin, sending the request there, and trying again.
#include <errno.h>

#include <algorithm>
#include <cstring>

#include "net/proxy/exchange.h"
#include "net/proxy/hedge.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/mirror.h"
#include "net/proxy/origin_connection.h"
#include "net/proxy/peer_gone.h"
#include "net/proxy/proxy_protocol.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// How soon a connect is tried again that found no descriptor.
constexpr Duration descriptor_pause = std::chrono::milliseconds{20};

}  // namespace

// --- choosing -------------------------------------------------------------------------------------------------------

Choice Exchange::choose(const Upstream& upstream) {
  if (sticky_index_ < upstream.endpoints.size()) {
    const Endpoint& own = upstream.endpoints[sticky_index_];
    if (own.takes_sessions && !tried_.contains(own.id)) {
      if (Lease lease = lease_of(upstream, sticky_index_, http_.worker.now())) return {sticky_index_, std::move(lease)};
    }
  }
  return choose_endpoint(http_.worker, upstream, {tried_, key_, zone_});
}

void Exchange::try_next() {
  WEIR_ASSERT(state_ == State::choosing);
  Worker& worker = http_.worker;
  const Upstream* upstream = worker.snapshot().find(upstream_);
  if (upstream == nullptr) return fail(ExchangeEnd::no_upstream);
  // Who comes now must not take the place that somebody else waits for.
  if (worker.somebody_waits(*upstream) && !is_mirror_ && !without_descriptor_) {
    if (!wait_in_line(*upstream)) fail(ExchangeEnd::queue_full);
    return;
  }
  Choice choice = choose(*upstream);
  if (choice.index == no_endpoint) return nobody(*upstream, choice);
  ask(*upstream, std::move(choice));
}

// Whether there is a queue, and room in it.
bool Exchange::wait_in_line(const Upstream& upstream) {
  Worker& worker = http_.worker;
  if (!worker.wait_in_line(upstream, *this, {priority_, tried_.count() == 0})) return false;
  arm(worker.now() + upstream.resilience.queue.timeout);
  return true;
}

bool Exchange::turn_came() {
  WEIR_ASSERT(state_ == State::choosing);
  const Upstream* upstream = http_.worker.snapshot().find(upstream_);
  if (upstream == nullptr) {
    fail(ExchangeEnd::no_upstream);
    return true;
  }
  Choice choice = choose(*upstream);
  if (choice.index == no_endpoint && choice.full) return false;
  if (choice.index == no_endpoint) {
    nobody(*upstream, choice);
  } else {
    ask(*upstream, std::move(choice));
  }
  return true;
}

void Exchange::nobody(const Upstream& upstream, const Choice& choice) {
  if (choice.full && !is_mirror_ && upstream.resilience.queue.size > 0) {
    if (!wait_in_line(upstream)) fail(ExchangeEnd::queue_full);
    return;
  }
  if (tried_.count() > 0) return fail(last_failure_);
  if (choice.full) return fail(ExchangeEnd::endpoints_full);
  fail(choice.shut ? ExchangeEnd::breakers_open : ExchangeEnd::no_endpoint);
}

// --- bounds of the upstream -----------------------------------------------------------------------------------------

// Counted first and taken back if it was one too many, so that workers together never exceed a bound.
bool Exchange::begin_pending(const Upstream& upstream) {
  if (upstream.resilience.pending_max == 0) return true;
  UpstreamState& state = *upstream.state;
  if (state.pending.fetch_add(1, std::memory_order_relaxed) >= upstream.resilience.pending_max) {
    state.pending.fetch_sub(1, std::memory_order_relaxed);
    state.at(http_.worker.index()).counters.pending_refused.add();
    return false;
  }
  pending_ = true;
  return true;
}

void Exchange::end_pending() noexcept {
  if (pending_) http_.worker.upstream_state(upstream_).pending.fetch_sub(1, std::memory_order_relaxed);
  pending_ = false;
}

bool Exchange::begin_retrying(const Upstream& upstream) {
  if (upstream.resilience.retries_max == 0 || retrying_) return true;
  UpstreamState& state = *upstream.state;
  if (state.retrying.fetch_add(1, std::memory_order_relaxed) >= upstream.resilience.retries_max) {
    state.retrying.fetch_sub(1, std::memory_order_relaxed);
    state.at(http_.worker.index()).counters.retries_refused.add();
    return false;
  }
  retrying_ = true;
  return true;
}

void Exchange::end_retrying() noexcept {
  if (retrying_) http_.worker.upstream_state(upstream_).retrying.fetch_sub(1, std::memory_order_relaxed);
  retrying_ = false;
}

// --- asking ---------------------------------------------------------------------------------------------------------

void Exchange::ask(const Upstream& upstream, Choice choice) {
  Worker& worker = http_.worker;
  const Endpoint& endpoint = upstream.endpoints[choice.index];
  if (!without_descriptor_) {
    notes_.chosen = worker.now();
    ++notes_.tries;
    endpoint.state->counters(worker.index()).picked.add();
    if (notes_.logged) notes_.note(http_.blocks, ExchangeNotes::endpoint, endpoint.name);
  }
  set_cookie_ = choice.index != sticky_index_;
  endpoint_ = endpoint.id;

  // A PROXY header names the client of a connection, so it serves one exchange alone.
  speaks_proxy_ = upstream.send_proxy != ProxyHeader::off;
  origin_ = fresh_only_ || speaks_proxy_ ? nullptr : http_.pool.take(endpoint, *this);
  if (origin_ != nullptr) {
    without_descriptor_ = false;
    lease_ = std::move(choice.lease);
    endpoint.state->counters(worker.index()).reused.add();
    become(State::waiting);
    notes_.connected = worker.now();
    notes_.reused = true;
    return send_request();
  }
  origin_ = http_.pool.dial(endpoint, *this);
  if (origin_ == nullptr) {
    without_descriptor_ = true;
    if (worker.now() - notes_.chosen >= upstream.connect_timeout) return fail(ExchangeEnd::no_descriptors);
    worker.descriptors_are_short();
    return arm(worker.now() + descriptor_pause);
  }
  without_descriptor_ = false;
  fresh_only_ = false;
  lease_ = std::move(choice.lease);
  notes_.reused = false;
  become(State::dialing);
  arm(worker.now() + upstream.connect_timeout);
}

void Exchange::origin_connected() {
  WEIR_ASSERT(state_ == State::dialing);
  lease_.state().counters(http_.worker.index()).connections_total.add();
  notes_.connected = http_.worker.now();
  become(State::waiting);
  send_request();
}

void Exchange::origin_unreachable(int error) {
  WEIR_ASSERT(state_ == State::dialing);
  lease_.state().counters(http_.worker.index()).connect_errors.add();
  if (error == ECANCELED) http_.worker.counters().unexpected_errors.add();
  try_failed(Cause::unreachable);
}

// --- sending --------------------------------------------------------------------------------------------------------

// The header of the PROXY protocol, before everything else. False if no buffer was free.
bool Exchange::put_proxy_header() {
  const Upstream* upstream = http_.worker.snapshot().find(upstream_);
  if (upstream == nullptr || upstream->send_proxy == ProxyHeader::off) return true;
  Buffers& buffers = http_.worker.relay().buffers;
  const BufferId id = buffers.take();
  if (id == no_buffer) return false;
  const uint32_t size = write_proxy_header(upstream->send_proxy, notes_.client, client_.connected_to(),
                                           {buffers.data(id), Buffers::size});
  origin_->io().out().push(buffers, id, size);
  return true;
}

bool Exchange::put_copy(OriginConnection& origin) {
  Buffers& buffers = http_.worker.relay().buffers;
  const std::byte* bytes = copy_.data();
  for (uint32_t left = copy_.size(); left > 0;) {
    const BufferId id = buffers.take();
    if (id == no_buffer) return false;
    const uint32_t size = std::min(left, Buffers::size);
    std::memcpy(buffers.data(id), bytes, size);
    origin.io().out().push(buffers, id, size);
    bytes += size;
    left -= size;
  }
  origin.io().flush_later();
  EndpointCounters& counters = origin.endpoint().counters(http_.worker.index());
  counters.requests.add();
  counters.bytes_up.add(copy_.size());
  return true;
}

void Exchange::send_request() {
  if (speaks_proxy_ && !put_proxy_header()) return fail(ExchangeEnd::no_buffers);
  if (!put_copy(*origin_)) return fail(ExchangeEnd::no_buffers);
  note_time_inside();
  notes_.first_byte = {};
  notes_.asked = notes_.chosen;
  up_dead_ = false;
  up_begun_ = false;
  seen_ = 0;
  interims_ = 0;
  wait_for_first_byte();
  if (!up_over_) return pump_up();
  plan_hedge();
}

void Exchange::wait_for_first_byte() {
  const Upstream* upstream = http_.worker.snapshot().find(upstream_);
  arm(upstream != nullptr ? http_.worker.now() + upstream->http.first_byte_timeout : Instant::max());
}

// What is sent up after the head is remembered with it, as long as it fits: then it can be sent again.
void Exchange::send_up(BufferPiece piece) {
  Buffers& buffers = http_.worker.relay().buffers;
  if (replayable_ && !copy_.append(http_.blocks, {buffers.data(piece.id) + piece.offset, piece.size})) {
    replayable_ = false;
    copy_.release(http_.blocks);
  }
  lease_.state().counters(http_.worker.index()).bytes_up.add(piece.size);
  origin_->io().out().push(buffers, piece);
  origin_->io().flush_later();
}

void Exchange::pump_up() {
  Buffers& buffers = http_.worker.relay().buffers;
  while (!up_over_ && !up_dead_ && origin_ != nullptr && !origin_->io().congested() &&
         !(splice_.moving() && splice_.upward())) {
    BufferPiece piece;
    switch (client_.next_request_piece(piece, http_.trailers)) {
      case BodySource::Step::need_more: return splice_up_if_worth_it();
      case BodySource::Step::piece:
        notes_.bytes_in += piece.size;
        if (mirror_ != nullptr) mirror_->add(piece);
        up_.frame(buffers, piece);
        send_up(piece);
        break;
      case BodySource::Step::end:
        if (up_.framing() == http::Framing::chunked) {
          if (!up_.end(buffers, piece, &http_.trailers)) return fail(ExchangeEnd::no_buffers);
          send_up(piece);
        }
        client_.request_taken();
        up_over_ = true;
        if (mirror_ != nullptr) mirror_->end();
        // From here on it is the origin's turn.
        notes_.asked = http_.worker.now();
        if (state_ == State::waiting) {
          wait_for_first_byte();
          plan_hedge();
        }
        return;
      case BodySource::Step::refused: refusal_ = client_.body_refusal(); return fail(ExchangeEnd::body_malformed);
      case BodySource::Step::cut: return fail(ExchangeEnd::body_cut);
      case BodySource::Step::no_buffers: return fail(ExchangeEnd::no_buffers);
    }
  }
}

void Exchange::origin_sent() {
  up_begun_ = true;
  if (state_ == State::waiting && !up_over_) wait_for_first_byte();
  if (state_ == State::waiting || state_ == State::answering) return pump_up();
  if (state_ == State::tunneling) begin_tunnel();
}

// --- failing, trying again ------------------------------------------------------------------------------------------

void Exchange::origin_failed(bool sending, int error) {
  if (state_ == State::tunneling) return abort(ExchangeEnd::tunneled);
  const bool gone = peer_is_gone(error);
  if (!gone) http_.worker.counters().unexpected_errors.add();
  if (sending) {
    // It takes no more, but may have answered already: an answer that is there, or the reset, will be received.
    up_dead_ = true;
    return;
  }
  if (state_ == State::waiting) return try_failed(Cause::reset);
  lease_.state().counters(http_.worker.index()).resets.add();
  note_broken_answer(&EndpointCounters::answers_cut);
  drop_origin(true);
  finish(ExchangeEnd::answer_cut, true);
}

void Exchange::time_is_up() {
  Worker& worker = http_.worker;
  if (worker.now() >= request_end_) {
    return fail(head_sent_ ? ExchangeEnd::answer_too_slow : ExchangeEnd::request_timeout);
  }
  switch (state_) {
    case State::choosing:
      if (!in_line()) return try_next();
      leave_line();
      worker.upstream_state(upstream_).at(worker.index()).counters.queue_timeouts.add();
      return fail(ExchangeEnd::queue_timeout);
    case State::dialing:
      lease_.state().counters(worker.index()).connect_timeouts.add();
      return try_failed(Cause::connect_timeout);
    case State::waiting:
      // The client still sends: how long it may take for that is its session's business.
      if (!up_over_ && !up_dead_ && !blocked_by_origin()) return wait_for_first_byte();
      lease_.state().counters(worker.index()).first_byte_timeouts.add();
      return try_failed(Cause::first_byte_timeout);
    case State::answering:
      // It is the client who takes nothing: how long it may is its session's business.
      if (!client_.can_take() || blocked_by_client()) return wait_for_body();
      note_broken_answer(&EndpointCounters::answers_cut);
      return fail(ExchangeEnd::answer_timeout);
    // The tunnel has not begun: the client does not read that it may.
    case State::tunneling: return abort(ExchangeEnd::tunneled);
    case State::routing:
    case State::over: WEIR_ASSERT(false, static_cast<int>(state_));
  }
}

void Exchange::try_failed(Cause cause) {
  switch (cause) {
    case Cause::unreachable: last_failure_ = ExchangeEnd::connect_failed; break;
    case Cause::connect_timeout: last_failure_ = ExchangeEnd::connect_timeout; break;
    case Cause::closed: last_failure_ = ExchangeEnd::origin_closed; break;
    case Cause::reset: last_failure_ = ExchangeEnd::origin_reset; break;
    case Cause::first_byte_timeout: last_failure_ = ExchangeEnd::first_byte_timeout; break;
    case Cause::status: WEIR_ASSERT(false);
  }
  note_failure(cause);
  if (!retry(cause)) fail(last_failure_);
}

// An idle connection that had died says nothing of the endpoint.
void Exchange::note_failure(Cause cause) {
  const Upstream* upstream = http_.worker.snapshot().find(upstream_);
  if (upstream == nullptr || ((cause == Cause::closed || cause == Cause::reset) && origin_->reused())) return;
  const Instant now = http_.worker.now();
  EndpointCounters& counters = lease_.state().counters(http_.worker.index());
  if (cause == Cause::closed) counters.answers_missing.add();
  if (cause == Cause::reset) counters.resets.add();
  lease_.state()
      .at(http_.worker.index())
      .latency.failed(now - notes_.chosen, now, upstream->picker_options.latency_decay);
  const bool reached = cause != Cause::unreachable && cause != Cause::connect_timeout;
  note_outcome(lease_, *upstream, http_.worker.index(), now, reached ? Outcome::bad : Outcome::unreachable);
}

// Whether there is another try.
bool Exchange::retry(Cause cause) {
  const Upstream* upstream = http_.worker.snapshot().find(upstream_);
  if (upstream == nullptr || is_mirror_) return false;
  // Another endpoint is at it already.
  if (hedge_ != nullptr && hedge_->sent()) {
    drop_origin(true);
    take_hedge();
    return true;
  }
  // An idle connection that had died: the endpoint may be well, so a fresh connection to it is tried.
  const bool stale = (cause == Cause::closed || cause == Cause::reset) && origin_->reused() && replayable_ &&
                     (http::is_idempotent(method_) || never_delivered());
  if (stale) {
    http_.worker.counters().origin_stale.add();
    fresh_only_ = true;
    --notes_.tries;
    drop_origin(true);
    become(State::choosing);
    try_next();
    return true;
  }
  if (!may_retry(cause, *upstream)) return false;

  lease_.state().counters(http_.worker.index()).retries.add();
  http_.worker.counters().retries.add();
  drop_origin(true);
  tried_.add(endpoint_);
  become(State::choosing);
  // The first time another endpoint is asked at once: it has done nothing wrong. From then on the upstream as a whole
  // is in trouble, and gets some time.
  const uint32_t times = retries_++;
  const RetryPolicy& policy = upstream->http.retry;
  if (times == 0 || policy.backoff_base == Duration::zero()) {
    try_next();
    return true;
  }
  const Duration full = std::min(policy.backoff_base * (int64_t{1} << std::min(times - 1, 20U)), policy.backoff_max);
  const double jitter = 0.5 + http_.random.unit() / 2;
  arm(http_.worker.now() + Duration{static_cast<int64_t>(static_cast<double>(full.count()) * jitter)});
  return true;
}

bool Exchange::may_retry(Cause cause, const Upstream& upstream) {
  const RetryPolicy& policy = upstream.http.retry;
  if (!replayable_ || tried_.count() + 1 >= std::min(upstream.tries, tries_max)) return false;
  const bool somebody_left = std::any_of(
      upstream.candidates.begin(), upstream.candidates.end(),
      [&](const Candidate& each) { return each.share > 0 && each.id != endpoint_ && !tried_.contains(each.id); });
  if (!somebody_left) return false;
  switch (cause) {
    // Nothing was sent, so any request may be sent elsewhere; and no origin is asked twice.
    case Cause::unreachable:
    case Cause::connect_timeout: return policy.on_connect;
    case Cause::closed:
    case Cause::reset:
      if (!policy.on_reset) return false;
      break;
    case Cause::first_byte_timeout:
      if (!policy.on_timeout) return false;
      break;
    case Cause::status: break;
  }
  if (!http::is_idempotent(method_) || !begin_retrying(upstream)) return false;
  if (http_.worker.retry_budget(upstream_).take(policy, http_.worker.now(), http_.worker.workers())) return true;
  http_.worker.counters().retries_over_budget.add();
  return false;
}

// Nothing of this request has been handed to the kernel, so even what must not be repeated may be sent elsewhere. (What
// was handed to it may have been read, also where the origin's kernel has confirmed nothing: a reset overtakes that.)
bool Exchange::never_delivered() const {
  return !up_begun_ && !origin_->io().sending();
}

void Exchange::drop_origin(bool reset) {
  if (origin_ != nullptr) http_.pool.drop(*origin_, reset);
  origin_ = nullptr;
  end_lease();
}

void Exchange::end_lease() {
  if (!lease_) return;
  lease_.end();
  http_.worker.place_free(upstream_);
}

// The answer is complete: the connection may serve the next exchange, if nothing speaks against it.
void Exchange::let_origin_go() {
  Connection& io = origin_->io();
  const bool clean =
      origin_may_go_on_ && !speaks_proxy_ && up_over_ && !up_dead_ && io.in().empty() && !io.ended() && io.drained();
  const Upstream* upstream = http_.worker.snapshot().find(upstream_);
  if (clean && upstream != nullptr) {
    http_.pool.keep(*origin_, upstream->http.pool);
  } else {
    http_.pool.drop(*origin_, !up_over_);
  }
  origin_ = nullptr;
  end_lease();
}

}  // namespace weir
