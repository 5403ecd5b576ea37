// FirstAnswers: what a worker takes an endpoint's latency for, when it may not have seen an answer of it yet. For the
// algorithms that send work to where answers are quick.
//
//     measured                       what was measured
//     unmeasured, not asked lately   0: it is asked at once, because only asking can tell
//     unmeasured, asked lately       worse than anybody who was measured: it waits for its first answer
//
// The last line keeps a newcomer, of whom nothing but good is known, from being flooded until its first answer comes
// (Finagle's "peak EWMA" balancer has a penalty for the same reason). What counts is whether this worker has asked it,
// not whether it has connections: those are of all workers, and their answers tell this one nothing. Who gives no
// answer at all, because it refuses or hangs, is asked again when as much time has passed as halves a measurement.
//
// Part of a PickerState: one worker's.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/model/picker.h"

namespace weir {

class FirstAnswers {
 public:
  explicit FirstAnswers(size_t endpoints) : asked_(endpoints, never) {}

  // In nanoseconds, above 0 for who has been asked.
  double latency(const PickRequest& request, uint32_t index, Duration decay) const noexcept {
    const float measured = request.candidates[index].state->at(request.worker).latency.read(request.now, decay);
    if (measured > 0.0F) return static_cast<double>(measured);
    const Instant asked = asked_[index];
    return asked == never || request.now - asked >= decay ? 0 : unmeasured;
  }

  // It is picked.
  void ask(const PickRequest& request, uint32_t index) noexcept { asked_[index] = request.now; }

  size_t size() const noexcept { return asked_.size(); }

 private:
  // Eleven days: beyond every timeout, so it is worse than whatever was measured. All are multiples of it if nobody
  // was, and then connections per share decide.
  static constexpr double unmeasured = 1e15;
  static constexpr Instant never = Instant::min();

  std::vector<Instant> asked_;  // by endpoint, the last time
};

}  // namespace weir
