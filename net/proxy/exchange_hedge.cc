// Exchange: asking another endpoint as well, when the first takes long.
#include "net/proxy/exchange.h"
#include "net/proxy/hedge.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/origin_connection.h"
#include "net/proxy/worker.h"

namespace weir {

// The whole request has gone up, and can be sent again.
void Exchange::plan_hedge() {
  Worker& worker = http_.worker;
  const Upstream* upstream = worker.snapshot().find(upstream_);
  if (upstream == nullptr || upstream->resilience.hedge.percentile == 0) return;
  const bool may = replayable_ && !upgrade_ && !is_mirror_ && !speaks_proxy_ && http::is_idempotent(method_) &&
                   tried_.count() + 1 < std::min(upstream->tries, tries_max);
  if (!may || hedge_ != nullptr) return;
  const auto wait = worker.hedging(upstream_).wait(upstream->resilience.hedge,
                                                   upstream->state->at(worker.index()).latency, worker.now());
  if (!wait) return;
  hedge_at_ = worker.now() + *wait;
  arm(phase_end_);
}

void Exchange::begin_hedge() {
  hedge_at_ = Instant::max();
  Worker& worker = http_.worker;
  const Upstream* upstream = worker.snapshot().find(upstream_);
  // Something of the answer is there already: the first one has won.
  if (upstream == nullptr || state_ != State::waiting || !origin_->io().in().empty()) return;
  // Queued requests have more right to a place.
  if (worker.somebody_waits(*upstream)) return;
  UpstreamCounters& counters = upstream->state->at(worker.index()).counters;
  TriedEndpoints asked = tried_;
  asked.add(endpoint_);
  Choice choice = choose_endpoint(worker, *upstream, {asked, key_, zone_});
  if (choice.index == no_endpoint) return;
  if (!worker.hedging(upstream_).take()) {
    counters.hedges_over_budget.add();
    return;
  }
  hedge_ = Hedge::begin(http_, *this, *upstream, std::move(choice));
  if (hedge_ == nullptr) return;
  counters.hedged.add();
  ++notes_.tries;
}

void Exchange::hedge_answers() {
  WEIR_ASSERT(state_ == State::waiting && hedge_ != nullptr);
  // Of the first endpoint is known that it takes longer than this.
  note_overtaken();
  drop_origin(true);
  if (const Upstream* upstream = http_.worker.snapshot().find(upstream_); upstream != nullptr) {
    upstream->state->at(http_.worker.index()).counters.hedges_won.add();
  }
  take_hedge();
  pump_down();
}

void Exchange::note_overtaken() {
  const Upstream* upstream = http_.worker.snapshot().find(upstream_);
  if (upstream == nullptr) return;
  const Instant now = http_.worker.now();
  lease_.state()
      .at(http_.worker.index())
      .latency.failed(now - notes_.asked, now, upstream->picker_options.latency_decay);
}

// Its connection is the exchange's from here on.
void Exchange::take_hedge() {
  WEIR_ASSERT(origin_ == nullptr && !lease_);
  Hedge::Won won = hedge_->take_over();
  hedge_ = nullptr;
  origin_ = won.origin;
  origin_->hand_over(*this);
  lease_ = std::move(won.lease);
  endpoint_ = won.endpoint;
  notes_.asked = won.asked;
  notes_.chosen = won.asked;
  notes_.connected = won.asked;
  notes_.reused = origin_->reused();
  notes_.first_byte = {};
  set_cookie_ = true;
  up_begun_ = true;
  up_dead_ = false;
  seen_ = 0;
  interims_ = 0;
  if (const Upstream* upstream = http_.worker.snapshot().find(upstream_); upstream != nullptr && notes_.logged) {
    for (const Endpoint& endpoint : upstream->endpoints) {
      if (endpoint.id == endpoint_) notes_.note(http_.blocks, ExchangeNotes::endpoint, endpoint.name);
    }
  }
  wait_for_first_byte();
}

void Exchange::hedge_failed() {
  drop_hedge();
}

void Exchange::drop_hedge() {
  hedge_at_ = Instant::max();
  if (hedge_ == nullptr) return;
  hedge_->drop();
  hedge_ = nullptr;
}

}  // namespace weir
