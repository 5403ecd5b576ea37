// Small readings of text: numbers, sizes, durations, and words without regard to case. Pure functions; all of the input
// must be the value, nothing may be left over, and a value that does not fit is no value.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/clock.h"

namespace weir::origin {

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept;

// "4096", "64KiB", "1MiB", "2GiB". At most what a Content-Length can say everywhere: 2^63 - 1.
std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

// "250" (milliseconds), "250ms", "2s", "1m". At most a day: a longer wait is a typing mistake.
std::optional<Duration> parse_duration(std::string_view text) noexcept;

// "0.3": a share between 0 and 1.
std::optional<double> parse_rate(std::string_view text) noexcept;

// ASCII only, as HTTP's words are.
bool same_word(std::string_view left, std::string_view right) noexcept;

// Without the spaces and tabs around it.
std::string_view trimmed(std::string_view text) noexcept;

}  // namespace weir::origin
