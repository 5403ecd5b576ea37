// Proposes the first member, usable or not.
#include "tests/plugins/plain.h"

static uint32_t pick_first(const void* balancer, void* state, const struct weir_pick* pick) {
  (void)balancer, (void)state, (void)pick;
  return 0;
}

PLUGIN(.pick = pick_first)
