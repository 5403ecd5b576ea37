#include "hashing/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "hashing/apportion.h"

namespace weir::hashing {
namespace {

std::vector<MaglevEndpoint> endpoints(uint32_t count, uint32_t weight = 1) {
  std::vector<MaglevEndpoint> result;
  for (uint32_t i = 0; i < count; ++i) result.push_back({hash64("10.0.0." + std::to_string(i) + ":80"), weight});
  return result;
}

std::vector<uint32_t> slots_of_each(const MaglevTable& table) {
  std::vector<uint32_t> slots(table.ids().size(), 0);
  for (uint32_t slot = 0; slot < table.size(); ++slot) ++slots[table.owner(slot)];
  return slots;
}

std::vector<uint64_t> identities(const MaglevTable& table) {
  std::vector<uint64_t> result;
  for (uint32_t slot = 0; slot < table.size(); ++slot) result.push_back(table.ids()[table.owner(slot)]);
  return result;
}

// The paper's pseudocode, with its permutation matrix, and turns as the header describes them; slow and obvious.
std::vector<uint64_t> reference(std::vector<MaglevEndpoint> sorted, uint32_t size) {
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  std::vector<std::vector<uint32_t>> permutation;
  std::vector<uint32_t> weights;
  uint64_t heaviest = 0;
  for (const MaglevEndpoint& endpoint : sorted) {
    const uint64_t offset = reduce(mix64(endpoint.id, 1), size);
    const uint64_t skip = reduce(mix64(endpoint.id, 2), size - 1) + 1;
    auto& row = permutation.emplace_back();
    for (uint64_t j = 0; j < size; ++j) row.push_back(static_cast<uint32_t>((offset + j * skip) % size));
    weights.push_back(endpoint.weight);
    heaviest = std::max<uint64_t>(heaviest, endpoint.weight);
  }
  const std::vector<uint32_t> shares = apportion(weights, size);
  std::vector<uint64_t> turns_taken(sorted.size(), 0);
  std::vector<std::size_t> next(sorted.size(), 0);
  std::vector<std::optional<uint64_t>> table(size);
  uint32_t filled = 0;
  for (uint64_t round = 0; filled < size; ++round) {
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      while (turns_taken[i] < shares[i] && turns_taken[i] * heaviest / weights[i] == round) {
        while (table[permutation[i][next[i]]]) ++next[i];
        table[permutation[i][next[i]]] = sorted[i].id;
        ++turns_taken[i];
        ++filled;
      }
    }
  }
  std::vector<uint64_t> result;
  for (const auto& id : table) result.push_back(*id);
  return result;
}

TEST(Maglev, IsTheAlgorithmOfThePaper) {
  for (uint32_t count : {1U, 2U, 3U, 10U, 100U, 300U}) {
    EXPECT_EQ(identities(MaglevTable(endpoints(count), 251)), reference(endpoints(count), 251)) << count;
  }
}

TEST(Maglev, IsTheAlgorithmOfThePaperWithWeights) {
  std::mt19937_64 random(31);
  for (uint32_t size : {2U, 3U, 13U, 251U, 1009U}) {
    for (int round = 0; round < 20; ++round) {
      auto some = endpoints(static_cast<uint32_t>(1 + random() % 40));
      for (auto& endpoint : some) endpoint.weight = static_cast<uint32_t>(1 + (random() % 1000 >> random() % 10));
      ASSERT_EQ(identities(MaglevTable(some, size)), reference(some, size)) << "size " << size << " round " << round;
    }
  }
}

TEST(Maglev, GivesEqualsTheSameNumberOfSlotsUpToOne) {
  for (uint32_t count : {3U, 100U, 1000U, 10'000U}) {
    const auto slots = slots_of_each(MaglevTable(endpoints(count), 65'537));
    const auto [least, most] = std::minmax_element(slots.begin(), slots.end());
    EXPECT_LE(*most - *least, 1U) << count;
  }
}

// The paper recommends more than 100 slots per endpoint, and promises shares within 1 % of each other for it (section
// 3.4). 65,537 slots for 100 endpoints are 655.37 for each.
TEST(Maglev, KeepsAHundredEndpointsWithinOnePercent) {
  constexpr double fair = 65'537 / 100.0;
  for (const uint32_t slots : slots_of_each(MaglevTable(endpoints(100), 65'537))) {
    EXPECT_NEAR(slots, fair, 0.01 * fair);
  }
}

// The same in hashes: what chance adds to a million keys is about 1 % of 10,000 for one standard deviation, so what the
// table itself adds cannot be seen. 99 degrees of freedom: 148 is exceeded once in a thousand seeds.
TEST(Maglev, SendsAHundredEndpointsTheirShareOfHashes) {
  constexpr int draws = 1'000'000;
  const MaglevTable table(endpoints(100), 65'537);
  std::vector<double> counts(100, 0);
  for (uint64_t i = 0; i < draws; ++i) ++counts[table.lookup(mix64(i, 35))];
  double chi_squared = 0;
  for (const double count : counts) chi_squared += (count - 10'000) * (count - 10'000) / 10'000;
  EXPECT_LT(chi_squared, 148);
}

// One part of 1,001 parts is 65.47 slots, so it gets 65 and the other one the rest; among more endpoints each has its
// share of slots rounded up or down, whatever the weights beside it.
TEST(Maglev, GivesWeightsOneToAThousandTheirSlotsExactly) {
  auto two = endpoints(2);
  two[1].weight = 1000;
  EXPECT_EQ(slots_of_each(MaglevTable(two, 65'537)), (std::vector<uint32_t>{65, 65'472}));

  auto many = endpoints(100);
  std::vector<uint32_t> weights;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < 100; ++i) {
    many[i].weight = i % 10 == 9 ? 1000 : 1 + i;
    weights.push_back(many[i].weight);
    sum += many[i].weight;
  }
  const auto slots = slots_of_each(MaglevTable(many, 65'537));
  for (uint32_t i = 0; i < 100; ++i) {
    const uint64_t exact = uint64_t{65'537} * weights[i];
    EXPECT_GE(slots[i], exact / sum) << i;
    EXPECT_LE(slots[i], (exact + sum - 1) / sum) << i;
  }
}

TEST(Maglev, FollowsWeightsExactly) {
  // 1,000 + 9 * 1 parts of 65,537 slots: 64.95 for one, 64,952.4 for a thousand.
  auto some = endpoints(10);
  some[4].weight = 1000;
  const auto slots = slots_of_each(MaglevTable(some, 65'537));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const double exact = 65'537.0 * some[i].weight / 1009;
    EXPECT_NEAR(slots[i], exact, 1.0) << i;
  }
  EXPECT_EQ(slots[4], 64'952U);
}

TEST(Maglev, GivesNothingForWeightZero) {
  auto some = endpoints(10);
  some[0].weight = 0;
  some[9].weight = 0;
  const auto slots = slots_of_each(MaglevTable(some, 1009));
  EXPECT_EQ(slots[0], 0U);
  EXPECT_EQ(slots[9], 0U);
  EXPECT_GE(*std::min_element(slots.begin() + 1, slots.begin() + 9), 126U);
}

TEST(Maglev, AnswersNoneWithoutEndpoints) {
  EXPECT_EQ(MaglevTable({}, 13).lookup(~uint64_t{0}), MaglevTable::none);
  EXPECT_EQ(MaglevTable(endpoints(3, 0), 13).lookup(0), MaglevTable::none);
}

TEST(Maglev, GivesOneSlotEachWhenThereAreMoreEndpointsThanSlots) {
  const auto slots = slots_of_each(MaglevTable(endpoints(50), 13));
  EXPECT_EQ(std::count(slots.begin(), slots.end(), 1U), 13);
  EXPECT_EQ(std::count(slots.begin(), slots.end(), 0U), 37);
}

TEST(Maglev, DoesNotDependOnTheOrderOfEndpoints) {
  std::mt19937_64 random(32);
  auto some = endpoints(200);
  for (auto& endpoint : some) endpoint.weight = static_cast<uint32_t>(random() % 8);
  const auto expected = identities(MaglevTable(some, 4099));
  for (int round = 0; round < 10; ++round) {
    std::shuffle(some.begin(), some.end(), random);
    EXPECT_EQ(identities(MaglevTable(some, 4099)), expected);
  }
}

TEST(Maglev, DependsOnRatiosOfWeightsOnly) {
  auto few = endpoints(50);
  auto many = endpoints(50);
  for (uint32_t i = 0; i < 50; ++i) {
    few[i].weight = 1 + i % 5;
    many[i].weight = (1 + i % 5) * 800'000'000;
  }
  EXPECT_EQ(identities(MaglevTable(few, 4099)), identities(MaglevTable(many, 4099)));
}

TEST(Maglev, SendsEachEndpointItsShareOfHashes) {
  constexpr int draws = 100'000;
  const MaglevTable table(endpoints(10), 65'537);
  std::vector<int> counts(10, 0);
  for (uint64_t i = 0; i < draws; ++i) ++counts[table.lookup(mix64(i, 33))];
  // 10,000 each, with a standard deviation of 95.
  for (int count : counts) EXPECT_NEAR(count, draws / 10.0, 400);
}

TEST(Maglev, LooksUpWhatTheSlotOfTheHashHolds) {
  const MaglevTable table(endpoints(10), 251);
  std::map<uint32_t, uint32_t> owners;
  for (uint64_t i = 0; i < 10'000; ++i) {
    const uint64_t hash = mix64(i, 34);
    const uint32_t slot = reduce(hash, 251);
    ASSERT_EQ(table.lookup(hash), table.owner(slot));
    owners[slot] = table.lookup(hash);
  }
  EXPECT_EQ(owners.size(), 251U);
}

TEST(Maglev, WidensItsNumbersForVeryManyEndpoints) {
  for (uint32_t count : {65'534U, 65'535U, 65'536U, 65'537U, 70'000U}) {
    const auto slots = slots_of_each(MaglevTable(endpoints(count), 655'373));
    const uint32_t least = 655'373 / count;
    EXPECT_GE(*std::min_element(slots.begin(), slots.end()), least) << count;
  }
}

TEST(Maglev, RefusesASizeThatIsNotPrime) {
  EXPECT_THROW(MaglevTable(endpoints(3), 65'536), std::invalid_argument);
  EXPECT_THROW(MaglevTable(endpoints(3), 1), std::invalid_argument);
  EXPECT_THROW(MaglevTable(endpoints(3), 0), std::invalid_argument);
}

}  // namespace
}  // namespace weir::hashing
