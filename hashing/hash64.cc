#include "hashing/hash64.h"

// Compiled in, not called in the shared library: keys are short (an address is 16 bytes), and the call would cost as
// much as the hash.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir::hashing {

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

uint64_t hash64(std::string_view bytes, uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace weir::hashing
