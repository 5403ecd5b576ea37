// home_or_better: an example of a balancing plug-in, small but useful. Copy it and change it.
//
// Each key (a client's address, say) has a home: a member chosen by the key alone, so that caches and sessions there
// stay warm. For each pick the home is compared with one other member drawn at random. Only if home would let us wait
// `loyalty` times as long does the other one get it: a hot key, or a slow home, flows over to the rest.
//
//     cc -O2 -fPIC -shared -I /usr/local/include -o home_or_better.so weir_balancer_example.c
//
//     balance: plugin
//     plugin: {path: /usr/lib/weir/home_or_better.so, options: "loyalty=3"}
#include <stdio.h>
#include <stdlib.h>
#include <weir_balancer.h>

// Read by all workers at the same time, so nothing in it changes after create().
struct balancer {
  double loyalty;
  uint32_t count;
  uint64_t shares_until[];  // of all members up to and including this one
};

// Of one worker. A cursor, a history, a table would be here, too.
struct state {
  uint64_t random;  // never 0
};

static void* create(const struct weir_members* members, const char* options, char* error, size_t error_size) {
  unsigned loyalty = 2;
  char rest = 0;
  if (options[0] != '\0' && (sscanf(options, "loyalty=%u%c", &loyalty, &rest) != 1 || loyalty < 1 || loyalty > 1000)) {
    snprintf(error, error_size, "options are '%s', but should be loyalty=N with N from 1 to 1000", options);
    return NULL;
  }
  struct balancer* balancer = malloc(sizeof *balancer + members->count * sizeof balancer->shares_until[0]);
  if (balancer == NULL) {
    snprintf(error, error_size, "no memory for %u members", (unsigned)members->count);
    return NULL;
  }
  balancer->loyalty = loyalty;
  balancer->count = members->count;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < members->count; ++i) {
    sum += weir_member_at(members, i)->share;
    balancer->shares_until[i] = sum;
  }
  return balancer;
}

static void destroy(void* balancer) {
  free(balancer);
}

static void state_init(const void* balancer, void* memory, uint64_t seed, const void* previous) {
  (void)balancer;
  struct state* state = memory;
  if (previous != NULL) {
    *state = *(const struct state*)previous;  // go on where the worker was: a change of shares starts nothing anew
  } else {
    state->random = seed | 1;
  }
}

// xorshift64 by Marsaglia, 2003.
static uint64_t next_random(struct state* state) {
  state->random ^= state->random << 13;
  state->random ^= state->random >> 7;
  state->random ^= state->random << 17;
  return state->random;
}

// The member that a random number belongs to: each has as many numbers as it has share.
static uint32_t member_of(const struct balancer* balancer, uint64_t number) {
  const uint64_t at = number % balancer->shares_until[balancer->count - 1];
  uint32_t low = 0;
  uint32_t high = balancer->count - 1;
  while (low < high) {  // the first with shares_until > at; one without a share is never the first
    const uint32_t middle = low + (high - low) / 2;
    if (balancer->shares_until[middle] > at) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// How long one more would wait there, roughly. A latency that is not known counts as a short one, so that everybody is
// asked now and then and becomes known.
static double cost_of(const struct balancer* balancer, const struct weir_pick* pick, uint32_t index) {
  const uint64_t before = index == 0 ? 0 : balancer->shares_until[index - 1];
  const double share = (double)(balancer->shares_until[index] - before);
  const uint64_t latency_ns = pick->latency_ns(pick, index);
  return (latency_ns == 0 ? 1000.0 : (double)latency_ns) * ((double)pick->connections(pick, index) + 1) / share;
}

static uint32_t pick_member(const void* shared, void* memory, const struct weir_pick* pick) {
  const struct balancer* balancer = shared;
  struct state* state = memory;
  const uint32_t home = member_of(balancer, pick->key);
  const uint32_t other = member_of(balancer, next_random(state));
  const int home_usable = pick->usable(pick, home);
  const int other_usable = pick->usable(pick, other);
  if (home_usable && other_usable) {
    const double home_cost = cost_of(balancer, pick, home);
    return home_cost > balancer->loyalty * cost_of(balancer, pick, other) ? other : home;
  }
  if (home_usable) return home;
  if (other_usable) return other;
  // The rare rest: a few more draws, so that what a dead member leaves is spread by share, then whoever there is.
  for (int draw = 0; draw < 8; ++draw) {
    const uint32_t drawn = member_of(balancer, next_random(state));
    if (pick->usable(pick, drawn)) return drawn;
  }
  const uint32_t start = (uint32_t)(next_random(state) % pick->count);
  for (uint32_t i = 0; i < pick->count; ++i) {
    const uint32_t index = (start + i) % pick->count;
    if (pick->usable(pick, index)) return index;
  }
  return WEIR_NO_ENDPOINT;
}

const struct weir_balancer* weir_balancer_entry(void) {
  static const struct weir_balancer balancer = {
      .abi_version = WEIR_BALANCER_ABI,
      .struct_size = sizeof(struct weir_balancer),
      .name = "home_or_better",
      .wants = WEIR_WANTS_KEY,
      .state_size = sizeof(struct state),
      .create = create,
      .destroy = destroy,
      .state_init = state_init,
      .pick = pick_member,
  };
  return &balancer;
}
