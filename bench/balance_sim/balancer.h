// Balancer: weir as far as it takes part in the simulation. One upstream with the real Picker, EndpointStates and
// Leases; workers that each have a PickerState and see latencies of their own; and a control thread that looks from
// time to time whether shares have changed, and makes another Picker then, as in the program.
//
// There is one thread, and time is what it is told.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "bench/balance_sim/arrivals.h"
#include "bench/balance_sim/contenders.h"
#include "bench/balance_sim/scenarios.h"
#include "core/balance/adaptive_judge.h"
#include "core/model/lease.h"
#include "core/model/upstream.h"

namespace weir::balance_sim {

// How often the control thread looks: as in the program while somebody starts slowly for 10 s.
inline constexpr Duration control_tick = std::chrono::milliseconds{200};

class Balancer {
 public:
  Balancer(const Scenario& scenario, const Contender& contender, uint64_t seed);

  // The control thread's turn.
  void tick(Duration now);

  // Where a request goes; no_endpoint if there is nowhere.
  uint32_t pick(const Arrival& arrival) noexcept;
  // The right to go there; none if the endpoint is full.
  Lease lease(uint32_t endpoint) noexcept;

  // A worker's request was answered after `latency` by an origin that says how much work it is fit for.
  void answered(unsigned worker, uint32_t endpoint, Duration latency, double score, Duration now) noexcept;

  ZoneId zone_of(uint32_t endpoint) const noexcept { return upstream_.endpoints[endpoint].zone; }

 private:
  void join(Instant now);
  void judge_window();
  void reshare_at(Instant now);

  const Scenario& scenario_;
  uint64_t seed_;
  UpstreamState state_;
  std::deque<EndpointState> endpoint_states_;  // they do not move
  Upstream upstream_;
  std::vector<std::unique_ptr<PickerState>> memories_;  // by worker
  std::optional<AdaptiveJudge> judge_;                  // of `adaptive`
  Duration window_end_{};
  bool joined_ = false;
};

}  // namespace weir::balance_sim
