// Exponentially distributed numbers from uniform ones, in fixed point: -log2(1 - x) for x in [0, 1).
//
// What weighted rendezvous hashing needs of a logarithm, and what the one of the C library does not promise: the same
// bits on every machine, and never a smaller result for a greater x. Integers only; off the exact value by less than
// one part in 2^40 and four units. A pure function, any thread.
#pragma once

#include <cstdint>

namespace weir::hashing {

// What the result counts: 2^-57. It is at most 64, so that it fits with a bit to spare.
inline constexpr int exponential_fraction_bits = 57;

// x is uniform / 2^64. At least uniform >> 7, which is x itself in the units of the result.
uint64_t exponential(uint64_t uniform) noexcept;

}  // namespace weir::hashing
