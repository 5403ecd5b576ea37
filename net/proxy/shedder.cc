#include "net/proxy/shedder.h"

namespace weir {

std::optional<Shedder::Signal> Shedder::pressing(const SheddingPolicy& policy, const Figures& figures) noexcept {
  struct Reading {
    double is;
    double limit;  // 0: none
  };
  const std::array<Reading, signal_count> readings{{
      {turn_ns_, static_cast<double>(policy.turn.count())},
      {static_cast<double>(figures.buffers_percent), static_cast<double>(policy.buffers_percent)},
      {static_cast<double>(figures.descriptors_percent), static_cast<double>(policy.descriptors_percent)},
      {static_cast<double>(figures.memory_bytes), static_cast<double>(policy.memory_bytes)},
  }};
  std::optional<Signal> first;
  for (size_t i = 0; i < signal_count; ++i) {
    const Reading& reading = readings[i];
    const double limit = presses_[i] ? reading.limit * relief : reading.limit;
    presses_[i] = reading.limit > 0 && reading.is >= limit;
    if (presses_[i] && !first) first = static_cast<Signal>(i);
  }
  return first;
}

void Shedder::look(const SheddingPolicy& policy, const Figures& figures, Instant now) noexcept {
  const std::optional<Signal> signal = pressing(policy, figures);
  if (signal) blamed_ = *signal;
  if (now < next_step_) return;
  if (signal && below_ < priority_max) {
    ++below_;
  } else if (!signal && below_ > 0) {
    --below_;
  } else {
    return;
  }
  next_step_ = now + step;
}

}  // namespace weir
