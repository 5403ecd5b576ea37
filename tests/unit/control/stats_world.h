// A small world with known figures for tests of the stats: two workers, two listeners, one upstream of two endpoints.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "control/stats_view.h"

namespace weir {

struct StatsWorld {
  StatsWorld();

  StatsView view() const { return {snapshot, process, figures, now}; }
  // One more upstream, with so many endpoints.
  void add_upstream(const std::string& name, uint32_t endpoints);

  Instant now{std::chrono::seconds{100'000}};
  ControlFigures figures;
  ProcessState process{2};
  ListenerState web{2};
  ListenerState local{2};
  std::deque<EndpointState> endpoint_states;
  Snapshot snapshot;
};

}  // namespace weir
