#include "control/steering.h"

#include <algorithm>
#include <utility>

#include "core/base/owner_of.h"

namespace weir {

Steering::Steering(Publisher& publisher, const ProbeContext& context, const Log& log, const Tell& tell,
                   std::function<void()> published)
    : publisher_(publisher),
      context_(context),
      log_(log),
      tell_(tell),
      published_(std::move(published)),
      ramp_timer_(on_ramp),
      soon_timer_(on_soon) {}

Steering::~Steering() {
  stop();
}

void Steering::follow() {
  indices_.clear();
  const auto& upstreams = current().upstreams;
  // Subsets come behind all others, so that the first to name an endpoint is the upstream itself.
  for (uint32_t i = 0; i < upstreams.size(); ++i) {
    const auto& endpoints = upstreams[i]->endpoints;
    for (uint32_t j = 0; j < endpoints.size(); ++j) indices_.try_emplace(endpoints[j].state, Index{i, j});
  }
  say_events();
  arm_ramp();
}

void Steering::stop() {
  context_.wheel.cancel(ramp_timer_);
  context_.wheel.cancel(soon_timer_);
}

// --- publishing -----------------------------------------------------------------------------------------------------

void Steering::refresh_soon() {
  const Instant now = context_.clock.now();
  if (refreshed_ == Instant::min() || now >= refreshed_ + refresh_gap) return refresh();
  if (!soon_timer_.armed()) context_.wheel.arm(soon_timer_, refreshed_ + refresh_gap);
}

void Steering::refresh() {
  context_.wheel.cancel(soon_timer_);
  refreshed_ = context_.clock.now();
  const auto refreshed = publisher_.refresh(refreshed_);
  // The same trouble may come back with every step of a slow start.
  if (!refreshed.problem.empty() && refreshed.problem != problem_) {
    log_.error("balance", "an upstream keeps the shares it had", {{"reason", refreshed.problem}});
  }
  problem_ = refreshed.problem;
  say_events();
  arm_ramp();
  if (refreshed.published) published_();
}

void Steering::arm_ramp() {
  const Duration interval = publisher_.refresh_interval();
  context_.wheel.cancel(ramp_timer_);
  if (interval > Duration::zero()) context_.wheel.arm(ramp_timer_, context_.clock.now() + interval);
}

void Steering::on_ramp(Timer& timer) {
  owner_of(timer, &Steering::ramp_timer_).refresh();
}

void Steering::on_soon(Timer& timer) {
  owner_of(timer, &Steering::soon_timer_).refresh();
}

void Steering::say_events() {
  for (const BalanceEvent& event : publisher_.take_events()) {
    Alert alert;
    alert.upstream = event.upstream;
    alert.healthy = event.healthy;
    alert.total = event.total;
    switch (event.kind) {
      case BalanceEvent::Kind::panic_began:
        log_.warn("balance", "panic: so few endpoints are healthy that all of them are used",
                  {{"upstream", event.upstream}});
        alert.kind = AlertKind::panic_began;
        break;
      case BalanceEvent::Kind::panic_ended:
        log_.info("balance", "the panic is over; health counts again", {{"upstream", event.upstream}});
        alert.kind = AlertKind::panic_ended;
        break;
      case BalanceEvent::Kind::tiers_changed:
        log_.warn("balance", "other tiers are in use", {{"upstream", event.upstream}, {"tiers", event.tiers}});
        alert.kind = AlertKind::tiers_changed;
        alert.reason = "tiers in use: " + std::to_string(event.tiers);
        break;
      case BalanceEvent::Kind::upstream_down:
        log_.error("balance", "no endpoint of an upstream takes work", {{"upstream", event.upstream}});
        alert.kind = AlertKind::upstream_down;
        break;
      case BalanceEvent::Kind::upstream_up:
        log_.info("balance", "an endpoint of an upstream takes work again", {{"upstream", event.upstream}});
        alert.kind = AlertKind::upstream_up;
        break;
    }
    tell_(std::move(alert));
  }
}

// --- who is where ---------------------------------------------------------------------------------------------------

bool Steering::has_upstream(std::string_view name) const noexcept {
  const auto& upstreams = current().upstreams;
  return std::any_of(upstreams.begin(), upstreams.end(), [&](const auto& each) { return each->name == name; });
}

const Endpoint* Steering::find(const EndpointName& name) const noexcept {
  for (const auto& upstream : current().upstreams) {
    if (upstream->name != name.upstream || upstream->is_subset) continue;
    for (const Endpoint& endpoint : upstream->endpoints) {
      if (endpoint.name == name.endpoint) return &endpoint;
    }
  }
  return nullptr;
}

EndpointPlace Steering::place_of(const EndpointState& state) const noexcept {
  const auto found = indices_.find(&state);
  if (found == indices_.end()) return {};
  // Between two configurations, whatever is published has the same endpoints in the same order.
  const Upstream& upstream = *current().upstreams[found->second.upstream];
  return {&upstream, &upstream.endpoints[found->second.endpoint]};
}

const Upstream& Steering::upstream_of(const Endpoint& endpoint) const {
  const Upstream* const upstream = place_of(*endpoint.state).upstream;
  WEIR_ASSERT(upstream != nullptr);
  return *upstream;
}

std::string Steering::full_name(const Endpoint& endpoint) const {
  return upstream_of(endpoint).name + "/" + endpoint.name;
}

void Steering::tell(AlertKind kind, const Endpoint& endpoint, std::string reason) const {
  const Upstream& upstream = upstream_of(endpoint);
  Alert alert;
  alert.kind = kind;
  alert.upstream = upstream.name;
  alert.healthy = healthy_count(upstream);
  alert.total = static_cast<uint32_t>(upstream.endpoints.size());
  alert.endpoint = endpoint.name;
  alert.reason = std::move(reason);
  tell_(std::move(alert));
}

// --- by operators ---------------------------------------------------------------------------------------------------

void Steering::set_weight(const Endpoint& endpoint, uint32_t weight) {
  log_.info("balance", "weight set", {{"endpoint", full_name(endpoint)}, {"weight", weight}, {"was", endpoint.weight}});
  const bool as_configured = weight == endpoint.configured_weight;
  change(endpoint,
         [&](Standing& standing) { standing.weight = as_configured ? std::nullopt : std::optional<uint32_t>{weight}; });
  refresh();
}

void Steering::set_duty(const Endpoint& endpoint, Duty duty) {
  log_.info("balance", "state set", {{"endpoint", full_name(endpoint)}, {"state", name_of(duty)}});
  const Duty before = endpoint.state->standing.duty;
  change(endpoint, [&](Standing& standing) { standing.duty = duty; });
  if (duty != before) tell(AlertKind::endpoint_state, endpoint, std::string{name_of(duty)} + ", by an operator");
  refresh();
}

void Steering::set_up(const Endpoint& endpoint, bool up) {
  log_.info("balance", "health set", {{"endpoint", full_name(endpoint)}, {"health", up ? "up" : "down"}});
  const bool before = endpoint.state->standing.up;
  change(endpoint, [&](Standing& standing) {
    standing.up = up;
    if (up && standing.health == 0) standing.health = 1;
  });
  if (up != before) tell(up ? AlertKind::endpoint_up : AlertKind::endpoint_down, endpoint, "by an operator");
  refresh();
}

void Steering::set_health(const Endpoint& endpoint, double score) {
  log_.info("balance", "health score set", {{"endpoint", full_name(endpoint)}, {"score", score}});
  change(endpoint, [&](Standing& standing) { standing.health = score; });
  refresh();
}

void Steering::set_score(const Endpoint& endpoint, double score) {
  endpoint.state->reported.report(score, context_.clock.now());
}

}  // namespace weir
