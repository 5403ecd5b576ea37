// Exchange: bytes that take a shorter way than through buffers: long bodies, tunnels.
#include "net/proxy/exchange.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/origin_connection.h"
#include "net/proxy/tunnel.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// So much of a body must be left for splicing to be cheaper than copying. docs/performance.md says how this was
// measured.
constexpr uint64_t splice_bytes_min = 64 * 1024;

}  // namespace

// --- long bodies ----------------------------------------------------------------------------------------------------

// All that was there has been passed on. If much more is to come, it need not come through here.
void Exchange::splice_if_worth_it() {
  Connection* client = client_.lend();
  if (client == nullptr || no_splice_) return;
  if (!splice_.busy() && down_.left() >= splice_bytes_min) {
    splice_.set_upward(false);
    splice_.begin(http_.worker.relay(), origin_->io(), *client);
  }
  if (splice_.busy() && !splice_.upward() && splice_.may_move()) splice_.move(down_.left());
}

void Exchange::splice_up_if_worth_it() {
  Connection* client = client_.lend();
  if (client == nullptr || no_splice_ || mirror_ != nullptr || up_.framing() != http::Framing::length) return;
  if (!splice_.busy() && client_.request_left() >= splice_bytes_min) {
    replayable_ = false;
    copy_.release(http_.blocks);
    splice_.set_upward(true);
    splice_.begin(http_.worker.relay(), *client, origin_->io());
  }
  if (splice_.busy() && splice_.upward() && splice_.may_move()) splice_.move(client_.request_left());
}

void Exchange::splice_moved(uint64_t bytes) {
  EndpointCounters& counters = lease_.state().counters(http_.worker.index());
  if (splice_.upward()) {
    counters.bytes_up.add(bytes);
    notes_.bytes_in += bytes;
    client_.request_skipped(bytes);
    if (state_ == State::waiting) wait_for_first_byte();
  } else {
    counters.bytes_down.add(bytes);
    notes_.bytes_out += bytes;
    down_.skip(bytes);
    client_.answer_skipped(bytes);
    wait_for_body();
  }
}

// Where the next request begins is counted from the source's side.
void Exchange::splice_lost(uint64_t bytes) {
  if (splice_.upward()) client_.request_skipped(bytes);
}

void Exchange::splice_ended(BodySplice::End end, int error) {
  if (state_ == State::over) return;
  const bool up = splice_.upward();
  switch (end) {
    case BodySplice::End::out_of_pipes: no_splice_ = true; break;
    case BodySplice::End::done: break;
    case BodySplice::End::source_ended:
      return;  // its connection receives again, and will say so itself
    // An error is told once, and that was here.
    case BodySplice::End::source_failed: return up ? client_.client_failed(error) : origin_failed(false, error);
    case BodySplice::End::sink_failed: return up ? origin_failed(true, error) : client_.client_failed(error);
  }
  up ? pump_up() : pump_down();
}

// --- tunnels --------------------------------------------------------------------------------------------------------

// The head is on its way to the client; when it has left, both sockets are lent to the tunnel.
void Exchange::begin_tunnel() {
  Connection* client = client_.lend();
  Connection& origin = origin_->io();
  if (tunnel_ != nullptr || client == nullptr || !client->drained() || !origin.drained()) return;
  if (!client->lent()) client->suspend();
  if (!origin.lent()) origin.suspend();
  if (!client->suspended() || !origin.suspended()) return;
  tunnel_ = http_.tunnels.create(http_, *this, *client, origin, http_.worker.snapshot().find(listener_));
  if (tunnel_ == nullptr) return abort(ExchangeEnd::no_buffers);
  http_.worker.wheel().cancel(timer_);
  tunnel_->begin();
}

void Exchange::tunnel_moved(bool up, uint64_t bytes) {
  if (up) {
    notes_.bytes_in += bytes;
    lease_.state().counters(http_.worker.index()).bytes_up.add(bytes);
    client_.request_skipped(bytes);
  } else {
    notes_.bytes_out += bytes;
    lease_.state().counters(http_.worker.index()).bytes_down.add(bytes);
    client_.answer_skipped(bytes);
  }
}

void Exchange::tunnel_ended() {
  const bool reset = tunnel_->was_reset();
  const ExchangeEnd end = tunnel_->was_idle() ? ExchangeEnd::tunnel_idle : ExchangeEnd::tunneled;
  http_.over(*tunnel_);
  tunnel_ = nullptr;
  drop_origin(reset);
  finish(end, reset);
}

}  // namespace weir
