// A small world with known figures for tests of the stats: two workers, two listeners, one upstream of two endpoints.
// All of it is TCP, until a test says otherwise.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "control/stats_view.h"

namespace weir {

// With as much weight for each.
std::shared_ptr<const Route> route_to(std::vector<uint32_t> upstreams);
// Answers by itself, and tells that upstream.
std::shared_ptr<const Route> route_mirrored_to(uint32_t mirror);

struct StatsWorld {
  StatsWorld();

  StatsView view() const { return {snapshot, process, figures, now}; }
  // One more upstream, with so many endpoints.
  void add_upstream(const std::string& name, uint32_t endpoints);
  // That listener is in HTTP mode. Its own upstream, if it has one, gets what no route takes.
  void make_http(size_t listener, std::vector<std::shared_ptr<const Route>> routes = {});

  Instant now{std::chrono::seconds{100'000}};
  ControlFigures figures;
  ProcessState process{2};
  ListenerState web{2};
  ListenerState local{2};
  std::deque<EndpointState> endpoint_states;
  Snapshot snapshot;
  std::vector<std::shared_ptr<Upstream>> upstreams;  // those of the snapshot, to be changed
  std::deque<UpstreamState> upstream_states;
};

}  // namespace weir
