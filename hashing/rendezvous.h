// Rendezvous hashing (highest random weight; Thaler and Ravishankar, 1998): each endpoint draws a number for the hash,
// and the best one wins. No table, no ring: shares are as exact as the hash is random, and a change of endpoints or
// weights moves nothing but what it must. A removal moves the keys of who left, each to the next best for that key;
// more weight attracts keys and moves no other; less lets go and moves no other.
//
// With weights (Schindelhauer and Schomaker, 2005) an endpoint draws the time until something happens that happens at
// the rate of its weight, and the earliest wins, which it does in proportion to the weight: -log2(1 - x) / weight, x
// being the mixed hash as a fraction. (The "score" -weight / ln(u) of other descriptions is its inverse, with u = 1 -
// x.) Among equal weights the least x wins without a logarithm, so endpoints are grouped by weight: a lookup costs a
// mixer for each endpoint, and at most one logarithm for each group.
//
// Equal hashes meet the same endpoint on every machine that knows the same endpoints, in whatever order: all of it is
// integer arithmetic (see exponential.h), comparisons are exact, and ties are decided by identity.
//
// Made by the control plane as a part of a Snapshot, immutable from then on, read by all workers.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "hashing/exponential.h"
#include "hashing/hash64.h"

namespace weir::hashing {

struct RendezvousEndpoint {
  uint64_t id = 0;      // Who it is, well mixed: hash64(name). Of two with one id and weight the first wins.
  uint32_t weight = 1;  // 0 never wins.
};

class Rendezvous {
 public:
  static constexpr uint32_t none = std::numeric_limits<uint32_t>::max();

  explicit Rendezvous(std::span<const RendezvousEndpoint> endpoints);

  // The number (in the order given to the constructor) of the winner for a hash whose 64 bits are well mixed; `none` if
  // no endpoint has a weight.
  uint32_t lookup(uint64_t hash) const noexcept {
    return lookup(hash, [](uint32_t) { return true; });
  }

  // The winner among those for which usable(number) is true; `none` if there is none. It is asked only about those that
  // would be the best so far: as often as the logarithm of their number, while most are usable.
  template <class Usable>
  uint32_t lookup(uint64_t hash, Usable&& usable) const noexcept {
    Best best;
    for (const Group& group : groups_) {
      uint64_t least = std::numeric_limits<uint64_t>::max();
      uint32_t leader = none;
      for (uint32_t place = group.begin; place < group.end; ++place) {
        const uint64_t x = mix64(hash ^ ids_[place]);
        // The last of equals wins, so that the greatest x there is can win, too.
        if (x <= least && usable(numbers_[place])) {
          least = x;
          leader = place;
        }
      }
      if (leader != none) best.challenge({least, ids_[leader], numbers_[leader], group.weight});
    }
    return best.number();
  }

  // How many logarithms a lookup may take.
  uint32_t groups() const noexcept { return static_cast<uint32_t>(groups_.size()); }

 private:
  struct Group {
    uint32_t weight;
    uint32_t begin;
    uint32_t end;
  };

  // The best endpoint of a group for some hash.
  struct Leader {
    uint64_t x;
    uint64_t id;
    uint32_t number;
    uint32_t weight;
  };

  // The best leader so far.
  class Best {
   public:
    uint32_t number() const noexcept { return number_; }

    // The logarithm is at least x: who is late even so needs none. That is most of them, when the heaviest come first.
    void challenge(const Leader& leader) noexcept {
      __extension__ using Wide = unsigned __int128;
      if (number_ != none && Wide{leader.x >> (64 - exponential_fraction_bits)} * weight_ > Wide{time_} * leader.weight)
        return;
      compare(leader);
    }

   private:
    void compare(const Leader& leader) noexcept;

    uint64_t time_ = 0;  // When it happens at weight 1: exponential(x_).
    uint64_t x_ = 0;
    uint64_t id_ = 0;
    uint32_t weight_ = 0;
    uint32_t number_ = none;
  };

  // Of all endpoints with a weight: the heaviest first, and of equals the greatest id.
  std::vector<uint64_t> ids_;
  std::vector<uint32_t> numbers_;
  std::vector<Group> groups_;
};

}  // namespace weir::hashing
