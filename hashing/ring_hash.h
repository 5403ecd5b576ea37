// Consistent hashing on a ring (Karger et al., 1997): each endpoint has points on a circle of 2^32 places, and a hash
// meets the endpoint of the next point clockwise. What a change of endpoints or weights moves is exactly what must
// move: the points of an endpoint are the first ones of an endless sequence that its identity alone determines, and a
// weight says how many of them there are. Nobody else's points come, go or move.
//
// Shares are only as even as points are many: with p points each, the share of an endpoint strays from its weight's by
// about 1 / sqrt(p) of itself (one standard deviation). A Maglev table is even; a ring is stable.
//
//      0                                             2^32
//      |--A-----B--A------C--B-----C---A----B---C-----|      a hash between two points is the right one's,
//                    ^hash: C                                that behind the last is the first one's
//
// The circle is cut into buckets of two to four points on average; a table has where each of them begins, so a lookup
// passes a point or two, and nothing is searched. What costs is memory: two cache lines per lookup, and eight bytes per
// point, which is why there are no more places than 2^32.
//
// Made by the control plane as a part of a Snapshot, immutable from then on, read by all workers. Always true: the ring
// depends on identities and weights, not on the order in which endpoints were given.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace weir::hashing {

struct RingEndpoint {
  uint64_t id = 0;      // Who it is, well mixed: hash64(name). Of two with one id the first one given gets the keys.
  uint32_t weight = 1;  // 0 gets no point.
};

// How many points an endpoint has: `points` for each `per_weight` of its weight, rounded to the nearest, at least one.
// Choose both from what is configured, say the points wanted for a usual weight. A number of points that followed the
// average weight of the moment would move everybody's keys whenever somebody's weight changes.
struct RingDensity {
  uint32_t points = 160;
  uint32_t per_weight = 1;
};

class RingHash {
 public:
  static constexpr uint32_t none = std::numeric_limits<uint32_t>::max();

  // 36 MB with the table. Rings that would have more get half the points for a weight, or a quarter, and so on: steps
  // that are seldom crossed, because crossing one moves keys of everybody.
  static constexpr uint32_t points_max = 1 << 22;

  // Throws std::invalid_argument for a density with a zero in it, and for more endpoints than points_max.
  RingHash(std::span<const RingEndpoint> endpoints, RingDensity density);

  // The number (in the order given to the constructor) of the endpoint for a hash whose 64 bits are well mixed; `none`
  // if no endpoint has a weight.
  uint32_t lookup(uint64_t hash) const noexcept { return points_[next_point(hash)].owner; }

  // The different endpoints for a hash in the order in which they would inherit it, for who cannot use the first. The
  // second is who has the hash on a ring without the first, and so on.
  class Walk {
   public:
    // It gives up after this many endpoints, or points, so that it has a bound whatever the weights are.
    static constexpr uint32_t endpoints_max = 16;
    static constexpr uint32_t points_passed_max = 1024;

    // The next one, none twice; `none` when there is no other, or the walk has come to its bound.
    uint32_t next() noexcept;

   private:
    friend class RingHash;
    Walk(const RingHash& ring, uint32_t point) noexcept : ring_(ring), point_(point) {}

    bool has_met(uint32_t number) const noexcept;

    const RingHash& ring_;
    uint32_t point_;
    uint32_t points_passed_ = 0;
    uint32_t met_count_ = 0;
    std::array<uint32_t, endpoints_max> met_;
  };
  // The first that it gives is lookup(hash). The ring has to live longer.
  Walk walk(uint64_t hash) const noexcept { return {*this, next_point(hash)}; }

  uint32_t points() const noexcept { return static_cast<uint32_t>(points_.size() - 1); }

  // The shares of the circle, by number, each as a fraction of it: what each gets of many hashes. For tests and tables.
  std::vector<double> shares() const;

 private:
  struct Point {
    uint32_t place;
    uint32_t owner;
  };

  uint32_t next_point(uint64_t hash) const noexcept {
    const auto place = static_cast<uint32_t>(hash >> 32);
    uint32_t point = begin_of_bucket_[place >> bucket_shift_];
    while (points_[point].place < place) ++point;
    return point;
  }

  // By place, equals by id. Behind the last comes the first once more, at the last place of the circle, so that a walk
  // over it ends by itself.
  std::vector<Point> points_;
  std::vector<uint32_t> begin_of_bucket_;
  int bucket_shift_ = 31;
  uint32_t numbers_ = 0;
};

}  // namespace weir::hashing
