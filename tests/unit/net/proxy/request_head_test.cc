#include "net/proxy/request_head.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/net/proxy/http_room.h"

namespace weir {
namespace {

class Prefixer final : public PathRewriter {
 public:
  explicit Prefixer(std::string prefix) : prefix_(std::move(prefix)) {}
  size_t rewrite(std::string_view path, char* out, size_t out_size) const noexcept override {
    if (prefix_.size() + path.size() > out_size) return out_size + 1;
    std::copy(prefix_.begin(), prefix_.end(), out);
    std::copy(path.begin(), path.end(), out + prefix_.size());
    return prefix_.size() + path.size();
  }

 private:
  std::string prefix_;
};

class RequestHeadTest : public testing::Test {
 protected:
  // Most say little of the client, so that what they are about is seen.
  RequestHeadTest() {
    ForwardPolicy& forward = room_.policy->forward;
    forward = {};
    forward.x_forwarded_for = forward.x_forwarded_proto = forward.x_forwarded_host = forward.x_real_ip = false;
    forward.request_id = false;
    forward.via = "";
  }

  // What goes up for `text`; "too long" where there is no room.
  std::string sent(std::string_view text, std::string_view from = "192.0.2.1") {
    room_.http.scratch.clear();
    room_.parse(text);
    const PeerAddress client = peer(from);
    RequestContext context{room_.http, room_.listener, room_.http.request, client};
    if (!id_.empty()) context.facts.request_id = id_;
    const uint32_t size = write_request_head(room_.http, context, route_, sticky_, out_);
    EXPECT_LE(size, out_.size());
    return size == 0 ? "too long" : std::string{reinterpret_cast<const char*>(out_.data()), size};
  }

