#include "net/http/trailer.h"

#include <gtest/gtest.h>

#include <string_view>

namespace weir::http {
namespace {

bool may_be(std::string_view name) {
  return may_be_trailer(name, field_id_of(name));
}

TEST(Trailer, MayNotSayWhatHadToBeKnownBefore) {
  for (const std::string_view name : {"Transfer-Encoding",
                                      "Content-Length",
                                      "HOST",
                                      "authorization",
                                      "Content-Encoding",
                                      "Content-Type",
                                      "Content-Range",
                                      "Trailer",
                                      "TE",
                                      "Connection",
                                      "Keep-Alive",
                                      "Proxy-Connection",
                                      "Proxy-Anything",
                                      "Upgrade",
                                      "Cookie",
                                      "Set-Cookie",
                                      "Expect",
                                      "Max-Forwards",
                                      "Cache-Control",
                                      "If-Match",
                                      "if-none-match",
                                      "Range",
                                      "Forwarded",
                                      "X-Forwarded-For",
                                      "x-forwarded-other",
                                      "X-Real-IP",
                                      "X-Request-Id",
                                      "Via",
                                      "Location",
                                      "Date",
                                      "Age",
                                      "Expires",
                                      "Vary",
                                      "Retry-After",
                                      "Pragma",
                                      "WWW-Authenticate"}) {
    EXPECT_FALSE(may_be(name)) << name;
  }
}

TEST(Trailer, MaySayTheRest) {
  for (const std::string_view name : {"Digest", "ETag", "X-Sum", "Server-Timing", "grpc-status", "If", "Proxy",
                                      "Ranges", "X-Forwarded", "Accept-Ranges", "Link"}) {
    EXPECT_TRUE(may_be(name)) << name;
  }
}

}  // namespace
}  // namespace weir::http
