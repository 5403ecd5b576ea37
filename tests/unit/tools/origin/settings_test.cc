#include "tools/origin/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace weir::origin {
namespace {

using testing::HasSubstr;

TEST(OriginSettings, DefaultsMakeSense) {
  std::string complaint;
  const auto settings = check({}, complaint);
  ASSERT_TRUE(settings) << complaint;
  ASSERT_EQ(settings->listen.size(), 1u);
  EXPECT_EQ(settings->listen[0].text(), "127.0.0.1:9001");
  EXPECT_EQ(settings->raw, RawMode::none);
  EXPECT_FALSE(settings->fallback);
}

TEST(OriginSettings, AddressesAreReadAndSaidAlike) {
  struct Row {
    const char* given;
    const char* said;
  };
  const Row rows[] = {{"127.0.0.1:0", "127.0.0.1:0"},
                      {"[::1]:80", "[::1]:80"},
                      {":8080", "[::]:8080"},
                      {"unix:/run/x.sock", "unix:/run/x.sock"}};
  for (const Row& row : rows) {
    const auto address = parse_listen_address(row.given);
    ASSERT_TRUE(address) << row.given;
    EXPECT_EQ(address->text(), row.said);
  }
  for (const char* bad :
       {"", "80", "localhost:80", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1]", "[:80", "unix:", "1.2.3.4:+5"}) {
    EXPECT_FALSE(parse_listen_address(bad)) << bad;
  }
  EXPECT_FALSE(parse_listen_address("unix:/" + std::string(107, 'x'))) << "sun_path has 108 bytes with its zero";
}

TEST(OriginSettings, EachMistakeIsNamedWithItsOption) {
  struct Row {
    const char* option;
    std::function<void(OriginOptions&)> spoil;
  };
  const Row rows[] = {
      {"--listen", [](OriginOptions& o) { o.listen.clear(); }},
      {"--listen 'here'", [](OriginOptions& o) { o.listen.emplace_back("here"); }},
      {"--name", [](OriginOptions& o) { o.name = "two words"; }},
      {"--name", [](OriginOptions& o) { o.name = ""; }},
      {"--name", [](OriginOptions& o) { o.name = std::string(65, 'n'); }},
      {"--threads '0'", [](OriginOptions& o) { o.threads = 0; }},
      {"--threads", [](OriginOptions& o) { o.threads = 257; }},
      {"--answer 'x'", [](OriginOptions& o) { o.answer = "x"; }},
      {"--answer '/bytes/x'", [](OriginOptions& o) { o.answer = "/bytes/x"; }},
      {"--answer", [](OriginOptions& o) { o.answer = "/nope"; }},
      {"--delay 'soon'", [](OriginOptions& o) { o.delay = "soon"; }},
      {"--fail 'badly'", [](OriginOptions& o) { o.fail = "badly"; }},
      {"--fail-rate", [](OriginOptions& o) { o.fail = "close", o.fail_rate = 1.5; }},
      {"--fail-rate", [](OriginOptions& o) { o.fail_rate = 0.5; }},  // of what?
      {"--health-status", [](OriginOptions& o) { o.health_status = 100; }},
      {"--raw 'mad'", [](OriginOptions& o) { o.raw = "mad"; }},
      {"--raw 'echo'", [](OriginOptions& o) { o.raw = "echo", o.delay = "5"; }},
  };
  for (const Row& row : rows) {
    OriginOptions options;
    row.spoil(options);
    std::string complaint;
    EXPECT_FALSE(check(options, complaint)) << row.option;
    EXPECT_THAT(complaint, testing::StartsWith(row.option));
    EXPECT_THAT(complaint, HasSubstr(": "));
  }
}

}  // namespace
}  // namespace weir::origin
