// Proposes a member that does not exist.
#include "tests/plugins/plain.h"

static uint32_t pick_nobody(const void* balancer, void* state, const struct weir_pick* pick) {
  (void)balancer, (void)state;
  return pick->count;
}

PLUGIN(.pick = pick_nobody)
