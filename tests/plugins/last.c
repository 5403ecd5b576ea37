// The last that is usable.
#include "tests/plugins/plain.h"

static uint32_t pick_last(const void* balancer, void* state, const struct weir_pick* pick) {
  (void)balancer, (void)state;
  for (uint32_t i = pick->count; i > 0; --i) {
    if (pick->usable(pick, i - 1)) return i - 1;
  }
  return WEIR_NO_ENDPOINT;
}

PLUGIN(.name = "last", .pick = pick_last)
