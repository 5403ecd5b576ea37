#include "hashing/prime.h"

#include <bit>

namespace weir::hashing {
namespace {

// 2^64 - 59.
constexpr uint64_t largest_prime = 18446744073709551557U;

// Deciding by these bases is exact for all numbers below 3.3 * 10^24: Sorenson and Webster, "Strong Pseudoprimes to
// Twelve Prime Bases", 2015.
constexpr uint64_t bases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};

uint64_t multiply(uint64_t a, uint64_t b, uint64_t modulus) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>(Wide{a} * b % modulus);
}

uint64_t power(uint64_t base, uint64_t exponent, uint64_t modulus) noexcept {
  uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = multiply(result, base, modulus);
    base = multiply(base, base, modulus);
  }
  return result;
}

// Miller and Rabin: for a prime, base^odd is 1, or one of its repeated squares is -1. `odd` << `twos` is number - 1.
bool is_witness_of_composite(uint64_t base, uint64_t number, uint64_t odd, int twos) noexcept {
  uint64_t x = power(base, odd, number);
  if (x == 1 || x == number - 1) return false;
  for (int i = 1; i < twos; ++i) {
    x = multiply(x, x, number);
    if (x == number - 1) return false;
  }
  return true;
}

}  // namespace

bool is_prime(uint64_t number) noexcept {
  if (number < 2) return false;
  for (uint64_t base : bases) {
    if (number % base == 0) return number == base;
  }
  const int twos = std::countr_zero(number - 1);
  for (uint64_t base : bases) {
    if (is_witness_of_composite(base, number, (number - 1) >> twos, twos)) return false;
  }
  return true;
}

uint64_t next_prime(uint64_t number) noexcept {
  if (number <= 2) return 2;
  if (number > largest_prime) return 0;
  // Gaps between primes below 2^64 are shorter than 1,600, so this is a short walk.
  for (number |= 1; !is_prime(number); number += 2) {
  }
  return number;
}

}  // namespace weir::hashing
