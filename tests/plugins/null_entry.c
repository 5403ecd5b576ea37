// Has nothing to offer.
#include "core/balance/weir_balancer.h"

const struct weir_balancer* weir_balancer_entry(void) {
  return NULL;
}
