#include "core/balance/turns.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "hashing/apportion.h"

namespace weir {
namespace {

// Turns per cycle of each endpoint.
std::vector<uint32_t> turns_of_each(std::span<const uint32_t> weights) {
  uint32_t divisor = 0;
  for (uint32_t weight : weights) divisor = std::gcd(divisor, weight);
  if (divisor == 0) return std::vector<uint32_t>(weights.size(), 0);

  const uint64_t sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0}) / divisor;
  if (sum > turns_max) {
    std::vector<uint32_t> turns = hashing::apportion(weights, turns_max);
    for (size_t i = 0; i < turns.size(); ++i) {
      if (weights[i] > 0) turns[i] = std::max(turns[i], 1U);
    }
    return turns;
  }
  std::vector<uint32_t> turns(weights.begin(), weights.end());
  for (uint32_t& each : turns) each /= divisor;
  return turns;
}

// Endpoints with the same number of turns. Among them the one that had the fewest so far has the largest claim, so they
// simply take turns in their order, and only `head()` needs to be compared with others.
struct Peers {
  uint32_t turns = 0;
  int64_t claim = 0;  // of head()
  std::vector<uint32_t> members;
  size_t next = 0;

  uint32_t head() const noexcept { return members[next]; }
};

std::vector<Peers> group_by_turns(std::span<const uint32_t> turns) {
  std::map<uint32_t, std::vector<uint32_t>> groups;
  for (uint32_t i = 0; i < turns.size(); ++i) {
    if (turns[i] > 0) groups[turns[i]].push_back(i);
  }
  std::vector<Peers> result;
  result.reserve(groups.size());
  for (auto& [each, members] : groups) result.push_back({.turns = each, .members = std::move(members)});
  return result;
}

}  // namespace

std::vector<uint32_t> smooth_turns(std::span<const uint32_t> weights) {
  const std::vector<uint32_t> turns = turns_of_each(weights);
  const auto length = std::accumulate(turns.begin(), turns.end(), int64_t{0});

  // Groups have different numbers of turns that add up to `length` at most, so there are fewer than sqrt(2 * length) of
  // them: at worst some 500 claims are compared per turn, not one per endpoint.
  std::vector<Peers> groups = group_by_turns(turns);
  std::vector<uint32_t> result;
  result.reserve(static_cast<size_t>(length));
  for (int64_t turn = 0; turn < length; ++turn) {
    Peers* first = nullptr;
    for (Peers& peers : groups) {
      peers.claim += peers.turns;
      if (first == nullptr || peers.claim > first->claim ||
          (peers.claim == first->claim && peers.head() < first->head())) {
        first = &peers;
      }
    }
    result.push_back(first->head());
    if (++first->next == first->members.size()) {
      // All of them had this turn; the next head has had it, too.
      first->next = 0;
      first->claim -= length;
    }
  }
  return result;
}

}  // namespace weir
