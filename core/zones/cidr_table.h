// CidrTable: from an address to the number of the longest block that contains it. Made once by the control thread from
// a list of blocks, immutable from then on; any thread looks addresses up, without allocating.
//
// Blocks either contain each other or have nothing in common. So a list of them cuts the line of all addresses into
// intervals with one answer each, and finding the longest block is finding an interval:
//
//    10.0.0.0/8 = 1     |-------------------1-------------------|
//    10.1.0.0/16 = 2             |---2---|
//    10.1.2.0/24 = 3               |3|
//                  none |    1   |2|3| 2 |          1           | none
//                      ^        ^ ^ ^   ^                      ^      ^   the last address of each interval
//
// N blocks make at most 2N+1 intervals, of whatever lengths the blocks are; neighbours with the same answer are one.
// Their last addresses are the lowest level of a tree whose nodes are cache lines: 16 addresses of IPv4, or 8 of IPv6
// in two lines. A node of a higher level holds the last address of each node below it:
//
//                    [ d h . . ]           in each node, count the addresses below the one looked for: that is the
//                   /     \                place to go on at. No branch depends on the address, and the number of
//            [ a b c d ] [ e f g h ]       levels is the same for all: 5 of IPv4 and 6 of IPv6 for 100,000 blocks.
//
// A trie of 6-bit steps (Asai and Ohara, "Poptrie", 2015) over the same blocks was measured beside it. It wants an
// instruction that counts bits, which not every x86-64 has, and memory for each level between a block and the next one:
//
//    100,000 blocks                       this           trie
//    IPv4, as routers have them           46 ns 1.5 MB    39 ns  3.6 MB
//    IPv6, as routers have them           60 ns 4.4 MB    75 ns  8.2 MB
//    IPv6, single addresses (bans)        60 ns 4.5 MB   425 ns 39.9 MB
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/model/address.h"

namespace weir::zones {

// The tree of one family. `Key` is an address as a number.
template <class Key, size_t width>
class IntervalTree {
 public:
  // `lasts` are the last addresses of the intervals, ascending; the last one is the greatest Key.
  IntervalTree(std::span<const Key> lasts, std::vector<uint32_t> values);

  uint32_t find(Key address) const noexcept {
    size_t at = 0;
    for (unsigned level = 0; level < levels_; ++level) {
      uint32_t below = 0;  // as wide as an address of IPv4, so that the compiler counts four at a time
#pragma GCC unroll 16      // costs a quarter of the time otherwise
      for (const Key last : nodes_[begins_[level] + at].lasts) below += last < address ? 1U : 0U;
      at = at * width + below;
    }
    return values_[at];
  }

  size_t intervals() const noexcept {
    return values_.size();
  }
  size_t bytes() const noexcept {
    return nodes_.size() * sizeof(Node) + values_.size() * sizeof(uint32_t);
  }

 private:
  static constexpr unsigned levels_max = 11;  // 8^11 = 2^33: more than there are places of 32 bits

  // What is free at its end holds the greatest Key, which nothing is above.
  struct alignas(64) Node {
    std::array<Key, width> lasts;
  };

  std::vector<Node> nodes_;  // from the root down, level after level
  std::vector<uint32_t> values_;
  std::array<uint32_t, levels_max> begins_{};  // where each level begins in nodes_
  unsigned levels_ = 0;
};

class CidrTable {
 public:
  static constexpr uint32_t none = ~uint32_t{0};

  // Of two entries for the same block the later one counts. The value may be `none`: a hole in the blocks around it.
  struct Entry {
    Cidr block;
    uint32_t value = none;
  };

  CidrTable() : CidrTable(std::span<const Entry>{}) {}
  explicit CidrTable(std::span<const Entry> entries);

  // The value of the longest block that contains the peer, as Cidr::contains() sees it: IPv4, mapped or not, is in
  // blocks of IPv4 only, and a UNIX socket in none. `none` if there is no such block.
  uint32_t find(const PeerAddress& peer) const noexcept;

  size_t intervals() const noexcept { return v4_.intervals() + v6_.intervals(); }
  size_t bytes() const noexcept { return v4_.bytes() + v6_.bytes(); }

 private:
  __extension__ using Wide = unsigned __int128;

  IntervalTree<uint32_t, 16> v4_;
  IntervalTree<Wide, 8> v6_;
};

}  // namespace weir::zones
