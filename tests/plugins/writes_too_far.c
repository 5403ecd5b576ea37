// Says that its state is smaller than it is.
#include "tests/plugins/plain.h"

PLUGIN(.state_size = sizeof(uint64_t) - 1)
