#include "bench/balance_sim/balancer.h"

#include <string>
#include <utility>

#include "core/balance/reshare.h"
#include "hashing/hash64.h"

namespace weir::balance_sim {
namespace {

// Not 0, which in some places means "never".
Instant instant_of(Duration since_start) noexcept {
  return Instant{since_start + std::chrono::hours{1}};
}

}  // namespace

Balancer::Balancer(const Scenario& scenario, const Contender& contender, uint64_t seed)
    : scenario_(scenario), seed_(seed) {
  upstream_.name = "simulated";
  upstream_.state = &state_;
  upstream_.algorithm = contender.algorithm;
  upstream_.picker_options = contender.options;
  upstream_.picker_options.state = &state_;
  upstream_.share_rules.slow_start = scenario.slow_start;
  if (contender.algorithm == "adaptive") {
    state_.shadows = std::make_unique<ShadowScores[]>(workers);
    judge_.emplace(AdaptiveJudge::Rules{}, adaptive_index(state_.adaptive_choice), ShadowCounts{});
    window_end_ = judge_->rules().window;
  }

  for (uint32_t i = 0; i < scenario.origins; ++i) {
    EndpointState& state = endpoint_states_.emplace_back(workers);
    if (contender.options.bounded_load > 0) state.total.store(&state_.connections, std::memory_order_relaxed);
    // Who is to join later is there, and in maintenance until then.
    if (scenario.trouble == Trouble::cold && scenario.is_troubled(i, seed)) state.standing.duty = Duty::maint;

    Endpoint endpoint;
    endpoint.id = EndpointId{i};
    endpoint.name = "10.0." + std::to_string(seed) + "." + std::to_string(i) + ":80";
    endpoint.state = &state;
    endpoint.configured_connections_max = contender.connections_max;
    endpoint.zone = ZoneId{static_cast<uint16_t>(i * zones / scenario.origins)};
    upstream_.endpoints.push_back(std::move(endpoint));
  }
  memories_.resize(workers);
  reshare_at(instant_of({}));
}

void Balancer::tick(Duration now) {
  const Instant instant = instant_of(now);
  if (!joined_ && now >= scenario_.warm_up) join(instant);
  if (judge_ && now >= window_end_) judge_window();
  if (wants_reshare(upstream_, instant)) reshare_at(instant);
}

void Balancer::join(Instant now) {
  joined_ = true;
  for (EndpointState& state : endpoint_states_) {
    if (state.standing.duty != Duty::maint) continue;
    state.standing.duty = Duty::ready;
    state.standing.since = now;
  }
}

void Balancer::judge_window() {
  window_end_ += judge_->rules().window;
  const std::optional<AdaptiveJudge::Switch> change = judge_->window_over(sum_of({state_.shadows.get(), workers}));
  if (change) state_.adaptive_choice = adaptive_algorithms[change->to];
}

void Balancer::reshare_at(Instant now) {
  reshare(upstream_, now);
  for (unsigned worker = 0; worker < workers; ++worker) {
    memories_[worker] = upstream_.picker->make_state(hashing::mix64(worker, seed_), memories_[worker].get());
  }
}

uint32_t Balancer::pick(const Arrival& arrival) noexcept {
  static constexpr TriedEndpoints none_tried;
  const Picker& picker = *upstream_.picker;
  PickRequest request{.candidates = upstream_.candidates, .tried = none_tried};
  if (picker.wants_key()) request.key = arrival.key;
  if (picker.wants_zone()) request.zone = arrival.zone;
  request.worker = arrival.worker;
  request.now = instant_of(arrival.at);
  return picker.pick(*memories_[arrival.worker], request);
}

Lease Balancer::lease(uint32_t endpoint) noexcept {
  const Candidate& candidate = upstream_.candidates[endpoint];
  return Lease::within(*candidate.state, candidate.connections_max);
}

void Balancer::answered(unsigned worker, uint32_t endpoint, Duration latency, double score, Duration now) noexcept {
  EndpointState& state = *upstream_.endpoints[endpoint].state;
  state.at(worker).latency.add(latency, instant_of(now), upstream_.picker_options.latency_decay);
  state.reported.report(score, instant_of(now));
}

}  // namespace weir::balance_sim
