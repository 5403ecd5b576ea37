#include "net/http/authority.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::http {
namespace {

// The fixtures of http1 say what is refused; here is what becomes of the rest, and the sizes that just do not fit.
TEST(Authority, IsTakenApart) {
  const struct {
    std::string_view text, host;
    bool has_port;
    uint16_t port;
  } rows[] = {
      {"a", "a", false, 0},
      {"a.example:", "a.example", false, 0},
      {"a.example:0", "a.example", true, 0},
      {"a.example:00080", "a.example", true, 80},
      {"a.example:65535", "a.example", true, 65535},
      {"%41b%7e", "%41b%7e", false, 0},
      {"[::]", "[::]", false, 0},
      {"[::1]:8080", "[::1]", true, 8080},
      {"[::ffff:192.0.2.1]:", "[::ffff:192.0.2.1]", false, 0},
      {"[1111:2222:3333:4444:5555:6666:255.255.255.255]:1", "[1111:2222:3333:4444:5555:6666:255.255.255.255]", true, 1},
  };
  for (const auto& row : rows) {
    Authority authority{.host = "before", .has_port = true, .port = 1};
    EXPECT_TRUE(parse_authority(row.text, authority)) << row.text;
    EXPECT_EQ(authority.host, row.host);
    EXPECT_EQ(authority.has_port, row.has_port) << row.text;
    EXPECT_EQ(authority.port, row.port) << row.text;
    EXPECT_EQ(authority.port_or(7), row.has_port ? row.port : 7) << row.text;
  }
}

TEST(Authority, IsNothingElse) {
  for (const std::string_view text : {"",         ":",         ":80",
                                      "a:b",      "a:65536",   "a:99999",
                                      "a:000001", "a:-1",      "a:1 ",
                                      "a b",      " a",        "a,b",
                                      "a/b",      "a@b",       "a?",
                                      "a#",       "a\\b",      "a\"",
                                      "a<",       "%",         "%4",
                                      "%4g",      "%%41",      "a%4",
                                      "[",        "]",         "[]",
                                      "[:]",      "[::",       "[::g]",
                                      "[::1]a",   "[::1]:a",   "[::1]::1",
                                      "a[::1]",   "[[::1]]",   "::1",
                                      "[::%25a]", "[1.2.3.4]", "[11111:2222:3333:4444:5555:6666:255.255.255.255]",
                                      "\x80"}) {
    Authority authority;
    EXPECT_FALSE(parse_authority(text, authority)) << text;
  }
}

}  // namespace
}  // namespace weir::http
