#include "core/routing/conditions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/routing/query.h"
#include "tests/unit/core/routing/test_facts.h"

namespace weir::routing {
namespace {

using Kind = ValueMatch::Kind;

bool hold(const RouteMatch& match, const RouteFacts& facts) {
  ExpressionPool expressions;
  return Conditions(match, expressions).hold(facts);
}

// The same rows for headers, cookies and parameters: `values` are those of the name, one after the other.
struct ValueRow {
  Kind kind;
  const char* wanted;
  std::vector<std::string> values;
  bool met;
};

const std::vector<ValueRow> value_rows = {
    {Kind::present, "", {}, false},        {Kind::present, "", {""}, true},
    {Kind::present, "", {"x"}, true},      {Kind::exact, "yes", {}, false},
    {Kind::exact, "yes", {"yes"}, true},   {Kind::exact, "yes", {"Yes"}, false},
    {Kind::exact, "yes", {"yes!"}, false}, {Kind::exact, "yes", {"ye"}, false},
    {Kind::exact, "", {""}, true},         {Kind::exact, "", {"x"}, false},
    {Kind::prefix, "yes", {"yes"}, true},  {Kind::prefix, "yes", {"yes!"}, true},
    {Kind::prefix, "yes", {"ye"}, false},  {Kind::prefix, "yes", {"!yes"}, false},
    {Kind::regex, "^y.s$", {"yes"}, true}, {Kind::regex, "^y.s$", {"yes!"}, false},
    {Kind::regex, "e", {"yes"}, true},     {Kind::regex, "e", {}, false},
};

TEST(Conditions, OnValues) {
  for (ValueRow row : value_rows) {
    TestFacts facts;
    std::string query = "other=yes";
    for (const std::string& value : row.values) {
      facts.headers = {{"x-other", "yes"}, {"x-name", value}};
      facts.cookies = {{"other", "yes"}, {"name", value}};
      query += "&name=" + value;
    }
    facts.query = query;
    for (const bool negated : {false, true}) {
      const std::string label = std::string{row.wanted} + (negated ? " negated" : "");
      RouteMatch on_header;
      on_header.headers = {{.name = "X-Name", .kind = row.kind, .value = row.wanted, .negated = negated}};
      EXPECT_EQ(hold(on_header, facts), row.met != negated) << "header " << label;
      RouteMatch on_cookie;
      on_cookie.cookies = {{.name = "name", .kind = row.kind, .value = row.wanted, .negated = negated}};
      EXPECT_EQ(hold(on_cookie, facts), row.met != negated) << "cookie " << label;
      RouteMatch on_query;
      on_query.query = {{.name = "name", .kind = row.kind, .value = row.wanted, .negated = negated}};
      EXPECT_EQ(hold(on_query, facts), row.met != negated) << "query " << label;
    }
  }
}

// Any of several fields will do; to be negated, none may.
TEST(Conditions, OnSeveralValuesOfOneName) {
  TestFacts facts;
  facts.headers = {{"x-name", "no"}, {"x-name", "yes"}, {"x-name", "maybe"}};
  facts.query = "name=no&name=yes&name=maybe";
  for (const bool negated : {false, true}) {
    for (const auto& [wanted, met] : {std::pair{"yes", true}, {"no", true}, {"never", false}}) {
      RouteMatch on_header;
      on_header.headers = {{.name = "x-name", .kind = Kind::exact, .value = wanted, .negated = negated}};
      EXPECT_EQ(hold(on_header, facts), met != negated) << wanted;
      RouteMatch on_query;
      on_query.query = {{.name = "name", .kind = Kind::exact, .value = wanted, .negated = negated}};
      EXPECT_EQ(hold(on_query, facts), met != negated) << wanted;
    }
  }
}

TEST(Conditions, NamesOfHeadersHaveNoCaseAndOthersHave) {
  TestFacts facts;
  facts.headers = {{"x-name", ""}};
  facts.cookies = {{"name", ""}};
  facts.query = "name=";
  RouteMatch match;
  match.headers = {{.name = "X-NAME"}};
  match.cookies = {{.name = "name"}};
  match.query = {{.name = "name"}};
  EXPECT_TRUE(hold(match, facts));
  match.cookies[0].name = "Name";
  EXPECT_FALSE(hold(match, facts));
  match.cookies[0].name = "name";
  match.query[0].name = "Name";
  EXPECT_FALSE(hold(match, facts));
}

TEST(Conditions, ParametersAreDecodedAndBounded) {
  const auto holds = [](Kind kind, const std::string& wanted, const std::string& query) {
    RouteMatch match;
    match.query = {{.name = "a b", .kind = kind, .value = wanted}};
    TestFacts facts;
    facts.query = query;
    return hold(match, facts);
  };
  EXPECT_TRUE(holds(Kind::exact, "x&y", "a+b=x%26y"));
  EXPECT_TRUE(holds(Kind::exact, "x&y", "a%20%62=x%26%79"));
  EXPECT_FALSE(holds(Kind::exact, "x%26y", "a+b=x%26y"));

  const std::string most(parameter_bytes_max, 'x');
  EXPECT_TRUE(holds(Kind::exact, most, "a+b=" + most));
  EXPECT_FALSE(holds(Kind::exact, most + "x", "a+b=" + most + "x"));
  EXPECT_FALSE(holds(Kind::exact, most, "a+b=" + most + "x"));
  EXPECT_FALSE(holds(Kind::exact, most, "a+b=" + most + "%78"));
  EXPECT_TRUE(holds(Kind::prefix, most, "a+b=" + most + "x"));
  EXPECT_TRUE(holds(Kind::present, "", "a+b=" + most + "x"));
  EXPECT_TRUE(holds(Kind::regex, "y", "a+b=" + most.substr(1) + "y"));
  EXPECT_FALSE(holds(Kind::regex, "y", "a+b=" + most + "y"));
}

TEST(Conditions, OnMethodsByTheLetter) {
  RouteMatch match;
  match.methods = {"GET", "HEAD"};
  TestFacts facts;
  for (const auto& [method, holds] :
       {std::pair{"GET", true}, {"HEAD", true}, {"POST", false}, {"get", false}, {"GE", false}, {"", false}}) {
    facts.method = method;
    EXPECT_EQ(hold(match, facts), holds) << method;
  }
}

TEST(Conditions, OnClients) {
  RouteMatch match;
  match.clients.blocks = {Cidr::parse("10.0.0.0/8").value(), Cidr::parse("2001:db8::/32").value()};
  TestFacts facts;
  for (const auto& [address, holds] :
       {std::pair{"10.1.2.3:1", true}, {"11.1.2.3:1", false}, {"[2001:db8::1]:1", true}, {"[::1]:1", false}}) {
    const PeerAddress client = peer_of(address);
    facts.client = &client;
    EXPECT_EQ(hold(match, facts), holds) << address;
  }
  const PeerAddress local = peer_of("unix:/x");
  facts.client = &local;
  EXPECT_FALSE(hold(match, facts));
  match.clients.local = true;
  EXPECT_TRUE(hold(match, facts));
  facts.client = nullptr;  // nobody knows
  EXPECT_FALSE(hold(match, facts));
}

TEST(Conditions, AllMustHold) {
  const PeerAddress client = peer_of("10.0.0.1:1");
  TestFacts facts;
  facts.client = &client;
  facts.headers = {{"h", "1"}, {"i", "1"}};
  facts.cookies = {{"c", "1"}};
  facts.query = "q=1";
  RouteMatch match;
  match.methods = {"GET"};
  match.clients.blocks = {Cidr::parse("10.0.0.1").value()};
  match.headers = {{.name = "h"}, {.name = "i"}};
  match.cookies = {{.name = "c"}};
  match.query = {{.name = "q"}};
  EXPECT_TRUE(hold(match, facts));

  const auto fails_with = [&](auto change) {
    RouteMatch other = match;
    change(other);
    return !hold(other, facts);
  };
  EXPECT_TRUE(fails_with([](RouteMatch& other) { other.methods = {"PUT"}; }));
  EXPECT_TRUE(fails_with([](RouteMatch& other) { other.clients.blocks = {Cidr::parse("10.0.0.2").value()}; }));
  EXPECT_TRUE(fails_with([](RouteMatch& other) { other.headers[0].negated = true; }));
  EXPECT_TRUE(fails_with([](RouteMatch& other) { other.headers[1].negated = true; }));
  EXPECT_TRUE(fails_with([](RouteMatch& other) { other.cookies[0].negated = true; }));
  EXPECT_TRUE(fails_with([](RouteMatch& other) { other.query[0].negated = true; }));
}

TEST(Conditions, EmptyOnesHoldAlways) {
  ExpressionPool expressions;
  RouteMatch match;
  match.hosts = {"example.com"};
  match.path = "/x";
  EXPECT_TRUE(Conditions(match, expressions).empty());
  EXPECT_TRUE(hold(match, TestFacts()));
  match.clients.everybody = true;
  EXPECT_FALSE(Conditions(match, expressions).empty());
}

}  // namespace
}  // namespace weir::routing
