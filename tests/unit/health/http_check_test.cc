#include "health/http_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "health/http_probe.h"
#include "health/in_quotes.h"

namespace weir {
namespace {

const std::string ok_head = "HTTP/1.1 200 OK\r\n";

struct Verdict {
  std::optional<std::string> reason;  // nothing: no verdict
  size_t size = 0;                    // bytes that it took
};

// Fed in pieces of that size; the end comes behind the last one if `ended`.
Verdict check(const HttpExpectation& expected, http::Method method, std::string_view answer, size_t piece, bool ended) {
  HttpCheck check{method, expected};
  check.begin();
  for (size_t size = 0; size < answer.size();) {
    size = std::min(size + piece, answer.size());
    if (check.read(answer.substr(0, size), false)) return {check.reason(), size};
  }
  if (ended && check.read(answer, true)) return {check.reason(), answer.size()};
  return {};
}

struct Row {
  std::string answer;
  std::optional<std::string> reason;           // nothing: undecided until more comes
  std::optional<std::string> reason_at_end{};  // when nothing more comes
};

void expect(const HttpExpectation& expected, http::Method method, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{1'000'000}}) {
      if (piece < 7 && row.answer.size() > 5'000) continue;
      EXPECT_EQ(check(expected, method, row.answer, piece, false).reason, row.reason)
          << in_quotes(row.answer) << " by " << piece;
      EXPECT_EQ(check(expected, method, row.answer, piece, true).reason,
                row.reason_at_end ? row.reason_at_end : row.reason)
          << in_quotes(row.answer) << " by " << piece;
    }
  }
}

