// The bytes of every sized and endless body: each 16-byte line says its own offset, so that a test can tell from any
// fragment where it belongs, and a person can read in a broken stream what was lost or swapped.
//
//     000000000000000\n000000000000016\n000000000000032\n ...
//
// The line at offset o is o modulo 1,000,000 in 15 decimal digits and a newline. The period is not a power of two
// on purpose: a slip by a pipe or buffer size never lands on the same bytes. One period lies in memory, immutable,
// shared by all threads and sent from there without copying.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::origin {

inline constexpr std::uint64_t pattern_period = 1'000'000;

// At most `length` bytes of the pattern from `offset` on, as far as they lie contiguous; never empty unless length is
// 0.
std::string_view pattern_at(std::uint64_t offset, std::uint64_t length) noexcept;

}  // namespace weir::origin
