#include "control/score_watch.h"

#include <utility>
#include <vector>

#include "control/steering.h"
#include "health/peer_latency.h"

namespace weir {
namespace {

// 0: there were too few answers.
Duration mean_of(const Traffic& lately) {
  return lately.answers >= ScoreWatch::requests_min ? lately.mean_answer() : Duration{};
}

bool set_measured(const WatchContext& context, const Endpoint& endpoint, double value) {
  if (endpoint.state->standing.measured == value) return false;
  context.steering.change(endpoint, [&](Standing& standing) { standing.measured = value; });
  return true;
}

}  // namespace

void ScoreWatch::follow(const config::HealthScoreConfig& config, const Upstream& upstream) {
  const HealthScore::Rules rules{.half_life = config.half_life, .floor_percent = config.floor};
  auto before = std::exchange(scored_, {});
  for (const Endpoint& endpoint : upstream.endpoints) {
    auto known = before.extract(endpoint.id);
    if (known.empty()) {
      const Instant now = context_.now();
      scored_.try_emplace(endpoint.id, Scored{{rules, now}, {window, traffic_of(*endpoint.state), now}});
    } else {
      if (known.mapped().score.rules() != rules) known.mapped().score.follow(rules);
      scored_.insert(std::move(known));
    }
  }
}

HealthScore::Evidence ScoreWatch::evidence_of(const Endpoint& endpoint, const Traffic& lately) const {
  HealthScore::Evidence evidence;
  if (const Probed* probed = probes_.find(*endpoint.state)) evidence.rounds_failed = probed->failed_in_row();
  if (lately.outcomes() >= requests_min) evidence.error_share = lately.error_share();
  evidence.mean = mean_of(lately);
  return evidence;
}

bool ScoreWatch::look(const Upstream& upstream) {
  const Instant now = context_.now();
  std::vector<Duration> means;
  for (const Endpoint& endpoint : upstream.endpoints) {
    WindowedTraffic& lately = scored_.at(endpoint.id).lately;
    lately.advance(traffic_of(*endpoint.state), now);
    if (const Duration mean = mean_of(lately.sum()); mean > Duration::zero()) means.push_back(mean);
  }
  const PeerLatency peers{std::move(means)};
  bool changed = false;
  for (const Endpoint& endpoint : upstream.endpoints) {
    auto& [score, lately] = scored_.at(endpoint.id);
    HealthScore::Evidence evidence = evidence_of(endpoint, lately.sum());
    if (evidence.mean > Duration::zero()) evidence.peers_median = peers.median_without(evidence.mean);
    if (score.look(evidence, now)) {
      context_.log.debug("health", "a health score has changed",
                         {{"endpoint", context_.steering.full_name(endpoint)},
                          {"score", score.value()},
                          {"why", HealthScore::why(evidence)}});
    }
    if (set_measured(context_, endpoint, score.value())) changed = true;
  }
  return changed;
}

bool ScoreWatch::clear(const WatchContext& context, const Endpoint& endpoint) {
  return set_measured(context, endpoint, 1);
}

const HealthScore* ScoreWatch::find(EndpointId id) const noexcept {
  const auto found = scored_.find(id);
  return found == scored_.end() ? nullptr : &found->second.score;
}

}  // namespace weir
