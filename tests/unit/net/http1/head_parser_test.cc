// What the fixtures do not show: where views point, what is there after a refusal, and when to ask again.
#include "net/http1/head_parser.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

namespace weir::http1 {
namespace {

using Status = HeadParse::Status;

constexpr std::string_view request = "GET http://a.example:81/b?c HTTP/1.1\r\nHost: a.example:81\r\nX: y\r\n\r\nbody";

bool lies_in(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

TEST(HeadParser, ViewsLookAtTheBytes) {
  const auto head = std::make_unique<http::RequestHead>();
  const HeadParse parse = parse_request(request, {}, *head);
  ASSERT_EQ(parse.status, Status::done);
  EXPECT_EQ(parse.size, request.size() - 4);
  EXPECT_EQ(parse.refusal, http::Refusal::none);
  for (const std::string_view part : {head->method_text, head->target, head->authority, head->host, head->path,
                                      head->query, head->fields[1].name, head->fields[1].value}) {
    EXPECT_FALSE(part.empty());
    EXPECT_TRUE(lies_in(part, request)) << part;
  }
  EXPECT_EQ(head->method, http::Method::get);
  EXPECT_EQ(head->target, "http://a.example:81/b?c");
}

TEST(HeadParser, NothingIsLeftOfTheRequestBefore) {
  const auto head = std::make_unique<http::RequestHead>();
  constexpr std::string_view rich =
      "POST http://a/b?c HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nUpgrade: x\r\nTE: trailers\r\n"
      "Expect: 100-continue\r\nContent-Length: 7\r\n\r\n";
  ASSERT_EQ(parse_request(rich, {}, *head).status, Status::done);
  ASSERT_EQ(parse_request("OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", {}, *head).status, Status::done);
  EXPECT_EQ(head->method, http::Method::options);
  EXPECT_EQ(head->form, http::TargetForm::asterisk);
  EXPECT_EQ(head->authority, "");
  EXPECT_EQ(head->host, "");
  EXPECT_EQ(head->path, "*");
  EXPECT_EQ(head->query, "");
  EXPECT_FALSE(head->has_query);
  EXPECT_EQ(head->minor_version, 0);
  EXPECT_EQ(head->framing, http::Framing::none);
  EXPECT_EQ(head->content_length, 0U);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_FALSE(head->upgrade);
  EXPECT_FALSE(head->expects_continue);
  EXPECT_FALSE(head->accepts_trailers);
  EXPECT_EQ(head->fields.count(), 1U);
}

TEST(HeadParser, WhatWasReadBeforeARefusalCanBeLogged) {
  const auto head = std::make_unique<http::RequestHead>();
  const struct {
    std::string_view bytes, method, target;
  } rows[] = {
      {"GET /a HTTP/1.1\r\n: b\r\n", "GET", "/a"},
      {"GET /a HTTP/2.0\r\n", "GET", "/a"},
      {"GET /a\x01 HTTP/1.1\r\n", "GET", ""},
      {"G(T /a HTTP/1.1\r\n", "", ""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(parse_request(row.bytes, {}, *head).status, Status::refused);
    EXPECT_EQ(head->method_text, row.method) << row.bytes;
    EXPECT_EQ(head->target, row.target) << row.bytes;
  }
}

TEST(HeadParser, NothingNeedsMore) {
  const auto head = std::make_unique<http::RequestHead>();
  const auto answer = std::make_unique<http::AnswerHead>();
  http::Fields fields;
  EXPECT_EQ(parse_request({}, {}, *head).status, Status::need_more);
  EXPECT_EQ(parse_answer({}, {}, http::Method::get, *answer).status, Status::need_more);
  EXPECT_EQ(parse_trailers({}, {}, fields).status, Status::need_more);
}

TEST(HeadParser, AnEmptyTrailerSectionHasTwoBytes) {
  http::Fields fields;
  const HeadParse parse = parse_trailers("\r\nGET", {}, fields);
  EXPECT_EQ(parse.status, Status::done);
  EXPECT_EQ(parse.size, 2U);
  EXPECT_EQ(fields.count(), 0U);
}

TEST(HeadParser, AsksAgainWhenALineFeedCame) {
  const HeadLimits limits{.line_bytes_max = 100, .head_bytes_max = 1000};
  EXPECT_TRUE(may_be_complete("G", 0, limits));
  EXPECT_FALSE(may_be_complete("GET", 1, limits));
  EXPECT_FALSE(may_be_complete("GET / HTTP/1.1\r", 3, limits));
  EXPECT_TRUE(may_be_complete("GET / HTTP/1.1\r\n", 15, limits));
  EXPECT_FALSE(may_be_complete("GET / HTTP/1.1\r\nHost", 16, limits));
  EXPECT_TRUE(may_be_complete("GET / HTTP/1.1\r\nHost: a\r\nX", 20, limits));
  EXPECT_FALSE(may_be_complete("GET", 3, limits));
}

// One byte at a time, a refusal for size comes with the first byte too many, not with the next line feed.
TEST(HeadParser, AsksAgainWhenALimitIsReached) {
  const HeadLimits limits{.line_bytes_max = 100, .head_bytes_max = 1000};
  const struct {
    std::string beginning;
    size_t refused_at;
    http::Refusal refusal;
  } rows[] = {
      {"GET /", 101, http::Refusal::request_line_too_long},
      {"\r\nGET /", 103, http::Refusal::request_line_too_long},
      {"GET / HTTP/1.1\r\nX: ", 1000, http::Refusal::head_too_large},
  };
  const auto head = std::make_unique<http::RequestHead>();
  for (const auto& row : rows) {
    const std::string text = row.beginning + std::string(2000, 'a');
    size_t size = row.beginning.size();
    size_t seen = size;
    HeadParse parse;
    while (parse.status == Status::need_more && size < text.size()) {
      ++size;
      const std::string_view bytes = std::string_view{text}.substr(0, size);
      if (!may_be_complete(bytes, seen, limits)) continue;
      parse = parse_request(bytes, limits, *head);
      seen = size;
    }
    EXPECT_EQ(parse.refusal, row.refusal);
    EXPECT_EQ(size, row.refused_at);
  }
}

TEST(HeadParserDeathTest, MoreFieldsThanThereIsRoomFor) {
  const auto head = std::make_unique<http::RequestHead>();
  EXPECT_DEATH(parse_request(request, {.fields_max = http::Fields::parsed_max + 1}, *head), "fields_max");
}

}  // namespace
}  // namespace weir::http1
