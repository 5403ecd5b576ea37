#include "net/http/message.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace weir::http {
namespace {

TEST(Method, IsKnownByItsNameInCapitals) {
  const struct {
    std::string_view text;
    Method method;
    bool idempotent;
  } rows[] = {
      {"GET", Method::get, true},         {"HEAD", Method::head, true},        {"POST", Method::post, false},
      {"PUT", Method::put, true},         {"DELETE", Method::delete_, true},   {"OPTIONS", Method::options, true},
      {"TRACE", Method::trace, true},     {"CONNECT", Method::connect, false}, {"PATCH", Method::patch, false},
      {"get", Method::other, false},      {"", Method::other, false},          {"GETS", Method::other, false},
      {"PROPFIND", Method::other, false}, {"OPTION", Method::other, false},    {"PASTE", Method::other, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(method_of(row.text), row.method) << row.text;
    EXPECT_EQ(is_idempotent(method_of(row.text)), row.idempotent) << row.text;
  }
}

TEST(Refusal, HasANameAStatusAndASentence) {
  std::set<std::string_view> names;
  std::set<std::string_view> sentences;
#define REFUSAL(name, number, sentence)                                                 \
  EXPECT_EQ(name_of(Refusal::name), #name);                                             \
  EXPECT_EQ(status_of(Refusal::name), number);                                          \
  EXPECT_EQ(sentence_of(Refusal::name), sentence);                                      \
  EXPECT_TRUE(names.insert(#name).second&& sentences.insert(sentence).second) << #name; \
  EXPECT_TRUE(Refusal::name == Refusal::none || (!reason_of(number).empty() && number >= 400)) << #name;
#include "net/http/refusals.def"
#undef REFUSAL
  EXPECT_EQ(status_of(Refusal::none), 0);
}

TEST(RefusalDeathTest, IsOneOfThem) {
  EXPECT_DEATH(name_of(static_cast<Refusal>(200)), "refusals");
}

TEST(Reason, IsThatOfTheRegistry) {
  EXPECT_EQ(reason_of(100), "Continue");
  EXPECT_EQ(reason_of(200), "OK");
  EXPECT_EQ(reason_of(308), "Permanent Redirect");
  EXPECT_EQ(reason_of(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_of(511), "Network Authentication Required");
  constexpr uint16_t nameless[] = {0, 99, 199, 306, 418, 427, 509, 510, 599, 1000};
  for (const uint16_t status : nameless) EXPECT_EQ(reason_of(status), "") << status;
}

}  // namespace
}  // namespace weir::http
