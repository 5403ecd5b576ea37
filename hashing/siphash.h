// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): 64 bits that nobody can predict, or
// make two messages share, who does not know the key. For what clients hold in their hands; hash64.h is several times
// faster where nobody gains by guessing.
//
// The same on every machine, whatever its byte order. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::hashing {

// The sixteen bytes of the paper's key, each half read with its first byte lowest.
struct SipKey {
  uint64_t low = 0;
  uint64_t high = 0;
};

uint64_t siphash(const SipKey& key, std::string_view bytes) noexcept;

}  // namespace weir::hashing
