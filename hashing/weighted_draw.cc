#include "hashing/weighted_draw.h"

#include <numeric>

namespace weir::hashing {
namespace {

constexpr uint64_t column_units = uint64_t{1} << 32;

struct Member {
  uint32_t index;
  uint64_t units;  // How much of the columns is still to be given to it.
};

// Divides all units of all columns by weight. Each boundary between two neighbours is rounded down, so nobody is off by
// a whole unit, and together they have all. The sum is at most `column_units` times the number of members, so each has
// at least as many units as its weight: one, that is.
std::vector<Member> divide(std::span<const uint32_t> weights) {
  std::vector<Member> members;
  const uint64_t sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
  if (sum == 0) return members;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    if (weights[i] != 0) members.push_back({.index = i, .units = 0});
  }
  __extension__ using Wide = unsigned __int128;
  const uint64_t total = column_units * members.size();
  uint64_t sum_before = 0;
  uint64_t given = 0;
  for (Member& member : members) {
    sum_before += weights[member.index];
    const auto boundary = static_cast<uint64_t>(Wide{total} * sum_before / sum);
    member.units = boundary - given;
    given = boundary;
  }
  return members;
}

}  // namespace

WeightedDraw::WeightedDraw(std::span<const uint32_t> weights) {
  std::vector<Member> members = divide(weights);
  columns_.reserve(members.size());
  std::vector<Member> poor;  // Have less than a column.
  std::vector<Member> rich;
  for (const Member& member : members) (member.units < column_units ? poor : rich).push_back(member);
  // Who has less than a column gets one, and somebody rich fills it up. All in whole units, so nothing is ever rounded,
  // and while there are poor there are rich: on average all that are left have exactly one column.
  while (!poor.empty()) {
    const Member filled = poor.back();
    poor.pop_back();
    Member& filler = rich.back();
    columns_.push_back({static_cast<uint32_t>(filled.units), filled.index, filler.index});
    filler.units -= column_units - filled.units;
    if (filler.units < column_units) {
      poor.push_back(filler);
      rich.pop_back();
    }
  }
  for (const Member& member : rich) columns_.push_back({0, member.index, member.index});
}

uint64_t WeightedDraw::units_of(uint32_t member) const noexcept {
  uint64_t units = 0;
  for (const Column& column : columns_) {
    if (column.below == member) units += column.threshold;
    if (column.above == member) units += column_units - column.threshold;
  }
  return units;
}

}  // namespace weir::hashing
