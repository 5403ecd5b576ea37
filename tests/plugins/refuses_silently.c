// Refuses, and does not say why.
#include "tests/plugins/plain.h"

static void* create(const struct weir_members* members, const char* options, char* error, size_t error_size) {
  (void)members, (void)options, (void)error, (void)error_size;
  return NULL;
}

PLUGIN(.create = create)
