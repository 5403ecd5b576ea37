// The algorithms that `balance: adaptive` chooses between. One of them decides; all of them are tried in shadow on the
// same arrivals (core/balance/shadows.h), and core/balance/adaptive_judge.h says when another one is to decide.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "core/model/shadow_scores.h"

namespace weir {

// From the plainest to the one that needs to know most. two_choices compares latencies, whatever is configured: by
// connections it is a coarser least_time.
inline constexpr std::array<std::string_view, shadow_count> adaptive_algorithms{"round_robin", "two_choices",
                                                                                "least_time"};

// Its place among them; shadow_count if it is none of them.
constexpr size_t adaptive_index(std::string_view algorithm) noexcept {
  return static_cast<size_t>(std::find(adaptive_algorithms.begin(), adaptive_algorithms.end(), algorithm) -
                             adaptive_algorithms.begin());
}

}  // namespace weir
