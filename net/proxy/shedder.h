// Shedder: says which work a worker turns away because it has too much: what has the lowest priority first, then more,
// as long as the pressure lasts; and the other way round when it is over.
//
//     each step, if something presses:    nobody -> priority 0 -> 0 and 1 -> ... -> all but 9
//                if nothing does:         one priority less
//
// Pressure is a signal above its limit: how long turns take (smoothed, because one long turn delays what is there and
// nothing else), buffers, descriptors or memory in use. A signal ends to press at nine tenths of its limit.
//
// Pure: it is told the figures and the time. Owned by a worker.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/model/resilience.h"

namespace weir {

class Shedder {
 public:
  // In the order in which they are blamed.
  enum class Signal : uint8_t { turn, buffers, descriptors, memory };
  static constexpr size_t signal_count = 4;
  // Between two steps; the first one comes at once.
  static constexpr Duration step = std::chrono::milliseconds{100};

  struct Figures {
    uint32_t buffers_percent = 0;
    uint32_t descriptors_percent = 0;
    uint64_t memory_bytes = 0;
  };

  // A turn has taken so long, without its waiting.
  void turned(Duration took) noexcept { turn_ns_ += (static_cast<double>(took.count()) - turn_ns_) / turns_smoothed; }
  // Once per turn, or less often.
  void look(const SheddingPolicy& policy, const Figures& figures, Instant now) noexcept;

  // Work below this priority is turned away. 0: none is; the highest priority never is.
  Priority below() const noexcept { return below_; }
  bool sheds(Priority priority) const noexcept { return priority < below_; }
  // What presses, or pressed last.
  Signal blamed() const noexcept { return blamed_; }
  Duration turn() const noexcept { return Duration{static_cast<int64_t>(turn_ns_)}; }

 private:
  static constexpr double turns_smoothed = 16;
  static constexpr double relief = 0.9;

  std::optional<Signal> pressing(const SheddingPolicy& policy, const Figures& figures) noexcept;

  double turn_ns_ = 0;
  Priority below_ = 0;
  Signal blamed_ = Signal::turn;
  std::array<bool, signal_count> presses_{};
  Instant next_step_{};
};

}  // namespace weir
