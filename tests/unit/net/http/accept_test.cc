#include "net/http/accept.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/random.h"

namespace weir::http {
namespace {

TEST(Accept, DecidesBetweenHtmlAndJson) {
  struct Case {
    const char* accept;
    bool html;
  };
  const Case cases[] = {
      // what programs and browsers send
      {"", false},
      {"*/*", false},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
       "application/signed-exchange;v=b3;q=0.7",
       true},
      {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", true},
      {"application/json, text/plain, */*", false},
      {"application/json", false},
      {"application/json, text/javascript, */*; q=0.01", false},
      {"image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", false},
      {"text/css,*/*;q=0.1", false},
      // qualities
      {"text/html;q=0.5, application/json;q=0.4", true},
      {"text/html;q=0.4, application/json;q=0.5", false},
      {"text/html;q=0.001, application/json;q=0", true},
      {"text/html;q=0", false},
      {"text/html;q=0, */*", false},
      {"application/json;q=0, */*", true},
      {"application/json;q=0, */*;q=0", false},
      {"text/html;Q=0.9, application/json;q=0.5", true},
      {"text/html ; q=0.9 , application/json ; q=0.5", true},
      // a tie: HTML when it is named as precisely, in any order
      {"text/html, application/json", true},
      {"application/json, text/html", true},
      {"text/*, application/*", true},
      {"text/html, */*", true},
      {"application/json, */*", false},
      {"text/*, application/json", false},
      {"text/*, */*", true},
      {"application/*, */*", false},
      // the more precise range counts, whatever its quality and place
      {"text/*;q=0.9, text/html;q=0.1, application/json;q=0.5", false},
      {"text/html;q=0.9, text/*;q=0.1, application/json;q=0.5", true},
      {"*/*;q=0.9, application/*;q=0.1", true},
      {"text/html;q=0.2, text/html;q=0.8, application/json;q=0.5", true},
      // letters in any case; other parameters mean nothing
      {"TEXT/HTML", true},
      {"text/html;charset=utf-8", true},
      {"text/html;level=1;q=0.3, application/json;q=0.5", false},
      {"text/html;a=\"b,;c\\\"\";q=0.3, application/json;q=0.5", false},
      // malformed elements are passed over
      {"text/html;q=1.5", false},
      {"text/html;q=1.001", false},
      {"text/html;q=0.1234", false},
      {"text/html;q=", false},
      {"text/html;q=x", false},
      {"text/html;q=0,5", false},
      {"text/html;q=.5", false},
      {"text/html;q=0., application/json;q=0.001", false},
      {"text/html;q=1.000", true},
      {"text/htmlx, texthtml, text", false},
      {",,, text/html ,,", true},
      {"\"text/html", false},
      {"text/html;a=\"", true},
      {"text/html;a=\"\\", true},
  };
  for (const Case& c : cases) EXPECT_EQ(prefers_html(c.accept), c.html) << c.accept;
}

// Any bytes give an answer, and an element that names neither changes nothing.
TEST(Accept, OtherTypesDoNotMatter) {
  Random random(23);
  const std::string_view alphabet = "text/hml*aplicon;q=0.19, \"\\";
  for (int round = 0; round < 20'000; ++round) {
    std::string accept;
    for (uint64_t length = random.below(40); length > 0; --length) accept += alphabet[random.below(alphabet.size())];
    ASSERT_EQ(prefers_html(accept), prefers_html("image/png;q=0.7," + accept)) << accept;
  }
}

}  // namespace
}  // namespace weir::http
