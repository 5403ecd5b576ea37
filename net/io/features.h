// What io_uring can do here, and the numbers of the kernel's interface that are newer than the installed headers.
//
// This is the one place for such numbers. What weir cannot work without is probed at start by using it; a machine that
// lacks it is refused with a sentence that says what to change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

// Completion flags (IORING_CQE_F_*), stable since the kernel versions behind them.
inline constexpr uint32_t completion_buffer = 1U << 0;    // 5.7
inline constexpr uint32_t completion_more = 1U << 1;      // 5.13
inline constexpr uint32_t completion_nonempty = 1U << 2;  // 5.19
inline constexpr unsigned completion_buffer_shift = 16;

struct Feature {
  std::string name;
  bool required = false;
  bool present = false;
  std::string note;  // since which kernel, or what the probe met
};

struct Features {
  std::string kernel;  // "6.1.0-18-amd64"
  std::vector<Feature> list;
  bool receive_limit = false;  // optional: for RingOptions
  // Why weir cannot run here and what to change; empty when it can.
  std::string refusal;

  bool usable() const noexcept { return refusal.empty(); }
};

// Sets up a ring of its own, tries each feature on it, and takes it down. A few milliseconds; any thread.
Features probe_features();

}  // namespace weir
