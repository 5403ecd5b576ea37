// Calls a function that is nowhere.
#include "tests/plugins/plain.h"

uint32_t function_that_is_nowhere(const void* balancer, void* state, const struct weir_pick* pick);

static uint32_t pick_by_it(const void* balancer, void* state, const struct weir_pick* pick) {
  return function_that_is_nowhere(balancer, state, pick);
}

PLUGIN(.pick = pick_by_it)
