#include "net/proxy/request_context.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/unit/net/proxy/http_room.h"

namespace weir {
namespace {

TEST(WriteAddress, AsPeopleWriteThem) {
  std::array<char, 64> out;
  for (const std::string_view text :
       {"0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "2001:db8:1:2:3:4:5:6", "fe80::1"}) {
    EXPECT_EQ(write_address(peer(text), out), text);
  }
  EXPECT_EQ(write_address(PeerAddress{}, out), "");
  PeerAddress local;
  local.family = PeerAddress::Family::local;
  EXPECT_EQ(write_address(local, out), "");
}

class RequestContextTest : public testing::Test {
 protected:
  // The context of a request from `from`, which lives until the next.
  RequestContext& context(std::string_view from, std::string_view text) {
    from_ = peer(from);
    room_.http.scratch.clear();
    room_.parse(text);
    context_.reset();
    return context_.emplace(room_.http, room_.listener, room_.http.request, from_);
  }

  HttpRoom room_;
  PeerAddress from_;
  std::optional<RequestContext> context_;
};

TEST_F(RequestContextTest, FactsOfAPlainRequest) {
  const RequestContext& plain = context("192.0.2.1", "GET /a/b?x=1&y HTTP/1.1\r\nHost: Example.COM:8080\r\n\r\n");
  EXPECT_EQ(plain.method, "GET");
  EXPECT_EQ(plain.host, "example.com");
  EXPECT_EQ(plain.path, "/a/b");
  EXPECT_EQ(plain.query, "x=1&y");
  EXPECT_FALSE(plain.trusted);
  EXPECT_EQ(*plain.client, from_);
  EXPECT_EQ(plain.facts.scheme, "http");
  EXPECT_EQ(plain.facts.authority, "Example.COM:8080");
  EXPECT_EQ(plain.facts.client_ip, "192.0.2.1");
  EXPECT_TRUE(plain.facts.has_query);
  EXPECT_EQ(plain.facts.request_id.size(), http::request_id_size);
}

struct ClientCase {
  const char* what;
  const char* from;
  const char* fields;
  const char* client;
  const char* scheme = "http";
};

TEST_F(RequestContextTest, WhoTheClientIs) {
  room_.trust({"10.0.0.0/8", "2001:db8:ffff::/48"});
  const std::vector<ClientCase> cases{
      {"an untrusted peer is the client, whatever it says", "192.0.2.1",
       "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 2.2.2.2\r\n", "192.0.2.1"},
      {"a trusted one that says nothing", "10.0.0.1", "", "10.0.0.1"},
      {"a trusted one", "10.0.0.1", "X-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7"},
      {"the rightmost that is not trusted", "10.0.0.1", "X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.2.2.2\r\n",
       "198.51.100.7"},
      {"over several fields", "10.0.0.1", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 198.51.100.7, 10.1.1.1\r\n",
       "198.51.100.7"},
      {"all are trusted: the first of them", "10.0.0.1", "X-Forwarded-For: 10.0.0.9, 10.0.0.8\r\n", "10.0.0.9"},
      {"with a port", "10.0.0.1", "X-Forwarded-For: 198.51.100.7:4711\r\n", "198.51.100.7"},
      {"IPv6", "10.0.0.1", "X-Forwarded-For: 2001:db8::7, 2001:db8:ffff::1\r\n", "2001:db8::7"},
      {"IPv6 in brackets", "2001:db8:ffff::2", "X-Forwarded-For: \"[2001:db8::7]:80\"\r\n", "2001:db8::7"},
      {"what is no address ends it", "10.0.0.1", "X-Forwarded-For: 6.6.6.6, unknown, 10.1.1.1\r\n", "10.1.1.1"},
      {"nothing but that", "10.0.0.1", "X-Forwarded-For: unknown\r\n", "10.0.0.1"},
      {"https, as a trusted one says", "10.0.0.1", "X-Forwarded-Proto: HTTPS\r\n", "10.0.0.1", "https"},
      {"a scheme nobody knows", "10.0.0.1", "X-Forwarded-Proto: gopher\r\n", "10.0.0.1"},
  };
  for (const ClientCase& each : cases) {
    SCOPED_TRACE(each.what);
    const RequestContext& it = context(each.from, std::string{"GET / HTTP/1.1\r\nHost: a\r\n"} + each.fields + "\r\n");
    EXPECT_EQ(it.facts.client_ip, each.client);
    EXPECT_EQ(it.from, std::string_view{each.client} == each.from ? from_ : peer(each.client));
    EXPECT_EQ(it.facts.scheme, each.scheme);
    EXPECT_EQ(it.peer_ip, each.from) << "who is connected stays who it is";
  }
}

TEST_F(RequestContextTest, RequestIds) {
  const auto id_of = [&](std::string_view from, std::string_view given) {
    return std::string{context(from, "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: " + std::string{given} + "\r\n\r\n")
                           .facts.request_id};
  };
  room_.trust({"10.0.0.0/8"});
  EXPECT_EQ(id_of("10.0.0.1", "abc-123"), "abc-123") << "of a trusted peer it is kept";
  EXPECT_NE(id_of("192.0.2.1", "abc-123"), "abc-123") << "anybody else gets one";
  const std::string made = id_of("10.0.0.1", "a b");
  EXPECT_EQ(made.size(), http::request_id_size) << "what could mean something elsewhere is not kept";
  EXPECT_NE(id_of("10.0.0.1", "a b"), made) << "each has its own";
  room_.policy->forward.request_id = false;
  EXPECT_EQ(id_of("10.0.0.1", "abc-123"), "");
}

TEST_F(RequestContextTest, LooksIntoHeadersAndCookies) {
  const RequestContext& it = context("192.0.2.1",
                                     "GET / HTTP/1.1\r\nHost: a\r\nX-Tag: one\r\nx-tag: two\r\n"
                                     "Cookie: a=1; sid=x\r\nCookie: b=2\r\n\r\n");
  struct Collect final : RouteFacts::Visitor {
    bool operator()(std::string_view value) override {
      seen += std::string{value} + ";";
      return value == stop_at;
    }
    std::string seen;
    std::string stop_at;
  };
  Collect all;
  EXPECT_FALSE(it.any_header("x-tag", all));
  EXPECT_EQ(all.seen, "one;two;");
  Collect first;
  first.stop_at = "one";
  EXPECT_TRUE(it.any_header("x-tag", first));
  EXPECT_EQ(first.seen, "one;");
  std::string_view value;
  EXPECT_TRUE(it.cookie("sid", value));
  EXPECT_EQ(value, "x");
  EXPECT_TRUE(it.cookie("b", value));
  EXPECT_EQ(value, "2");
  EXPECT_FALSE(it.cookie("SID", value));
}

TEST_F(RequestContextTest, KeysOfARequest) {
  const RequestContext& it = context(
      "192.0.2.1", "GET /?a=1&user=x%20y&empty=&flag&user=z HTTP/1.1\r\nHost: a\r\nX-User: u\r\nCookie: sid=s\r\n\r\n");
  using Kind = KeySource::Kind;
  struct Row {
    Kind kind;
    const char* name;
    bool found;
    const char* value;
  };
  for (const Row& row :
       {Row{Kind::header, "x-user", true, "u"}, Row{Kind::header, "X-None", false, ""},
        Row{Kind::cookie, "sid", true, "s"}, Row{Kind::cookie, "none", false, ""},
        Row{Kind::query, "user", true, "x%20y"}, Row{Kind::query, "a", true, "1"}, Row{Kind::query, "empty", true, ""},
        Row{Kind::query, "flag", true, ""}, Row{Kind::query, "fla", false, ""}, Row{Kind::random, "", false, ""},
        Row{Kind::client_ip, "", false, ""}}) {
    std::string_view value;
    EXPECT_EQ(it.value_of({row.kind, row.name}, value), row.found) << row.name;
    EXPECT_EQ(value, row.value) << row.name;
  }
}

TEST_F(RequestContextTest, WithoutAHostItHasNone) {
  const RequestContext& it = context("192.0.2.1", "GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(it.host, "");
  EXPECT_EQ(it.facts.authority, "");
  EXPECT_FALSE(it.facts.has_query);
}

}  // namespace
}  // namespace weir
