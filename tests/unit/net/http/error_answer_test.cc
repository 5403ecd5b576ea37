#include "net/http/error_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "net/http/message.h"

namespace weir::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string body_of(bool html, uint16_t status, std::string_view reason, std::string_view sentence,
                    std::string_view request_id) {
  std::string out(error_body_bytes_max, '?');
  out.resize(write_error_body(html, status, reason, sentence, request_id, out));
  return out;
}

TEST(ErrorAnswer, IsOneJsonObject) {
  EXPECT_EQ(body_of(false, 502, "origin_closed", "The origin closed the connection.", "4f"),
            "{\"status\":502,\"error\":\"Bad Gateway\",\"reason\":\"origin_closed\","
            "\"message\":\"The origin closed the connection.\",\"request_id\":\"4f\"}\n");
}

TEST(ErrorAnswer, EscapesJson) {
  EXPECT_THAT(body_of(false, 404, "a\"b\\c", "x\ny\x7f\xc3\xa9", ""),
              HasSubstr("\"reason\":\"a\\\"b\\\\c\",\"message\":\"x?y???\",\"request_id\":\"\"}"));
}

TEST(ErrorAnswer, IsAPage) {
  const std::string page = body_of(true, 503, "no_endpoint", "No server can take this request.", "4f");
  EXPECT_TRUE(page.starts_with("<!doctype html>\n"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  EXPECT_THAT(page, HasSubstr("<title>503 Service Unavailable</title>"));
  EXPECT_THAT(page, HasSubstr("<h1>503 Service Unavailable</h1>"));
  EXPECT_THAT(page, HasSubstr("<p>No server can take this request.</p>"));
  EXPECT_THAT(page, HasSubstr("no_endpoint<br>Request 4f<"));
  // It stands alone, and says nothing of who wrote it.
  EXPECT_THAT(page, Not(HasSubstr("http:")));
  EXPECT_THAT(page, Not(HasSubstr("https:")));
  EXPECT_THAT(page, Not(HasSubstr("weir")));
}

TEST(ErrorAnswer, EscapesThePage) {
  const std::string page = body_of(true, 400, "<i>", "<script>alert('x')&\"", "\"><b>");
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&#39;x&#39;)&amp;&quot;"));
  EXPECT_THAT(page, HasSubstr("&lt;i&gt;<br>Request &quot;&gt;&lt;b&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(ErrorAnswer, LeavesOutAnIdThatThereIsNot) {
  EXPECT_THAT(body_of(true, 400, "bad", "Bad.", ""), Not(HasSubstr("<br>")));
}

TEST(ErrorAnswer, NamesAStatusThatHasNoName) {
  EXPECT_THAT(body_of(false, 599, "x", "y", ""), HasSubstr("\"status\":599,\"error\":\"Error\""));
}

// The room is enough for every status and any texts, and nothing is cut inside an escape.
TEST(ErrorAnswer, AlwaysFits) {
  for (const char c : {'x', '"', '&', '\'', '\x01', '\xff'}) {
    const std::string text(5000, c);
    for (uint16_t status = 400; status < 600; ++status) {
      for (const bool html : {false, true}) {
        std::array<char, error_body_bytes_max + 1> room{};
        room.back() = '#';
        const uint32_t size = write_error_body(html, status, text, text, text, room);
        ASSERT_EQ(room.back(), '#');
        const std::string_view body{room.data(), size};
        ASSERT_TRUE(body.ends_with(html ? "</html>\n" : "\"}\n")) << body;
        // Of each escape all or nothing: half of one would swallow what follows.
        if (c == '&' && html) {
          ASSERT_TRUE(body.find("&amp;</small>") != std::string_view::npos) << body;
        }
        if (c == '"' && !html) {
          ASSERT_TRUE(body.ends_with(R"(\""})"
                                     "\n"))
              << body;
        }
      }
    }
  }
}

TEST(ErrorAnswer, CutsLongTextsAtTheirShare) {
  const std::string body = body_of(false, 500, std::string(1000, 'r'), std::string(1000, 's'), std::string(1000, 'i'));
  EXPECT_THAT(body, HasSubstr("\"" + std::string(128, 'r') + "\""));
  EXPECT_THAT(body, HasSubstr("\"" + std::string(256, 's') + "\""));
  EXPECT_THAT(body, HasSubstr("\"" + std::string(128, 'i') + "\""));
}

}  // namespace
}  // namespace weir::http
