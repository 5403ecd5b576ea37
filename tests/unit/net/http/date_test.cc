#include "net/http/date.h"

#include <gtest/gtest.h>
#include <time.h>

#include <array>
#include <limits>
#include <string>

#include "core/base/random.h"

namespace weir::http {
namespace {

constexpr int64_t seconds_max = 253'402'300'799;

std::string date_of(int64_t seconds) {
  std::array<char, date_size> room{};
  return std::string{write_date(seconds, room)};
}

// The C library's opinion; tests run in the "C" locale, whose names of days and months are those of HTTP.
std::string expected_date_of(int64_t seconds) {
  const time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  return {text.data(), strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

TEST(HttpDate, IsTheExampleOfTheRfc) {
  EXPECT_EQ(date_of(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpDate, AgreesWithTheCLibrary) {
  Random random(7);
  for (int i = 0; i < 100'000; ++i) {
    const auto seconds = static_cast<int64_t>(random.below(seconds_max + 1));
    ASSERT_EQ(date_of(seconds), expected_date_of(seconds)) << seconds;
  }
}

TEST(HttpDate, AgreesOnEveryDayOfLeapYearsAndOthers) {
  // 2000 is a leap year, 2100 is none; four years around each, at the first and the last second of each day.
  for (const int64_t begin : {int64_t{883'612'800}, int64_t{4'039'372'800}}) {
    for (int64_t day = 0; day < 4 * 366; ++day) {
      const int64_t midnight = begin + day * 86'400;
      ASSERT_EQ(date_of(midnight), expected_date_of(midnight));
      ASSERT_EQ(date_of(midnight + 86'399), expected_date_of(midnight + 86'399));
    }
  }
}

TEST(HttpDate, StaysInTheYearsThatHaveFourDigits) {
  EXPECT_EQ(date_of(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_of(-1), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_of(std::numeric_limits<int64_t>::min()), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_of(seconds_max), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(date_of(seconds_max + 1), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(date_of(std::numeric_limits<int64_t>::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
}

}  // namespace
}  // namespace weir::http
