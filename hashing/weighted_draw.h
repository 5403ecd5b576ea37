// Draws members at random in proportion to their weights, in constant time: an alias table (Walker, 1977; built as Vose
// showed, 1991). One random number per draw, one cache line, no loop, no floating point.
//
// There are as many columns as members with a weight, all of one height. Each column belongs to one member up to its
// threshold and to another one above it, such that the areas of a member add up to its weight. A draw picks a column
// with the high bits of the random number, and a height in it with the low ones.
//
// Made by the control plane as a part of a Snapshot, immutable from then on, read by all workers. Always true: who has
// a weight can be drawn, who has none cannot; and with n columns no member's probability is further than 2^-32 / n from
// weight / sum of weights, besides the 2^-64 that a random number of 64 bits leaves open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace weir::hashing {

class WeightedDraw {
 public:
  static constexpr uint32_t none = std::numeric_limits<uint32_t>::max();

  // Members are the indices of the weights. A weight of 0 takes part in nothing and takes no room.
  explicit WeightedDraw(std::span<const uint32_t> weights);

  // A member, for 64 well-mixed random bits; `none` when nobody has a weight.
  uint32_t draw(uint64_t random) const noexcept {
    if (columns_.empty()) return none;
    __extension__ using Wide = unsigned __int128;
    const Wide place = Wide{random} * columns_.size();
    const Column& column = columns_[static_cast<std::size_t>(place >> 64)];
    return static_cast<uint32_t>(static_cast<uint64_t>(place) >> 32) < column.threshold ? column.below : column.above;
  }

  bool empty() const noexcept { return columns_.empty(); }

  // The probability of a member in units of 2^-32 / columns, as the table has it. For tests and tables; walks them all.
  uint64_t units_of(uint32_t member) const noexcept;
  uint32_t columns() const noexcept { return static_cast<uint32_t>(columns_.size()); }

 private:
  // Two members, so that those without a weight need no column, and a full column needs no threshold of 2^32.
  struct Column {
    uint32_t threshold;
    uint32_t below;
    uint32_t above;
  };

  std::vector<Column> columns_;
};

}  // namespace weir::hashing
