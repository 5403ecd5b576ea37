#include "tools/origin/pattern.h"

#include <algorithm>
#include <string>

namespace weir::origin {
namespace {

constexpr std::size_t line_size = 16;
static_assert(pattern_period % line_size == 0, "a period ends where a line ends");

std::string make_period() {
  std::string period(pattern_period, '0');
  for (std::size_t offset = 0; offset < period.size(); offset += line_size) {
    std::size_t at = offset + line_size - 1;
    period[at] = '\n';
    for (std::size_t rest = offset; rest != 0; rest /= 10) period[--at] = static_cast<char>('0' + rest % 10);
  }
  return period;
}

}  // namespace

std::string_view pattern_at(std::uint64_t offset, std::uint64_t length) noexcept {
  static const std::string period = make_period();
  const std::uint64_t start = offset % pattern_period;
  return std::string_view{period}.substr(start, std::min(length, pattern_period - start));
}

}  // namespace weir::origin
