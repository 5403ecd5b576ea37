// Assertions that stay on in production: what they check is ours to keep, so a failure is a bug of weir, and going on
// would spread it. The values involved are printed, then the process aborts.
#pragma once

namespace weir {

[[noreturn]] void assert_failed(const char* condition, const char* file, int line) noexcept;
[[noreturn]] void assert_failed(const char* condition, const char* file, int line, long long value) noexcept;

// The machine gave us no memory at start-up, when there is nothing to shed yet: says so and ends.
[[noreturn]] void out_of_memory(unsigned long long bytes) noexcept;

}  // namespace weir

// WEIR_ASSERT(condition) or WEIR_ASSERT(condition, integer to print).
#define WEIR_ASSERT(condition, ...)                                                     \
  do {                                                                                  \
    if (!(condition)) [[unlikely]] {                                                    \
      ::weir::assert_failed(#condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                                   \
  } while (false)
