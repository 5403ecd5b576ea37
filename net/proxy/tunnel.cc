#include "net/proxy/tunnel.h"

#include "net/io/socket.h"
#include "net/proxy/exchange.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/peer_gone.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// A source that nobody has listened to for so long is watched for a reset.
constexpr Duration watch_after = std::chrono::milliseconds{250};

}  // namespace

Tunnel::Tunnel(HttpWorker& http, Exchange& exchange, Connection& client, Connection& origin,
               const ListenerSpec* listener)
    : FlowHost(http.worker.relay()),
      http_(http),
      exchange_(exchange),
      client_(client),
      origin_(origin),
      up_(*this),
      down_(*this),
      timer_(on_timer),
      active_(http.worker.now()) {
  if (listener != nullptr) idle_max_ = listener->idle_timeout;
}

void Tunnel::begin() {
  exchange_.tunnel_moved(true, up_.adopt(client_.in()));
  exchange_.tunnel_moved(false, down_.adopt(origin_.in()));
  arm_timer();
  up_.open_source(client_.fd(), false, client_.local());
  up_.open_sink(origin_.fd());
  down_.open_source(origin_.fd(), false, origin_.local());
  down_.open_sink(client_.fd());
}

void Tunnel::stop() {
  if (stopping_) return;
  stopping_ = true;
  http_.worker.wheel().cancel(timer_);
  up_.stop();
  down_.stop();
  if (up_.idle() && down_.idle()) flow_stopped(up_);
}

void Tunnel::flow_stopped(Flow&) {
  if (!up_.idle() || !down_.idle()) return;
  up_.release();
  down_.release();
  exchange_.tunnel_ended();
}

void Tunnel::arm_timer() {
  Instant deadline = Instant::max();
  if (idle_max_ > Duration::zero()) deadline = active_ + idle_max_;
  if (up_.unwatched() || down_.unwatched()) deadline = std::min(deadline, http_.worker.now() + watch_after);
  if (deadline != Instant::max()) http_.worker.wheel().arm(timer_, deadline);
}

void Tunnel::on_timer(Timer& timer) {
  Tunnel& tunnel = owner_of(timer, &Tunnel::timer_);
  if (tunnel.idle_max_ > Duration::zero() && tunnel.http_.worker.now() - tunnel.active_ >= tunnel.idle_max_) {
    tunnel.idle_ = true;
    return tunnel.stop();
  }
  tunnel.up_.watch_source();
  tunnel.down_.watch_source();
  tunnel.arm_timer();
}

void Tunnel::flow_received(Flow& flow, uint64_t bytes) {
  active_ = http_.worker.now();
  exchange_.tunnel_moved(&flow == &up_, bytes);
}

void Tunnel::flow_sent(Flow&, uint64_t) {
  active_ = http_.worker.now();
}

void Tunnel::flow_unwatched(Flow&) {
  if (stopping_) return;
  if (!timer_.armed() || timer_.deadline() > http_.worker.now() + watch_after) arm_timer();
}

void Tunnel::flow_waiting(Flow&) {}

void Tunnel::flow_ended(Flow& flow) {
  if (up_.ended() && down_.ended()) return stop();
  shut_down_send(&flow == &up_ ? origin_.fd() : client_.fd());
}

void Tunnel::flow_failed(Flow&, bool, int error) {
  const bool gone = peer_is_gone(error);
  if (!gone) http_.worker.counters().unexpected_errors.add();
  reset_ = true;
  stop();
}

}  // namespace weir