TEST(HttpCheckTest, JudgesByTheStatus) {
  const std::string unfinished = "closed in the middle of the answer's head";
  expect({}, http::Method::head,
         {{ok_head + "\r\n", ""},
          {ok_head + "Content-Length: 1000000\r\n\r\n", ""},
          {"HTTP/1.0 399 Whatever\r\n\r\n", ""},
          {"HTTP/1.1 199 Early\r\n\r\nHTTP/1.1 204 None\r\n\r\n", ""},
          {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n",
           "status 500, expected 200-399"},
          {"HTTP/1.1 400 Bad Request\r\n\r\n", "status 400, expected 200-399"},
          {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
           "status 101, expected 200-399"},
          {"HTTP/1.1 503 \r\n\r\n", "status 503, expected 200-399"},
          {"", std::nullopt, "closed before it had answered"},
          {"HTTP/1.1 2", std::nullopt, unfinished},
          {ok_head, std::nullopt, unfinished},
          {"HTTP/1.1 100 Continue\r\n\r\n", std::nullopt, unfinished}});
  expect({.statuses = {{204, 204}, {300, 301}, {101, 101}}}, http::Method::get,
         {{"HTTP/1.1 204 No Content\r\n\r\n", ""},
          {"HTTP/1.1 300 Many\r\nContent-Length: 5\r\n\r\n", ""},
          {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", ""},
          {ok_head + "\r\n", "status 200, expected 204, 300-301, 101"},
          {"HTTP/1.1 302 Found\r\n\r\n", "status 302, expected 204, 300-301, 101"}});
}

TEST(HttpCheckTest, ReadsHeadsStrictly) {
  const std::string no = "not an answer of HTTP/1: ";
  expect({}, http::Method::get,
         {{"hello\r\n", no + "the version is not `HTTP/` DIGIT `.` DIGIT"},
          {"HTTP/1.1 2000 OK\r\n", no + "the status line is not `version SP 3DIGIT SP reason`"},
          {"HTTP/1.1 200 OK\n", no + "a line feed without a carriage return"},
          {"HTTP/2.0 200 OK\r\n", no + "the version is not HTTP/1.0 or HTTP/1.1"},
          {"SSH-2.0-OpenSSH\r\n", no + "the version is not `HTTP/` DIGIT `.` DIGIT"},
          {ok_head + "Content-Length: x\r\n\r\n", no + "Content-Length is not a decimal number"},
          {ok_head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
           no + "more than one Content-Length, or a list in it"},
          {ok_head + " folded\r\n\r\n", no + "a field line that begins with whitespace (obs-fold)"}});
}

TEST(HttpCheckTest, ReadsHeadsThatAreNotTooLarge) {
  const std::string no = "not an answer of HTTP/1: ";
  std::string large = ok_head;
  while (large.size() < HttpCheck::head_limits.head_bytes_max) large += "X: " + std::string(1'000, 'x') + "\r\n";
  std::string many = ok_head;
  for (uint32_t i = 0; i <= HttpCheck::head_limits.fields_max; ++i) many += "X: y\r\n";
  std::string interim;
  while (interim.size() <= HttpCheck::heads_bytes_max)
    interim += "HTTP/1.1 103 Hints\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n";
  expect({}, http::Method::get,
         {{large, no + "the head is larger than the limit"},
          {many + "\r\n", no + "more fields than the limit"},
          {"HTTP/1.1 200 " + std::string(9'000, 'r'), no + "the head is larger than the limit"},
          {interim, "too many interim answers"}});
}

TEST(HttpCheckTest, FindsTheTextInAnyFraming) {
  const HttpExpectation expected{.body = "all is well"};
  const std::string missing = "the body does not contain `all is well`";
  const std::string cut_short = "closed in the middle of the body, which did not contain `all is well` so far";
  const std::string chunked = ok_head + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string bad_chunk = "not an answer of HTTP/1: a chunk size is not hexadecimal, or its line is malformed";
  expect(expected, http::Method::get,
         {// length
          {ok_head + "Content-Length: 11\r\n\r\nall is well", ""},
          {ok_head + "Content-Length: 1000\r\n\r\nthat all is well", ""},
          {ok_head + "Content-Length: 10\r\n\r\nall is well", missing},
          {ok_head + "Content-Length: 0\r\n\r\nall is well", missing},
          {ok_head + "Content-Length: 12\r\n\r\nall is wel", std::nullopt, cut_short},
          {ok_head + "Content-Length: 12\r\n\r\n", std::nullopt, cut_short},
          // chunks
          {chunked + "b\r\nall is well\r\n0\r\n\r\n", ""},
          {chunked + "4\r\nall \r\n4;x=y\r\nis w\r\n1\r\ne\r\n03\r\nll!\r\n", ""},
          {chunked + "4\r\nall \r\n4\r\nis w\r\n0\r\nell: well\r\n\r\n", missing},
          {chunked + "4\r\nall \r\n4\r\nis w\r\n", std::nullopt, cut_short},
          {chunked + "0\r\n\r\n", missing},
          {chunked + "all is well", bad_chunk},
          {chunked + "b\r\nall is well\r\nzzz\r\n", ""},
          {chunked + "3\r\nall\r\nzzz\r\n is well", bad_chunk},
          {chunked + "3\r\nall is well", "not an answer of HTTP/1: a chunk does not end in CRLF where its size says"},
          // until the connection ends
          {ok_head + "\r\nall is", std::nullopt, missing},
          {ok_head + "\r\nall is well", ""},
          {"HTTP/1.0 200 OK\r\n\r\n", std::nullopt, missing},
          // The status comes first.
          {"HTTP/1.1 404 No\r\nContent-Length: 11\r\n\r\nall is well", "status 404, expected 200-399"},
          // No body by its nature.
          {"HTTP/1.1 204 No Content\r\n\r\nall is well", "there is no body, which should contain `all is well`"},
          {"HTTP/1.1 304 Same\r\nContent-Length: 11\r\n\r\n", "there is no body, which should contain `all is well`"}});
  expect(expected, http::Method::head,
         {{ok_head + "Content-Length: 11\r\n\r\n", "there is no body, which should contain `all is well`"}});
}

TEST(HttpCheckTest, LooksAtTheBeginningOfALongBody) {
  const HttpExpectation expected{.body = "needle"};
  const std::string too_late = "the first 64 KiB of the body do not contain `needle`";
  const std::string head = ok_head + "Content-Length: 1000000000\r\n\r\n";
  const auto hay = [](size_t size) { return std::string(size, 'h'); };
  expect(expected, http::Method::get,
         {{head + hay(HttpCheck::body_bytes_max - 6) + "needle", ""},
          {head + hay(HttpCheck::body_bytes_max - 5) + "needle", too_late},
          {head + hay(HttpCheck::body_bytes_max - 1), std::nullopt,
           "closed in the middle of the body, which did not contain `needle` so far"},
          {head + hay(HttpCheck::body_bytes_max), too_late}});
}

TEST(HttpCheckTest, DecidesAsSoonAsItCan) {
  const std::string head = ok_head + "Content-Length: 1000000\r\n\r\n";
  EXPECT_EQ(check({}, http::Method::get, head + std::string(1'000, 'b'), 1, false).size, head.size());
  EXPECT_EQ(check({.body = "well"}, http::Method::get, head + "all is well, and so on", 1, false).size,
            head.size() + 11);
}

TEST(HttpCheckTest, ReadsOneAnswerAfterTheOther) {
  const HttpExpectation expected{.body = "well"};
  HttpCheck check{http::Method::get, expected};
  const std::string chunked = ok_head + "Transfer-Encoding: chunked\r\n\r\n";
  for (int round = 0; round < 3; ++round) {
    check.begin();
    EXPECT_FALSE(check.status());
    EXPECT_FALSE(check.read(chunked + "2\r\nwe", false));
    EXPECT_EQ(check.status(), 200);
    check.begin();
    EXPECT_FALSE(check.read(chunked + "2\r\nll", false)) << "the beginning was another answer's";
    EXPECT_TRUE(check.read(chunked + "2\r\nll\r\n4\r\nwell", false));
    EXPECT_EQ(check.reason(), "");
  }
}

TEST(HttpRequestTest, IsWrittenAsTold) {
  EXPECT_EQ(request_of({.host = "a.example:81"}),
            "HEAD /health HTTP/1.1\r\nHost: a.example:81\r\nUser-Agent: weir-health\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(
      request_of({.method = "GET", .path = "/x?y=z", .headers = {{"Accept", "text/plain"}, {"user-agent", "me"}}}),
      "GET /x?y=z HTTP/1.1\r\nHost: \r\nAccept: text/plain\r\nuser-agent: me\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(request_of({.method = "POST", .path = "/", .host = "h"}),
            "POST / HTTP/1.1\r\nHost: h\r\nUser-Agent: weir-health\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  const std::string long_value(100'000, 'v');
  EXPECT_EQ(request_of({.host = long_value, .headers = {{"X", long_value}}}).size(),
            200'000 + std::string_view{"HEAD /health HTTP/1.1\r\nHost: \r\nUser-Agent: weir-health\r\nX: \r\n"
                                       "Connection: close\r\n\r\n"}
                          .size());
}

}  // namespace
}  // namespace weir
