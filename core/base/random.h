// A small, fast, seeded source of random numbers (xoshiro256++ by Blackman and Vigna, 2019). The same seed gives the
// same numbers on every machine, so a failing simulation can be run again. Not for secrets.
//
// It belongs to one thread; workers and picker states own theirs. There is no global one on purpose.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "core/base/assert.h"

namespace weir {

class Random {
 public:
  explicit Random(uint64_t seed) noexcept {
    // splitmix64 spreads any seed, 0 included, over a state that is never all zero (its outputs are distinct).
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }

  uint64_t next() noexcept {
    auto& [a, b, c, d] = state_;
    const uint64_t result = std::rotl(a + d, 23) + a;
    const uint64_t shifted = b << 17;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = std::rotl(d, 45);
    return result;
  }

  // Uniform in [0, bound), exactly: Lemire, "Fast Random Integer Generation in an Interval", 2019. `bound` is not 0.
  uint64_t below(uint64_t bound) noexcept {
    WEIR_ASSERT(bound != 0);
    Wide product = Wide{next()} * bound;
    if (static_cast<uint64_t>(product) < bound) [[unlikely]] {
      // 2^64 mod bound: as many of the lowest products are one too many.
      const uint64_t surplus = (0 - bound) % bound;
      while (static_cast<uint64_t>(product) < surplus) product = Wide{next()} * bound;
    }
    return static_cast<uint64_t>(product >> 64);
  }

  // Uniform in [0, 1), in steps of 2^-53.
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  __extension__ using Wide = unsigned __int128;

  std::array<uint64_t, 4> state_;
};

}  // namespace weir
