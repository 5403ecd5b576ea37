#include "hashing/ring_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <compare>
#include <cstdint>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "hashing/hash64.h"

namespace weir::hashing {
namespace {

using Endpoints = std::vector<RingEndpoint>;

Endpoints endpoints(uint32_t count, uint32_t weights = 1) {
  Endpoints result;
  for (uint32_t i = 0; i < count; ++i) result.push_back({hash64("origin-" + std::to_string(i)), 1 + i % weights});
  return result;
}

// The definition, with a set for the circle.
class Reference {
 public:
  struct Point {
    uint64_t place;
    uint64_t id;
    uint32_t owner;
    bool operator<(const Point& other) const {
      return std::tie(place, id, owner) < std::tie(other.place, other.id, other.owner);
    }
  };

  Reference(const Endpoints& some, uint32_t points_per_weight) {
    for (uint32_t number = 0; number < some.size(); ++number) {
      for (uint32_t i = 0; i < some[number].weight * points_per_weight; ++i) {
        points_.insert({mix64(some[number].id, i) >> 32, some[number].id, number});
      }
    }
  }

  // All owners, from the next point clockwise on, each once.
  std::vector<uint32_t> walk(uint64_t hash) const {
    std::vector<uint32_t> result;
    auto at = points_.lower_bound({hash >> 32, 0, 0});
    for (std::size_t i = 0; i < points_.size(); ++i, ++at) {
      if (at == points_.end()) at = points_.begin();
      if (std::find(result.begin(), result.end(), at->owner) == result.end()) result.push_back(at->owner);
    }
    return result;
  }

  const std::set<Point>& points() const { return points_; }

