#include "core/routing/host_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::routing {
namespace {

using Kind = HostPattern::Kind;

TEST(HostPattern, Parses) {
  struct Row {
    const char* text;
    Kind kind;
    const char* name;
  };
  for (const Row& row : std::vector<Row>{
           {"*", Kind::any, ""},
           {"example.com", Kind::exact, "example.com"},
           {"Example.COM.", Kind::exact, "example.com"},
           {"*.Example.com", Kind::wildcard, "example.com"},
           {"*.example.com.", Kind::wildcard, "example.com"},
           {"*.com", Kind::wildcard, "com"},
           {"[2001:DB8::1]", Kind::exact, "[2001:db8::1]"},
           {"10.0.0.1", Kind::exact, "10.0.0.1"},
           {"*example.com", Kind::exact, "*example.com"},
       }) {
    const HostPattern pattern = HostPattern::parse(row.text);
    EXPECT_EQ(pattern.kind, row.kind) << row.text;
    EXPECT_EQ(pattern.name, row.name) << row.text;
  }
}

// The patterns that take a host, in order.
std::vector<std::string> takers(const std::vector<std::string>& patterns, std::string_view host) {
  std::vector<HostPattern> parsed;
  for (const std::string& pattern : patterns) parsed.push_back(HostPattern::parse(pattern));
  std::vector<std::string> result;
  EXPECT_FALSE(HostTable(parsed).visit(host, [&](uint32_t index) {
    result.push_back(patterns[index]);
    return false;
  }));
  return result;
}

TEST(HostTable, GoesFromTheMostToTheLeastSpecific) {
  const std::vector<std::string> all = {
      "*", "*.com", "*.example.com", "*.b.example.com", "a.b.example.com", "com", "example.com", "x", "*.x"};
  using Names = std::vector<std::string>;
  struct Row {
    const char* host;
    Names expected;
  };
  for (const Row& row : std::vector<Row>{
           {"a.b.example.com", {"a.b.example.com", "*.b.example.com", "*.example.com", "*.com", "*"}},
           {"a.b.example.com.", {"a.b.example.com", "*.b.example.com", "*.example.com", "*.com", "*"}},
           {"z.b.example.com", {"*.b.example.com", "*.example.com", "*.com", "*"}},
           {"y.z.b.example.com", {"*.b.example.com", "*.example.com", "*.com", "*"}},
           {"b.example.com", {"*.example.com", "*.com", "*"}},  // not below itself
           {"example.com", {"example.com", "*.com", "*"}},
           {"badexample.com", {"*.com", "*"}},
           {"com", {"com", "*"}},
           {"com.", {"com", "*"}},
           {"com..", {"*"}},
           {".com", {"*"}},  // nothing is before the dot
           {"..com", {"*.com", "*"}},
           {"x", {"x", "*"}},
           {"a.x", {"*.x", "*"}},
           {"ax", {"*"}},
           {"", {"*"}},
           {".", {"*"}},
           {"*.com", {"*.com", "*"}},  // somebody may send that
       }) {
    EXPECT_EQ(takers(all, row.host), row.expected) << row.host;
  }
  EXPECT_EQ(takers({"example.com"}, "example.org"), Names{});
  EXPECT_EQ(takers({}, "example.org"), Names{});
}

TEST(HostTable, StopsWhereItIsToldTo) {
  std::vector<HostPattern> patterns;
  for (const char* text : {"*", "*.com", "*.example.com", "a.example.com"})
    patterns.push_back(HostPattern::parse(text));
  const HostTable table(patterns);
  for (uint32_t stop = 0; stop < 4; ++stop) {
    std::vector<uint32_t> seen;
    EXPECT_TRUE(table.visit("a.example.com", [&](uint32_t index) {
      seen.push_back(index);
      return index == stop;
    }));
    EXPECT_EQ(seen.back(), stop);
    EXPECT_EQ(seen.size(), 4U - stop);
  }
}

// Longer than any name of the DNS: configured names are long where LengthSet is no longer exact.
TEST(HostTable, TakesLongHosts) {
  const std::string label(63, 'l');
  const std::string name = label + "." + label + "." + label;
  EXPECT_EQ(takers({"*." + name, "*." + label}, "a." + name), (std::vector<std::string>{"*." + name, "*." + label}));
  std::string dots;
  for (int i = 0; i < 7000; ++i) dots += "a.";
  EXPECT_EQ(takers({"*." + name, "*.a"}, dots + "a"), std::vector<std::string>{"*.a"});
}

}  // namespace
}  // namespace weir::routing
