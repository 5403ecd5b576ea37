// Refuses its options, whatever they are, and says so.
#include <stdio.h>

#include "tests/plugins/plain.h"

static void* create(const struct weir_members* members, const char* options, char* error, size_t error_size) {
  snprintf(error, error_size, "'%s' is no way to balance %u members", options, (unsigned)members->count);
  return NULL;
}

PLUGIN(.create = create)