 private:
  std::set<Point> points_;
};

std::vector<uint32_t> all_of(RingHash::Walk walk) {
  std::vector<uint32_t> result;
  for (uint32_t number = walk.next(); number != RingHash::none; number = walk.next()) result.push_back(number);
  return result;
}

TEST(RingHash, IsItsDefinition) {
  std::mt19937_64 random(71);
  for (int round = 0; round < 100; ++round) {
    Endpoints some = endpoints(static_cast<uint32_t>(1 + random() % 16));
    for (auto& endpoint : some) endpoint.weight = static_cast<uint32_t>(random() % 5);
    some[0].weight = 1;
    const auto points = static_cast<uint32_t>(1 + random() % 10);
    const RingHash ring(some, {.points = points});
    const Reference reference(some, points);
    ASSERT_EQ(ring.points(), reference.points().size());
    std::vector<uint64_t> hashes = {0, 1, ~uint64_t{0}};
    for (int i = 0; i < 50; ++i) hashes.push_back(random());
    for (const auto& point : reference.points()) {
      const uint64_t begin_of_place = point.place << 32;
      hashes.insert(hashes.end(), {begin_of_place - 1, begin_of_place, begin_of_place + 0xffffffff,
                                   begin_of_place + (uint64_t{1} << 32)});
    }
    for (const uint64_t hash : hashes) {
      const std::vector<uint32_t> expected = reference.walk(hash);
      ASSERT_EQ(ring.lookup(hash), expected.front()) << "round " << round << " hash " << hash;
      ASSERT_EQ(all_of(ring.walk(hash)), expected) << "round " << round << " hash " << hash;
    }
  }
}

TEST(RingHash, AnswersNoneWithoutEndpoints) {
  for (const Endpoints& some : {Endpoints{}, Endpoints{{1, 0}, {2, 0}}}) {
    const RingHash ring(some, {});
    EXPECT_EQ(ring.points(), 0U);
    EXPECT_EQ(ring.lookup(0), RingHash::none);
    EXPECT_EQ(ring.lookup(~uint64_t{0}), RingHash::none);
    EXPECT_EQ(ring.walk(5).next(), RingHash::none);
  }
}

TEST(RingHash, HasPointsByWeightAndAtLeastOne) {
  const auto points = [](uint32_t weight, RingDensity density) {
    return RingHash(Endpoints{{1, weight}}, density).points();
  };
  EXPECT_EQ(points(1, {}), 160U);
  EXPECT_EQ(points(3, {}), 480U);
  EXPECT_EQ(points(100, {.points = 40, .per_weight = 100}), 40U);
  EXPECT_EQ(points(103, {.points = 40, .per_weight = 100}), 41U);
  EXPECT_EQ(points(104, {.points = 40, .per_weight = 100}), 42U);
  EXPECT_EQ(points(1, {.points = 40, .per_weight = 100}), 1U);
  EXPECT_EQ(points(1, {.points = 1, .per_weight = 4'000'000'000}), 1U);
  EXPECT_EQ(points(0, {}), 0U);
}

TEST(RingHash, HalvesTheDensityUntilItFits) {
  Endpoints some = endpoints(3);
  some[0].weight = 4'000'000'000;
  some[1].weight = 1'000'000'000;
  const RingHash ring(some, {.points = 4'000'000'000});
  EXPECT_LE(ring.points(), RingHash::points_max);
  EXPECT_GT(ring.points(), RingHash::points_max / 2);
  const auto shares = ring.shares();
  EXPECT_NEAR(shares[0], 0.8, 0.002);
  EXPECT_NEAR(shares[1], 0.2, 0.002);
  EXPECT_GT(shares[2], 0);
}

TEST(RingHash, RefusesWhatIsNoRing) {
  EXPECT_THROW(RingHash(endpoints(3), {.points = 0}), std::invalid_argument);
  EXPECT_THROW(RingHash(endpoints(3), {.per_weight = 0}), std::invalid_argument);
  EXPECT_THROW(RingHash(Endpoints(RingHash::points_max + 1), {}), std::invalid_argument);
}

TEST(RingHash, DoesNotDependOnTheOrderOfEndpoints) {
  std::mt19937_64 random(72);
  Endpoints some = endpoints(100, 3);
  const RingHash ring(some, {});
  Endpoints shuffled = some;
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  const RingHash other(shuffled, {});
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t hash = random();
    ASSERT_EQ(some[ring.lookup(hash)].id, shuffled[other.lookup(hash)].id);
  }
}

// The mean deviation is 1 / sqrt(points); of a thousand endpoints the worst is off by 3 to 4 times that.
TEST(RingHash, SharesStrayByTheSquareRootOfThePoints) {
  for (const uint32_t points : {40U, 160U, 1000U}) {
    const auto shares = RingHash(endpoints(1000), {.points = points}).shares();
    EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1.0, 1e-9);
    double squares = 0;
    for (const double share : shares) squares += (share * 1000 - 1) * (share * 1000 - 1);
    const double expected = 1 / std::sqrt(points);
    EXPECT_NEAR(std::sqrt(squares / 1000), expected, 0.1 * expected) << points;
    EXPECT_LT(*std::max_element(shares.begin(), shares.end()) * 1000, 1 + 5 * expected) << points;
  }
}

TEST(RingHash, LooksUpInTheProportionOfShares) {
  constexpr int draws = 1'000'000;
  const RingHash ring(endpoints(20, 4), {});
  const auto shares = ring.shares();
  std::vector<double> counts(20, 0);
  for (uint64_t i = 0; i < draws; ++i) ++counts[ring.lookup(mix64(i, 73))];
  for (uint32_t i = 0; i < 20; ++i) {
    EXPECT_NEAR(counts[i], draws * shares[i], 4 * std::sqrt(draws * shares[i])) << i;
    EXPECT_NEAR(shares[i], (1 + i % 4) / 50.0, 0.25 * shares[i]) << i;
  }
}

// Keys of an endpoint that changes come from or go to itself, and nobody else's move. Not nearly: exactly.
TEST(RingHash, AChangedWeightMovesOnlyItsOwnKeys) {
  Endpoints some = endpoints(50, 4);
  const uint32_t changed = 17;
  const uint32_t old = some[changed].weight;
  const RingHash before(some, {});
  for (const uint32_t weight : {0U, 1U, 3U, 50U, 1000U}) {
    some[changed].weight = weight;
    const RingHash after(some, {});
    int moved = 0;
    for (uint64_t i = 0; i < 20'000; ++i) {
      const uint64_t hash = mix64(i, 74);
      const uint32_t from = before.lookup(hash);
      const uint32_t to = after.lookup(hash);
      if (from == to) continue;
      ++moved;
      ASSERT_EQ(weight < old ? from : to, changed) << "weight " << weight;
    }
    EXPECT_GT(moved, 0) << "weight " << weight;
  }
}

TEST(RingHash, ARemovalMovesItsShareAndNoMore) {
  const Endpoints some = endpoints(1000);
  const RingHash before(some, {});
  Endpoints rest = some;
  rest.erase(rest.begin() + 500);
  const RingHash after(rest, {});
  const double share = before.shares()[500];
  constexpr int draws = 1'000'000;
  int moved = 0;
  for (uint64_t i = 0; i < draws; ++i) {
    const uint64_t hash = mix64(i, 75);
    const uint64_t from = some[before.lookup(hash)].id;
    if (from == rest[after.lookup(hash)].id) continue;
    ++moved;
    ASSERT_EQ(from, some[500].id);
  }
  EXPECT_NEAR(moved, draws * share, 4 * std::sqrt(draws * share));
}

TEST(RingHash, TheNextInAWalkInheritsTheHash) {
  Endpoints some = endpoints(30, 3);
  const RingHash all(some, {});
  some[4].weight = 0;
  const RingHash rest(some, {});
  for (uint64_t i = 0; i < 20'000; ++i) {
    const uint64_t hash = mix64(i, 76);
    RingHash::Walk walk = all.walk(hash);
    uint32_t heir = walk.next();
    if (heir == 4) heir = walk.next();
    ASSERT_EQ(heir, rest.lookup(hash));
  }
}

TEST(RingHash, AWalkIsBounded) {
  const RingHash many(endpoints(1000), {});
  const auto met = all_of(many.walk(7));
  EXPECT_EQ(met.size(), RingHash::Walk::endpoints_max);
  EXPECT_EQ(std::set<uint32_t>(met.begin(), met.end()).size(), met.size());
  // The only point of the other one is about half a million points away.
  Endpoints two = endpoints(2);
  two[0].weight = 1'000'000;
  EXPECT_EQ(all_of(RingHash(two, {.points = 1}).walk(7)), (std::vector<uint32_t>{0}));
}

// The same on every machine: what a key meets is part of what weir promises its neighbours.
TEST(RingHash, GivesTheAnswersItAlwaysGave) {
  const RingHash ring(endpoints(10, 3), {});
  std::string answers;
  for (uint64_t i = 0; i < 16; ++i) answers += std::to_string(ring.lookup(mix64(i)));
  EXPECT_EQ(answers, "8572458255884455");
}

TEST(RingHash, TheFirstOfTwoWithOneIdHasTheKeys) {
  const RingHash ring(Endpoints{{9, 1}, {9, 1}}, {.points = 1});
  EXPECT_EQ(ring.lookup(0), 0U);
  EXPECT_EQ(ring.lookup(~uint64_t{0}), 0U);
  EXPECT_EQ(all_of(ring.walk(0)), (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(ring.shares(), (std::vector<double>{1, 0}));
}

}  // namespace
}  // namespace weir::hashing
