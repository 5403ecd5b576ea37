// ScoreWatch: computes the health score of each endpoint of one upstream (Standing::measured) from its probes, its
// failures and its latency beside its peers'.
//
// One for each upstream with `health_score`; part of the ResilienceWatch, on the control thread.
#pragma once

#include <unordered_map>

#include "control/health_watch.h"
#include "control/watch_context.h"
#include "core/base/ids.h"
#include "core/config/resilience_config.h"
#include "core/model/upstream.h"
#include "health/health_score.h"
#include "health/traffic.h"

namespace weir {

class ScoreWatch {
 public:
  static constexpr Duration interval = std::chrono::seconds{1};
  // What is looked at, and how many requests or answers in it say anything.
  static constexpr Duration window = std::chrono::seconds{10};
  static constexpr uint64_t requests_min = 20;

  ScoreWatch(const WatchContext& context, const HealthWatch& probes) : context_(context), probes_(probes) {}

  // The endpoints of the upstream have scores from now on, and no others have.
  void follow(const config::HealthScoreConfig& config, const Upstream& upstream);
  // True if a standing has changed.
  bool look(const Upstream& upstream);
  // What is to hold where there is no such watch. True if a standing has changed.
  static bool clear(const WatchContext& context, const Endpoint& endpoint);

  // Null if there is none.
  const HealthScore* find(EndpointId id) const noexcept;

 private:
  struct Scored {
    HealthScore score;
    WindowedTraffic lately;
  };

  HealthScore::Evidence evidence_of(const Endpoint& endpoint, const Traffic& lately) const;

  const WatchContext context_;
  const HealthWatch& probes_;
  std::unordered_map<EndpointId, Scored> scored_;
};

}  // namespace weir
