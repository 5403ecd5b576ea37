#include "core/config/suggest.h"

#include <gtest/gtest.h>

#include <array>

namespace weir::config {
namespace {

constexpr std::array<std::string_view, 5> words{"balance", "endpoints", "tries", "timeouts", "max_connections"};

TEST(Suggest, DistanceCountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("abc", "abd"), 1U);
  EXPECT_EQ(edit_distance("abc", "ac"), 1U);
  EXPECT_EQ(edit_distance("abc", "abxc"), 1U);
  EXPECT_EQ(edit_distance("abc", "acb"), 1U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);  // no part is edited twice
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggest, FindsTheNearestWord) {
  EXPECT_EQ(suggest("blance", words), "balance");
  EXPECT_EQ(suggest("endpionts", words), "endpoints");
  EXPECT_EQ(suggest("Max-Connections", words), "max_connections");
  EXPECT_EQ(suggest("trys", words), std::nullopt);  // two of five letters are another word
  EXPECT_EQ(suggest("trie", words), "tries");
}

TEST(Suggest, SaysNothingRatherThanNonsense) {
  EXPECT_EQ(suggest("", words), std::nullopt);
  EXPECT_EQ(suggest("x", words), std::nullopt);
  EXPECT_EQ(suggest("frobnicate", words), std::nullopt);
  EXPECT_EQ(suggest(std::string(100'000, 'b'), words), std::nullopt);
  EXPECT_EQ(suggest("balance", {}), std::nullopt);
}

TEST(Suggest, ListsTheWordsWhereNoneIsNear) {
  EXPECT_EQ(did_you_mean("blance", words), "did you mean `balance`?");
  EXPECT_EQ(did_you_mean("zzz", std::span{words}.first(2)), "known here: `balance`, `endpoints`");
  EXPECT_EQ(did_you_mean("zzz", {}), "");
}

}  // namespace
}  // namespace weir::config
