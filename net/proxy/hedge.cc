#include "net/proxy/hedge.h"

#include <utility>

#include "net/proxy/exchange.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/origin_connection.h"
#include "net/proxy/worker.h"

namespace weir {

Hedge* Hedge::begin(HttpWorker& http, Exchange& exchange, const Upstream& upstream, Choice choice) {
  const Endpoint& endpoint = upstream.endpoints[choice.index];
  Hedge* hedge = http.hedges.create(http, exchange, endpoint.id, std::move(choice.lease));
  if (hedge == nullptr) return nullptr;
  EndpointCounters& counters = endpoint.state->counters(http.worker.index());
  counters.picked.add();
  hedge->origin_ = http.pool.take(endpoint, *hedge);
  if (hedge->origin_ != nullptr) {
    counters.reused.add();
    hedge->send_request();
    return hedge;
  }
  hedge->origin_ = http.pool.dial(endpoint, *hedge);
  if (hedge->origin_ != nullptr) return hedge;
  http.hedges.destroy(*hedge);
  return nullptr;
}

Hedge::Hedge(HttpWorker& http, Exchange& exchange, EndpointId endpoint, Lease lease) noexcept
    : http_(http), exchange_(exchange), lease_(std::move(lease)), endpoint_(endpoint), begun_(http.worker.now()) {}

Hedge::~Hedge() {
  WEIR_ASSERT(origin_ == nullptr);
}

void Hedge::send_request() {
  sent_ = exchange_.put_copy(*origin_);
}

void Hedge::origin_connected() {
  lease_.state().counters(http_.worker.index()).connections_total.add();
  send_request();
}

void Hedge::origin_received() {
  const Connection& io = origin_->io();
  if (!io.in().empty() && sent_) return exchange_.hedge_answers();
  if (!io.ended() && io.in().empty()) return;
  failed(origin_->reused() ? std::nullopt : std::optional{Outcome::bad});
}

void Hedge::origin_unreachable(int) {
  lease_.state().counters(http_.worker.index()).connect_errors.add();
  failed(Outcome::unreachable);
}

void Hedge::origin_failed(bool sending, int) {
  if (sending) return;  // the receive tells more
  // An idle connection that had died says nothing of the endpoint.
  if (origin_->reused()) return failed(std::nullopt);
  lease_.state().counters(http_.worker.index()).resets.add();
  failed(Outcome::bad);
}

void Hedge::failed(std::optional<Outcome> outcome) {
  const Instant now = http_.worker.now();
  const Upstream* upstream = http_.worker.snapshot().find(exchange_.upstream());
  if (upstream != nullptr && outcome) {
    note_outcome(lease_, *upstream, http_.worker.index(), now, *outcome);
    lease_.state().at(http_.worker.index()).latency.failed(now - begun_, now, upstream->picker_options.latency_decay);
  }
  exchange_.hedge_failed();
}

Hedge::Won Hedge::take_over() {
  WEIR_ASSERT(sent_);
  Won won{std::exchange(origin_, nullptr), std::move(lease_), endpoint_, begun_};
  http_.over(*this);
  return won;
}

void Hedge::drop() {
  http_.pool.drop(*std::exchange(origin_, nullptr), true);
  lease_.end();
  http_.worker.place_free(exchange_.upstream());
  http_.over(*this);
}

}  // namespace weir
