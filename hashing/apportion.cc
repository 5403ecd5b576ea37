#include "hashing/apportion.h"

#include <algorithm>
#include <numeric>

namespace weir::hashing {

std::vector<uint32_t> apportion(std::span<const uint32_t> weights, uint32_t total) {
  std::vector<uint32_t> shares(weights.size(), 0);
  const uint64_t sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
  if (sum == 0) return shares;

  struct Remainder {
    uint64_t value;
    uint32_t index;
  };
  std::vector<Remainder> remainders;
  remainders.reserve(weights.size());
  uint32_t left = total;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    const uint64_t product = uint64_t{total} * weights[i];
    shares[i] = static_cast<uint32_t>(product / sum);
    left -= shares[i];
    remainders.push_back({.value = product % sum, .index = i});
  }
  // The remainders add up to left * sum and each is less than sum: more than `left` of them are not 0 (or none is, and
  // nothing is left), so nobody without a weight is served here.
  std::nth_element(remainders.begin(), remainders.begin() + left, remainders.end(),
                   [](const Remainder& a, const Remainder& b) {
                     return a.value != b.value ? a.value > b.value : a.index < b.index;
                   });
  for (uint32_t i = 0; i < left; ++i) ++shares[remainders[i].index];
  return shares;
}

}  // namespace weir::hashing
