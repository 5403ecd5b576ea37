#include "tools/origin/text.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace weir::origin {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr Unit size_units[] = {{"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}, {"", 1}};
constexpr Unit millisecond_units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"", 1}};

constexpr std::uint64_t size_max = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t duration_ms_max = 24ull * 3600 * 1000;

// The first unit whose suffix fits decides; the empty one stands last and fits all.
template <std::size_t n>
std::optional<std::uint64_t> parse_with_unit(std::string_view text, const Unit (&units)[n],
                                             std::uint64_t result_max) noexcept {
  const Unit& unit = *std::find_if(units, units + n, [&](const Unit& u) { return text.ends_with(u.suffix); });
  const auto number = parse_number(text.substr(0, text.size() - unit.suffix.size()));
  if (!number || *number > result_max / unit.factor) return std::nullopt;
  return *number * unit.factor;
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
  return parse_with_unit(text, size_units, size_max);
}

std::optional<Duration> parse_duration(std::string_view text) noexcept {
  const auto ms = parse_with_unit(text, millisecond_units, duration_ms_max);
  if (!ms) return std::nullopt;
  return std::chrono::milliseconds{*ms};
}

std::optional<double> parse_rate(std::string_view text) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  // The comparison is written so that not-a-number fails it.
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 1)) return std::nullopt;
  return value;
}

bool same_word(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace weir::origin
