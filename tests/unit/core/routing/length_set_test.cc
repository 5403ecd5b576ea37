#include "core/routing/length_set.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "core/base/random.h"

namespace weir::routing {
namespace {

std::vector<size_t> descended(const LengthSet& set, size_t most) {
  std::vector<size_t> lengths;
  EXPECT_FALSE(set.descend(most, [&](size_t length) {
    lengths.push_back(length);
    return false;
  }));
  return lengths;
}

TEST(LengthSet, DescendsThroughShortLengthsExactly) {
  LengthSet set;
  EXPECT_EQ(descended(set, 1000), std::vector<size_t>{});
  for (const size_t length : {0U, 1U, 7U, 62U, 63U}) set.insert(length);
  EXPECT_EQ(descended(set, 1000), (std::vector<size_t>{63, 62, 7, 1, 0}));
  EXPECT_EQ(descended(set, 63), (std::vector<size_t>{63, 62, 7, 1, 0}));
  EXPECT_EQ(descended(set, 62), (std::vector<size_t>{62, 7, 1, 0}));
  EXPECT_EQ(descended(set, 6), (std::vector<size_t>{1, 0}));
  EXPECT_EQ(descended(set, 0), (std::vector<size_t>{0}));
}

TEST(LengthSet, NamesFewLongLengthsThatDoNotExist) {
  LengthSet set;
  set.insert(64);
  set.insert(203);
  EXPECT_EQ(descended(set, 15'000), (std::vector<size_t>{203, 192, 139, 128, 75, 64}));
  EXPECT_EQ(descended(set, 138), (std::vector<size_t>{128, 75, 64}));
  EXPECT_EQ(descended(set, 63), std::vector<size_t>{});
}

TEST(LengthSet, StopsWhereItIsToldTo) {
  LengthSet set;
  for (const size_t length : {3U, 5U, 70U}) set.insert(length);
  for (const size_t stop : {3U, 5U, 70U}) {
    size_t last = 0;
    EXPECT_TRUE(set.descend(100, [&](size_t length) {
      last = length;
      return length == stop;
    }));
    EXPECT_EQ(last, stop);
  }
}

TEST(LengthSet, MissesNone) {
  Random random(11);
  for (int round = 0; round < 2000; ++round) {
    LengthSet set;
    std::set<size_t> model;
    for (uint64_t count = random.below(6); count > 0; --count) {
      const size_t length = random.below(random.below(2) == 0 ? 70 : 400);
      set.insert(length);
      model.insert(length);
    }
    const size_t most = random.below(450);
    const std::vector<size_t> lengths = descended(set, most);
    ASSERT_TRUE(std::is_sorted(lengths.rbegin(), lengths.rend()));
    const std::set<size_t> named(lengths.begin(), lengths.end());
    ASSERT_EQ(named.size(), lengths.size());
    for (const size_t length : model) ASSERT_EQ(named.contains(length), length <= most) << length << " of " << most;
    for (const size_t length : named) {
      ASSERT_LE(length, most);
      ASSERT_TRUE(length >= 64 || model.contains(length)) << length;
    }
  }
}

}  // namespace
}  // namespace weir::routing
