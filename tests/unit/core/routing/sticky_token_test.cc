#include "core/routing/sticky_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <set>
#include <string>

namespace weir::routing {
namespace {

using namespace std::string_literals;

constexpr const char* secret = "correct horse battery staple";

// Cookies outlive a weir: another value here would make every client lose its endpoint with an update.
TEST(StickyToken, StaysTheSameForever) {
  EXPECT_EQ(sticky_token(secret, "app", "10.0.0.1:80"), "s6hpEhGxtf9iJMkLC_wJTQ");
  EXPECT_EQ(sticky_token(secret, "app", "10.0.0.2:80"), "x31NZhsjabW3UCTIXP0ddw");
  EXPECT_EQ(sticky_token("", "", ""), "IkvvVoOeRCTUdbZzDw9vhg");
}

TEST(StickyToken, IsTwentyTwoCharactersThatACookieMayHold) {
  for (int i = 0; i < 1000; ++i) {
    const std::string token = sticky_token(secret, "app", std::to_string(i));
    ASSERT_EQ(token.size(), sticky_token_size);
    ASSERT_THAT(token, ::testing::MatchesRegex("[A-Za-z0-9_-]{22}"));
    // Two bits of the 128 are left for the last character.
    ASSERT_THAT("AQgw"s, ::testing::HasSubstr(token.substr(21)));
  }
}

TEST(StickyToken, DependsOnEverySingleThing) {
  std::set<std::string> tokens;
  size_t count = 0;
  const auto add = [&](const std::string& of_secret, const std::string& upstream, const std::string& endpoint) {
    tokens.insert(sticky_token(of_secret, upstream, endpoint));
    ++count;
  };
  for (const std::string& one : {secret + ""s, secret + "."s, "Correct horse battery staple"s, ""s, "\0"s, "\0\0"s}) {
    add(one, "app", "10.0.0.1:80");
    add(one, "app1", "0.0.0.1:80");  // the same bytes one after the other
    add(one, "ap", "p10.0.0.1:80");
    add(one, "", "app10.0.0.1:80");
    add(one, "app10.0.0.1:80", "");
    add(one, "app", "10.0.0.1:81");
  }
  EXPECT_EQ(tokens.size(), count);
}

// Its two halves come from two keys: were they the same, or one made of the other, 64 bits would be all there is.
TEST(StickyToken, HalvesAreStrangers) {
  const auto value_of = [](char c) {
    return std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_").find(c);
  };
  int different = 0;
  for (int i = 0; i < 256; ++i) {
    const std::string token = sticky_token(secret, "app", std::to_string(i));
    std::string bits;
    for (const char c : token) {
      for (int bit = 5; bit >= 0; --bit) bits.push_back((value_of(c) >> bit & 1) != 0 ? '1' : '0');
    }
    for (size_t bit = 0; bit < 64; ++bit) different += bits[bit] != bits[bit + 64] ? 1 : 0;
  }
  // 256 * 64 coins: 8,192 heads, with a standard deviation of 64.
  EXPECT_NEAR(different, 8192, 5 * 64);
}

}  // namespace
}  // namespace weir::routing
