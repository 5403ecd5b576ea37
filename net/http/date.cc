#include "net/http/date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

namespace weir::http {
namespace {

constexpr std::string_view weekdays = "SunMonTueWedThuFriSat";
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr int64_t seconds_max = 253'402'300'799;  // Fri, 31 Dec 9999 23:59:59 GMT

void put_two_digits(char* at, unsigned value) noexcept {
  at[0] = static_cast<char>('0' + value / 10);
  at[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string_view write_date(int64_t seconds, std::span<char, date_size> out) noexcept {
  const std::chrono::sys_seconds time{std::chrono::seconds{std::clamp<int64_t>(seconds, 0, seconds_max)}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));

  char* at = out.data();
  std::memcpy(at, "Www, DD Mmm YYYY hh:mm:ss GMT", date_size);
  std::memcpy(at, weekdays.data() + size_t{3} * std::chrono::weekday{day}.c_encoding(), 3);
  put_two_digits(at + 5, static_cast<unsigned>(date.day()));
  std::memcpy(at + 8, months.data() + size_t{3} * (static_cast<unsigned>(date.month()) - 1), 3);
  put_two_digits(at + 12, year / 100);
  put_two_digits(at + 14, year % 100);
  put_two_digits(at + 17, static_cast<unsigned>(clock.hours().count()));
  put_two_digits(at + 20, static_cast<unsigned>(clock.minutes().count()));
  put_two_digits(at + 23, static_cast<unsigned>(clock.seconds().count()));
  return {out.data(), out.size()};
}

}  // namespace weir::http
