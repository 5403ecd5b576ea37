// The least loaded of several endpoints, in proportion to their shares: for the algorithms that compare.
//
// Up to `compared_max` members all are compared. Beyond, that would cost more than it gains, and `sample_size` are
// drawn at random by share and compared: the busiest of many is avoided nearly as well (Mitzenmacher, "The Power of Two
// Choices in Randomized Load Balancing", 2001; two are enough to be far from random, a few more to be close to exact).
//
// Pure but for the cursor and the random numbers, which are the calling worker's.
#pragma once

#include <cstdint>
#include <span>

#include "core/balance/scan.h"
#include "core/base/random.h"
#include "core/model/picker.h"
#include "hashing/weighted_draw.h"

namespace weir {

inline constexpr uint32_t compared_max = 64;
inline constexpr uint32_t sample_size = 8;

// The best of those it has seen, the first of equals. The type of a load must hold the product of a load and a share.
template <class Load>
class LeastPerShare {
 public:
  // True if this one is the best so far.
  bool offer(uint32_t index, Load load, Load share) noexcept {
    // load / share < load_ / share_, without a division.
    if (index_ != no_endpoint && load * share_ >= load_ * share) return false;
    index_ = index;
    load_ = load;
    share_ = share;
    return true;
  }
  uint32_t index() const noexcept { return index_; }

 private:
  uint32_t index_ = no_endpoint;
  Load load_{};
  Load share_{};
};

// Of all usable members. `cursor` is the place where the comparison starts, and is moved behind the winner's, so that
// equals take turns.
template <class LoadOf>
uint32_t least_of_all(std::span<const uint32_t> members, uint32_t& cursor, const PickRequest& request,
                      LoadOf&& load_of) noexcept {
  using Load = decltype(load_of(uint32_t{}));
  LeastPerShare<Load> least;
  uint32_t after = cursor;
  uint32_t at = cursor;
  for (size_t i = 0; i < members.size(); ++i) {
    const uint32_t index = members[at];
    at = at + 1 == members.size() ? 0 : at + 1;
    if (!request.usable(index)) continue;
    if (least.offer(index, load_of(index), static_cast<Load>(request.candidates[index].share))) after = at;
  }
  cursor = after;
  return least.index();
}

// Of a sample. It is drawn by share, because the comparison alone could not give a heavy endpoint among many light ones
// its part: it would be in too few samples. There is at least one member.
template <class LoadOf>
uint32_t least_of_sample(const hashing::WeightedDraw& draw, std::span<const uint32_t> members, Random& random,
                         const PickRequest& request, LoadOf&& load_of) noexcept {
  using Load = decltype(load_of(uint32_t{}));
  LeastPerShare<Load> least;
  for (uint32_t i = 0; i < sample_size; ++i) {
    const uint32_t index = draw.draw(random.next());
    if (!request.usable(index)) continue;
    least.offer(index, load_of(index), static_cast<Load>(request.candidates[index].share));
  }
  return least.index() != no_endpoint ? least.index() : first_usable(request, members, random.below(members.size()));
}

}  // namespace weir
