#include "hashing/ring_hash.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "hashing/hash64.h"

namespace weir::hashing {
namespace {

uint64_t points_of(uint32_t weight, RingDensity density, int halvings) noexcept {
  if (weight == 0) return 0;
  __extension__ using Wide = unsigned __int128;
  const Wide divisor = Wide{density.per_weight} << halvings;
  return std::max<uint64_t>(1, static_cast<uint64_t>((Wide{weight} * density.points + divisor / 2) / divisor));
}

// Sums saturate far above points_max: 2^32 endpoints of 2^64 points each would not fit 64 bits.
uint64_t points_of_all(std::span<const RingEndpoint> endpoints, RingDensity density, int halvings) noexcept {
  uint64_t sum = 0;
  for (const RingEndpoint& endpoint : endpoints) {
    sum += std::min<uint64_t>(points_of(endpoint.weight, density, halvings), RingHash::points_max + 1);
  }
  return sum;
}

}  // namespace

RingHash::RingHash(std::span<const RingEndpoint> endpoints, RingDensity density)
    : numbers_(static_cast<uint32_t>(endpoints.size())) {
  if (density.points == 0 || density.per_weight == 0) throw std::invalid_argument("a ring without points");
  if (endpoints.size() > points_max) throw std::invalid_argument("more endpoints than a ring may have points");
  int halvings = 0;
  while (points_of_all(endpoints, density, halvings) > points_max) ++halvings;
  const auto count = static_cast<uint32_t>(points_of_all(endpoints, density, halvings));

  // Two to four points in each: fewer would save a branch, and cost a table that fits no cache.
  const int bucket_bits = std::max(1, static_cast<int>(std::bit_width(count)) - 2);
  bucket_shift_ = 32 - bucket_bits;
  begin_of_bucket_.assign((std::size_t{1} << bucket_bits) + 1, 0);
  const auto each_point = [&](auto&& handle) {
    for (uint32_t number = 0; number < numbers_; ++number) {
      const uint64_t points = points_of(endpoints[number].weight, density, halvings);
      for (uint64_t i = 0; i < points; ++i) {
        handle(Point{static_cast<uint32_t>(mix64(endpoints[number].id, i) >> 32), number});
      }
    }
  };
  // Points lie at random, so that sorting them by bucket is most of sorting them.
  each_point([&](const Point& point) { ++begin_of_bucket_[(point.place >> bucket_shift_) + 1]; });
  std::partial_sum(begin_of_bucket_.begin(), begin_of_bucket_.end(), begin_of_bucket_.begin());
  points_.resize(std::size_t{count} + 1);
  std::vector<uint32_t> end_of_bucket(begin_of_bucket_.begin(), begin_of_bucket_.end() - 1);
  each_point([&](const Point& point) { points_[end_of_bucket[point.place >> bucket_shift_]++] = point; });
  for (std::size_t bucket = 0; bucket < end_of_bucket.size(); ++bucket) {
    std::sort(points_.begin() + begin_of_bucket_[bucket], points_.begin() + end_of_bucket[bucket],
              [&](const Point& a, const Point& b) {
                return std::tie(a.place, endpoints[a.owner].id, a.owner) <
                       std::tie(b.place, endpoints[b.owner].id, b.owner);
              });
  }
  points_.back() = {.place = std::numeric_limits<uint32_t>::max(), .owner = count == 0 ? none : points_.front().owner};
}

bool RingHash::Walk::has_met(uint32_t number) const noexcept {
  return std::find(met_.begin(), met_.begin() + met_count_, number) != met_.begin() + met_count_;
}

uint32_t RingHash::Walk::next() noexcept {
  // The point past the last is the first one again, so the walk goes on from the second.
  const uint32_t points = ring_.points();
  for (; points_passed_ < std::min(points, points_passed_max) && met_count_ < endpoints_max; ++points_passed_) {
    const uint32_t owner = ring_.points_[point_].owner;
    point_ = point_ == points ? 1 : point_ + 1;
    if (has_met(owner)) continue;
    met_[met_count_++] = owner;
    ++points_passed_;
    return owner;
  }
  return none;
}

std::vector<double> RingHash::shares() const {
  std::vector<double> result(numbers_, 0);
  if (points() == 0) return result;
  // What lies behind the last point is the first one's, as what lies before it.
  uint32_t before = points_[points() - 1].place;
  for (uint32_t point = 0; point < points(); ++point) {
    result[points_[point].owner] += std::ldexp(points_[point].place - before, -32);
    before = points_[point].place;
  }
  // One arc that is the whole circle looks like none.
  if (points_[0].place == before) result[points_[0].owner] = 1;
  return result;
}

}  // namespace weir::hashing
