// What the plug-in `witness` has seen and been told. The test reads it by the symbol `witness_record`.
#pragma once

#include "core/balance/weir_balancer.h"

// NOLINTBEGIN: this is C
enum { witness_members_max = 8 };

// A key that makes it propose this index, whatever that is. Any other key: the first that is usable.
#define WITNESS_ORDER 0x0bad0bad00000000U

struct witness_record {
  int balancers;  // created and not destroyed
  int creations;
  uint64_t picks;  // of all states
  char options[64];
  uint32_t member_count;
  char names[witness_members_max][16];
  uint32_t shares[witness_members_max];
  uint32_t zones[witness_members_max];
  char labels[witness_members_max][32];  // "key=value;key=value;"

  // The last state that was initialized.
  int had_previous;
  uint64_t picks_before;  // of that worker, carried over from state to state
  uint64_t seed;
  int was_zeroed;
  int was_aligned;

  // The last pick.
  struct weir_pick pick;
  int usable[witness_members_max + 1];  // one more than there may be members
  uint32_t connections[witness_members_max + 1];
  uint64_t latency_ns[witness_members_max + 1];
};
// NOLINTEND
