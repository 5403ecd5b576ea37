#include "net/proxy/first_word.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(FirstWord, IsNobodysAtFirst) {
  EXPECT_FALSE(FirstWord{}.is_the_clients());
}

TEST(FirstWord, IsTrustedOnlyAfterEnoughInARow) {
  FirstWord word;
  for (int i = 1; i < FirstWord::trusted_after; ++i) {
    word.client_spoke();
    EXPECT_FALSE(word.is_the_clients()) << i;
  }
  word.client_spoke();
  EXPECT_TRUE(word.is_the_clients());
  for (int i = 0; i < 1000; ++i) word.client_spoke();  // the count does not wrap
  EXPECT_TRUE(word.is_the_clients());
}

TEST(FirstWord, IsGivenUpForGoodWhenAnOriginSpeaksFirst) {
  FirstWord word;
  for (int i = 0; i < 100; ++i) word.client_spoke();
  word.origin_spoke();
  EXPECT_FALSE(word.is_the_clients());
  for (int i = 0; i < 100; ++i) word.client_spoke();
  EXPECT_FALSE(word.is_the_clients());
}

}  // namespace
}  // namespace weir
