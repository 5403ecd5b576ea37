#include "health/peer_latency.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace weir {
namespace {

// Of `count` values, which `at` gives in ascending order.
template <class At>
std::optional<Duration> median_of(size_t count, const At& at) noexcept {
  if (count < PeerLatency::peers_min) return std::nullopt;
  const Duration upper = at(count / 2);
  if (count % 2 == 1) return upper;
  const Duration lower = at(count / 2 - 1);
  return lower + (upper - lower) / 2;
}

}  // namespace

PeerLatency::PeerLatency(std::vector<Duration> means) : means_(std::move(means)) {
  std::sort(means_.begin(), means_.end());
}

std::optional<Duration> PeerLatency::median_without(Duration own) const noexcept {
  const auto found = std::lower_bound(means_.begin(), means_.end(), own);
  WEIR_ASSERT(found != means_.end() && *found == own, own.count());
  const auto left_out = static_cast<size_t>(found - means_.begin());
  return median_of(means_.size() - 1, [&](size_t i) { return means_[i < left_out ? i : i + 1]; });
}

std::optional<Duration> PeerLatency::median() const noexcept {
  return median_of(means_.size(), [&](size_t i) { return means_[i]; });
}

}  // namespace weir
