// A plug-in that does everything right, and next to nothing, for others to break: PLUGIN(.pick = NULL) is this one
// without its pick(). A module is one of these and the one thing that is the matter with it.
#pragma once

#include <string.h>

#include "core/balance/weir_balancer.h"

#pragma GCC diagnostic ignored "-Woverride-init"

static int plain_balancer;

static void* plain_create(const struct weir_members* members, const char* options, char* error, size_t error_size) {
  (void)members, (void)options, (void)error, (void)error_size;
  return &plain_balancer;
}

static void plain_destroy(void* balancer) {
  (void)balancer;
}

static void plain_state_init(const void* balancer, void* state, uint64_t seed, const void* previous) {
  (void)balancer, (void)previous;
  memcpy(state, &seed, sizeof seed);
}

// The first that is usable.
static uint32_t plain_pick(const void* balancer, void* state, const struct weir_pick* pick) {
  (void)balancer, (void)state;
  for (uint32_t i = 0; i < pick->count; ++i) {
    if (pick->usable(pick, i)) return i;
  }
  return WEIR_NO_ENDPOINT;
}

#define PLUGIN(...)                                                                          \
  const struct weir_balancer* weir_balancer_entry(void) {                                    \
    static const struct weir_balancer plugin = {.abi_version = WEIR_BALANCER_ABI,            \
                                                .struct_size = sizeof(struct weir_balancer), \
                                                .name = "plain",                             \
                                                .state_size = sizeof(uint64_t),              \
                                                .create = plain_create,                      \
                                                .destroy = plain_destroy,                    \
                                                .state_init = plain_state_init,              \
                                                .pick = plain_pick,                          \
                                                __VA_ARGS__};                                \
    return &plugin;                                                                          \
  }
