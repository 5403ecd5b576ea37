#include "net/http/cookie.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/random.h"

namespace weir::http {
namespace {

TEST(Cookie, IsFoundByItsExactName) {
  struct Case {
    const char* cookies;
    const char* name;
    std::optional<std::string_view> value;
  };
  const Case cases[] = {
      {"sid=1", "sid", "1"},
      {"a=1; sid=2; b=3", "sid", "2"},
      {"a=1;sid=2;b=3", "sid", "2"},
      {"a=1;\t sid=2 \t; b=3", "sid", "2"},
      {"sid=", "sid", ""},
      {"sid=a=b==", "sid", "a=b=="},
      {"sid=\"x y\"; b=2", "sid", "\"x y\""},
      {"sid=first; sid=second", "sid", "first"},
      {"", "sid", std::nullopt},
      {"sid", "sid", std::nullopt},
      {"SID=1; Sid=2", "sid", std::nullopt},
      {"xsid=1; sidx=2; si=3; x sid=4", "sid", std::nullopt},
      {"sid =1", "sid", std::nullopt},
      {"a=sid=1", "sid", std::nullopt},
      {"a=\"1; sid=2\"", "sid", "2\""},  // a semicolon ends a value, in quotes too
      {";;; ;sid=1;;", "sid", "1"},
      {"=1; sid=2", "sid", "2"},
  };
  for (const Case& c : cases) EXPECT_EQ(find_cookie(c.cookies, c.name), c.value) << c.cookies;
}

std::string without(std::string_view cookies, std::string_view name) {
  std::string out(cookies.size(), '?');
  out.resize(remove_cookie(cookies, name, out));
  // In place it must come to the same.
  std::string same{cookies};
  same.resize(remove_cookie(same, name, same));
  EXPECT_EQ(same, out) << cookies;
  return out;
}

TEST(Cookie, IsRemovedAndTheRestStays) {
  struct Case {
    const char* cookies;
    const char* rest;
  };
  const Case cases[] = {
      {"sid=1", ""},
      {"sid=1; a=2", "a=2"},
      {"a=1; sid=2", "a=1"},
      {"a=1; sid=2; b=3", "a=1; b=3"},
      {"a=1;sid=2;b=3", "a=1;b=3"},
      {"a=1;  sid=2 ;\tb=3", "a=1;\tb=3"},
      {"sid=1; sid=2", ""},
      {"sid=1; a=2; sid=3; b=4; sid=5", "a=2; b=4"},
      {"sid=\"x\"; b=\"y z\"", "b=\"y z\""},
      {"a=1; b=2", "a=1; b=2"},
      {"a=1;b=2", "a=1;b=2"},
      {"sid; SID=2; sidx=3", "sid; SID=2; sidx=3"},
      {"sid=1; ", ""},
      {" ; sid=1", ""},
      {"", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(without(c.cookies, "sid"), c.rest) << c.cookies;
}

// Whatever the bytes: what is removed is not found again, everything else is found as before.
TEST(Cookie, RemovingOneLeavesTheOthersFindable) {
  Random random(17);
  const std::string_view alphabet = "ab=; \t\"";
  const std::vector<std::string> names{"a", "b", "aa", "ab", "ba"};
  for (int round = 0; round < 50'000; ++round) {
    std::string cookies;
    for (uint64_t length = random.below(24); length > 0; --length) cookies += alphabet[random.below(alphabet.size())];
    const std::string rest = without(cookies, "a");
    ASSERT_LE(rest.size(), cookies.size());
    ASSERT_EQ(find_cookie(rest, "a"), std::nullopt) << cookies;
    for (const std::string& name : names) {
      if (name == "a") continue;
      ASSERT_EQ(find_cookie(rest, name), find_cookie(cookies, name)) << cookies;
    }
  }
}

TEST(Cookie, OfSetCookieIsThePairBeforeTheAttributes) {
  struct Case {
    const char* text;
    std::optional<CookiePair> pair;
  };
  const Case cases[] = {
      {"sid=38afes", CookiePair{"sid", "38afes"}},
      {"sid=38afes; Path=/; HttpOnly", CookiePair{"sid", "38afes"}},
      {" sid = 38afes ; Path=/", CookiePair{"sid", "38afes"}},
      {"sid=\"a b\";Path=/", CookiePair{"sid", "\"a b\""}},
      {"sid=a=b", CookiePair{"sid", "a=b"}},
      {"sid=; Max-Age=0", CookiePair{"sid", ""}},
      {"sid; Path=/", std::nullopt},
      {"=value", std::nullopt},
      {" =value", std::nullopt},
      {"; sid=1", std::nullopt},
      {"", std::nullopt},
  };
  for (const Case& c : cases) EXPECT_EQ(read_set_cookie(c.text), c.pair) << c.text;
}

}  // namespace
}  // namespace weir::http
