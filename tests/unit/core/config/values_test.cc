#include "core/config/values.h"

#include <gtest/gtest.h>

#include "core/config/kinds.h"

namespace weir::config {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(ConfigValues, DurationsAreReadAndWrittenBack) {
  const std::vector<std::pair<std::string_view, Duration>> table{
      {"0", Duration{0}},
      {"250us", microseconds{250}},
      {"500ms", milliseconds{500}},
      {"5s", seconds{5}},
      {"10m", minutes{10}},
      {"1h", hours{1}},
      {"30d", hours{720}},
      {"1m30s", seconds{90}},
      {"1d2h3m4s5ms6us", hours{26} + minutes{3} + seconds{4} + milliseconds{5} + microseconds{6}},
  };
  for (const auto& [text, duration] : table) {
    const auto reading = read_duration(text);
    ASSERT_TRUE(reading) << text;
    EXPECT_EQ(*reading, duration) << text;
    EXPECT_EQ(to_text(duration), text);
  }
  EXPECT_EQ(*read_duration("0s"), Duration::zero());
  EXPECT_EQ(*read_duration("90s"), seconds{90});
}

TEST(ConfigValues, WhatIsNoDurationIsRefused) {
  for (const std::string_view text : {"", " ", "5", "s", "5x", "5 s", " 5s", "5s ", "1s1m", "1s1s", "1.5s", "-1s",
                                      "+1s", "5S", "1e3s", "0x5s", "106752d", "18446744073709551616s", "9223372037s"}) {
    const auto reading = read_duration(text);
    EXPECT_FALSE(reading) << "`" << text << "`";
  }
  EXPECT_TRUE(read_duration("106751d"));  // the last whole day that 63 bits of nanoseconds hold
}

TEST(ConfigValues, SizesAreReadAndWrittenBack) {
  const std::vector<std::pair<std::string_view, uint64_t>> table{
      {"0", 0},
      {"512", 512},
      {"64KiB", 65536},
      {"1MiB", 1048576},
      {"2GiB", 2ULL << 30},
      {"10MB", 10'000'000},
      {"1GB", 1'000'000'000},
      {"999", 999},
  };
  for (const auto& [text, bytes] : table) {
    const auto reading = read_size(text);
    ASSERT_TRUE(reading) << text;
    EXPECT_EQ(*reading, bytes) << text;
    EXPECT_EQ(size_to_text(bytes), text);
  }
  EXPECT_EQ(*read_size("7B"), 7U);
  EXPECT_EQ(*read_size("3kB"), 3000U);
}

TEST(ConfigValues, WhatIsNoSizeIsRefused) {
  for (const std::string_view text : {"", "KiB", "64k", "64K", "1.5MiB", "-1", "64 KiB", "64kib", "64KIB", "1TiB",
                                      "18446744073709551616", "17179869184GiB"}) {
    EXPECT_FALSE(read_size(text)) << "`" << text << "`";
  }
}

TEST(ConfigValues, CpuListsAreReadAndWrittenBack) {
  EXPECT_EQ(*read_cpus("0"), (std::vector<uint32_t>{0}));
  EXPECT_EQ(*read_cpus("0-3,6"), (std::vector<uint32_t>{0, 1, 2, 3, 6}));
  EXPECT_EQ(*read_cpus("6, 0-1"), (std::vector<uint32_t>{0, 1, 6}));
  EXPECT_EQ(read_cpus("0-1023")->size(), 1024U);
  for (const std::string_view text : {"0", "0-3,6", "1,3,5", "0-1023"}) EXPECT_EQ(cpus_to_text(*read_cpus(text)), text);
  for (const std::string_view text : {"", ",", "0,", "-1", "1-", "3-1", "0,0", "0-2,1", "a", "0 1", "1024",
                                      "0-18446744073709551615", "0-1023,0-1023"}) {
    EXPECT_FALSE(read_cpus(text)) << "`" << text << "`";
  }
}

TEST(ConfigValues, FileModesAreOctal) {
  EXPECT_EQ(*read_file_mode("0600"), 0600U);
  EXPECT_EQ(*read_file_mode("660"), 0660U);
  EXPECT_EQ(file_mode_to_text(0640), "0640");
  for (const std::string_view text : {"", "0", "60", "0800", "1777", "4755", "rw-------", "-600", "0o600", "06000"}) {
    EXPECT_FALSE(read_file_mode(text)) << "`" << text << "`";
  }
}

TEST(ConfigValues, CountsAreDigitsAlone) {
  EXPECT_EQ(*read_count("0"), 0U);
  EXPECT_EQ(*read_count("007"), 7U);
  for (const std::string_view text : {"", "-1", "+1", "1.0", "1e3", " 1", "0x10", "1_000", "18446744073709551616"}) {
    EXPECT_FALSE(read_count(text)) << "`" << text << "`";
  }
}

TEST(ConfigValues, AListenerMayLeaveOutTheHostAndThePort) {
  SocketAddress address;
  EXPECT_FALSE(ListenAddress{}.read(":8080", address));
  EXPECT_EQ(address.to_string(), "[::]:8080");
  EXPECT_FALSE(ListenAddress{}.read("127.0.0.1:0", address));
  EXPECT_EQ(address.port(), 0);
  EXPECT_TRUE(EndpointAddress{}.read(":8080", address));
  EXPECT_TRUE(EndpointAddress{}.read("127.0.0.1:0", address));
  EXPECT_EQ(address.to_string(), "127.0.0.1:0") << "a mistake leaves the value alone";
}

TEST(ConfigValues, AutoIsNoValue) {
  std::optional<uint32_t> value = 7;
  const OrAuto kind{Count<uint32_t>{1, 10}};
  EXPECT_FALSE(kind.read("auto", value));
  EXPECT_EQ(value, std::nullopt);
  EXPECT_FALSE(kind.read("10", value));
  EXPECT_EQ(value, 10U);
  EXPECT_TRUE(kind.read("11", value));
  EXPECT_TRUE(kind.read("Auto", value));
  EXPECT_EQ(value, 10U);
}

TEST(ConfigValues, ADurationOfZeroIsOnlyTakenWhereItMeansSomething) {
  Duration value{};
  EXPECT_TRUE((Time{milliseconds{1}, hours{1}}.read("0", value)));
  EXPECT_FALSE((Time{milliseconds{1}, hours{1}, Zero::allowed}.read("0", value)));
  EXPECT_TRUE((Time{milliseconds{1}, hours{1}, Zero::allowed}.read("999us", value)));
}

}  // namespace
}  // namespace weir::config
