// PeerLatency: how long the others take. Whether an endpoint is slow cannot be said by itself, because some requests
// are long work; but its peers get the same requests. Compared with is the median of their means, so that a few slow
// ones among them do not hide each other.
//
// A value, made anew for each look. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/base/clock.h"

namespace weir {

class PeerLatency {
 public:
  // Fewer say nothing of what is usual.
  static constexpr size_t peers_min = 3;

  // The mean of each endpoint that has answered often enough, in any order.
  explicit PeerLatency(std::vector<Duration> means);

  // The median of all of them but one, which took `own`: one of those that were handed in. Nothing if fewer than
  // `peers_min` are left.
  std::optional<Duration> median_without(Duration own) const noexcept;
  // For who has no mean itself.
  std::optional<Duration> median() const noexcept;

 private:
  std::vector<Duration> means_;  // ascending
};

}  // namespace weir
