// UpstreamState: what is happening at an upstream as a whole, at a stable address across Snapshots. Made by the control
// thread, and kept as long as the process: names of upstreams are few.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/model/counters.h"
#include "core/model/latency_histogram.h"
#include "core/model/shadow_scores.h"

namespace weir {

// What one worker sees of an upstream. Written by it, read by others.
struct alignas(cache_line) UpstreamAtWorker {
  UpstreamCounters counters;
  LatencyHistogram latency;  // until the first byte of an answer
  // Since when the one waits whose turn is next, of those who take any place; 0: none does. Nanoseconds of an Instant.
  std::atomic<int64_t> oldest_waiting{0};
};

class UpstreamState {
 public:
  explicit UpstreamState(unsigned workers = 1)
      : at_workers_(std::make_unique<UpstreamAtWorker[]>(workers)), workers_(workers) {}

  UpstreamAtWorker& at(unsigned worker) noexcept { return at_workers_[worker]; }
  const UpstreamAtWorker& at(unsigned worker) const noexcept { return at_workers_[worker]; }
  unsigned workers() const noexcept { return workers_; }

  // The worker where somebody has been waiting longest, as far as is known; `here` if nobody waits elsewhere.
  unsigned waiting_longest(unsigned here) const noexcept {
    unsigned first = here;
    int64_t since = at(here).oldest_waiting.load(std::memory_order_relaxed);
    for (unsigned worker = 0; worker < workers_; ++worker) {
      const int64_t its = at(worker).oldest_waiting.load(std::memory_order_relaxed);
      if (its != 0 && (since == 0 || its < since)) {
        first = worker;
        since = its;
      }
    }
    return first;
  }

  // Of all its endpoints together, where EndpointState::total points here.
  alignas(cache_line) std::atomic<uint32_t> connections{0};

  // Over all workers: in the queue; without a connection yet, queued ones included; retries under way. Relaxed: bounds
  // that one thread may miss by another's last step, and load figures.
  alignas(cache_line) std::atomic<uint32_t> waiting{0};
  // Those of them who would take a place at any endpoint. (Who is tried again waits for those it has not asked.)
  std::atomic<uint32_t> waiting_for_any{0};
  std::atomic<uint32_t> pending{0};
  std::atomic<uint32_t> retrying{0};

  // By worker: how each algorithm would have done on the same arrivals. Null unless `balance: adaptive`; once made it
  // stays.
  std::unique_ptr<ShadowScores[]> shadows;

  // Control thread only.
  std::string adaptive_choice = "round_robin";  // the algorithm that decides, with `balance: adaptive`
  bool seen = false;                            // a Snapshot has named it: endpoints that come now are newcomers
  bool panicking = false;                       // health is ignored, because so few are healthy
  uint64_t panics = 0;                          // times that began
  uint32_t tiers_in_use = 1;                    // tier 0 and so many less one behind it

 private:
  std::unique_ptr<UpstreamAtWorker[]> at_workers_;
  unsigned workers_;
};

}  // namespace weir
