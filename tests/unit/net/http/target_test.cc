#include "net/http/target.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace weir::http {
namespace {

TEST(LowerHost, ChangesAsciiLettersOnly) {
  std::array<char, 64> room{};
  EXPECT_EQ(lower_host("WWW.Example.ORG", room), "www.example.org");
  EXPECT_EQ(lower_host("[2001:DB8::A]", room), "[2001:db8::a]");
  EXPECT_EQ(lower_host("", room), "");
  for (int c = 0; c < 256; ++c) {
    const char expected = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    const std::string host{static_cast<char>(c)};
    EXPECT_EQ(lower_host(host, room), std::string{expected}) << c;
  }
}

TEST(LowerHost, IsNothingWithoutRoom) {
  std::array<char, 4> room{'.', '.', '.', '.'};
  EXPECT_EQ(lower_host("ABCD", room), "abcd");
  EXPECT_EQ(lower_host("ABCDE", room), "");
  EXPECT_EQ(std::string_view(room.data(), room.size()), "abcd");
}

}  // namespace
}  // namespace weir::http
