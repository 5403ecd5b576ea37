#include "core/config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>

namespace weir::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Largest first: the order in which a duration names them, and in which to_text tries them.
constexpr std::array duration_units{Unit{"d", 86'400'000'000'000}, Unit{"h", 3'600'000'000'000},
                                    Unit{"m", 60'000'000'000},     Unit{"s", 1'000'000'000},
                                    Unit{"ms", 1'000'000},         Unit{"us", 1'000}};

constexpr std::array size_units{Unit{"GiB", uint64_t{1} << 30},
                                Unit{"MiB", uint64_t{1} << 20},
                                Unit{"KiB", uint64_t{1} << 10},
                                Unit{"GB", 1'000'000'000},
                                Unit{"MB", 1'000'000},
                                Unit{"KB", 1'000},
                                Unit{"kB", 1'000},
                                Unit{"B", 1}};

constexpr uint64_t duration_max = std::numeric_limits<int64_t>::max();

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Takes the digits at the front of `text` off it; none if there are none or they do not fit.
std::optional<uint64_t> take_number(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

std::string_view take_letters(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_letter);
  const std::string_view letters = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(letters.size());
  return letters;
}

// `number` times `factor`, none if that is above `max`.
std::optional<uint64_t> scaled(uint64_t number, uint64_t factor, uint64_t max) {
  if (number > max / factor) return std::nullopt;
  return number * factor;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

Mistake bad_duration(std::string_view text) {
  if (all_digits(text)) {
    const std::string number{text};
    return {quoted(text) + " has no unit",
            "write `" + number + "s` for seconds or `" + number + "ms` for milliseconds"};
  }
  return {quoted(text) + " is not a duration", "write whole numbers with units: 500ms, 5s, 10m, 1h, 1m30s"};
}

Mistake bad_size(std::string_view text) {
  return {quoted(text) + " is not a size", "write bytes, or a whole number with a unit: 512, 64KiB, 1MiB, 10MB"};
}

Mistake bad_cpus(std::string_view text) {
  return {quoted(text) + " is not a list of CPUs", "write numbers and ranges: \"0-3,6\""};
}

}  // namespace

Reading<Duration> read_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  uint64_t total = 0;
  size_t next_unit = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto number = is_digit(rest.front()) ? take_number(rest) : std::nullopt;
    if (!number) return bad_duration(text);
    const std::string_view name = take_letters(rest);
    const auto unit = std::find_if(duration_units.begin() + static_cast<ptrdiff_t>(next_unit), duration_units.end(),
                                   [&](const Unit& candidate) { return candidate.name == name; });
    if (unit == duration_units.end()) return bad_duration(text);
    next_unit = static_cast<size_t>(unit - duration_units.begin()) + 1;
    const auto part = scaled(*number, unit->factor, duration_max - total);
    if (!part) return Mistake{quoted(text) + " is longer than any clock runs", "write a shorter duration"};
    total += *part;
  }
  if (text.empty()) return bad_duration(text);
  return Duration{static_cast<int64_t>(total)};
}

std::string to_text(Duration duration) {
  if (duration <= Duration::zero()) return "0";
  auto rest = static_cast<uint64_t>(duration.count());
  std::string text;
  for (const Unit& unit : duration_units) {
    if (rest >= unit.factor) (text += std::to_string(rest / unit.factor)) += unit.name;
    rest %= unit.factor;
  }
  return text;
}

Reading<uint64_t> read_size(std::string_view text) {
  std::string_view rest = text;
  const auto number = !rest.empty() && is_digit(rest.front()) ? take_number(rest) : std::nullopt;
  if (!number) return bad_size(text);
  if (rest.empty()) return *number;
  for (const Unit& unit : size_units) {
    if (unit.name != rest) continue;
    const auto bytes = scaled(*number, unit.factor, std::numeric_limits<uint64_t>::max());
    if (!bytes) return Mistake{quoted(text) + " is more bytes than can be counted", "write a smaller size"};
    return *bytes;
  }
  // `64k` is 64,000 to some and 65,536 to others, so it has to be said.
  if (rest.size() == 1 && std::string_view{"kKmMgG"}.find(rest[0]) != std::string_view::npos) {
    const char prefix = static_cast<char>(rest[0] & ~0x20);  // its capital
    const std::string stem = std::to_string(*number) + prefix;
    return Mistake{quoted(text) + " can be read in two ways",
                   "write `" + stem + "iB` (powers of 1024) or `" + stem + "B` (powers of 1000)"};
  }
  return bad_size(text);
}

std::string size_to_text(uint64_t bytes) {
  for (const Unit& unit : size_units) {
    if (bytes != 0 && unit.factor > 1 && bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor) + std::string{unit.name};
    }
  }
  return std::to_string(bytes);
}

Reading<uint64_t> read_count(std::string_view text) {
  if (!all_digits(text)) return Mistake{quoted(text) + " is not a whole number", "write decimal digits only"};
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number) return Mistake{quoted(text) + " is too large a number", ""};
  return *number;
}

Reading<std::vector<uint32_t>> read_cpus(std::string_view text) {
  std::vector<uint32_t> cpus;
  std::string_view rest = text;
  while (true) {
    const auto first = take_number(rest);
    if (!first) return bad_cpus(text);
    auto last = first;
    if (rest.starts_with('-')) {
      rest.remove_prefix(1);
      last = take_number(rest);
      if (!last) return bad_cpus(text);
    }
    if (*last < *first) return Mistake{quoted(text) + " has a range that runs backwards", "write the lower CPU first"};
    if (*last > cpu_max)
      return Mistake{"CPU " + std::to_string(*last) + " is above the largest, " + std::to_string(cpu_max), ""};
    for (uint64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<uint32_t>(cpu));
    if (cpus.size() > cpu_max + 1) return Mistake{quoted(text) + " names a CPU twice", "name each CPU once"};
    if (rest.empty()) break;
    if (!rest.starts_with(',')) return bad_cpus(text);
    rest.remove_prefix(1);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  std::sort(cpus.begin(), cpus.end());
  if (const auto twice = std::adjacent_find(cpus.begin(), cpus.end()); twice != cpus.end()) {
    return Mistake{quoted(text) + " names CPU " + std::to_string(*twice) + " twice", "name each CPU once"};
  }
  return cpus;
}

std::string cpus_to_text(const std::vector<uint32_t>& cpus) {
  std::string text;
  for (size_t i = 0; i < cpus.size();) {
    size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    text += (text.empty() ? "" : ",") + std::to_string(cpus[i]);
    if (end - i > 1) text += "-" + std::to_string(cpus[end - 1]);
    i = end;
  }
  return text;
}

Reading<uint32_t> read_file_mode(std::string_view text) {
  uint32_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  const bool shape = (text.size() == 3 || text.size() == 4) && is_digit(text.front());
  if (!shape || error != std::errc{} || end != text.data() + text.size() || mode > 0777) {
    return Mistake{quoted(text) + " is not a file mode", "write the permissions as octal digits: \"0600\", \"0660\""};
  }
  return mode;
}

std::string file_mode_to_text(uint32_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 0777U);
  return text.data();
}

}  // namespace weir::config
