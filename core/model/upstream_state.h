// UpstreamState: what is happening at an upstream as a whole, at a stable address across Snapshots. Made by the control
// thread, and kept as long as the process: names of upstreams are few.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/model/counters.h"
#include "core/model/shadow_scores.h"

namespace weir {

struct UpstreamState {
  // Of all its endpoints together, where EndpointState::total points here.
  alignas(cache_line) std::atomic<uint32_t> connections{0};

  // By worker: how each algorithm would have done on the same arrivals. Null unless `balance: adaptive`; once made it
  // stays.
  std::unique_ptr<ShadowScores[]> shadows;

  // Control thread only.
  std::string adaptive_choice = "round_robin";  // the algorithm that decides, with `balance: adaptive`
  bool seen = false;                            // a Snapshot has named it: endpoints that come now are newcomers
  bool panicking = false;                       // health is ignored, because so few are healthy
  uint64_t panics = 0;                          // times that began
  uint32_t tiers_in_use = 1;                    // tier 0 and so many less one behind it
};

}  // namespace weir