  HttpRoom room_;
  Route route_;
  StickyPolicy sticky_;
  std::string id_;
  std::vector<std::byte> out_ = std::vector<std::byte>(Blocks::size_max);
};

struct Golden {
  const char* what;
  std::string given;
  std::string sent;
};

TEST_F(RequestHeadTest, WhatIsPassedOnAndWhatIsNot) {
  const std::vector<Golden> all{
      {"a plain one", "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nx-Case: Kept\r\n\r\n",
       "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nx-Case: Kept\r\n\r\n"},
      {"the order of fields, doubled ones too", "GET / HTTP/1.1\r\nB: 1\r\nHost: a\r\nA: 2\r\nB: 3\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\nB: 1\r\nA: 2\r\nB: 3\r\n\r\n"},
      {"what is for the next hop only",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine\r\nKeep-Alive: 5\r\nX-Mine: 1\r\n"
       "Proxy-Authorization: secret\r\nProxy-Connection: close\r\nX-Other: 2\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\nX-Other: 2\r\n\r\n"},
      {"what is for all cannot be nominated", "GET / HTTP/1.1\r\nHost: a\r\nConnection: cookie\r\nCookie: a=1\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\n\r\n"},
      {"a length", "POST / HTTP/1.1\r\nContent-Length: 5\r\nHost: a\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"},
      {"a length of nothing", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
      {"chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"an expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"},
      {"absolute-form becomes origin-form, and its host counts",
       "GET http://one.example:81/x?y HTTP/1.1\r\nHost: one.example:81\r\n\r\n",
       "GET /x?y HTTP/1.1\r\nHost: one.example:81\r\n\r\n"},
      {"absolute-form without a path", "GET http://one.example HTTP/1.1\r\nHost: one.example\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: one.example\r\n\r\n"},
      {"absolute-form without a path, with an empty query", "GET http://a? HTTP/1.1\r\nHost: a\r\n\r\n",
       "GET /? HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"authority-form", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
       "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"},
      {"HTTP/1.0 without a Host, which names whom it has connected to", "GET / HTTP/1.0\r\nX: 1\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: 192.0.2.80:8080\r\nX: 1\r\n\r\n"},
      {"an expectation in HTTP/1.0 counts for nothing",
       "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"},
      {"trailers are welcome", "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: te\r\nTE: trailers\r\n\r\n"},
      {"other codings are weir's own business", "GET / HTTP/1.1\r\nHost: a\r\nTE: gzip\r\nConnection: te\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"an upgrade",
       "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n",
       "GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"},
      {"an upgrade without h2c",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, HTTP2-Settings\r\nUpgrade: h2c, websocket ,H2C\r\n"
       "HTTP2-Settings: AAMA\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"},
      {"nothing but h2c is no upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"several Upgrade fields",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: a/1\r\nUpgrade: h2c\r\nUpgrade: b\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: a/1, b\r\nConnection: upgrade\r\n\r\n"},
      {"an upgrade with trailers",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, te\r\nUpgrade: x\r\nTE: trailers\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade, te\r\nTE: trailers\r\n\r\n"},
      {"an Upgrade that Connection does not name is none", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"Max-Forwards counts down for OPTIONS", "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 10\r\n\r\n",
       "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 9\r\n\r\n"},
      {"and not for others", "GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 10\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 10\r\n\r\n"},
      {"nor when it is malformed", "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: ten\r\n\r\n",
       "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: ten\r\n\r\n"},
  };
  for (const Golden& each : all) EXPECT_EQ(sent(each.given), each.sent) << each.what;
}

TEST_F(RequestHeadTest, WhetherItIsStillAnUpgradeIsKnownAfterwards) {
  sent("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n");
  EXPECT_FALSE(room_.http.request.upgrade);
  sent("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_TRUE(room_.http.request.upgrade);
}

class Forwarding : public RequestHeadTest {
 protected:
  Forwarding() {
    room_.policy->forward = {};
    id_ = "made";
  }
};

TEST_F(Forwarding, OriginsAreToldOfTheClient) {
  EXPECT_EQ(sent("GET / HTTP/1.1\r\nHost: a:80\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: a:80\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: a:80\r\nX-Real-IP: 192.0.2.1\r\nX-Request-Id: made\r\nVia: 1.1 weir\r\n\r\n");
}

TEST_F(Forwarding, WhatAnUntrustedPeerForgesIsGone) {
  room_.trust({"10.0.0.0/8"});
  const std::string plain = sent("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  for (const std::string name :
       {"X-Forwarded-For", "x-forwarded-for", "X_Forwarded_For", "X.Forwarded.For", "X-Forwarded-Proto",
        "X-Forwarded-Host", "X_FORWARDED_HOST", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Ssl",
        "X-Real-IP", "X_Real_IP", "X-Request-Id", "X_Request_Id", "Forwarded"}) {
    EXPECT_EQ(sent("GET / HTTP/1.1\r\nHost: a\r\n" + name + ": 6.6.6.6\r\n" + name + ": evil\r\n\r\n"), plain) << name;
  }
}

TEST_F(Forwarding, SwitchedOffItIsGoneAllTheSame) {
  ForwardPolicy& forward = room_.policy->forward;
  forward.x_forwarded_for = forward.x_forwarded_proto = forward.x_forwarded_host = forward.x_real_ip = false;
  forward.request_id = false;
  forward.via = "";
  id_ = "";
  EXPECT_EQ(sent("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\n"
                 "X-Forwarded-Proto: https\r\nX-Real-IP: 6.6.6.6\r\nX-Request-Id: x\r\nForwarded: for=6.6.6.6\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_F(Forwarding, ATrustedPeerIsContinued) {
  room_.trust({"10.0.0.0/8"});
  id_ = "";
  EXPECT_EQ(sent("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-For: 10.9.9.9\r\n"
                 "X-Forwarded-Proto: https\r\nX-Forwarded-Host: public.example\r\nX-Forwarded-Port: 443\r\n"
                 "X-Real-IP: 6.6.6.6\r\nX-Request-Id: theirs\r\nVia: 1.1 outer\r\n\r\n",
                 "10.0.0.1"),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: public.example\r\n"
            "X-Forwarded-Port: 443\r\nVia: 1.1 outer\r\nX-Forwarded-For: 198.51.100.7, 10.9.9.9, 10.0.0.1\r\n"
            "X-Real-IP: 198.51.100.7\r\nX-Request-Id: theirs\r\nVia: 1.1 weir\r\n\r\n");
}

TEST_F(Forwarding, SwitchedOffATrustedPeersOwnIsPassedOn) {
  room_.trust({"10.0.0.0/8"});
  ForwardPolicy& forward = room_.policy->forward;
  forward.x_forwarded_for = forward.x_forwarded_proto = forward.x_forwarded_host = forward.x_real_ip = false;
  forward.request_id = false;
  forward.via = "";
  id_ = "";
  const std::string theirs =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\nX-Real-IP: 1.2.3.4\r\n"
      "X-Forwarded-Proto: https\r\nX-Request-Id: x\r\nForwarded: for=198.51.100.7\r\n\r\n";
  EXPECT_EQ(sent(theirs, "10.0.0.1"), theirs);
}

TEST_F(Forwarding, OfAClientWithIpv6) {
  room_.policy->forward.forwarded = true;
  room_.policy->forward.via = "";
  EXPECT_EQ(sent("GET / HTTP/1.1\r\nHost: [2001:db8::2]:8080\r\n\r\n", "2001:db8::1"),
            "GET / HTTP/1.1\r\nHost: [2001:db8::2]:8080\r\nX-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: [2001:db8::2]:8080\r\nX-Real-IP: 2001:db8::1\r\n"
            "Forwarded: for=\"[2001:db8::1]\";proto=http;host=\"[2001:db8::2]:8080\"\r\nX-Request-Id: made\r\n\r\n");
}

TEST_F(Forwarding, ForwardedIsContinuedForATrustedPeer) {
  ForwardPolicy& forward = room_.policy->forward;
  forward.x_forwarded_for = forward.x_forwarded_proto = forward.x_forwarded_host = forward.x_real_ip = false;
  forward.request_id = false;
  forward.via = "";
  forward.forwarded = true;
  id_ = "";
  room_.trust({"10.0.0.0/8"});
  const std::string given = "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=198.51.100.7\r\n\r\n";
  EXPECT_EQ(sent(given, "10.0.0.1"),
            "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=198.51.100.7, for=10.0.0.1;proto=http;host=a\r\n\r\n");
  EXPECT_EQ(sent(given, "192.0.2.1"),
            "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=192.0.2.1;proto=http;host=a\r\n\r\n");
}

TEST_F(Forwarding, ViaSaysTheVersionThatCame) {
  ForwardPolicy& forward = room_.policy->forward;
  forward.x_forwarded_for = forward.x_forwarded_proto = forward.x_forwarded_host = forward.x_real_ip = false;
  forward.request_id = false;
  forward.via = "edge-1";
  id_ = "";
  EXPECT_EQ(sent("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 edge-1\r\n\r\n");
}

TEST_F(RequestHeadTest, TheCookieThatIsWeirsOwnIsTakenOut) {
  sticky_.kind = StickyPolicy::Kind::cookie;
  sticky_.cookie_name = "SERVERID";
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(sent(head + "Cookie: a=1; SERVERID=x; b=2\r\n\r\n"), head + "Cookie: a=1; b=2\r\n\r\n");
  EXPECT_EQ(sent(head + "Cookie: SERVERID=x\r\nCookie: c=3\r\n\r\n"), head + "Cookie: c=3\r\n\r\n");
  EXPECT_EQ(sent(head + "Cookie: serverid=x\r\n\r\n"), head + "Cookie: serverid=x\r\n\r\n");
  sticky_.indirect = false;
  EXPECT_EQ(sent(head + "Cookie: SERVERID=x\r\n\r\n"), head + "Cookie: SERVERID=x\r\n\r\n");
  sticky_ = {};
  sticky_.kind = StickyPolicy::Kind::learned;
  sticky_.cookie_name = "SERVERID";
  EXPECT_EQ(sent(head + "Cookie: SERVERID=x\r\n\r\n"), head + "Cookie: SERVERID=x\r\n\r\n");
}

TEST_F(RequestHeadTest, RewritesPathAndHost) {
  route_.path_rewriter = std::make_unique<Prefixer>("/new");
  TemplateText host;
  host.pieces = {{TemplateFact::none, "in."}, {TemplateFact::host, ""}};
  route_.host_rewrite = std::make_unique<TemplateText>(host);
  EXPECT_EQ(sent("GET /a?b HTTP/1.1\r\nHost: One:80\r\n\r\n"), "GET /new/a?b HTTP/1.1\r\nHost: in.one\r\n\r\n");
  EXPECT_EQ(sent("GET http://one/a HTTP/1.1\r\nHost: one\r\n\r\n"), "GET /new/a HTTP/1.1\r\nHost: in.one\r\n\r\n");
  EXPECT_EQ(sent("OPTIONS * HTTP/1.1\r\nHost: one\r\n\r\n"), "OPTIONS * HTTP/1.1\r\nHost: in.one\r\n\r\n");
}

TEST_F(RequestHeadTest, RulesComeLast) {
  room_.policy->forward.x_forwarded_for = true;
  using Kind = FieldRule::Kind;
  route_.request_rules = {{Kind::set, "X-Forwarded-For", literal("hidden")},
                          {Kind::remove, "Cookie", {}},
                          {Kind::add, "X-Route", {{{TemplateFact::none, "to "}, {TemplateFact::path, ""}}}}};
  EXPECT_EQ(sent("GET /p HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\n\r\n"),
            "GET /p HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: hidden\r\nX-Route: to /p\r\n\r\n");
}

TEST_F(RequestHeadTest, SaysWhenThereIsNoRoomForIt) {
  const std::string given = "GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + std::string(1000, 'x') + "\r\n\r\n";
  out_.resize(given.size());
  EXPECT_EQ(sent(given), given) << "it fits to the last byte";
  out_.resize(given.size() - 1);
  EXPECT_EQ(sent(given), "too long");
  out_.resize(Blocks::size_max);
  route_.path_rewriter = std::make_unique<Prefixer>(std::string(Blocks::size_max, '/'));
  EXPECT_EQ(sent(given), "too long");
  route_.path_rewriter = std::make_unique<Prefixer>(std::string(Scratch::size, '/'));
  EXPECT_EQ(sent(given), "too long") << "not even the rewriter had room";
}

// A path that fills the room for texts to its end leaves none for what is written after it.
TEST_F(RequestHeadTest, ARewrittenPathThatFillsAllRoomIsTooLong) {
  room_.policy->forward = {};
  const std::string given = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t left = 2; left < 60; ++left) {
    // Of the room, "a" (the host) and the request id are taken before.
    const size_t taken = 1 + http::request_id_size;
    route_.path_rewriter = std::make_unique<Prefixer>(std::string(Scratch::size - taken - left, '/'));
    EXPECT_EQ(sent(given), "too long") << left;
  }
}

TEST_F(RequestHeadTest, AsManyFieldsAsAParserLetsIn) {
  room_.policy->forward = {};
  std::string given = "GET / HTTP/1.0\r\n";
  http1::HeadLimits limits;
  limits.fields_max = http::Fields::parsed_max;
  for (uint32_t i = 0; i < limits.fields_max; ++i) given += "a: b\r\n";
  given += "\r\n";
  room_.request_text = given;
  ASSERT_EQ(http1::parse_request(room_.request_text, limits, room_.http.request).status,
            http1::HeadParse::Status::done);
  room_.http.scratch.clear();
  const PeerAddress client = peer("192.0.2.1");
  RequestContext context{room_.http, room_.listener, room_.http.request, client};
  const uint32_t size = write_request_head(room_.http, context, route_, sticky_, out_);
  const std::string text{reinterpret_cast<const char*>(out_.data()), size};
  EXPECT_NE(text.find("X-Forwarded-For: 192.0.2.1\r\n"), std::string::npos);
  EXPECT_NE(text.find("Via: 1.0 weir\r\n"), std::string::npos);
}

}  // namespace
}  // namespace weir
