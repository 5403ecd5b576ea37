#include "core/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace weir {

void assert_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "weir: assertion failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

void assert_failed(const char* condition, const char* file, int line, long long value) noexcept {
  std::fprintf(stderr, "weir: assertion failed: %s (value %lld) at %s:%d\n", condition, value, file, line);
  std::abort();
}

void out_of_memory(unsigned long long bytes) noexcept {
  std::fprintf(stderr, "weir: cannot reserve %llu bytes of address space; raise RLIMIT_AS or lower limits\n", bytes);
  std::_Exit(EXIT_FAILURE);
}

}  // namespace weir
