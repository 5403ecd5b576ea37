#include "tools/origin/request_head.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::origin {
namespace {

TEST(OriginRequestHead, EndIsFoundHoweverItArrives) {
  const std::string whole = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  std::size_t searched = 0;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(request_head_size(std::string_view{whole}.substr(0, size), searched), std::string_view::npos);
    searched = size;
  }
  EXPECT_EQ(request_head_size(whole, searched), whole.size());
  EXPECT_EQ(request_head_size(whole + "body", 0), whole.size());
}

TEST(OriginRequestHead, PartsAreFound) {
  RequestHead head;
  ASSERT_EQ(
      read_request_head("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\n", head),
      0);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a?b=c");
  EXPECT_EQ(head.fields, "Host: x\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n");
  EXPECT_FALSE(head.is_http10);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.body_bytes, 12u);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_FALSE(head.chunked);
}

TEST(OriginRequestHead, VersionsAndOptionsDecideKeepAlive) {
  struct Row {
    const char* text;
    bool keep_alive;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x ,\tCLOSE , y\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n", true},
  };
  for (const Row& row : rows) {
    RequestHead head;
    ASSERT_EQ(read_request_head(row.text, head), 0) << row.text;
    EXPECT_EQ(head.keep_alive, row.keep_alive) << row.text;
  }
}

TEST(OriginRequestHead, WhatIsWrongIsRefused) {
  struct Row {
    int status;
    std::string text;
  };
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  const Row rows[] = {
      {400, "\r\n\r\n"},
      {400, "GET /\r\n\r\n"},
      {400, "GET  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {400, "GET / HTTPS/1.1\r\nHost: a\r\n\r\n"},
      {505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {505, "PRI * HTTP/2.0\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\n\r\n"},   // no Host
      {400, start + "Host: b\r\n\r\n"},  // two of them
      {400, start + "X : 1\r\n\r\n"},    // space before the colon
      {400, start + " folded\r\n\r\n"},
      {400, start + ": 1\r\n\r\n"},
      {400, start + "nonsense\r\n\r\n"},
      {400, start + "X: a\nY: b\r\n\r\n"},  // bare line feed
      {400, start + std::string{"X: a\0b\r\n\r\n", 10}},
      {400, start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"},
      {400, start + "Content-Length: 5, 5\r\n\r\n"},
      {400, start + "Content-Length: -1\r\n\r\n"},
      {400, start + "Content-Length: 9223372036854775808\r\n\r\n"},
      {400, start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {400, start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {501, start + "Transfer-Encoding: gzip, chunked\r\n\r\n"},
      {417, start + "Expect: a-miracle\r\n\r\n"},
  };
  for (const Row& row : rows) {
    RequestHead head;
    EXPECT_EQ(read_request_head(row.text, head), row.status) << row.text;
  }
}

TEST(OriginRequestHead, TheFirstByteBetraysTls) {
  EXPECT_FALSE(may_start_request('\x16'));
  EXPECT_FALSE(may_start_request('\0'));
  EXPECT_TRUE(may_start_request('G'));
  EXPECT_TRUE(may_start_request('\r'));
}

}  // namespace
}  // namespace weir::origin
