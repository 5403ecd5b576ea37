// Was compiled with the header of a newer weir, whose struct goes on.
#include "tests/plugins/plain.h"

const struct weir_balancer* weir_balancer_entry(void) {
  static const struct {
    struct weir_balancer known;
    void* more[4];
  } plugin = {.known = {.abi_version = WEIR_BALANCER_ABI,
                        .struct_size = sizeof plugin,
                        .name = "longer_struct",
                        .state_size = sizeof(uint64_t),
                        .create = plain_create,
                        .destroy = plain_destroy,
                        .state_init = plain_state_init,
                        .pick = plain_pick},
              .more = {&plain_balancer, NULL, NULL, &plain_balancer}};
  return &plugin.known;
}
