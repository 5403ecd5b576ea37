#include "hashing/exponential.h"

#include <array>
#include <bit>

namespace weir::hashing {
namespace {

__extension__ using Wide = unsigned __int128;

// The way: 1 - x = 2^-zeros * (1 - y) with y in [0, 1/2), so the result is zeros - log2(1 - y). Then y = a + d, where a
// is the begin of one of 128 segments, and 1 - y = (1 - a) * (1 - z) with z = d / (1 - a) < 2^-7. Begins are in a
// table, and -ln(1 - z) = z + z^2 / 2 + z^3 / 3 + ... has no minus sign: cut off and rounded down at each step it stays
// below the exact value, and never falls when z rises. Nor does it at the end of a segment: what the terms from z^6 on
// leave out there is more than 100 units, and the table is right to a few.
constexpr int segment_bits = 8;
constexpr int segment_shift = 64 - segment_bits;
constexpr uint32_t segments = 1U << (segment_bits - 1);

struct Segment {
  uint64_t begin = 0;       // -log2(1 - a), in units of the result.
  uint64_t reciprocal = 0;  // 1 / (1 - a), in units of 2^-63.
};

// log2 of a number in [1, 2) in units of 2^-63, in units of the result: digit by digit, each by a square. The error of
// an early square is doubled by each later one, whose digit counts half: in all less than a unit.
constexpr uint64_t log2_of(uint64_t mantissa) {
  uint64_t result = 0;
  for (int i = 0; i < exponential_fraction_bits; ++i) {
    const Wide square = Wide{mantissa} * mantissa;  // In [1, 4), in units of 2^-126.
    const bool digit = square >> 127 != 0;
    result = result << 1 | uint64_t{digit};
    mantissa = static_cast<uint64_t>(square >> (digit ? 64 : 63));
  }
  return result;
}

constexpr std::array<Segment, segments> make_segments() {
  std::array<Segment, segments> result;
  for (uint32_t i = 0; i < segments; ++i) {
    // 1 - a is rest / 256, in (1/2, 1], and its logarithm is one less than that of its double.
    const uint64_t rest = (1U << segment_bits) - i;
    if (i != 0) result[i].begin = (uint64_t{1} << exponential_fraction_bits) - log2_of(rest << (64 - segment_bits));
    result[i].reciprocal = static_cast<uint64_t>((Wide{1} << (63 + segment_bits)) / rest);
  }
  return result;
}

constexpr std::array<Segment, segments> table = make_segments();

// The product of two numbers in [0, 1), in units of 2^-64.
constexpr uint64_t product(uint64_t a, uint64_t b) noexcept {
  return static_cast<uint64_t>(Wide{a} * b >> 64);
}

constexpr uint64_t half = uint64_t{1} << 63;
constexpr uint64_t third = 0x5555555555555555;
constexpr uint64_t quarter = uint64_t{1} << 62;
constexpr uint64_t fifth = 0x3333333333333333;
constexpr uint64_t log2_of_e = 0xb8aa3b295c17f0bb;  // In units of 2^-63.

}  // namespace

uint64_t exponential(uint64_t uniform) noexcept {
  if (uniform == 0) return 0;
  const uint64_t rest = 0 - uniform;
  const int zeros = std::countl_zero(rest);
  const uint64_t y = 0 - (rest << zeros);
  const auto whole = static_cast<uint64_t>(zeros) << exponential_fraction_bits;
  // Would be the begin of the segment after the last.
  if (y == half) return whole + (uint64_t{1} << exponential_fraction_bits);
  const Segment& segment = table[y >> segment_shift];
  const uint64_t d = y & ((uint64_t{1} << segment_shift) - 1);
  const auto z = static_cast<uint64_t>(Wide{d} * segment.reciprocal >> 63);
  const uint64_t series =
      z + product(z, product(z, half + product(z, third + product(z, quarter + product(z, fifth)))));
  // 64 and 63 bits of fraction come together, and the result has 57.
  return whole + segment.begin + static_cast<uint64_t>(Wide{series} * log2_of_e >> 70);
}

}  // namespace weir::hashing
