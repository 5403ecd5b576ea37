#include "hashing/disruption.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <unordered_map>

namespace weir::hashing {
namespace {

// Nobody, where no endpoint has a weight.
using Identity = std::optional<uint64_t>;

Identity owner(const MaglevTable& table, uint32_t slot) {
  const uint32_t number = table.owner(slot);
  return number == MaglevTable::none ? Identity() : Identity(table.ids()[number]);
}

}  // namespace

Disruption disruption(const MaglevTable& before, const MaglevTable& after) {
  if (before.size() != after.size()) throw std::invalid_argument("two tables of different size have no common slots");
  Disruption result{.slots = before.size()};
  std::unordered_map<Identity, int64_t> lost;
  for (uint32_t slot = 0; slot < before.size(); ++slot) {
    const Identity from = owner(before, slot);
    const Identity to = owner(after, slot);
    if (from == to) continue;
    ++result.moved;
    ++lost[from];
    --lost[to];
  }
  for (const auto& [identity, count] : lost) result.forced += static_cast<uint32_t>(std::max<int64_t>(count, 0));
  return result;
}

}  // namespace weir::hashing
