#include "core/model/access_format.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <time.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

std::string json_of(const AccessRecord& record) {
  std::string line;
  append_access_json(line, record);
  return line;
}

std::string combined_of(const AccessRecord& record) {
  std::string line;
  append_access_combined(line, record);
  return line;
}

AccessRecord sample() {
  AccessRecord record;
  record.time_ms = 971'186'136'042;
  record.bytes_in = 17;
  record.bytes_out = 2326;
  record.total_us = 1500;
  record.queue_us = 10;
  record.connect_us = 200;
  record.first_byte_us = 900;
  record.body_us = 300;
  record.weir_us = 25;
  record.client = PeerAddress::ipv4(0x7f000001, 4711);
  record.status = 200;
  record.tries = 1;
  record.listener = "web";
  record.route = "api";
  record.upstream = "app";
  record.endpoint = "app-1";
  record.method = "GET";
  record.target = "/x?y=z";
  record.host = "example.com";
  record.user_agent = "curl/8";
  record.referer = "http://example.org/";
  record.request_id = "4f";
  record.ended = "done";
  return record;
}

TEST(AccessJson, IsOneObjectWithEveryKey) {
  EXPECT_EQ(json_of(sample()),
            R"({"time":"2000-10-10T13:55:36.042Z","request_id":"4f","client":"127.0.0.1","listener":"web",)"
            R"("route":"api","upstream":"app","endpoint":"app-1","method":"GET","host":"example.com",)"
            R"("target":"/x?y=z","protocol":"HTTP/1.1","status":200,"bytes_in":17,"bytes_out":2326,)"
            R"("user_agent":"curl/8","referer":"http://example.org/","tries":1,"reused":false,"end":"done",)"
            R"("total_us":1500,"queue_us":10,"connect_us":200,"first_byte_us":900,"body_us":300,"weir_us":25})");
}

TEST(AccessJson, SaysWhatWasRefused) {
  AccessRecord record;
  record.minor_version = 0;
  record.reused = true;
  record.status = 400;
  record.refusal = "bare_lf";
  const auto json = nlohmann::json::parse(json_of(record));
  EXPECT_EQ(json["refusal"], "bare_lf");
  EXPECT_EQ(json["protocol"], "HTTP/1.0");
  EXPECT_EQ(json["client"], "unknown");
  EXPECT_EQ(json["reused"], true);
  // Absent texts are there, as "".
  for (const char* key : {"listener", "route", "upstream", "endpoint", "method", "host", "target", "user_agent",
                          "referer", "request_id", "end"}) {
    EXPECT_EQ(json[key], "") << key;
  }
  EXPECT_FALSE(nlohmann::json::parse(json_of(sample())).contains("refusal"));
}

TEST(AccessJson, HoldsTheLargestNumbers) {
  AccessRecord record = sample();
  record.bytes_out = record.total_us = std::numeric_limits<uint64_t>::max();
  record.tries = std::numeric_limits<uint16_t>::max();
  const auto json = nlohmann::json::parse(json_of(record));
  EXPECT_EQ(json["bytes_out"], std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(json["total_us"], std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(json["tries"], 65535);
}

TEST(AccessCombined, IsTheLineThatServersWrite) {
  EXPECT_EQ(
      combined_of(sample()),
      R"(127.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET /x?y=z HTTP/1.1" 200 2326 "http://example.org/" "curl/8")");
}

TEST(AccessCombined, HasADashForWhatThereIsNot) {
  AccessRecord record;
  record.client.family = PeerAddress::Family::local;
  record.status = 400;
  EXPECT_EQ(combined_of(record), R"(local - - [01/Jan/1970:00:00:00 +0000] "-" 400 0 "-" "-")");
}

TEST(AccessCombined, EscapesWhatCouldForgeALine) {
  AccessRecord record = sample();
  record.target = "/\" 200 1 \"x\" \"y\"\n127.0.0.1";
  record.user_agent = "a\\b\x1b[31m\x7f\xc3\xa9";
  record.referer = std::string_view{"\0\t\r", 3};
  EXPECT_EQ(combined_of(record),
            R"(127.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET /\x22 200 1 \x22x\x22 \x22y\x22\x0A127.0.0.1 HTTP/1.1" )"
            R"(200 2326 "\x00\x09\x0D" "a\x5Cb\x1B[31m\x7F\xC3\xA9")");
}

// Any bytes in any text: still one line, and JSON that reads back as what was sent, as far as that is UTF-8.
TEST(AccessFormat, MakesOneLineOfAnyBytes) {
  Random random(43);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (uint64_t length = random.below(40); length > 0; --length) text += static_cast<char>(random.next());
    AccessRecord record = sample();
    record.method = record.target = record.host = record.user_agent = record.referer = record.request_id = text;

    const std::string combined = combined_of(record);
    for (const char c : combined) ASSERT_TRUE(c >= ' ' && c <= '~') << combined;
    // Quotes are those of the three texts.
    ASSERT_EQ(std::count(combined.begin(), combined.end(), '"'), 6) << combined;

    const std::string line = json_of(record);
    for (const char c : line) ASSERT_TRUE(static_cast<unsigned char>(c) >= ' ' && c != '\x7f') << line;
    const auto json = nlohmann::json::parse(line);
    ASSERT_EQ(json.size(), 25U) << line;
    const bool is_ascii = std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
    if (is_ascii) {
      ASSERT_EQ(json["target"], text);
    }
  }
}

TEST(AccessFormat, TimesAgreeWithTheCLibrary) {
  Random random(47);
  for (int round = 0; round < 20'000; ++round) {
    AccessRecord record = sample();
    record.time_ms = static_cast<int64_t>(random.below(253'402'300'800'000));
    const time_t seconds = record.time_ms / 1000;
    tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 64> expected{};
    strftime(expected.data(), expected.size(), "[%d/%b/%Y:%H:%M:%S +0000]", &parts);
    ASSERT_NE(combined_of(record).find(expected.data()), std::string::npos) << record.time_ms;
    strftime(expected.data(), expected.size(), "\"time\":\"%Y-%m-%dT%H:%M:%S.", &parts);
    const std::string milliseconds = std::to_string(1000 + record.time_ms % 1000).substr(1);
    ASSERT_NE(json_of(record).find(expected.data() + milliseconds + "Z\""), std::string::npos) << record.time_ms;
  }
}

TEST(AccessFormat, SurvivesAnyClock) {
  AccessRecord record = sample();
  record.time_ms = std::numeric_limits<int64_t>::min();
  EXPECT_NE(json_of(record).find("\"1970-01-01T00:00:00.000Z\""), std::string::npos);
  record.time_ms = std::numeric_limits<int64_t>::max();
  EXPECT_NE(json_of(record).find("\"9999-12-31T23:59:59.999Z\""), std::string::npos);
}

}  // namespace
}  // namespace weir
