// ProcessFigures: reads every now and then what workers shed load by and cannot know themselves: how much of its
// descriptors and of memory the process has in use (ProcessState). Only while the configuration sheds by them.
//
// Owned by Watches, on the control thread.
#pragma once

#include <cstdint>

#include "core/base/clock.h"
#include "core/base/timer_wheel.h"
#include "core/model/process_state.h"
#include "core/model/resilience.h"
#include "health/probe_context.h"

namespace weir {

class ProcessFigures {
 public:
  static constexpr Duration interval = std::chrono::milliseconds{200};
  // Where the kernel has no count of descriptors, they are counted one by one.
  static constexpr Duration counting_interval = std::chrono::seconds{1};

  // `descriptors_max`: RLIMIT_NOFILE.
  ProcessFigures(const ProbeContext& context, ProcessState& process, uint64_t descriptors_max);
  ~ProcessFigures() { stop(); }
  ProcessFigures(const ProcessFigures&) = delete;
  ProcessFigures& operator=(const ProcessFigures&) = delete;

  // Load is shed so from now on. What nobody asks for is 0.
  void follow(const SheddingPolicy& shedding);
  // No timer of it is armed any more.
  void stop() { context_.wheel.cancel(timer_); }

 private:
  static void on_time(Timer& timer);
  void read();

  const ProbeContext context_;
  ProcessState& process_;
  const uint64_t descriptors_max_;
  SheddingPolicy shedding_;
  Timer timer_;
};

}  // namespace weir
