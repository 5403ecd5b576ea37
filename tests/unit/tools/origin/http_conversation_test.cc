#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/tools/origin/dialogue.h"
#include "tools/origin/pattern.h"

namespace weir::origin {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(OriginHttp, GreetsWithFewFields) {
  Dialogue dialogue{{.name = "o1"}};
  EXPECT_EQ(dialogue.say(get("/")),
            "HTTP/1.1 200 OK\r\nServer: weir-origin\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Origin: o1\r\n"
            "Content-Type: text/plain\r\nContent-Length: 14\r\n\r\nhello from o1\n");
  EXPECT_EQ(dialogue.wishes().ending, Ending::none);
}

TEST(OriginHttp, TheFastPathAndTheLongWaySayTheSame) {
  Dialogue dialogue;
  EXPECT_EQ(dialogue.say(get("/")), dialogue.say(get("/?")));
}

TEST(OriginHttp, ByteByByteIsTheSameAsAtOnce) {
  const std::string in = "\r\n" + get("/") + request("POST", "/", "Transfer-Encoding: chunked\r\n") +
                         "3\r\nabc\r\n0\r\n\r\n" + request("PUT", "/echo", "Content-Length: 3\r\n") + "abc" +
                         get("/bytes/5");
  Dialogue at_once;
  Dialogue bytewise;
  std::string sent;
  for (const char c : in) sent += bytewise.say({&c, 1});
  EXPECT_EQ(sent, at_once.say(in));
  EXPECT_THAT(sent, EndsWith("\r\n\r\n00000"));
}

TEST(OriginHttp, PipelinedRequestsAreAnsweredInOrder) {
  Dialogue dialogue;
  const std::string sent = dialogue.say(get("/status/201") + get("/delay/10/status/202") + get("/status/203"));
  EXPECT_THAT(sent, HasSubstr("201 Created\n"));
  EXPECT_THAT(sent, Not(HasSubstr("203")));
  EXPECT_FALSE(dialogue.wishes().read) << "held back by TCP while one is delayed";
  EXPECT_EQ(dialogue.pass(milliseconds{9}), "");
  const std::string later = dialogue.pass(milliseconds{1});
  EXPECT_LT(later.find("202 Accepted\n"), later.find("203 Non-Authoritative"));
  EXPECT_EQ(dialogue.requests(), 3u);
}

TEST(OriginHttp, ManyPipelinedRequestsStayWithinTheOutput) {
  Dialogue dialogue;
  std::string in;
  for (int i = 0; i < 2000; ++i) in += get("/");
  const std::string sent = dialogue.say(in, 100000);
  EXPECT_EQ(dialogue.requests(), 2000u);
  EXPECT_EQ(sent.size() % 2000, 0u);
}

TEST(OriginHttp, HeadHasTheFieldsOfGetAndNoBody) {
  for (const char* target : {"/", "/bytes/100", "/status/404", "/endless", "/dribble", "/bytes/9?chunked=1"}) {
    Dialogue dialogue;
    const std::string sent = dialogue.say(request("HEAD", target));
    EXPECT_EQ(body_of(sent), "") << target;
    EXPECT_TRUE(dialogue.wishes().read) << target << " and the connection goes on";
    Dialogue other;
    EXPECT_THAT(other.say(get(target), 3), StartsWith(sent)) << target;
  }
}

TEST(OriginHttp, SomeStatusesHaveNoBody) {
  Dialogue dialogue;
  for (const char* target : {"/status/204", "/status/304"}) {
    const std::string sent = dialogue.say(get(target));
    EXPECT_THAT(sent, Not(HasSubstr("Content-"))) << target;
    EXPECT_EQ(body_of(sent), "") << target;
  }
  EXPECT_THAT(dialogue.say(get("/status/205")), HasSubstr("Content-Length: 0\r\n"));
}

TEST(OriginHttp, SizedBodiesAreThePattern) {
  Dialogue dialogue;
  const std::string body = body_of(dialogue.say(get("/bytes/2500000")));
  ASSERT_EQ(body.size(), 2'500'000u);
  EXPECT_EQ(body.substr(0, pattern_period), pattern_at(0, pattern_period));
  EXPECT_EQ(body.substr(2 * pattern_period), pattern_at(0, 500'000));
}

TEST(OriginHttp, ChunkedBodiesArePeeledToThePattern) {
  for (const std::uint64_t bytes : {0u, 1u, 5000u, 1'200'000u}) {
    Dialogue dialogue;
    std::string rest = body_of(dialogue.say(get("/bytes/" + std::to_string(bytes) + "?chunked=1")));
    RequestBody peeler;
    peeler.begin(true, 0);
    std::string body;
    while (!peeler.done()) {
      const auto piece = peeler.take(rest, rest.size());
      ASSERT_GT(piece.taken, 0u) << bytes;
      body += piece.data;
      rest.erase(0, piece.taken);
    }
    EXPECT_EQ(rest, "");
    ASSERT_EQ(body.size(), bytes);
    EXPECT_EQ(body.substr(0, 1000), pattern_at(0, std::min<std::uint64_t>(bytes, 1000)));
    EXPECT_TRUE(dialogue.wishes().read);
  }
}

TEST(OriginHttp, OldClientsGetNoChunks) {
  Dialogue bytes;
  EXPECT_THAT(bytes.say("GET /bytes/3?chunked=1 HTTP/1.0\r\n\r\n"),
              HasSubstr("Content-Length: 3\r\nConnection: close\r\n"));
  EXPECT_EQ(bytes.wishes().ending, Ending::close);
  Dialogue kept;
  EXPECT_THAT(kept.say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), HasSubstr("Connection: keep-alive\r\n"));
  EXPECT_EQ(kept.wishes().ending, Ending::none);
  Dialogue endless;
  const std::string sent = endless.say("GET /endless HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 5);
  EXPECT_THAT(sent.substr(0, 300), Not(HasSubstr("chunked")));
  EXPECT_THAT(sent.substr(0, 300), HasSubstr("Connection: close"));
}

TEST(OriginHttp, ConnectionCloseIsObeyedAndSaid) {
  Dialogue dialogue;
  EXPECT_THAT(dialogue.say(request("GET", "/", "Connection: close\r\n")), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(dialogue.wishes().ending, Ending::close);
}

TEST(OriginHttp, DribblesOneByteEachBeat) {
  Dialogue dialogue;
  EXPECT_EQ(body_of(dialogue.say(get("/dribble?bytes=3&every=10"))), "");
  EXPECT_EQ(dialogue.pass(milliseconds{9}), "");
  EXPECT_EQ(dialogue.pass(milliseconds{1}), "0");
  EXPECT_EQ(dialogue.pass(milliseconds{15}), "0");
  EXPECT_EQ(dialogue.pass(milliseconds{5}), "0");
  EXPECT_THAT(dialogue.say(get("/status/201")), StartsWith("HTTP/1.1 201"));
}

TEST(OriginHttp, EchoTellsWhatArrived) {
  Dialogue dialogue;
  const std::string asked = request("PUT", "/echo/x?y", "X-Thing: 1\r\nContent-Length: 4\r\n");
  const std::string sent = dialogue.say(asked + "body" + get("/status/201"));
  EXPECT_THAT(body_of(sent), StartsWith(asked + "bodyHTTP/1.1 201"));
  EXPECT_THAT(sent, HasSubstr("Content-Length: " + std::to_string(asked.size() + 4) + "\r\n"));
}

TEST(OriginHttp, EchoOfALargeBodyIsStreamed) {
  Dialogue dialogue;
  const std::string asked = request("POST", "/echo", "Content-Length: 300000\r\n");
  std::string sent = dialogue.say(asked);
  EXPECT_EQ(body_of(sent), asked) << "the answer begins before the body has come";
  std::string body;
  for (int i = 0; i < 3; ++i) {
    const std::string piece(100'000, static_cast<char>('a' + i));
    body += piece;
    sent += dialogue.say(piece);
    EXPECT_EQ(body_of(sent), asked + body);
  }
  EXPECT_EQ(dialogue.unread(), "");
  EXPECT_THAT(dialogue.say(get("/")), StartsWith("HTTP/1.1 200"));
}

TEST(OriginHttp, BodiesAreConsumedBeforeTheAnswer) {
  Dialogue dialogue;
  EXPECT_EQ(dialogue.say(request("POST", "/", "Content-Length: 10\r\n") + "12345"), "");
  const std::string sent = dialogue.say("67890" + get("/status/201"));
  EXPECT_THAT(sent, HasSubstr("hello from origin\nHTTP/1.1 201"));
}

TEST(OriginHttp, ContinueIsSaidOnceAndOnlyWhenAskedFor) {
  Dialogue dialogue;
  EXPECT_EQ(dialogue.say(request("POST", "/", "Content-Length: 2\r\nExpect: 100-continue\r\n")),
            "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(dialogue.say("ab"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(dialogue.say(request("POST", "/echo", "Content-Length: 2\r\nExpect: 100-continue\r\n")),
              StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"));
  EXPECT_EQ(dialogue.say("ab"), "ab");
  EXPECT_EQ(dialogue.say(request("POST", "/", "Content-Length: 2\r\n")), "");
}

TEST(OriginHttp, MalformedRequestsGet400AndTheDoor) {
  for (const std::string& in : {std::string{"\x16\x03\x01"}, std::string{"GET /\r\n\r\n"},
                                request("POST", "/", "Transfer-Encoding: chunked\r\n") + "zz\r\n"}) {
    Dialogue dialogue;
    EXPECT_THAT(dialogue.say(in), StartsWith("HTTP/1.1 400 Bad Request\r\n")) << in;
    EXPECT_EQ(dialogue.wishes().ending, Ending::linger) << "the client may still be sending";
  }
  Dialogue huge;
  EXPECT_THAT(huge.say("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x')), StartsWith("HTTP/1.1 431 "));
  Dialogue tunnel;
  EXPECT_THAT(tunnel.say(request("CONNECT", "a:443")), StartsWith("HTTP/1.1 501 "));
}

TEST(OriginHttp, ABadChunkBreaksAnEchoOff) {
  Dialogue dialogue;
  const std::string sent = dialogue.say(request("POST", "/echo", "Transfer-Encoding: chunked\r\n") + "2\r\nabX");
  EXPECT_THAT(dialogue.say("YZ\r\n"), Not(HasSubstr("HTTP/1.1")));
  EXPECT_THAT(sent, Not(EndsWith("0\r\n\r\n"))) << "the end mark would call it complete";
  EXPECT_EQ(dialogue.wishes().ending, Ending::linger);
}

TEST(OriginHttp, FailsInTheWayAskedFor) {
  Dialogue reset;
  EXPECT_EQ(reset.say(get("/fail?mode=reset")), "");
  EXPECT_EQ(reset.wishes().ending, Ending::reset);
  Dialogue closed;
  EXPECT_EQ(closed.say(get("/fail?mode=close")), "");
  EXPECT_EQ(closed.wishes().ending, Ending::close);
  Dialogue garbage;
  const std::string noise = garbage.say(get("/fail?mode=garbage"));
  EXPECT_FALSE(noise.empty());
  EXPECT_THAT(noise, Not(HasSubstr("HTTP/1")));
  EXPECT_EQ(garbage.wishes().ending, Ending::close);
}

TEST(OriginHttp, HalfAnAnswerPromisesTheWhole) {
  struct Row {
    const char* target;
    std::size_t body_bytes;
  };
  // Of the chunked one: the chunk's size line and half of the bytes, without an end mark.
  for (const Row& row : {Row{"/fail?mode=half", 9}, Row{"/fail/bytes/1000?mode=half", 500},
                         Row{"/fail/bytes/20000?mode=half&chunked=1", 6 + 10000}, Row{"/fail/bytes/1?mode=half", 0}}) {
    Dialogue dialogue;
    EXPECT_EQ(body_of(dialogue.say(get(row.target))).size(), row.body_bytes) << row.target;
    EXPECT_EQ(dialogue.wishes().ending, Ending::close) << row.target;
  }
  Dialogue endless;
  EXPECT_GT(body_of(endless.say(get("/fail/endless?mode=half"))).size(), 65536u);
  EXPECT_EQ(endless.wishes().ending, Ending::close);
}

TEST(OriginHttp, ARateOfZeroNeverFails) {
  Dialogue dialogue;
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(body_of(dialogue.say(get("/fail/bytes/2?mode=half&rate=0"))), "00");
}

TEST(OriginHttp, TheSeedDecidesWhichRequestsFail) {
  const auto fates = [](std::uint64_t seed) {
    std::string fates_of_seed;
    // A failed conversation is over, so one site rolls for many of them.
    std::string complaint;
    const Settings settings = *check({.fail = "close", .fail_rate = 0.3}, complaint);
    Scoreboard board{1};
    HttpSite site{settings, board, board.of_loop(0), seed};
    for (int i = 0; i < 1000; ++i) {
      HttpConversation conversation{site, {}};
      Output out;
      conversation.on_input(get("/"), out);
      fates_of_seed += out.empty() ? 'x' : '.';
    }
    return fates_of_seed;
  };
  const std::string once = fates(7);
  EXPECT_EQ(once, fates(7));
  EXPECT_NE(once, fates(8));
  EXPECT_NEAR(static_cast<double>(std::count(once.begin(), once.end(), 'x')), 300, 60);
}

TEST(OriginHttp, OptionsMakeEverythingSlowExceptQuestionsAboutTheOrigin) {
  Dialogue dialogue{{.delay = "5", .health_status = 503}};
  EXPECT_THAT(dialogue.say(get("/health")), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(body_of(dialogue.say(get("/count"))), "0\n");
  EXPECT_EQ(dialogue.say(get("/bytes/1")), "");
  EXPECT_EQ(body_of(dialogue.pass(milliseconds{5})), "0");
  EXPECT_EQ(body_of(dialogue.say(get("/count"))), "1\n");
  EXPECT_THAT(dialogue.say(get("/stats")), HasSubstr("{\"name\":\"origin\",\"requests\":1,"));
}

TEST(OriginHttp, TheAnswerOptionIsForRootAndUnlistedPaths) {
  Dialogue dialogue{{.answer = "/bytes/3"}};
  EXPECT_EQ(body_of(dialogue.say(get("/"))), "000");
  EXPECT_EQ(body_of(dialogue.say(get("/api/v1"))), "000");
  EXPECT_THAT(dialogue.say(get("/status/418")), StartsWith("HTTP/1.1 418 "));
}

TEST(OriginHttp, TheProxyHeaderIsReported) {
  Dialogue dialogue{{}, "v1 TCP4 1.2.3.4:5 -> 6.7.8.9:10"};
  EXPECT_THAT(dialogue.say(get("/")), HasSubstr("X-Proxy: v1 TCP4 1.2.3.4:5 -> 6.7.8.9:10\r\n"));
}

TEST(OriginHttp, DrainingEndsIdleConnectionsAtOnceAndOthersAfterTheirAnswer) {
  Dialogue idle;
  idle.conversation().on_drain();
  EXPECT_EQ(idle.wishes().ending, Ending::close);

  Dialogue busy;
  busy.say(get("/delay/10"));
  busy.conversation().on_drain();
  EXPECT_EQ(busy.wishes().ending, Ending::none);
  EXPECT_THAT(busy.pass(milliseconds{10}), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(busy.wishes().ending, Ending::close);

  Dialogue halfway;
  halfway.say("GET / HTTP/1.1\r\n");
  halfway.conversation().on_drain();
  EXPECT_THAT(halfway.say("Host: a\r\n\r\n"), HasSubstr("Connection: close\r\n"));
}

TEST(OriginHttp, ClientsLeaveBetweenRequestsOrWithinOne) {
  for (const char* in : {"", "GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"}) {
    Dialogue dialogue;
    EXPECT_EQ(dialogue.say(in), "");
    EXPECT_EQ(dialogue.end_input(), "");
    EXPECT_EQ(dialogue.wishes().ending, Ending::close);
  }
}

}  // namespace
}  // namespace weir::origin
