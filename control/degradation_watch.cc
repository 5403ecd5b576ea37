#include "control/degradation_watch.h"

#include <algorithm>

#include "control/steering.h"

namespace weir {
namespace {

std::vector<EndpointId> members_of(const Upstream& upstream) {
  std::vector<EndpointId> members;
  for (const Endpoint& endpoint : upstream.endpoints) members.push_back(endpoint.id);
  return members;
}

}  // namespace

DegradationWatch::DegradationWatch(const WatchContext& context, const config::DegradedConfig& config)
    : context_(context), degradation_(config) {}

void DegradationWatch::follow(const Upstream& upstream) {
  std::vector<EndpointId> members = members_of(upstream);
  if (members == members_) return;
  members_ = std::move(members);
  readings_.clear();
  readings_.push_back(read(upstream));
}

DegradationWatch::Reading DegradationWatch::read(const Upstream& upstream) const {
  Reading reading{context_.now(), {}, {}};
  for (const Endpoint& endpoint : upstream.endpoints) reading.traffic += traffic_of(*endpoint.state);
  // What goes by a subset is counted there, but it is of the same upstream.
  for (const auto& part : context_.steering.current().upstreams) {
    if (part->name != upstream.name) continue;
    for (unsigned worker = 0; worker < part->state->workers(); ++worker) {
      reading.latency += part->state->at(worker).latency.read();
    }
  }
  return reading;
}

Degradation::Figures DegradationWatch::figures_of(const Upstream& upstream, const Reading& now) const {
  const Reading& before = readings_.front();
  const Traffic lately = now.traffic - before.traffic;
  LatencyCounts latency = now.latency;
  // A subset that a reload has taken away took its part with it.
  for (size_t i = 0; i < latency.buckets.size(); ++i) {
    latency.buckets[i] = Traffic::above(now.latency.buckets[i], before.latency.buckets[i]);
  }
  Degradation::Figures figures;
  figures.requests = lately.outcomes();
  figures.errors = lately.bad;
  figures.p99 = latency.quantile(0.99);
  figures.healthy = healthy_count(upstream);
  figures.total = static_cast<uint32_t>(upstream.endpoints.size());
  return figures;
}

void DegradationWatch::look(const Upstream& upstream) {
  const Instant now = context_.now();
  const Duration window = degradation_.thresholds().window;
  const Reading reading = read(upstream);
  while (readings_.size() > 1 && readings_[1].at <= now - window) readings_.pop_front();
  figures_ = figures_of(upstream, reading);
  if (now - readings_.back().at >= window / readings) readings_.push_back(reading);

  const Degradation::Verdict verdict = degradation_.judge(figures_, now);
  if (verdict.change == Degradation::Change::none) return;
  const bool degraded = verdict.change == Degradation::Change::degraded;
  context_.log.write(degraded ? LogLevel::warn : LogLevel::info, "health",
                     degraded ? "an upstream is degraded" : "an upstream has recovered",
                     {{"upstream", upstream.name}, {"reason", verdict.reason}});
  Alert alert;
  alert.kind = degraded ? AlertKind::degraded : AlertKind::recovered;
  alert.upstream = upstream.name;
  alert.reason = verdict.reason;
  alert.healthy = figures_.healthy;
  alert.total = figures_.total;
  alert.error_rate = figures_.error_rate();
  if (figures_.p99 > Duration::zero()) alert.p99 = figures_.p99;
  context_.tell(std::move(alert));
}

}  // namespace weir
