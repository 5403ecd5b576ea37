// Refuses with bytes that are no text and do not end.
#include "tests/plugins/plain.h"

static void* create(const struct weir_members* members, const char* options, char* error, size_t error_size) {
  (void)members, (void)options;
  memset(error, '\n', error_size);
  error[0] = '!';
  return NULL;
}

PLUGIN(.create = create)
