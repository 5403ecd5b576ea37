#include "control/resilience_watch.h"

#include <algorithm>
#include <utility>

#include "control/steering.h"
#include "core/base/owner_of.h"

namespace weir {

ResilienceWatch::ResilienceWatch(const WatchContext& context, const HealthWatch& probes)
    : context_(context), probes_(probes), timer_(on_tick) {}

// --- configurations -------------------------------------------------------------------------------------------------

void ResilienceWatch::follow(const config::Config& config) {
  std::vector<UpstreamWatches> before = std::exchange(upstreams_, {});
  bool changed = false;
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    const Upstream& upstream = *context_.steering.current().upstreams[i];
    WEIR_ASSERT(upstream.name == config.upstreams[i].name);
    const auto known =
        std::find_if(before.begin(), before.end(), [&](const auto& one) { return one.id == upstream.id; });
    UpstreamWatches watches;
    if (known != before.end()) watches = std::move(*known);
    watches.id = upstream.id;
    changed = follow(watches, config.upstreams[i], upstream) || changed;
    changed = clear(config.upstreams[i], upstream) || changed;
    if (watches.any()) upstreams_.push_back(std::move(watches));
  }
  // A tick that is under way comes when it was to come: reloads may be quicker than ticks.
  const Instant next = context_.now() + tick_interval();
  if (upstreams_.empty()) stop();
  if (!upstreams_.empty() && (!timer_.armed() || timer_.deadline() > next)) context_.probes.wheel.arm(timer_, next);
  if (changed) context_.steering.refresh_soon();
}

bool ResilienceWatch::follow(UpstreamWatches& watches, const config::UpstreamConfig& config, const Upstream& upstream) {
  bool changed = false;
  if (!config.breaker) watches.breakers.reset();
  if (config.breaker) {
    if (watches.breakers == nullptr) watches.breakers = std::make_unique<BreakerWatch>(context_);
    changed = watches.breakers->follow(*config.breaker, upstream);
  }
  if (!config.outliers) watches.outliers.reset();
  if (config.outliers) {
    if (watches.outliers == nullptr) watches.outliers = std::make_unique<OutlierWatch>(context_, *config.outliers);
    watches.outliers->follow(*config.outliers);
    // What happens from here on is counted, also to who has just come.
    changed = watches.outliers->look(upstream) || changed;
  }
  if (!config.concurrency) watches.limits.reset();
  if (config.concurrency) {
    if (watches.limits == nullptr) watches.limits = std::make_unique<LimitWatch>(context_);
    watches.limits->follow(*config.concurrency, upstream);
  }
  if (!config.health_score) watches.scores.reset();
  if (config.health_score) {
    if (watches.scores == nullptr) watches.scores = std::make_unique<ScoreWatch>(context_, probes_);
    watches.scores->follow(*config.health_score, upstream);
  }
  // Other thresholds are another question, and it begins anew.
  const bool same = config.degraded && watches.degradation != nullptr &&
                    watches.degradation->degradation().thresholds() == *config.degraded;
  if (!same) watches.degradation.reset();
  if (config.degraded) {
    if (!same) watches.degradation = std::make_unique<DegradationWatch>(context_, *config.degraded);
    watches.degradation->follow(upstream);
  }
  return changed;
}

// Whatever nobody looks after any more, on endpoints that are still there.
bool ResilienceWatch::clear(const config::UpstreamConfig& config, const Upstream& upstream) const {
  bool changed = false;
  for (const Endpoint& endpoint : upstream.endpoints) {
    if (!config.breaker && BreakerWatch::clear(context_, endpoint)) changed = true;
    if (!config.outliers && OutlierWatch::clear(context_, endpoint)) changed = true;
    if (!config.concurrency) LimitWatch::clear(endpoint);
    if (!config.health_score && ScoreWatch::clear(context_, endpoint)) changed = true;
  }
  return changed;
}

const UpstreamWatches* ResilienceWatch::find(UpstreamId id) const noexcept {
  const auto found =
      std::find_if(upstreams_.begin(), upstreams_.end(), [&](const UpstreamWatches& each) { return each.id == id; });
  return found == upstreams_.end() ? nullptr : &*found;
}

// --- looking --------------------------------------------------------------------------------------------------------

void ResilienceWatch::on_tick(Timer& timer) {
  owner_of(timer, &ResilienceWatch::timer_).tick();
}

void ResilienceWatch::tick() {
  const Instant now = context_.now();
  const bool breakers = breakers_.due(now);
  const bool outliers = outliers_.due(now);
  const bool limits = limits_.due(now);
  const bool scores = scores_.due(now);
  const bool degradations = degradations_.due(now);
  bool changed = false;
  for (const UpstreamWatches& watches : upstreams_) {
    const Upstream& upstream = *context_.steering.current().find(watches.id);
    if (breakers && watches.breakers && watches.breakers->look(upstream)) changed = true;
    if (outliers && watches.outliers && watches.outliers->look(upstream)) changed = true;
    if (limits && watches.limits) watches.limits->look(upstream);
    if (scores && watches.scores && watches.scores->look(upstream)) changed = true;
    if (degradations && watches.degradation) watches.degradation->look(upstream);
  }
  context_.probes.wheel.arm(timer_, now + tick_interval());
  if (changed) context_.steering.refresh_soon();
}

Duration ResilienceWatch::tick_interval() const noexcept {
  Duration interval = DegradationWatch::interval;
  for (const UpstreamWatches& watches : upstreams_) {
    if (watches.breakers) interval = std::min(interval, BreakerWatch::interval);
    if (watches.outliers) interval = std::min(interval, OutlierWatch::interval);
    if (watches.limits) interval = std::min(interval, LimitWatch::interval);
    if (watches.scores) interval = std::min(interval, ScoreWatch::interval);
  }
  return interval;
}

}  // namespace weir
