#include "control/process_figures.h"

#include <algorithm>

#include "control/stats_usage.h"
#include "core/base/owner_of.h"

namespace weir {

ProcessFigures::ProcessFigures(const ProbeContext& context, ProcessState& process, uint64_t descriptors_max)
    : context_(context), process_(process), descriptors_max_(descriptors_max), timer_(on_time) {}

void ProcessFigures::follow(const SheddingPolicy& shedding) {
  shedding_ = shedding;
  read();
}

void ProcessFigures::on_time(Timer& timer) {
  owner_of(timer, &ProcessFigures::timer_).read();
}

void ProcessFigures::read() {
  Duration next = interval;
  uint32_t percent = 0;
  if (shedding_.descriptors_percent > 0 && descriptors_max_ > 0) {
    const DescriptorCount open = count_descriptors();
    percent = static_cast<uint32_t>(std::min<uint64_t>(100 * open.count / descriptors_max_, 100));
    if (!open.by_kernel) next = counting_interval;
  }
  const uint64_t memory = shedding_.memory_bytes > 0 ? resident_bytes() : 0;
  // Relaxed: figures, with the workers' reading.
  process_.descriptors_percent.store(percent, std::memory_order_relaxed);
  process_.memory_bytes.store(memory, std::memory_order_relaxed);
  stop();
  if (shedding_.descriptors_percent > 0 || shedding_.memory_bytes > 0) {
    context_.wheel.arm(timer_, context_.clock.now() + next);
  }
}

}  // namespace weir
