// Writes down what it sees and is told, for a test to look at, and proposes what the key says.
#include "tests/plugins/witness.h"

#include <stdio.h>

#include "tests/plugins/plain.h"

__attribute__((visibility("default"))) struct witness_record witness_record;

struct state {
  uint64_t picks;
};

static void* create(const struct weir_members* members, const char* options, char* error, size_t error_size) {
  (void)error, (void)error_size;
  struct witness_record* record = &witness_record;
  record->balancers++;
  record->creations++;
  record->member_count = members->count;
  snprintf(record->options, sizeof record->options, "%s", options);
  for (uint32_t i = 0; i < members->count && i < witness_members_max; ++i) {
    const struct weir_member* member = weir_member_at(members, i);
    snprintf(record->names[i], sizeof record->names[i], "%s", member->name);
    record->shares[i] = member->share;
    record->zones[i] = member->zone;
    record->labels[i][0] = '\0';
    for (uint32_t at = 0; at < member->label_count; ++at) {
      const size_t length = strlen(record->labels[i]);
      snprintf(record->labels[i] + length, sizeof record->labels[i] - length, "%s=%s;", member->labels[at].key,
               member->labels[at].value);
    }
  }
  return &plain_balancer;
}

static void destroy(void* balancer) {
  if (balancer == &plain_balancer) witness_record.balancers--;
}

static void state_init(const void* balancer, void* memory, uint64_t seed, const void* previous) {
  (void)balancer;
  struct state* state = memory;
  witness_record.was_zeroed = state->picks == 0;
  witness_record.was_aligned = (uintptr_t)memory % 64 == 0;
  witness_record.seed = seed;
  witness_record.had_previous = previous != NULL;
  if (previous != NULL) state->picks = ((const struct state*)previous)->picks;
  witness_record.picks_before = state->picks;
}

static uint32_t pick_as_told(const void* balancer, void* memory, const struct weir_pick* pick) {
  struct state* state = memory;
  state->picks++;
  struct witness_record* record = &witness_record;
  record->picks++;
  record->pick = *pick;
  for (uint32_t i = 0; i <= witness_members_max; ++i) {
    record->usable[i] = pick->usable(pick, i);
    record->connections[i] = pick->connections(pick, i);
    record->latency_ns[i] = pick->latency_ns(pick, i);
  }
  if (pick->key >> 32 == WITNESS_ORDER >> 32) return (uint32_t)pick->key;
  return plain_pick(balancer, memory, pick);
}

PLUGIN(.name = "witness", .wants = WEIR_WANTS_KEY | WEIR_WANTS_ZONE, .state_size = sizeof(struct state),
       .create = create, .destroy = destroy, .state_init = state_init, .pick = pick_as_told)
