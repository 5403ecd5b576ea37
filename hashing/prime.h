// Prime numbers of up to 64 bits, for the sizes of Maglev tables. Exact, not probable. Pure functions, any thread.
#pragma once

#include <cstdint>

namespace weir::hashing {

bool is_prime(uint64_t number) noexcept;

// The least prime that is not less than `number`; 0 if it would need more than 64 bits.
uint64_t next_prime(uint64_t number) noexcept;

}  // namespace weir::hashing
