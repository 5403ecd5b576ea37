#include "core/model/word_sets.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

TEST(WordSets, RoundsItsSizeUp) {
  for (const auto& [entries, count] :
       {std::pair{0U, 1024U}, {1U, 1024U}, {1024U, 1024U}, {1025U, 2048U}, {1'000'000U, 1'048'576U}}) {
    const WordSets sets(entries, 1);
    EXPECT_EQ(sets.count(), count);
    EXPECT_EQ(sets.sets() * WordSets::ways, count);
  }
}

TEST(WordSets, ASetIsOneCacheLineOfNothing) {
  static_assert(sizeof(WordSets::Set) == 64);
  WordSets sets(0, 1);
  for (uint32_t index = 0; index < sets.sets(); ++index) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(&sets.set(index)) % 64, 0U);
    for (const auto& word : sets.set(index).words) EXPECT_EQ(word.load(), 0U);
  }
}

// Keys that count, differ in their highest bits only, or are at random: with a mean of four keys a set, few have more
// than twice as many (2 % by Poisson), and hashes are as different as keys.
TEST(WordSets, SpreadsKeys) {
  const WordSets sets(65'536, 1);
  Random random(4);
  std::vector<std::vector<uint64_t>> families(3);
  for (uint64_t i = 0; i < sets.count() / 2; ++i) {
    families[0].push_back(random.next());
    families[1].push_back(i);
    families[2].push_back(i << 48);
  }
  for (const std::vector<uint64_t>& keys : families) {
    std::set<uint64_t> hashes;
    std::vector<uint32_t> load(sets.sets());
    for (const uint64_t key : keys) {
      hashes.insert(sets.hash(key));
      ++load[sets.set_index(sets.hash(key))];
    }
    EXPECT_EQ(hashes.size(), std::set<uint64_t>(keys.begin(), keys.end()).size());
    uint32_t crowded = 0;
    for (const uint32_t keys_of_set : load) crowded += keys_of_set > WordSets::ways ? 1U : 0U;
    EXPECT_LT(crowded, load.size() * 3 / 100) << "second key " << keys[1];
  }
}

// Who has found keys that meet in one set has found nothing about another seed.
TEST(WordSets, WhichKeysMeetDependsOnTheSeed) {
  const WordSets one(0, 1);
  const WordSets other(0, 2);
  std::set<uint32_t> elsewhere;
  int found = 0;
  for (uint64_t key = 0; found < 64; ++key) {
    if (one.set_index(one.hash(key)) != 7) continue;
    ++found;
    elsewhere.insert(other.set_index(other.hash(key)));
  }
  EXPECT_GT(elsewhere.size(), 40U);
}

}  // namespace
}  // namespace weir
