#include "core/routing/query.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace weir::routing {
namespace {

using namespace std::string_literals;

std::vector<std::string> values(std::string_view query, std::string_view name) {
  std::vector<std::string> result;
  EXPECT_FALSE(any_parameter(query, name, [&](DecodedText value) {
    EXPECT_TRUE(value.whole);
    result.emplace_back(value.text);
    return false;
  }));
  return result;
}

TEST(Query, FindsParametersByName) {
  using Values = std::vector<std::string>;
  struct Row {
    std::string query;
    std::string name;
    Values expected;
  };
  for (const Row& row : std::vector<Row>{
           {"", "a", {}},
           {"a", "a", {""}},
           {"a=", "a", {""}},
           {"a=1", "a", {"1"}},
           {"a=1&b=2&a=3", "a", {"1", "3"}},
           {"a=1&b=2&a=3", "b", {"2"}},
           {"aa=1&ba=2", "a", {}},
           {"A=1", "a", {}},
           {"a=1=2", "a", {"1=2"}},
           {"&&a=1&", "a", {"1"}},
           {"&=x&", "", {"", "x"}},  // the last ampersand has nothing behind it
           {"a;b=1", "a", {}},       // a semicolon is a character
           {"a=x+y%20z", "a", {"x y z"}},
           {"%61=%62%63", "a", {"bc"}},
           {"a%3Db=1", "a=b", {"1"}},
           {"a=1%262", "a", {"1&2"}},
           {"x+y=1", "x y", {"1"}},
           {"a=%4a%4A%Aa", "a", {"JJ\xaa"}},
           {"a=%00", "a", {"\0"s}},
           {"a=%", "a", {"%"}},
           {"a=%4", "a", {"%4"}},
           {"a=%4g%g4%%41", "a", {"%4g%g4%A"}},
           {"a=%2541", "a", {"%41"}},  // decoded once
           {"?a=1", "a", {}},
           {"?a=1", "?a", {"1"}},
       }) {
    EXPECT_EQ(values(row.query, row.name), row.expected) << row.query << " " << row.name;
  }
}

TEST(Query, StopsWhereItIsToldTo) {
  int asked = 0;
  EXPECT_TRUE(any_parameter("a=1&a=2&a=3", "a", [&](DecodedText value) {
    ++asked;
    return value.text == "2";
  }));
  EXPECT_EQ(asked, 2);
}

TEST(Query, CutsOffWhatIsTooLong) {
  const std::string most(parameter_bytes_max, 'x');
  for (const std::string& blank : {"x"s, "+"s, "%20"s}) {
    const std::string decoded_blank = blank == "x" ? "x" : " ";
    std::array<char, parameter_bytes_max> room{};
    const std::string raw = blank + most.substr(1);
    const std::string raw_too_long = blank + most;
    const DecodedText fits = decode_parameter(raw, room);
    EXPECT_TRUE(fits.whole) << blank;
    EXPECT_EQ(fits.text, decoded_blank + most.substr(1)) << blank;
    const DecodedText too_long = decode_parameter(raw_too_long, room);
    EXPECT_FALSE(too_long.whole) << blank;
    EXPECT_EQ(too_long.text, decoded_blank + most.substr(1)) << blank;
  }
  // A name that is cut off is nobody's name.
  EXPECT_EQ(values(most + "=1", most), std::vector<std::string>{"1"});
  EXPECT_EQ(values(most + "x=1", most), std::vector<std::string>{});
  EXPECT_EQ(values(most + "x=1", most + "x"), std::vector<std::string>{});
}

}  // namespace
}  // namespace weir::routing
