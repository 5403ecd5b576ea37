// ProcessState and WorkerState: the few figures that workers and the control thread share besides the Snapshot.
// Made by main before any thread, freed after the last one.
#pragma once

#include <sys/eventfd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/fd.h"
#include "core/model/counters.h"

namespace weir {

// Written by one worker, read by control. Relaxed throughout: figures, not signals.
struct alignas(cache_line) WorkerState {
  WorkerCounters counters;
  std::atomic<uint32_t> connections{0};
  std::atomic<uint32_t> connections_peak{0};
  std::atomic<uint32_t> connections_parked{0};  // accepted, waiting for a slot
  std::atomic<uint32_t> buffers_in_use{0};
  std::atomic<uint32_t> buffers_total{0};
  std::atomic<uint32_t> pipes_in_use{0};
  std::atomic<uint32_t> origin_connections{0};  // for HTTP: in use and idle
  std::atomic<uint32_t> origin_connections_idle{0};
  std::atomic<uint32_t> exchanges{0};        // HTTP requests now
  std::atomic<uint32_t> connections_cut{0};  // closed by force when stopping
  int cpu = -1;                              // set before the worker starts
  // An eventfd that wakes it, for other workers; -1 before it has started. Release and acquire: it is open by then.
  std::atomic<int> wake_fd{-1};
};

struct ProcessState {
  explicit ProcessState(unsigned worker_count) {
    for (unsigned i = 0; i < worker_count; ++i) workers.push_back(std::make_unique<WorkerState>());
  }

  // Workers whose run() has not returned. Each writes to `left` when its does.
  std::atomic<unsigned> running{0};
  Fd left{::eventfd(0, EFD_CLOEXEC)};

  // Against Snapshot::connections_max. Written by every worker, once per connection and end of it.
  alignas(cache_line) std::atomic<uint32_t> connections{0};
  // Of the whole process, as control reads them every now and then, for who sheds load by them. Relaxed: figures.
  std::atomic<uint32_t> descriptors_percent{0};
  std::atomic<uint64_t> memory_bytes{0};
  std::vector<std::unique_ptr<WorkerState>> workers;
};

}  // namespace weir
