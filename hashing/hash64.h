// 64-bit hashes with a seed, the same on every machine of the same byte order: XXH3 for bytes, a mixer for numbers.
//
// All 64 bits of a result are well mixed, so that a range reduction may take the high ones and a mask the low ones.
// They spread keys; they do not resist somebody who picks the keys knowing the seed. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::hashing {

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed = 0) noexcept;
uint64_t hash64(std::string_view bytes, uint64_t seed = 0) noexcept;

// A bijection of 64 bits (the finalizer of splitmix64: Stafford's "variant 13"): close inputs give unrelated outputs.
constexpr uint64_t mix64(uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15;  // Or 0 would stay 0.
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// The same, for each seed another bijection. The seed is mixed first: seeds are often 0, 1, 2, and xor of two small
// numbers collides.
constexpr uint64_t mix64(uint64_t value, uint64_t seed) noexcept {
  return mix64(value ^ mix64(seed));
}

// A hash with all 64 bits well mixed to [0, bound), by its high bits, without a division (Lemire, 2016). How far it is
// from uniform: at most one part in 2^64 / bound.
constexpr uint32_t reduce(uint64_t hash, uint32_t bound) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint32_t>((Wide{hash} * bound) >> 64);
}

}  // namespace weir::hashing
