#include "hashing/rendezvous.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace weir::hashing {
namespace {

using Endpoints = std::vector<RendezvousEndpoint>;

Endpoints endpoints(uint32_t count, uint32_t weights = 1) {
  Endpoints result;
  for (uint32_t i = 0; i < count; ++i) result.push_back({hash64("origin-" + std::to_string(i)), 1 + i % weights});
  return result;
}

// The definition: no groups, no bounds, no order.
template <class Usable>
uint32_t naive(const Endpoints& some, uint64_t hash, Usable&& usable) {
  __extension__ using Wide = unsigned __int128;
  uint32_t best = Rendezvous::none;
  for (uint32_t i = 0; i < some.size(); ++i) {
    if (some[i].weight == 0 || !usable(i)) continue;
    if (best == Rendezvous::none) {
      best = i;
      continue;
    }
    const uint64_t x = mix64(hash ^ some[i].id);
    const uint64_t best_x = mix64(hash ^ some[best].id);
    const Wide its = Wide{exponential(x)} * some[best].weight;
    const Wide ours = Wide{exponential(best_x)} * some[i].weight;
    if (std::tie(its, x, some[i].id, i) < std::tie(ours, best_x, some[best].id, best)) best = i;
  }
  return best;
}

// The same as usually written: the highest -weight / ln(u).
uint32_t by_logarithms(const Endpoints& some, uint64_t hash) {
  uint32_t best = Rendezvous::none;
  long double best_score = -1;
  for (uint32_t i = 0; i < some.size(); ++i) {
    const long double x = std::ldexp(static_cast<long double>(mix64(hash ^ some[i].id)), -64);
    const long double score = -static_cast<long double>(some[i].weight) / std::log1p(-x);
    if (score > best_score) {
      best_score = score;
      best = i;
    }
  }
  return best;
}

TEST(Rendezvous, IsItsDefinition) {
  std::mt19937_64 random(61);
  for (int round = 0; round < 400; ++round) {
    Endpoints some = endpoints(static_cast<uint32_t>(1 + random() % 60));
    // From all equal to all different, a few without weight.
    const uint64_t kinds = uint64_t{1} << (random() % 33);
    for (auto& endpoint : some) endpoint.weight = static_cast<uint32_t>(random() % kinds);
    const Rendezvous table(some);
    for (int i = 0; i < 100; ++i) {
      const uint64_t hash = random();
      ASSERT_EQ(table.lookup(hash), naive(some, hash, [](uint32_t) { return true; })) << "round " << round;
      const auto usable = [&](uint32_t number) { return mix64(hash, number) % 4 == 0; };
      ASSERT_EQ(table.lookup(hash, usable), naive(some, hash, usable)) << "round " << round;
    }
  }
}

TEST(Rendezvous, IsTheHighestScoreOfTheLogarithm) {
  const Endpoints some = endpoints(100, 17);
  const Rendezvous table(some);
  for (uint64_t i = 0; i < 20'000; ++i) ASSERT_EQ(table.lookup(mix64(i, 62)), by_logarithms(some, mix64(i, 62)));
}

TEST(Rendezvous, AnswersNoneWhenNobodyCanWin) {
  EXPECT_EQ(Rendezvous({}).lookup(1), Rendezvous::none);
  EXPECT_EQ(Rendezvous(Endpoints{{1, 0}, {2, 0}}).lookup(1), Rendezvous::none);
  EXPECT_EQ(Rendezvous(endpoints(50, 3)).lookup(1, [](uint32_t) { return false; }), Rendezvous::none);
}

// The mixed hash is a bijection: somebody draws the least of all numbers, and somebody the greatest.
TEST(Rendezvous, TheGreatestNumberCanWinToo) {
  const auto unmix = [](uint64_t value) {
    const auto unshift = [](uint64_t mixed, int bits) {
      uint64_t result = mixed;
      for (int done = bits; done < 64; done += bits) result = mixed ^ (result >> bits);
      return result;
    };
    value = unshift(value, 31) * 0x319642b2d24d8ec3;  // The inverses of the factors of mix64, modulo 2^64.
    value = unshift(value, 27) * 0x96de1b173f119089;
    return unshift(value, 30) - 0x9e3779b97f4a7c15;
  };
  const uint64_t latest = unmix(~uint64_t{0});
  const uint64_t earliest = unmix(0);
  ASSERT_EQ(mix64(latest), ~uint64_t{0});
  ASSERT_EQ(mix64(earliest), 0U);
  EXPECT_EQ(Rendezvous(Endpoints{{latest, 1}}).lookup(0), 0U);
  EXPECT_EQ(Rendezvous(Endpoints{{latest, 1}, {latest, 1}}).lookup(0), 0U);
  EXPECT_EQ(Rendezvous(Endpoints{{latest, 4'000'000'000}, {earliest, 1}, {latest, 1}}).lookup(0), 1U);
}

TEST(Rendezvous, DoesNotDependOnTheOrderOfEndpoints) {
  std::mt19937_64 random(63);
  Endpoints some = endpoints(80, 5);
  const Rendezvous table(some);
  Endpoints shuffled = some;
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  const Rendezvous other(shuffled);
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t hash = random();
    ASSERT_EQ(some[table.lookup(hash)].id, shuffled[other.lookup(hash)].id);
  }
}

TEST(Rendezvous, FollowsWeights) {
  constexpr int draws = 1'000'000;
  Endpoints some = endpoints(20);
  for (uint32_t i = 0; i < 20; ++i) some[i].weight = i < 10 ? 100 : 10 * i;
  some[3].weight = 0;
  some[19].weight = 10'000;
  double sum = 0;
  for (const auto& endpoint : some) sum += endpoint.weight;
  const Rendezvous table(some);
  std::vector<double> counts(20, 0);
  for (uint64_t i = 0; i < draws; ++i) ++counts[table.lookup(mix64(i, 64))];
  for (uint32_t i = 0; i < 20; ++i) {
    const double share = some[i].weight / sum;
    EXPECT_NEAR(counts[i], draws * share, 4 * std::sqrt(draws * share * (1 - share))) << i;
  }
}

TEST(Rendezvous, GivesEachOfAThousandEqualsItsShare) {
  constexpr int draws = 1'000'000;
  const Rendezvous table(endpoints(1000));
  std::vector<double> counts(1000, 0);
  for (uint64_t i = 0; i < draws; ++i) ++counts[table.lookup(mix64(i, 65))];
  double chi_squared = 0;
  for (const double count : counts) chi_squared += (count - 1000) * (count - 1000) / 1000;
  // 999 degrees of freedom: mean 999, standard deviation 45.
  EXPECT_NEAR(chi_squared, 999, 4 * 45);
}

// Keys of an endpoint that changes come from or go to itself, and nobody else's move. Not nearly: exactly.
TEST(Rendezvous, AChangedWeightMovesOnlyItsOwnKeys) {
  Endpoints some = endpoints(60, 4);
  const uint32_t changed = 17;
  const Rendezvous before(some);
  for (const uint32_t weight : {0U, 1U, 3U, 50U, 4'000'000'000U}) {
    const uint32_t old = endpoints(60, 4)[changed].weight;
    some[changed].weight = weight;
    const Rendezvous after(some);
    int moved = 0;
    for (uint64_t i = 0; i < 20'000; ++i) {
      const uint64_t hash = mix64(i, 66);
      const uint32_t from = before.lookup(hash);
      const uint32_t to = after.lookup(hash);
      if (from == to) continue;
      ++moved;
      ASSERT_EQ(weight < old ? from : to, changed) << "weight " << weight;
    }
    EXPECT_GT(moved, 0) << "weight " << weight;
  }
}

TEST(Rendezvous, AnUnusableEndpointIsLikeARemovedOne) {
  Endpoints some = endpoints(60, 4);
  const Rendezvous all(some);
  const std::set<uint32_t> gone = {3, 17, 18, 44};
  for (const uint32_t number : gone) some[number].weight = 0;
  const Rendezvous rest(some);
  const auto usable = [&](uint32_t number) { return !gone.contains(number); };
  for (uint64_t i = 0; i < 20'000; ++i) {
    const uint64_t hash = mix64(i, 67);
    ASSERT_EQ(all.lookup(hash, usable), rest.lookup(hash));
    // And who was with a usable one stays there.
    if (usable(all.lookup(hash))) {
      ASSERT_EQ(all.lookup(hash), rest.lookup(hash));
    }
  }
}

TEST(Rendezvous, AsksSeldomWhetherAnEndpointIsUsable) {
  const Rendezvous table(endpoints(1000));
  int asked = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    table.lookup(mix64(i, 68), [&](uint32_t) {
      ++asked;
      return true;
    });
  }
  // 1 + 1/2 + ... + 1/1000 = 7.49 per lookup, with a standard deviation of 2.4.
  EXPECT_NEAR(asked, 7490, 4 * 77);
}

TEST(Rendezvous, GroupsByWeight) {
  EXPECT_EQ(Rendezvous(endpoints(100)).groups(), 1U);
  EXPECT_EQ(Rendezvous(endpoints(100, 7)).groups(), 7U);
  EXPECT_EQ(Rendezvous(Endpoints{{1, 0}}).groups(), 0U);
}

// The same on every machine: what a key meets is part of what weir promises its neighbours.
TEST(Rendezvous, GivesTheAnswersItAlwaysGave) {
  const Rendezvous equal(endpoints(10));
  const Rendezvous weighted(endpoints(10, 10));
  std::string answers;
  for (uint64_t i = 0; i < 16; ++i) answers += std::to_string(equal.lookup(mix64(i)));
  answers += ' ';
  for (uint64_t i = 0; i < 16; ++i) answers += std::to_string(weighted.lookup(mix64(i)));
  EXPECT_EQ(answers, "9790443546891389 9795443546891989");
}

}  // namespace
}  // namespace weir::hashing
