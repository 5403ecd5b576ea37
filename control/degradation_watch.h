// DegradationWatch: has the figures of one upstream for its Degradation: how many of its answers failed lately, how
// long they took to begin, how many endpoints take work; and tells whoever is to be told.
//
// One for each upstream with `degraded`; part of the ResilienceWatch, on the control thread.
#pragma once

#include <deque>
#include <vector>

#include "control/alerts/degradation.h"
#include "control/watch_context.h"
#include "core/config/resilience_config.h"
#include "core/model/latency_histogram.h"
#include "core/model/upstream.h"
#include "health/traffic.h"

namespace weir {

class DegradationWatch {
 public:
  static constexpr Duration interval = std::chrono::seconds{1};

  DegradationWatch(const WatchContext& context, const config::DegradedConfig& config);

  // Endpoints may have come or gone: what was counted of them is no difference any more.
  void follow(const Upstream& upstream);
  void look(const Upstream& upstream);

  const Degradation& degradation() const noexcept { return degradation_; }
  // As of the last look.
  const Degradation::Figures& figures() const noexcept { return figures_; }

 private:
  // What had been counted at some time.
  struct Reading {
    Instant at;
    Traffic traffic;
    LatencyCounts latency;
  };
  static constexpr int readings = 10;  // in a window

  Reading read(const Upstream& upstream) const;
  Degradation::Figures figures_of(const Upstream& upstream, const Reading& now) const;

  const WatchContext context_;
  Degradation degradation_;
  Degradation::Figures figures_;
  std::deque<Reading> readings_;     // the first is as old as the window, or the oldest there is
  std::vector<EndpointId> members_;  // whose traffic they are
};

}  // namespace weir
